"""The noncentral chi-square distribution: how large a shift seems by chance if there is a true one of a given size.

Written out because the service runs without scipy; the tests hold it against scipy's.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

BISECTIONS = 40
FARTHEST = 12.0  # standard deviations of the Poisson weights that are summed: what lies beyond is below 1e-30


def tail(x: float, degrees: int, noncentrality: float = 0.0) -> float:
    """The probability of a value above `x`, between 0 and 1.

    A noncentral chi-square is a mixture of central ones with Poisson weights (Johnson, Kotz and Balakrishnan 1995,
    29.3), and their tails follow from one another: Q(a + 1, y) = Q(a, y) + y^a exp(-y) / Γ(a + 1). All terms are
    positive, so nothing cancels.

    Parameters
    ----------
    degrees : int
        Degrees of freedom, at least 1.

    >>> round(tail(3.841458820694124, 1), 6)
    0.05
    """
    return _Mixture(x, degrees, noncentrality).tail(noncentrality) if x > 0 else 1.0


def least_noncentrality(x: float, degrees: int, chance: float) -> float:
    """The smallest noncentrality at which a value of `x` or more has at least the probability `chance`.

    It is the lower end of a one-sided interval: the true one is smaller than it with at most that probability.
    """
    if tail(x, degrees) >= chance:
        return 0.0
    low, high = 0.0, x  # at x itself the probability is near a half
    mixture = _Mixture(x, degrees, x)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if mixture.tail(middle) < chance:
            low = middle
        else:
            high = middle
    return low


class _Mixture:
    """The tails of the central distributions above `x`, to be mixed for any noncentrality up to the largest."""

    def __init__(self, x: float, degrees: int, largest: float) -> None:
        n_terms = _last_term(largest / 2) + 1
        self._tails = _central_tails(x / 2, degrees, n_terms)
        self._log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n_terms)))])

    def tail(self, noncentrality: float) -> float:
        """The probability of a value above `x` at this noncentrality."""
        half = noncentrality / 2
        if half == 0:
            return min(1.0, float(self._tails[0]))
        first = max(0, math.floor(half - FARTHEST * math.sqrt(half + 1)))
        terms = np.arange(first, _last_term(half) + 1)
        weights = np.exp(terms * math.log(half) - half - self._log_factorials[terms])
        return min(1.0, float(weights @ self._tails[terms]))


def _last_term(half: float) -> int:
    return math.ceil(half + FARTHEST * math.sqrt(half + 1))


def _central_tails(y: float, degrees: int, n_terms: int) -> npt.NDArray[np.float64]:
    """Q(degrees / 2 + j, y) for j from 0 to n_terms - 1, by the recurrence from Q(1/2, y) or Q(1, y)."""
    odd = degrees % 2 == 1
    start, first = (0.5, math.erfc(math.sqrt(y))) if odd else (1.0, math.exp(-y))
    skipped = (degrees - 1) // 2
    a = start + np.arange(skipped + n_terms - 1)
    # log Γ(a + 1), from log Γ(start + 1) on
    log_gamma = math.lgamma(start + 1) + np.concatenate([[0.0], np.cumsum(np.log(a[1:]))]) if len(a) else a
    steps = np.exp(a * math.log(y) - y - log_gamma)
    return first + np.concatenate([[0.0], np.cumsum(steps)])[skipped:]
