"""The level of a refitted model: the shift that is right for all of its leads, moved towards the newest.

Slopes say how far to trust the parts, and are learnt honestly on later leads. The shift that was learnt beside them
makes up for what had changed between the leads of the fit and those later ones. A refit has seen the later leads and
has absorbed the change itself: with the old shift it would be corrected twice. (On 10,000 leads whose rate stepped from
10 % to 20 % between train and calibrate, such a model said 24 % where 18.5 % were won.) So after a refit the shift is
found anew:

1. b0, at which the mean probability over all leads of the refit is their rate;
2. d, the part by which the newest leads differ: b = b0 + d, drawn towards 0 by `ridge / 2 * d²`.

The refit's own leads may be used: one number, found on all of them together, has nothing to overfit with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from features.model.calibrator import Calibrator, probabilities_of
from training.recipe.sample import FloatArray, Sample

BoolArray: TypeAlias = NDArray[np.bool_]

RIDGE = 10.0
"""As if the newest leads' level usually lay within 0.3 in log-odds of the others': a dozen wins hardly move it."""

FARTHEST = 50.0  # log-odds; beyond it every probability is 0 or 1


def level(margins: FloatArray, target: FloatArray, newest: BoolArray, *, weights: FloatArray | None = None) -> float:
    """The shift in log-odds for margins that are already scaled by their slopes.

    Parameters
    ----------
    margins, target : ndarray of float, shape (n_leads,)
        Of all leads that the model was refitted on; the target holds both 0 and 1.
    newest : ndarray of bool, shape (n_leads,)
        The leads whose level counts from now on.
    weights : ndarray of float, shape (n_leads,), optional
        By time only.
    """
    weights = np.ones(len(target)) if weights is None else weights
    everywhere = shift_to_rate(margins, target, weights)
    here = weights * newest
    return everywhere + shift_to_rate(margins + everywhere, target, here, ridge=RIDGE)


def at_level(
    slopes: Calibrator, parts: tuple[FloatArray, FloatArray], sample: Sample, newest: BoolArray, weights: FloatArray
) -> Calibrator:
    """The calibrator with these slopes at the level of a refit: `parts` are its linear and tree margins of `sample`."""
    margins = replace(slopes, intercept=0.0).log_odds(*parts)
    return replace(slopes, intercept=level(margins, sample.target, newest, weights=weights))


def shift_to_rate(margins: FloatArray, target: FloatArray, weights: FloatArray, *, ridge: float = 0.0) -> float:
    """The shift at which the (penalised) log loss is lowest: without a ridge, the mean probability is then the rate.

    It is the only root of the loss's slope, which rises with the shift.
    """

    def slope(shift: float) -> float:
        return float(weights @ (probabilities_of(margins + shift) - target)) + ridge * shift

    return float(brentq(slope, -FARTHEST, FARTHEST, xtol=1e-12))
