"""Two models on the same leads: the difference, and how sure it is.

Both models meet the same easy and hard leads, so the difference is far surer than either figure: it is resampled
as one (by account), never read off two intervals that overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.judging.bootstrap import Accounts, Resampling, interval
from training.judging.evaluate import checked, weighted
from training.judging.metrics import Floats, finite, log_losses, ratio, squared_errors
from training.judging.tables import FEWEST_WINS, Segmentation


@dataclass(frozen=True, slots=True)
class Difference:
    """Loss of a minus loss of b on the same leads: below 0, a is better.

    `share` is the difference as a share of b's loss; `standard_error` comes from the resamples.
    """

    value: float
    interval: tuple[float, float] | None
    standard_error: float | None
    share: float | None
    n: int
    n_wins: int

    def to_dict(self) -> dict[str, Any]:
        """The difference as JSON-able data."""
        return {**asdict(self), "interval": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True, slots=True)
class SegmentDifference:
    """The difference in log loss within one value of one segmentation; `thin` as in `tables.Segment`."""

    segmentation: str
    label: str
    thin: bool
    log_loss: Difference


@dataclass(frozen=True, slots=True)
class Paired:
    """Model a held against model b on the same leads."""

    log_loss: Difference
    brier: Difference
    segments: tuple[SegmentDifference, ...]
    n_accounts: int
    resampling: Resampling

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON-able data."""
        return {
            "log_loss": self.log_loss.to_dict(),
            "brier": self.brier.to_dict(),
            "segments": [{**asdict(s), "log_loss": s.log_loss.to_dict()} for s in self.segments],
            "n_accounts": self.n_accounts,
            "resampling": self.resampling.to_dict(),
        }


def compare(
    target: ArrayLike,
    p_a: ArrayLike,
    p_b: ArrayLike,
    account: ArrayLike,
    *,
    segments: Mapping[str, ArrayLike] | None = None,
    stands_for: ArrayLike | None = None,
    seed: int = 0,
    n_resamples: int = 1000,
    level: float = 0.90,
) -> Paired:
    """Log loss and Brier score of a minus those of b, over all leads and by segment, with paired intervals.

    Parameters
    ----------
    target, p_a, p_b : array_like (n_leads,)
        Won within the horizon (0 or 1), and both models' probabilities of it.
    account : array_like (n_leads,)
        Whose lead it is; whole accounts are resampled.
    segments : mapping of str to array_like (n_leads,), optional
        Labels by name of the segmentation.
    stands_for : array_like (n_leads,), optional
        How many leads each one stands for, as in `training.judging.evaluate.evaluate`.

    Raises
    ------
    InternalError
        If the arrays do not fit together.
    """
    (y, a), (_, b) = checked(target, p_a), checked(target, p_b)
    accounts, resampling = Accounts.of(account), Resampling(n_resamples, level, seed)
    splits = [Segmentation.of(name, labels) for name, labels in (segments or {}).items()]
    members = np.concatenate([np.ones((len(y), 1)), *(split.one_hot() for split in splits)], axis=1)
    groups = _Groups(members * weighted(stands_for, len(y))[:, None], y, accounts, resampling)
    log_loss = groups.differences(log_losses(y, a), log_losses(y, b))
    brier = groups.differences(squared_errors(y, a), squared_errors(y, b))[0]
    names = [(split.name, label) for split in splits for label in split.labels]
    by_segment = tuple(
        SegmentDifference(name, label, min(d.n_wins, d.n - d.n_wins) < FEWEST_WINS, d)
        for (name, label), d in zip(names, log_loss[1:], strict=True)
    )
    return Paired(log_loss[0], brier, by_segment, accounts.n, resampling)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Sets of leads whose mean losses are compared in the same resamples.

    `members`, (n_leads, n_groups), holds how many leads each lead of a group stands for, and 0 for all others.
    """

    members: Floats
    target: Floats
    accounts: Accounts
    resampling: Resampling

    def differences(self, loss_a: Floats, loss_b: Floats) -> list[Difference]:
        """Mean of loss_a minus mean of loss_b, both (n_leads,), within each group."""
        gap = loss_a - loss_b
        by_account = self.accounts.sums(np.concatenate([self.members * gap[:, None], self.members], axis=1))
        sums = np.concatenate([drawn @ by_account for drawn in self.accounts.draws(self.resampling)])
        n_groups = self.members.shape[1]
        draws = ratio(sums[:, :n_groups], sums[:, n_groups:])
        return [self._difference(group, gap, loss_b, draws[:, group]) for group in range(n_groups)]

    def _difference(self, group: int, gap: Floats, loss_b: Floats, draws: Floats) -> Difference:
        inside = self.members[:, group] > 0
        weight = self.members[inside, group]
        value, reference = (float(np.average(each[inside], weights=weight)) for each in (gap, loss_b))
        ends = interval(draws, value, self.resampling.level)
        return Difference(
            value=value,
            interval=ends,
            standard_error=None if ends is None else finite(draws[np.isfinite(draws)].std(ddof=1)),
            share=value / reference if reference > 0 else None,
            n=int(inside.sum()),
            n_wins=int(self.target[inside].sum()),
        )


@dataclass(frozen=True, slots=True)
class GradeChanges:
    """How many leads would get another grade from model a than from model b."""

    n: int
    better: int
    worse: int

    @property
    def share(self) -> float:
        """Share of leads whose grade changes."""
        return (self.better + self.worse) / self.n if self.n else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The counts and the share as JSON-able data."""
        return {**asdict(self), "share": self.share}


def grade_changes(grade_a: ArrayLike, grade_b: ArrayLike) -> GradeChanges:
    """Counts of leads that a grades better or worse than b; grades are letters, A the best, (n_leads,)."""
    a: NDArray[np.str_] = np.asarray(grade_a).astype(str)
    b: NDArray[np.str_] = np.asarray(grade_b).astype(str)
    return GradeChanges(n=len(a), better=int((a < b).sum()), worse=int((a > b).sum()))
