"""How sure a rate or a difference is when many were looked at."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from scipy.stats import beta

from training.leakage.cells import Floats

FALSE_ALARM = 0.01
"""Chance that a history without leaks has any value or fill rate beyond its bound, over all that were looked at."""


def chance_per_look(n_looks: int) -> float:
    """The chance of a false alarm that each of `n_looks` looks may have (Bonferroni)."""
    return FALSE_ALARM / max(n_looks, 1)


def z_of(chance: float) -> float:
    """The one-sided normal quantile that is passed with `chance`.

    >>> round(z_of(0.01), 2)
    2.33
    """
    return NormalDist().inv_cdf(1 - chance)


def lowest_rate(yes: Floats, n: Floats, chance: float) -> Floats:
    """The rates that as many `yes` among `n` independent cases reach by luck with `chance` (Clopper and Pearson 1934).

    Exact, because the rates in question lie near 1. Cases may be fractions: accounts instead of leads.

    >>> lowest_rate(np.array([20.0, 19.0, 0.0]), np.array([20.0, 20.0, 20.0]), 0.01).round(2)
    array([0.79, 0.71, 0.  ])
    """
    bound = beta.ppf(chance, np.maximum(yes, 1e-9), n - yes + 1)
    return np.where(yes > 0, bound, 0.0)
