"""How many leads came in the last days against what came on the same weekdays before.

Leads do not come like raindrops: a campaign brings many at once, a holiday few. How much more they vary than chance is
taken from the days before, in blocks as long as the stretch that is judged. The week just before is no part of them:
otherwise a stream that dries up would soon count as usual. The number O of leads is judged by its
square root, whose variance hardly depends on how many are expected (Anscombe 1948):

    (2 √(O + 3/8) - 2 √(t E))² <= z² (1 + t E h)

holds for the ratios t that would be no surprise; h is the variance that busy and slow days add, relative to the square
of what is expected, and what is expected has one of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from features.rates import Pair

RECENT_DAYS = 3
GAP_DAYS = 7
MOST_DAYS_BEFORE = 56
FEWEST_DAYS_BEFORE = 28
MOST_DAYS = MOST_DAYS_BEFORE + GAP_DAYS + RECENT_DAYS
FEWEST_EXPECTED = 20.0
WEEK = 7

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Volume:
    """Leads that came in the last days against those expected.

    Attributes
    ----------
    observed : int
    expected : float
    interval : tuple of float
        Of their ratio; the upper end is infinite where numbers vary too much to say.
    spread : float
        By how much blocks of days vary beyond chance, relative to what is usual: standard deviation.
    """

    observed: int
    expected: float
    interval: Pair
    spread: float

    @property
    def ratio(self) -> float:
        """Observed to expected; 1 is as before."""
        return self.observed / self.expected


def volume_of(counts: Sequence[int], chance: float) -> Volume | None:
    """The volume of the last days; None if there are too few days before, or fewer than 20 leads are expected.

    Parameters
    ----------
    counts : sequence of int
        Leads of each whole day, the oldest first, without gaps; the last `RECENT_DAYS` are judged.
    chance : float
        The probability with which each end of the interval may err.
    """
    counts = list(counts)[-MOST_DAYS:]
    before, recent = np.array(counts[: -RECENT_DAYS - GAP_DAYS], dtype=np.float64), counts[-RECENT_DAYS:]
    if len(before) < FEWEST_DAYS_BEFORE:
        return None
    # Weekdays are counted backwards from the last day, so that nobody needs to know which day that was.
    place = np.arange(len(counts) - 1, -1, -1) % WEEK
    usual = np.array([before[place[: len(before)] == each].mean() for each in range(WEEK)])
    expected, n_weeks = float(usual[place[-RECENT_DAYS:]].sum()), len(before) / WEEK
    if expected < FEWEST_EXPECTED:
        return None
    extra, n_blocks = _extra_variance(before, usual[place[: len(before)]])
    relative = extra * (1 + 1 / n_weeks) + 1 / (expected * n_weeks)
    interval = _interval(sum(recent), expected, relative, _student(1 - chance, n_blocks - 1))
    return Volume(sum(recent), expected, interval, math.sqrt(extra))


def _extra_variance(before: Floats, usual: Floats) -> tuple[float, int]:
    """The variance of blocks of days beyond chance, relative to the square of what is usual; from how many blocks."""
    n_blocks = len(before) // RECENT_DAYS
    whole = slice(len(before) - n_blocks * RECENT_DAYS, None)
    came = before[whole].reshape(n_blocks, RECENT_DAYS).sum(axis=1)
    expected = usual[whole].reshape(n_blocks, RECENT_DAYS).sum(axis=1)
    kept = 1 - WEEK / len(before)  # seven means were taken from the same days
    beyond = float(((came - expected) ** 2).sum()) / kept - float(expected.sum())
    return max(0.0, beyond / float((expected**2).sum())), n_blocks


def _interval(observed: float, expected: float, relative: float, z: float) -> Pair:
    """The ratios t for which the inequality above holds, solved for √(t E)."""
    root = math.sqrt(observed + 3 / 8)
    a, b, c = 4 - z * z * relative, 8 * root, 4 * root**2 - z * z
    between = math.sqrt(max(0.0, b * b - 4 * a * c))
    low = 2 * c / (b + between)
    high = (b + between) / (2 * a) if a > 0 else math.inf
    return max(0.0, low) ** 2 / expected, high**2 / expected


def _student(share: float, degrees: int) -> float:
    """The quantile of Student's t distribution, by the first terms of its expansion (Fisher and Cornish 1960)."""
    z = NormalDist().inv_cdf(share)
    first = (z**3 + z) / (4 * degrees)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    return z + first + second + third
