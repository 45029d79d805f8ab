"""The level of a refitted model: the shift that is right for all of its leads, moved towards the newest.

Slopes say how far to trust the parts, and are learnt honestly on later leads. The shift that was learnt beside them
makes up for what had changed between the leads of the fit and those later ones. A refit has seen the later leads and
has absorbed the change itself: with the old shift it would be corrected twice. (On 10,000 leads whose rate stepped from
10 % to 20 % between train and calibrate, such a model said 24 % where 18.5 % were won.) So after a refit the shift is
found anew:

1. b0, at which the mean probability over all leads of the refit is their rate;
2. d, the part by which the newest leads differ: b = b0 + d, drawn towards 0 by `d² / (2 wander²)`.

How far the level of this history wanders is what its past shows: the leads are cut into stretches as long as the newest
one, and their shifts differ by chance and by `wander`. A stretch of 70 wins that stands out from a history that never
wandered is mostly luck; one that follows many like it is not. Every plausible `wander` counts with its probability.

The refit's own leads may be used: one number, found on all of them together, has nothing to overfit with. Where only
some leads are worked each counts for as many as it stands for (`training.recipe.importance`): the level is that of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from features.model.calibrator import Calibrator, probabilities_of
from training.recipe.importance import importance_weights, scaled_to_effective
from training.recipe.sample import FloatArray, Sample
from training.recipe.slope_history import information_kept

BoolArray: TypeAlias = NDArray[np.bool_]

USUAL_WANDER = 0.3  # log-odds; a half-normal prior, so that a few stretches cannot claim much more without evidence
WANDERS = np.geomspace(0.01, 2.0, 40)
FEWEST_STRETCHES, MOST_STRETCHES = 4, 12
RIDGE_OF_STRETCH = 1.0  # keeps the shift of a stretch without wins finite
FARTHEST = 50.0  # log-odds; beyond it every probability is 0 or 1


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """How far the level of each stretch of time lies from that of all, in log-odds, and the variance of that figure."""

    shifts: FloatArray
    variances: FloatArray


def level(
    margins: FloatArray,
    target: FloatArray,
    order: NDArray[Any],
    newest: BoolArray,
    *,
    weights: FloatArray | None = None,
    importance: FloatArray | None = None,
) -> float:
    """The shift in log-odds for margins that are already scaled by their slopes.

    Parameters
    ----------
    margins, target : ndarray of float, shape (n_leads,)
        Of all leads that the model was refitted on; the target holds both 0 and 1.
    order : ndarray, shape (n_leads,)
        Rises with time.
    newest : ndarray of bool, shape (n_leads,)
        The leads whose level counts from now on.
    weights : ndarray of float, shape (n_leads,), optional
        By time only.
    importance : ndarray of float, shape (n_leads,), optional
        What each lead stands for, scaled to the effective number of leads.
    """
    weights = np.ones(len(target)) if weights is None else weights
    importance = np.ones(len(target)) if importance is None else importance
    everywhere = shift_to_rate(margins, target, weights * importance)
    if not newest.any():
        return everywhere
    at_rate = margins + everywhere
    here = _as_informative(weights * newest * importance, importance, probabilities_of(at_rate))
    n_stretches = int(np.clip(round(len(target) / int(newest.sum())), FEWEST_STRETCHES, MOST_STRETCHES))
    likely = wander_likelihood(stretches(at_rate, target, order, n_stretches, importance))
    moves = [shift_to_rate(at_rate, target, here, ridge=1 / wander**2) for wander in WANDERS]
    return everywhere + float(likely @ np.array(moves))


def at_level(
    slopes: Calibrator, parts: tuple[FloatArray, FloatArray], sample: Sample, newest: BoolArray, weights: FloatArray
) -> Calibrator:
    """The calibrator with these slopes at the level of a refit: `parts` are its linear and tree margins of `sample`."""
    margins = replace(slopes, intercept=0.0).log_odds(*parts)
    importance = scaled_to_effective(importance_weights(sample.worked_chance))
    found = level(margins, sample.target, sample.order, newest, weights=weights, importance=importance)
    return replace(slopes, intercept=found)


def shift_to_rate(margins: FloatArray, target: FloatArray, weights: FloatArray, *, ridge: float = 0.0) -> float:
    """The shift at which the (penalised) log loss is lowest: without a ridge, the mean probability is then the rate.

    It is the only root of the loss's slope, which rises with the shift.
    """

    def slope(shift: float) -> float:
        return float(weights @ (probabilities_of(margins + shift) - target)) + ridge * shift

    return float(brentq(slope, -FARTHEST, FARTHEST, xtol=1e-12))


def stretches(
    margins: FloatArray,
    target: FloatArray,
    order: NDArray[Any],
    n_stretches: int,
    importance: FloatArray | None = None,
) -> Stretches:
    """The leads in up to `n_stretches` parts of equal size, oldest first; leads of one moment stay together."""
    importance = np.ones(len(target)) if importance is None else importance
    found = np.array(list(_shifts(margins, target, _stretch_of(order, n_stretches), importance)))
    return Stretches(found[:, 0], found[:, 1])


def wander_likelihood(seen: Stretches) -> FloatArray:
    """How probable each of `WANDERS` is, shape (n_wanders,), sum 1: the level differs by it between stretches."""
    total = seen.variances + WANDERS[:, None] ** 2
    means = (seen.shifts / total).sum(axis=1) / (1 / total).sum(axis=1)
    misses = (seen.shifts - means[:, None]) ** 2 / total
    # The mean is integrated out; the last term turns a density over wander into weights of a geometric grid.
    logs = -(np.log(total) + misses).sum(axis=1) / 2 - np.log((1 / total).sum(axis=1)) / 2
    logs += np.log(WANDERS) - (WANDERS / USUAL_WANDER) ** 2 / 2
    likely = np.exp(logs - logs.max())
    return np.asarray(likely / likely.sum())


def _stretch_of(order: NDArray[Any], n_stretches: int) -> NDArray[np.int64]:
    n_earlier = np.searchsorted(np.sort(order), order)
    return np.asarray(n_earlier * n_stretches // order.size, dtype=np.int64)


def _as_informative(weights: FloatArray, importance: FloatArray, rate: FloatArray) -> FloatArray:
    """The weights, scaled so that the curvature they give is the information there is: what draws back needs both."""
    return weights * information_kept(weights * rate * (1 - rate), importance)


def _shifts(
    margins: FloatArray, target: FloatArray, stretch: NDArray[np.int64], importance: FloatArray
) -> Iterator[tuple[float, float]]:
    for number in np.unique(stretch):
        own = stretch == number
        shift = shift_to_rate(margins[own], target[own], importance[own], ridge=RIDGE_OF_STRETCH)
        rate = probabilities_of(margins[own] + shift)
        information = importance[own] * (rate * (1 - rate))
        kept = information_kept(information, importance[own])
        yield shift, 1 / (kept * float(information.sum()))
