"""What a handover rule would have done with the leads of a past window: the agreement's simulator.

The leads are ranked by what their first score said; those at or above the threshold are handed over. Expected wins are
the sum of their probabilities. How many wins come is more or less than that by chance; the interval says by how much.
Its quantiles are those of the sum of independent trials with these probabilities, by the normal distribution corrected
for skewness (Volkova 1996, the refined normal approximation), which holds for a handful of expected wins too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from features.definition import GRADES, Grade, LeadDefinition
from features.grades import threshold_for
from serving.kpis.shares import LEVEL

NEARLY_NONE = 1e-12  # every lead is sure to be won or not to be, as far as figures are shown
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wins:
    """Wins expected, and between how many the real ones will lie in nine of ten such windows."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GradeLoad:
    """What sales gets of a grade: leads in the window, and wins expected from them."""

    grade: Grade
    n: int
    expected_wins: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a rule would have done with the leads of a window.

    Attributes
    ----------
    threshold : float
        A lead at or above it is handed over.
    n, n_handed_over : int
        Leads of the window, and those handed over; more than the capacity if several stand at the threshold.
    weeks : float
        Length of the window.
    handed_over, left_behind : Wins
        Over the whole window.
    """

    threshold: float
    n: int
    n_handed_over: int
    weeks: float
    handed_over: Wins
    left_behind: Wins
    by_grade: tuple[GradeLoad, ...]


def simulate(probabilities: Sequence[float] | Floats, weeks: float, definition: LeadDefinition) -> Simulated:
    """What the handover rule of `definition` would have done.

    Parameters
    ----------
    probabilities : sequence of float
        Of all leads of the window.
    weeks : float
        Length of the window, above 0.
    definition : LeadDefinition
        With the rule to be tried; its cut-offs grade the leads, so that windows scored under others compare.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    return simulate_at(p, threshold_for(definition, p, weeks), weeks, definition)


def simulate_at(p: Floats, threshold: float, weeks: float, definition: LeadDefinition) -> Simulated:
    """What handing over from `threshold` on would have done; the parameters are those of `simulate`."""
    taken = p[p >= threshold]
    return Simulated(
        threshold=threshold,
        n=len(p),
        n_handed_over=len(taken),
        weeks=weeks,
        handed_over=wins(taken),
        left_behind=wins(p[p < threshold]),
        by_grade=_by_grade(taken, definition),
    )


def wins(p: Floats, level: float = LEVEL) -> Wins:
    """The wins that leads of these probabilities, (n_leads,), will bring if they are right."""
    v = p * (1 - p)
    return wins_of_sums(len(p), float(p.sum()), float(v.sum()), float((v * (1 - 2 * p)).sum()), level)


def wins_of_sums(n: int, expected: float, variance: float, third: float, level: float = LEVEL) -> Wins:
    """The same for `n` leads from the sums of p, of p (1 - p) and of p (1 - p) (1 - 2 p)."""
    if variance < NEARLY_NONE:
        return Wins(expected, expected, expected)
    skewness = third / variance**1.5
    low, high = (
        _quantile(expected, math.sqrt(variance), skewness, share) for share in ((1 - level) / 2, (1 + level) / 2)
    )
    return Wins(expected, min(max(0.0, low), expected), max(min(float(n), high), expected))


def _quantile(mean: float, deviation: float, skewness: float, share: float) -> float:
    """The least whole number that the sum does not exceed with this chance."""

    def chance(k: float) -> float:
        x = (k + 0.5 - mean) / deviation
        return _NORMAL.cdf(x) + skewness * (1 - x * x) * _NORMAL.pdf(x) / 6

    k = math.floor(mean + deviation * _NORMAL.inv_cdf(share)) - 3
    while chance(k) < share:
        k += 1
    return float(k)


def _by_grade(taken: Floats, definition: LeadDefinition) -> tuple[GradeLoad, ...]:
    cuts = definition.grades
    edges = (math.inf, cuts.A, cuts.B, cuts.C, -math.inf)
    loads = []
    for grade, above, least in zip(GRADES, edges, edges[1:], strict=False):
        of_grade = taken[(taken >= least) & (taken < above)]
        loads.append(GradeLoad(grade, len(of_grade), float(of_grade.sum())))
    return tuple(loads)


_NORMAL = NormalDist()
