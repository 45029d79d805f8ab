"""How sure a share of wins is, and wins observed against wins expected: one home for the intervals that all state."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Pair = tuple[float, float]


def rate_interval(n_wins: float, n: float, level: float, design_effect: float = 1.0) -> Pair | None:
    """Wilson's interval of a share of wins (Wilson 1927), on the effective number of leads n / design_effect.

    It does not collapse where nothing or everything was won, as a bootstrap does. None without leads.

    >>> low, high = rate_interval(0, 10, 0.95)
    >>> (round(low, 3), round(high, 3))
    (0.0, 0.278)
    """
    if n <= 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    effective, rate = n / design_effect, n_wins / n
    middle = (rate + z * z / (2 * effective)) / (1 + z * z / effective)
    half = z / (1 + z * z / effective) * math.sqrt(rate * (1 - rate) / effective + z * z / (4 * effective**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def ratio_interval(observed: float, expected: float, squares: float, level: float, design_effect: float = 1.0) -> Pair:
    """The interval of wins observed to wins expected: the ratios at which the observed wins would be no surprise.

    At the ratio t each lead wins with t times its probability, so the wins have the mean t E and the variance
    t E - t² Q, times the design effect; solving (O - t E)² = z² (t E - t² Q) for t is Wilson's interval (1927) for
    leads of different probability, and his own where all have the same. It does not collapse at no wins.

    Parameters
    ----------
    observed, expected, squares : float
        O, E and Q: wins, sum of probabilities, and sum of squared probabilities.

    >>> low, high = ratio_interval(0, 1.0, 0.1, 0.95)    # ten leads at 10 %, none won: 0 to .278 of all
    >>> (round(low, 2), round(high, 2))
    (0.0, 2.78)
    """
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2 * design_effect
    a, b = expected**2 + z2 * squares, 2 * observed * expected + z2 * expected
    root = math.sqrt(max(0.0, b * b - 4 * a * observed**2))
    return (b - root) / (2 * a), (b + root) / (2 * a)


def design_effect(code: npt.NDArray[np.int64], residual: npt.NDArray[np.float64]) -> float:
    """How many times wider than independent leads' the variance of a sum is, at least 1 (Kish 1965).

    Parameters
    ----------
    code : ndarray of shape (n_leads,)
        Which account each lead belongs to, as a number from 0.
    residual : ndarray of shape (n_leads,)
        What is summed up, minus its expectation.
    """
    independent = float(residual @ residual)
    clustered = float((np.bincount(code, weights=residual) ** 2).sum())
    return max(1.0, clustered / independent) if independent > 0 else 1.0
