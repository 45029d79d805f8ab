"""Slopes from several windows of time: what they usually are, and how far one window's stray from it.

One calibration window of 500 wins knows its slope to .06 at best, and what it needs is not what the next window needs:
over windows of real sets, slopes differ by more than chance. So the windows that the rounds were chosen on, each later
than the fit that it judges, speak as well. Of window k let `a_k` be its slopes, one per part:

    a_k ~ N(usual, wander² I)    usual ~ N(1, .15² I)    wander half-normal

and the answer is the mean of `usual`, over all plausible values of `wander`. Where windows agree it is their pooled
estimate; where they contradict one another each counts about the same, whatever its size, and 1 counts for more. A
window's likelihood is taken as normal at its best slopes (a random-effects meta-analysis; DerSimonian and Laird 1986).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.model.calibrator import probabilities_of
from training.recipe.importance import scaled_to_effective
from training.recipe.sample import FloatArray
from training.recipe.slopes import fit_slopes

WANDERS = np.geomspace(0.005, 1.0, 40)
RIDGE_OF_WINDOW = 4.0  # where a window's likelihood is expanded; finite for separable leads too


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """Margins in log-odds of both parts, of leads that these parts had not seen, with their targets.

    Attributes
    ----------
    stands_for : ndarray of float, shape (n_leads,), optional
        How many leads each one stands for, see `training.recipe.importance`; itself alone if not said.
    """

    linear: FloatArray
    trees: FloatArray
    target: FloatArray
    stands_for: FloatArray | None = None

    @property
    def weights(self) -> FloatArray:
        """What each lead stands for, scaled to the effective number of leads, shape (n_leads,)."""
        return np.ones(self.target.size) if self.stands_for is None else scaled_to_effective(self.stands_for)


@dataclass(frozen=True, slots=True, eq=False)
class SlopeEvidence:
    """What one window says of its slopes: the log likelihood is `pull @ a - a @ precision @ a / 2`, shift profiled out.

    Attributes
    ----------
    centre : ndarray of float, shape (2,)
        The parts' mean margins by information: there the shift is independent of the slopes.
    information : float
        About the level.
    """

    precision: FloatArray
    pull: FloatArray
    centre: FloatArray
    information: float


def slope_evidence(margins: Margins, weights: FloatArray | None = None) -> SlopeEvidence:
    """What the leads say of the slopes of both parts; trees that say nothing there have no information.

    Leads that stand for many make a sum vary more than its curvature tells. So information is divided by what their
    weights add to the variance (the sandwich of White 1982, as one factor for slopes and one for the level).

    Parameters
    ----------
    weights : ndarray of float, shape (n_leads,), optional
        By time only.
    """
    importance = margins.weights
    weights = importance if weights is None else weights * importance
    inputs = np.column_stack([margins.linear, margins.trees])
    parameters, _ = fit_slopes(inputs, margins.target, weights, RIDGE_OF_WINDOW)
    slopes = parameters[:2]
    rate = probabilities_of(inputs @ slopes + parameters[2])
    information = weights * rate * (1 - rate)
    centre = information @ inputs / information.sum()
    apart = inputs - centre
    precision = (apart.T * information) @ apart
    known = information_kept(information * (apart**2).sum(axis=1), importance)
    # The expansion stands at a point drawn towards 1, so the likelihood still rises there.
    rises = inputs.T @ (weights * (margins.target - rate))
    of_level = float(information.sum()) * information_kept(information, importance)
    return SlopeEvidence(known * precision, known * (precision @ slopes + rises), centre, of_level)


def information_kept(information: FloatArray, importance: FloatArray) -> float:
    """The share of the leads' summed `information` that weighting leaves, both (n_leads,); 1 where all weigh 1."""
    return float(information.sum() / (information * importance).sum())


def usual_slopes(
    seen: Sequence[SlopeEvidence], *, usual_error: float, usual_wander: float
) -> tuple[FloatArray, FloatArray]:
    """Mean slopes, shape (2,), and the covariance, shape (2, 2), of what a further window would need.

    Parameters
    ----------
    usual_error : float
        How far usual slopes lie from 1, as a standard deviation before anything is seen.
    usual_wander : float
        Scale of the half-normal prior of how far a window strays from the usual.
    """
    logs, means, covariances = [], [], []
    for wander in WANDERS:
        log, mean, covariance = _given(seen, wander, usual_error)
        logs.append(log + np.log(wander) - (wander / usual_wander) ** 2 / 2)  # np.log: the grid is geometric
        means.append(mean)
        covariances.append(covariance + wander**2 * np.eye(2))
    likely = np.exp(np.array(logs) - max(logs))
    likely /= likely.sum()
    mean = likely @ np.array(means)
    spread = np.array(means) - mean
    return mean, np.einsum("k,kij->ij", likely, np.array(covariances)) + (spread.T * likely) @ spread


def _given(seen: Sequence[SlopeEvidence], wander: float, usual_error: float) -> tuple[float, FloatArray, FloatArray]:
    """For one `wander`: log likelihood, and mean and covariance of the usual slopes."""
    precision = np.eye(2) / usual_error**2
    pull = precision @ np.ones(2)
    log = 0.0
    for window in seen:
        blurred = np.linalg.inv(np.eye(2) + wander**2 * window.precision)
        precision = precision + window.precision @ blurred
        pull = pull + blurred @ window.pull
        log += float(np.log(np.linalg.det(blurred)) + wander**2 * window.pull @ blurred @ window.pull) / 2
    covariance = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    mean = covariance @ pull
    return log + float(pull @ mean + np.log(np.linalg.det(covariance))) / 2, mean, covariance
