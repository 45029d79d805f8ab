"""What a candidate has to show before it may become champion: the limits, and why they are what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a candidate has to show. The defaults, and why.

    Attributes
    ----------
    most_log_loss_increase : float
        Share of the champion's (or the baseline's) log loss by which the candidate's may lie above it, when the
        interval leaves open whether it is worse at all. 1 %: half of what monthly data of some thousand leads can
        tell.
    slope_range : tuple of float
        The calibration slope's interval must reach into it. Outside of .8 to 1.25, a probability of 10 % among 3 %
        on average stands for less than 8 % or more than 14 %: grades and reasons would mislead.
    observed_to_expected_range : tuple of float
        The interval of wins observed to wins expected must reach into it. Wide on purpose: rates drift, and
        recalibration repairs them; a factor of two would be noticed by everyone who works the list.
    segment_error_rate : float
        Chance of refusing a harmless candidate over all segments together (Bonferroni).
    most_segment_increase : float
        Share by which a segment's log loss must rise before a sure difference matters.
    most_grade_changes : float or None
        Share of leads that may change grade; None reports it only.
    require_later_leads : bool
        Refuse candidates that were judged by random folds. Off, because data without any order exist; the check
        and the card say so either way.
    """

    most_log_loss_increase: float = 0.01
    slope_range: Pair = (0.8, 1.25)
    observed_to_expected_range: Pair = (0.5, 2.0)
    segment_error_rate: float = 0.05
    most_segment_increase: float = 0.05
    most_grade_changes: float | None = None
    require_later_leads: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The policy as JSON-able data."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Policy:
        """The policy that `to_dict` wrote."""
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in plain.items()}
        return cls(**values)
