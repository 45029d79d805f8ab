"""How many leads a lead stands for, where sales works only some: one over the chance that it was worked.

A history that a score has decided on holds nearly all of the good leads and a few of the others, drawn at random. Who
learns a level or a slope from it as it stands learns that of the good ones. The chances are known: 1 for a lead that
was handed over, the exploring share for one that was drawn. So each lead stands for one over its chance (Horvitz and
Thompson 1952, "A generalization of sampling without replacement from a finite universe"), and weighted sums estimate
those over all leads, worked or not. These are weights of how leads were drawn, not of classes: the target plays no part
in them, nothing is drawn again, and the weighted mean probability is the rate of all leads.

Two things keep them from doing harm. One lead in a thousand that was worked by chance must not outvote all others: no
weight is above the mean weight times the root of the number of leads (Ionides 2008, "Truncated importance sampling").
And where an estimate is drawn towards what is usual, the weights are scaled to the number of leads that would say as
much (Kish 1965), so that 8,000 leads of which 800 stand for twenty each do not speak like 24,000.

Where every lead was worked all of this is 1, exactly.
"""

from __future__ import annotations

import numpy as np

from training.recipe.sample import FloatArray


def importance_weights(worked_chance: FloatArray) -> FloatArray:
    """How many leads each one stands for, shape (n_leads,), from the chances to be worked, above 0 and at most 1.

    >>> importance_weights(np.array([1.0, 1.0, 0.5, 1.0]))
    array([1., 1., 2., 1.])
    """
    weights = 1.0 / worked_chance
    most = weights.mean() * np.sqrt(weights.size)
    return np.asarray(np.minimum(weights, most), dtype=np.float64)


def effective_number(weights: FloatArray) -> float:
    """How many leads of equal weight would tell as much as these, at most as many as there are (Kish 1965).

    >>> effective_number(np.array([1.0, 1.0, 2.0, 2.0]))
    3.6
    """
    return float(weights.sum() ** 2 / (weights @ weights))


def scaled_to_effective(weights: FloatArray) -> FloatArray:
    """The weights, scaled so that their sum is their effective number, shape (n_leads,)."""
    return np.asarray(weights * (effective_number(weights) / weights.sum()), dtype=np.float64)
