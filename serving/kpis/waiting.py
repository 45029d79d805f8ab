"""How long leads wait for their first contact, when some still wait.

Dropping the leads that still wait would make sales look quick: the slow ones are missing. Kaplan and Meier (1958) count
each for as long as it has waited. The median's interval holds the times at which the curve's own interval, made on the
scale log(-log S), contains one half (Brookmeyer and Crowley 1982).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

from serving.kpis.counts import Wait
from serving.kpis.shares import LEVEL, Figure

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class Point:
    """After `minutes`, this share of leads still waits; the ends of its interval."""

    minutes: int
    waiting: float
    low: float
    high: float


def waiting_curve(waits: Iterable[Wait], level: float = LEVEL, effect: float = 1.0) -> Iterator[Point]:
    """The share of leads that still wait, after each time at which some were contacted.

    Parameters
    ----------
    effect : float
        The design effect: how many times as much as independent leads' the curve varies.
    """
    contacted, still = _by_time(waits)
    at_risk, waiting, variance = contacted.total() + still.total(), 1.0, 0.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    for minutes in sorted(contacted | still):
        events = contacted[minutes]
        if events:
            waiting *= 1 - events / at_risk
            variance += effect * events / (at_risk * (at_risk - events)) if at_risk > events else math.inf
            yield Point(minutes, waiting, *_ends(waiting, variance, z))
        at_risk -= events + still[minutes]


def median_figure(name: str, waits: Iterable[Wait], effect: float = 1.0) -> Figure:
    """The median hours from handover to first contact; no value while fewer than half have been contacted."""
    known = list(waits)
    n, n_of = sum(wait.n for wait in known), sum(wait.n for wait in known if wait.contacted)
    curve = list(waiting_curve(known, effect=effect))
    hours = [
        next((point.minutes / MINUTES_PER_HOUR for point in curve if getattr(point, end) <= 0.5 + 1e-12), None)
        for end in ("waiting", "low", "high")
    ]
    return Figure(name, n, n_of, *hours)


def _by_time(waits: Iterable[Wait]) -> tuple[Counter[int], Counter[int]]:
    contacted: Counter[int] = Counter()
    still: Counter[int] = Counter()
    for wait in waits:
        # Who was contacted before the handover did not wait.
        (contacted if wait.contacted else still)[max(0, wait.minutes)] += wait.n
    return contacted, still


def _ends(waiting: float, variance: float, z: float) -> tuple[float, float]:
    """The interval of the curve; where all have been contacted it says nothing, and the curve itself is taken."""
    if not 0 < waiting < 1 or not math.isfinite(variance):
        return waiting, waiting
    power = math.exp(z * math.sqrt(variance) / abs(math.log(waiting)))
    return waiting**power, waiting ** (1 / power)
