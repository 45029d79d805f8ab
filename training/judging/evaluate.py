"""Judging a model on later leads: every figure with its number of leads and an interval, and models held side by side.

`evaluate` judges one column of probabilities, `compare` the difference between two on the same leads. Both return
plain data: `to_dict` gives JSON without NaN, and the figures, the card, the gate and MLflow read nothing else.

Cost, measured on one core: 45,000 leads, each an account of its own, with 500 resamples and three segmentations
take some 7 s; it grows with leads times resamples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InternalError
from training.judging import metrics, ranking, tables
from training.judging.bootstrap import Resampling, interval
from training.judging.metrics import Direction, Floats, IntervalMethod, Metric, finite

TOP_SHARES = (0.10, 0.20, 0.35)

DIRECTIONS: Mapping[str, Direction] = {
    "log_loss": "lower",
    "brier": "lower",
    "log_loss_skill": "higher",
    "brier_skill": "higher",
    "calibration_intercept": "target_0",
    "calibration_slope": "target_1",
    "observed_to_expected": "target_1",
    "ece": "lower",
    "roc_auc": "higher",
    "average_precision": "higher",
    **{f"share_of_wins_top_{round(100 * share)}": "higher" for share in TOP_SHARES},
    **{f"lift_top_{round(100 * share)}": "higher" for share in TOP_SHARES},
    "precision_at_capacity": "higher",
}
_METHODS: Mapping[str, IntervalMethod] = {"ece": "basic"}
_CURVE = "lift curve"  # rides along with the figures: (n_rows, n_depths) instead of (n_rows,)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one model's probabilities are worth on one set of leads.

    Attributes
    ----------
    metrics : mapping of str to Metric
        By name; all of `DIRECTIONS`, `precision_at_capacity` only with dates and a capacity.
    base_rate : float
        The share of wins in training, which the skills are measured against.
    capacity_per_week : int or None
        Leads that sales can work in a week.
    first, last : str or None
        The as-of dates (ISO) between which the leads lie, both included.
    ece_by_chance : float
        The ECE to expect from exactly right probabilities on as many leads.
    design_effect : float
        How much the leads of one account win and lose together; 1 is not at all.
    n_effective : float
        How many leads of equal weight would tell as much; below `n` where some leads stand for others.
    """

    n: int
    n_wins: int
    n_accounts: int
    base_rate: float
    capacity_per_week: int | None
    first: str | None
    last: str | None
    metrics: Mapping[str, Metric]
    ece_by_chance: float
    design_effect: float
    reliability: tuple[tables.RateRow, ...]
    histogram: tuple[tuple[float, float, int], ...]
    lift: tuple[tables.LiftRow, ...]
    weekly: tuple[tables.RateRow, ...]
    monthly: tuple[tables.RateRow, ...]
    segments: tuple[tables.Segment, ...]
    resampling: Resampling
    n_effective: float

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as JSON-able data; a figure that does not exist is None."""
        plain = ("n", "n_wins", "n_accounts", "base_rate", "capacity_per_week", "first", "last")
        rows = ("reliability", "lift", "weekly", "monthly", "segments")
        return {
            **{name: getattr(self, name) for name in (*plain, "ece_by_chance", "design_effect", "n_effective")},
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
            **{name: [tables.as_dict(row) for row in getattr(self, name)] for name in rows},
            "histogram": [list(bar) for bar in self.histogram],
            "resampling": self.resampling.to_dict(),
        }


def evaluate(
    target: ArrayLike,
    probability: ArrayLike,
    account: ArrayLike,
    when: ArrayLike | None,
    *,
    base_rate: float,
    capacity_per_week: int | None = None,
    segments: Mapping[str, ArrayLike] | None = None,
    stands_for: ArrayLike | None = None,
    seed: int = 0,
    n_resamples: int = 500,
    level: float = 0.90,
) -> Evaluation:
    """Everything that is known about the probabilities of leads whose outcomes are known.

    Parameters
    ----------
    target, probability : array_like (n_leads,)
        Won within the horizon (0 or 1), and its probability.
    account : array_like (n_leads,)
        Whose lead it is; intervals resample accounts. A lead without an account needs an id of its own.
    when : array_like of datetime64 (n_leads,) or None
        As-of dates; None for data without dates, which then has no weeks, months or capacity.
    base_rate : float
        Share of wins in training.
    capacity_per_week : int, optional
        Leads that sales can work in a week.
    segments : mapping of str to array_like (n_leads,), optional
        Labels by name of the segmentation.
    stands_for : array_like (n_leads,), optional
        How many leads each one stands for, above 0, where not every lead was worked
        (`training.recipe.importance`); the figures are then those of all leads. Only itself if not said.
    seed, n_resamples, level
        Of the account bootstrap.

    Raises
    ------
    InternalError
        If the arrays do not fit together, or hold anything but 0 and 1 or probabilities.
    """
    y, p = checked(target, probability)
    dates = None if when is None else dated(when, len(y))
    weight = weighted(stands_for, len(y))
    leads = tables.Leads.of(y, p, account, Resampling(n_resamples, level, seed), weight)
    judged = _Judged.of(y, p, dates, base_rate, capacity_per_week)
    values, draws = judged.figures(weight[None, :]), _resampled(judged, leads)
    return Evaluation(
        n=len(y),
        n_wins=int(y.sum()),
        n_accounts=leads.accounts.n,
        base_rate=base_rate,
        capacity_per_week=capacity_per_week,
        first=None if dates is None else str(dates.min().astype("datetime64[D]")),
        last=None if dates is None else str(dates.max().astype("datetime64[D]")),
        metrics=_metrics(values, draws, len(y), int(y.sum()), level),
        ece_by_chance=metrics.ece_by_chance(p, weight),
        design_effect=leads.design_effect,
        reliability=tables.reliability(leads),
        histogram=tables.histogram(p),
        lift=tables.lift_rows(values[_CURVE][0], draws[_CURVE], len(y), level),
        weekly=() if dates is None else tables.periods(leads, dates, "week"),
        monthly=() if dates is None else tables.periods(leads, dates, "month"),
        segments=tables.segments(leads, segments or {}, base_rate),
        resampling=leads.resampling,
        n_effective=float(weight.sum() ** 2 / (weight @ weight)),
    )


def checked(target: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats]:
    """Both as floats (n_leads,).

    Raises
    ------
    InternalError
        If they do not fit together, are empty, or hold anything but 0 and 1 or probabilities.
    """
    y, p = np.asarray(target, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or not len(y):
        raise InternalError(f"target {y.shape} and probability {p.shape} are not one column of the same leads")
    if not np.isin(y, (0, 1)).all():
        raise InternalError("a target is neither 0 nor 1")
    if not ((p >= 0) & (p <= 1)).all():
        raise InternalError("a probability is not between 0 and 1")
    return y, p


def weighted(stands_for: ArrayLike | None, n_leads: int) -> Floats:
    """How many leads each one stands for, (n_leads,); 1 if not said.

    Raises
    ------
    InternalError
        If they are not one positive, finite number for each lead.
    """
    weight = np.ones(n_leads) if stands_for is None else np.asarray(stands_for, dtype=np.float64)
    if weight.shape != (n_leads,) or not ((weight > 0) & np.isfinite(weight)).all():
        raise InternalError(f"not every one of {n_leads} leads stands for a positive number of leads")
    return weight


def dated(when: ArrayLike, n_leads: int) -> NDArray[np.datetime64]:
    """The as-of dates as datetime64 (n_leads,).

    Raises
    ------
    InternalError
        If they are not one date for each lead.
    """
    dates = np.asarray(when).astype("datetime64[us]")
    if dates.shape != (n_leads,) or np.isnat(dates).any():
        raise InternalError(f"not every one of {n_leads} leads has an as-of date")
    return dates


@dataclass(frozen=True, slots=True)
class _Judged:
    """The leads, and the columns whose weighted sums give every figure that is a mean, made once for all resamples."""

    target: Floats
    probability: Floats
    week: NDArray[np.int64] | None
    capacity_per_week: int | None
    columns: Floats

    @classmethod
    def of(
        cls,
        y: Floats,
        p: Floats,
        dates: NDArray[np.datetime64] | None,
        base_rate: float,
        capacity: int | None,
    ) -> _Judged:
        reference = np.full(len(y), base_rate)
        means = [
            metrics.log_losses(y, p),
            metrics.squared_errors(y, p),
            metrics.log_losses(y, reference),
            metrics.squared_errors(y, reference),
            y,
            p,
            np.ones(len(y)),
        ]
        columns = np.concatenate([np.stack(means, axis=1), metrics.bin_residuals(y, p)], axis=1)
        week = None if dates is None or capacity is None else ranking.weeks(dates)
        return cls(y, p, week, capacity, columns)

    def figures(self, weight: Floats) -> dict[str, Floats]:
        """Every figure under each row of weights (n_rows, n_leads): name to (n_rows,), and the lift curve."""
        return {**self._means(weight), **self._calibration(weight), **self._ranking(weight)}

    def _means(self, weight: Floats) -> dict[str, Floats]:
        sums = weight @ self.columns
        log_loss, brier, log_loss_0, brier_0, wins, expected, n = sums[:, :7].T
        return {
            "log_loss": metrics.ratio(log_loss, n),
            "brier": metrics.ratio(brier, n),
            "log_loss_skill": metrics.skill(log_loss, log_loss_0),
            "brier_skill": metrics.skill(brier, brier_0),
            "observed_to_expected": metrics.ratio(wins, expected),
            "ece": metrics.ratio(np.abs(sums[:, 7:]).sum(1), n),
        }

    def _calibration(self, weight: Floats) -> dict[str, Floats]:
        fit = metrics.recalibration(self.target, self.probability, weight)
        return {"calibration_intercept": fit.intercept, "calibration_slope": fit.slope}

    def _ranking(self, weight: Floats) -> dict[str, Floats]:
        leads = ranking.ranked(self.target, self.probability, weight)
        caught = ranking.share_of_wins(leads, tables.DEPTHS)
        figures = {
            _CURVE: caught,
            "roc_auc": ranking.roc_auc(leads),
            "average_precision": ranking.average_precision(leads),
        }
        for share in TOP_SHARES:
            at_share = caught[:, tables.DEPTHS.index(share)]
            figures[f"share_of_wins_top_{round(100 * share)}"] = at_share
            figures[f"lift_top_{round(100 * share)}"] = at_share / share
        if self.week is not None and self.capacity_per_week is not None:
            figures["precision_at_capacity"] = ranking.precision_at_capacity(
                self.target, self.probability, self.week, self.capacity_per_week, weight
            )
        return figures


def _resampled(judged: _Judged, leads: tables.Leads) -> dict[str, Floats]:
    """Every figure in every resample, name to (n_resamples, ...)."""
    drawn = leads.accounts.lead_weights(leads.resampling)
    blocks = [judged.figures(weight * leads.weight) for weight in drawn]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _metrics(
    values: Mapping[str, Floats], draws: Mapping[str, Floats], n: int, n_wins: int, level: float
) -> dict[str, Metric]:
    """Every figure on all leads, with the interval that the resamples give it."""
    found = {}
    for name in (known for known in DIRECTIONS if known in values):
        value, method = float(values[name][0]), _METHODS.get(name, "percentile")
        ends = interval(draws[name], value, level, method)
        shown = method if ends is not None else "none"
        found[name] = Metric(name, finite(value), DIRECTIONS[name], n, n_wins, ends, shown)
    return found
