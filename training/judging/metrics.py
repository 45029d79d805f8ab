"""How good probabilities are: proper scores and calibration, each under any weights.

`target` is (n_leads,) of 0 and 1, `probability` is (n_leads,) between 0 and 1. `weight` is None (every lead counts
once), (n_leads,), or (n_resamples, n_leads): then one call answers for all resamples of a bootstrap, as arrays of
shape (n_resamples,). Figures that do not exist (the slope of constant predictions) are NaN here and None in `Metric`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Direction = Literal["lower", "higher", "target_0", "target_1"]
IntervalMethod = Literal["percentile", "basic", "wilson", "none"]

SMALLEST_PROBABILITY = 1e-15  # log loss of a certain and wrong answer stays finite: 34.5
_MAX_STEPS = 60
_STEP_TOLERANCE = 1e-9  # in log-odds, at the lead that moves most


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure with everything that is needed to judge it.

    Attributes
    ----------
    name : str
        A stable name for programs: `log_loss`.
    value : float or None
        None where the figure does not exist for these leads.
    direction : {"lower", "higher", "target_0", "target_1"}
        Which values are better: lower ones, higher ones, those near 0 or near 1.
    n, n_wins : int
        Leads and wins behind the value.
    interval : tuple of float or None
        Lower and upper end.
    method : {"percentile", "basic", "wilson", "none"}
        Where the interval comes from (`training.judging.bootstrap`).
    """

    name: str
    value: float | None
    direction: Direction
    n: int
    n_wins: int
    interval: tuple[float, float] | None
    method: IntervalMethod

    def to_dict(self) -> dict[str, Any]:
        """The metric as JSON-able data."""
        return {**asdict(self), "interval": None if self.interval is None else list(self.interval)}


def finite(value: float) -> float | None:
    """`value`, or None where it is not a finite number (JSON knows no NaN)."""
    return float(value) if math.isfinite(value) else None


def weights(n_leads: int, weight: Floats | None) -> Floats:
    """`weight`, or ones (n_leads,)."""
    return np.ones(n_leads) if weight is None else weight


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """numerator / denominator, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    out = np.full(shape, np.nan)
    return np.asarray(np.divide(numerator, denominator, out=out, where=np.asarray(denominator) != 0))


def log_odds(probability: Floats) -> Floats:
    """log(p / (1 - p)) of (n_leads,), held within +-34.5 by `SMALLEST_PROBABILITY`."""
    held = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(np.log(held) - np.log1p(-held))


def log_losses(target: Floats, probability: Floats) -> Floats:
    """Each lead's log loss in nats, (n_leads,)."""
    held = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(-np.where(target == 1, np.log(held), np.log1p(-held)))


def squared_errors(target: Floats, probability: Floats) -> Floats:
    """Each lead's squared error, (n_leads,); their mean is the Brier score."""
    return np.asarray((target - probability) ** 2)


def log_loss(target: Floats, probability: Floats, weight: Floats | None = None) -> Floats:
    """Mean log loss in nats; lower is better.

    >>> round(float(log_loss(np.array([1.0, 0.0]), np.array([0.8, 0.4]))), 4)
    0.367
    """
    w = weights(len(target), weight)
    return ratio(w @ log_losses(target, probability), w.sum(-1))


def brier(target: Floats, probability: Floats, weight: Floats | None = None) -> Floats:
    """Mean squared error of the probability; lower is better."""
    w = weights(len(target), weight)
    return ratio(w @ squared_errors(target, probability), w.sum(-1))


def skill(loss: Floats, reference_loss: Floats) -> Floats:
    """Share of the reference's loss that is saved: 1 is perfect, 0 is no better than the reference, below 0 is worse.

    The reference is usually the base rate of training, which is what one would say without a model. On later leads
    with another rate of wins, a forecast can gain skill by its level alone: read it beside the ROC AUC.
    """
    return 1 - ratio(loss, reference_loss)


def equal_count_bins(probability: Floats, n_bins: int) -> NDArray[np.int64]:
    """The bin of each lead, (n_leads,), 0 for the lowest probabilities; bins hold equally many leads.

    Equal probabilities stay together, in the bin of their middle rank, so that the bins do not depend on the order of
    rows; bins are then fewer or uneven where many leads share one probability.
    """
    _, inverse, counts = np.unique(probability, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    of_value = np.minimum((middle * n_bins / len(probability)).astype(np.int64), n_bins - 1)
    _, dense = np.unique(of_value, return_inverse=True)
    return np.asarray(dense[inverse], dtype=np.int64)


def bin_residuals(target: Floats, probability: Floats, n_bins: int = 10) -> Floats:
    """Target minus probability, each in the column of its equal-count bin, (n_leads, n_used_bins)."""
    bins = equal_count_bins(probability, n_bins)
    columns = np.zeros((len(target), int(bins.max()) + 1))
    columns[np.arange(len(target)), bins] = target - probability
    return columns


def expected_calibration_error(
    target: Floats, probability: Floats, weight: Floats | None = None, n_bins: int = 10
) -> Floats:
    """Mean absolute gap between mean probability and share of wins over equal-count bins (ECE); lower is better.

    The bins follow the probabilities of all leads and stay fixed under weights. ECE is never 0 on finite data:
    compare with `ece_by_chance`. Naeini, Cooper and Hauskrecht 2015; equal counts as in Nixon et al. 2019.
    """
    w = weights(len(target), weight)
    return ratio(np.abs(w @ bin_residuals(target, probability, n_bins)).sum(-1), w.sum(-1))


def ece_by_chance(probability: Floats, weight: Floats | None = None, n_bins: int = 10) -> float:
    """The ECE to expect from chance alone if every probability were exactly right and leads were independent.

    A bin's gap is then about normal with variance sum w^2 p (1 - p) / w_bin^2, and its mean absolute value is
    sqrt(2 / pi) standard deviations. `weight` is (n_leads,).
    """
    w = weights(len(probability), weight)
    bins = equal_count_bins(probability, n_bins)
    variance = np.bincount(bins, weights=w**2 * (probability * (1 - probability)))
    return float(math.sqrt(2 / math.pi) * np.sqrt(variance).sum() / w.sum())


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Intercept and slope of `log-odds of a win = intercept + slope * log-odds of the probability`.

    A slope below 1 says that the probabilities are too extreme, above 1 that they are too timid. Both have the
    shape of the weights without the leads; NaN where no finite estimate exists.
    """

    intercept: Floats
    slope: Floats

    @property
    def exists(self) -> NDArray[np.bool_]:
        """Whether an estimate was found."""
        return np.asarray(np.isfinite(self.slope))


def recalibration(target: Floats, probability: Floats, weight: Floats | None = None) -> Recalibration:
    """The logistic recalibration by maximum likelihood (Cox 1958).

    No estimate exists (NaN) where the log-odds do not vary, one class is missing, or the probabilities separate wins
    from losses: the likelihood then grows without end.
    """
    x = log_odds(probability)
    spread = float(x.std())
    w = np.atleast_2d(weights(len(target), weight))
    w = ratio(w, w.sum(-1, keepdims=True))
    theta = np.full((len(w), 2), np.nan)
    if spread > 1e-9:
        z = (x - x.mean()) / spread
        solvable = _classes_overlap(z, target, w)
        if solvable.any():
            theta[solvable] = _maximum_likelihood(z, target, w[solvable])
    slope = theta[:, 1] / spread if spread > 1e-9 else theta[:, 1]
    intercept = theta[:, 0] - slope * x.mean()
    shape = () if weight is None else weight.shape[:-1]
    return Recalibration(intercept.reshape(shape), slope.reshape(shape))


def _classes_overlap(z: Floats, target: Floats, w: Floats) -> NDArray[np.bool_]:
    """Whether wins and losses overlap strictly along z, for each row of weights (Albert and Anderson 1984)."""
    ends = [_ends(z, np.flatnonzero(target == label), w) for label in (0, 1)]
    (low_0, high_0), (low_1, high_1) = ends
    return np.asarray((low_1 < high_0) & (low_0 < high_1))


def _ends(z: Floats, rows: NDArray[np.intp], w: Floats) -> tuple[Floats, Floats]:
    """Smallest and largest z among `rows` with weight, for each row of w; NaN where none has any."""
    nan = np.full(len(w), np.nan)
    if not len(rows):
        return nan, nan
    ordered = rows[np.argsort(z[rows])]
    present = w[:, ordered] > 0
    low = np.where(present.any(1), z[ordered[present.argmax(1)]], nan)
    high = np.where(present.any(1), z[ordered[::-1][present[:, ::-1].argmax(1)]], nan)
    return low, high


def _maximum_likelihood(z: Floats, target: Floats, w: Floats) -> Floats:
    """Intercept and slope on z, (n_rows, 2), by damped Newton steps; NaN where they did not settle.

    The logistic loss is generalised self-concordant, so a step shortened by log(1 + d) / d, where d is the largest
    change of a log-odds, always descends, from any start and without a line search (Sun and Tran-Dinh 2019,
    theorem 2).
    """
    start = np.array([float(log_odds(np.asarray(target.mean()))), 0.0])
    middle = _newton(z, target, np.full((1, len(z)), 1 / len(z)), start[None, :])[0]
    start = middle if np.isfinite(middle).all() else start
    return _newton(z, target, w, np.repeat(start[None, :], len(w), axis=0))


def _newton(z: Floats, target: Floats, w: Floats, theta: Floats) -> Floats:
    """`theta` moved to the maximum, row by row; rows that have settled leave the computation."""
    found = np.full_like(theta, np.nan)
    open_rows = np.arange(len(w))
    moments = np.stack([np.ones_like(z), z, z * z], axis=1)
    ends = np.array([z.min(), z.max()])
    for _ in range(_MAX_STEPS):
        if not len(open_rows):
            break
        step = _newton_step(z, target, w, theta, moments)
        change = np.abs(step[:, :1] + step[:, 1:] * ends).max(1)
        usable = np.isfinite(change)
        damping = np.log1p(change) / np.where(change > 0, change, 1)
        theta = theta + step * np.where(change > 1e-6, damping, 1)[:, None]
        settled = usable & (change < _STEP_TOLERANCE)
        found[open_rows[settled]] = theta[settled]
        stay = usable & ~settled
        open_rows, theta = open_rows[stay], theta[stay]
        w = w if stay.all() else w[stay]
    return found


def _newton_step(z: Floats, target: Floats, w: Floats, theta: Floats, moments: Floats) -> Floats:
    """The full Newton step of each row, (n_rows, 2); NaN where the curvature has vanished."""
    p = 1 / (1 + np.exp(-(theta[:, :1] + theta[:, 1:] * z)))
    g = (w * (target - p)) @ moments[:, :2]
    h = (w * (p * (1 - p))) @ moments
    determinant = h[:, 0] * h[:, 2] - h[:, 1] ** 2
    solved = np.stack([h[:, 2] * g[:, 0] - h[:, 1] * g[:, 1], h[:, 0] * g[:, 1] - h[:, 1] * g[:, 0]], axis=1)
    return ratio(solved, determinant[:, None])
