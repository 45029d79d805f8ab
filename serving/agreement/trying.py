"""A handover rule that is tried, beside the one in effect: what both would have done with the leads of a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.definition import LeadDefinition
from features.definition.agreement import Handover
from features.grades import threshold_for
from serving.kpis.capacity import Simulated, Wins, simulate_at, wins, wins_of_sums
from serving.kpis.supply import Floats, Supply

MOST_POINTS = 40
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Difference:
    """What the tried rule would change.

    Attributes
    ----------
    leads : int
        More leads handed over in the window; below 0, fewer.
    leads_per_week, wins_per_week : float
        The same a week, and the wins expected of these leads.
    wins : Wins
        Of the leads that only one of both rules hands over, in the whole window; never below 0.
    per_hundred : float
        More wins expected of 100 leads handed over; below 0, fewer. 0 if a rule hands over none.
    """

    leads: int
    leads_per_week: float
    wins_per_week: float
    wins: Wins
    per_hundred: float


@dataclass(frozen=True, slots=True)
class Reach:
    """What sales would get at a capacity: leads and wins a week, the latter with the ends of their interval."""

    capacity: float
    threshold: float
    wins_per_week: float
    low: float
    high: float


def tried_threshold(definition: LeadDefinition, rule: Handover, supply: Supply) -> float:
    """The lowest probability that `rule` hands over of the supply."""
    return threshold_for(definition.model_copy(update={"handover": rule}), supply.probabilities, supply.weeks)


def difference(now: Simulated, tried: Simulated, p: Floats) -> Difference:
    """What `tried` would change, for probabilities `p` of shape (n_leads,).

    One rule hands over everything that the other does, so the difference is a set of leads of its own.
    """
    low, high = sorted((now.threshold, tried.threshold))
    between = wins(p[(p >= low) & (p < high)])
    sign = 1 if tried.threshold < now.threshold else -1
    leads = tried.n_handed_over - now.n_handed_over
    return Difference(
        leads=leads,
        leads_per_week=leads / now.weeks,
        wins_per_week=sign * between.expected / now.weeks,
        wins=between,
        per_hundred=100 * (_share(tried) - _share(now)) if now.n_handed_over and tried.n_handed_over else 0.0,
    )


def reaches(supply: Supply) -> list[Reach]:
    """Expected wins over capacity, from a few leads a week to all that come."""
    p, weeks = supply.probabilities, supply.weeks
    v = p * (1 - p)
    sums = [np.cumsum(part) for part in (p, v, v * (1 - 2 * p))]  # of the best leads, however many those are
    return [
        _reach(capacity, float(p[places - 1]), wins_of_sums(places, *(float(part[places - 1]) for part in sums)), weeks)
        for capacity, places in _places(len(p), weeks)
    ]


def simulated(supply: Supply, threshold: float, definition: LeadDefinition) -> Simulated:
    """What a rule with this threshold would have done."""
    return simulate_at(supply.probabilities, threshold, supply.weeks, definition)


def _reach(capacity: float, threshold: float, best: Wins, weeks: float) -> Reach:
    return Reach(capacity, threshold, best.expected / weeks, best.low / weeks, best.high / weeks)


def _places(n: int, weeks: float) -> Sequence[tuple[float, int]]:
    """Capacities in round steps, with the leads that they hand over in the window; the last takes all of them."""
    if not n:
        return ()
    supply = n / weeks
    step = next(unit * ten for ten in _tens() for unit in STEPS if supply / (unit * ten) <= MOST_POINTS)
    capacities = np.arange(1, int(supply / step) + 1) * step
    rounded = [(float(capacity), int(capacity * weeks)) for capacity in capacities]
    return [*((capacity, places) for capacity, places in rounded if 0 < places < n), (supply, n)]


def _tens() -> Sequence[float]:
    return tuple(10.0**power for power in range(-3, 8))


def _share(simulated: Simulated) -> float:
    return simulated.handed_over.expected / simulated.n_handed_over
