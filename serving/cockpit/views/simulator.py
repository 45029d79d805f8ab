"""What the handover simulator shows: the rule in effect and one that is tried, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from features.definition import Grade, LeadDefinition
from features.definition.agreement import Handover
from features.model.bundle import Bundle
from serving.agreement.proposing import FEWEST_LEADS, USUAL_WEEKS, usual_days
from serving.agreement.supplies import Supplies
from serving.agreement.trying import Difference, Reach, difference, reaches, simulated, tried_threshold
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.charts.reaching import Axes, Mark, Reached, reaching
from serving.cockpit.formats import Reader
from serving.kpis.capacity import Simulated, Wins
from serving.kpis.query import Query, read_query
from serving.kpis.shares import LEVEL
from serving.kpis.supply import Supply

WEEKS = (4, USUAL_WEEKS, 26, 52)
ENOUGH_LEADS = 200
MOST_ROWS = 12
FAR = 0.15
"""By this share, as many leads more or fewer are told as not what was agreed."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What somebody wants to try: one of both rules, or none; and how many past weeks to try it on, if not the usual.

    Attributes
    ----------
    capacity : float or None
        Leads a week.
    threshold : float or None
        A probability.
    """

    capacity: float | None = None
    threshold: float | None = None
    weeks: int | None = None

    @property
    def rule(self) -> Handover | None:
        """The rule; None if there is nothing to try."""
        if self.capacity is not None:
            return Handover(capacity_per_week=self.capacity)
        return None if self.threshold is None else Handover(threshold=self.threshold)


@dataclass(frozen=True, slots=True)
class Load:
    """Leads of a grade that sales would get in a week."""

    grade: Grade
    leads_per_week: float
    wins_per_week: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rule would have done; wins are those of the whole window.

    Attributes
    ----------
    leads_per_week, wins_per_week : float
    per_hundred : float or None
        Wins expected of 100 leads handed over; None if none is.
    """

    capacity: float | None
    threshold: float
    leads_per_week: float
    wins_per_week: float
    wins: Wins
    left_behind: Wins
    per_hundred: float | None
    loads: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class SimulatorView:
    """The simulator.

    Attributes
    ----------
    start, end : datetime
        The window.
    n_leads : int
    supply_per_week : float
    now : Setting
        The rule in effect.
    tried : Setting or None
        The rule that is tried, if there is one.
    fitting : float or None
        The threshold that would hand over as many leads as agreed, where the one in effect is far from that.
    """

    weeks_asked: int
    choices: tuple[int, ...]
    start: datetime
    end: datetime
    weeks: float
    n_leads: int
    supply_per_week: float
    fewest: int
    level: float
    now: Setting | None
    tried: Setting | None
    difference: Difference | None
    picture: Picture | None
    fitting: float | None


def simulator_view(supplies: Supplies, bundle: Bundle, tried: Tried, now: datetime, reader: Reader) -> SimulatorView:
    """The simulator for one reader; blocks on the database.

    Parameters
    ----------
    bundle : Bundle
        The model in service, under what is in effect.

    Raises
    ------
    StoreDownError
        If the database fails.
    """
    definition, threshold = bundle.definition, bundle.manifest.handover_threshold
    weeks, supply = _supply(supplies, definition, tried.weeks, now)
    enough = len(supply.probabilities) >= FEWEST_LEADS
    current = simulated(supply, threshold, definition) if enough else None
    rule = tried.rule if enough else None
    other = simulated(supply, tried_threshold(definition, rule, supply), definition) if rule else None
    return SimulatorView(
        weeks_asked=weeks,
        choices=WEEKS,
        start=supply.start,
        end=max(supply.start, supply.end - timedelta(microseconds=1)),
        weeks=supply.weeks,
        n_leads=len(supply.probabilities),
        supply_per_week=len(supply.probabilities) / supply.weeks,
        fewest=FEWEST_LEADS,
        level=LEVEL,
        now=_setting(current, definition.handover.capacity_per_week) if current else None,
        tried=_setting(other, tried.capacity) if other else None,
        difference=difference(current, other, supply.probabilities) if current and other else None,
        picture=_picture(supply, current, other, reader) if current else None,
        fitting=_fitting(supply, current, definition) if current else None,
    )


def window(definition: LeadDefinition, weeks: int, now: datetime) -> Query:
    """The whole days of the latest weeks."""
    return read_query(usual_days(definition, now, weeks), definition, now, known=("from", "to"))


def _supply(supplies: Supplies, definition: LeadDefinition, weeks: int | None, now: datetime) -> tuple[int, Supply]:
    """The supply of the weeks asked for; else of the fewest, from a quarter on, in which enough leads came."""
    tries = (weeks,) if weeks else WEEKS[1:]
    for each in tries:
        supply = supplies.of(window(definition, each, now), definition, now)
        if len(supply.probabilities) >= ENOUGH_LEADS:
            break
    return each, supply


def _fitting(supply: Supply, current: Simulated, definition: LeadDefinition) -> float | None:
    """See `SimulatorView.fitting`: other leads come, or score otherwise, than when it was agreed."""
    agreed = definition.handover.capacity_per_week
    if agreed is None:
        return None
    threshold = tried_threshold(definition, definition.handover, supply)
    would = simulated(supply, threshold, definition).n_handed_over
    return threshold if abs(current.n_handed_over - would) > FAR * max(would, 1) else None


def _setting(simulated: Simulated, capacity: float | None) -> Setting:
    weeks, taken = simulated.weeks, simulated.n_handed_over
    return Setting(
        capacity=capacity,
        threshold=simulated.threshold,
        leads_per_week=taken / weeks,
        wins_per_week=simulated.handed_over.expected / weeks,
        wins=simulated.handed_over,
        left_behind=simulated.left_behind,
        per_hundred=100 * simulated.handed_over.expected / taken if taken else None,
        loads=tuple(Load(load.grade, load.n / weeks, load.expected_wins / weeks) for load in simulated.by_grade),
    )


def _picture(supply: Supply, now: Simulated, tried: Simulated | None, reader: Reader) -> Picture:
    t, reached = Catalogue(reader), reaches(supply)
    marks = [_mark(t("agreement.simulator.in_effect"), now, is_tried=False)]
    marks += [_mark(t("agreement.simulator.tried"), tried, is_tried=True)] if tried else []
    axes = Axes(t("agreement.curve.capacity"), t("agreement.curve.wins"))
    points = [Reached(each.capacity, each.wins_per_week, each.low, each.high) for each in reached]
    return Picture(
        reaching(points, marks, axes, reader.language),
        t("agreement.curve.title"),
        t("agreement.curve.says", level=reader.percent(LEVEL)),
        tuple(t("agreement.curve." + name) for name in ("capacity", "from", "wins", "interval")),
        tuple(_row(each, reader) for each in _some(reached)),
    )


def _mark(name: str, simulated: Simulated, *, is_tried: bool) -> Mark:
    weeks = simulated.weeks
    return Mark(name, simulated.n_handed_over / weeks, simulated.handed_over.expected / weeks, is_tried)


def _row(reach: Reach, reader: Reader) -> tuple[str, ...]:
    return (
        reader.number(reach.capacity, 0 if reach.capacity >= 1 else 2),
        reader.percent(reach.threshold, 1),
        reader.number(reach.wins_per_week),
        f"{reader.number(reach.low)} – {reader.number(reach.high)}",
    )


def _some(reached: list[Reach]) -> list[Reach]:
    """At most a dozen points at even distances, with the last."""
    step = -(-len(reached) // MOST_ROWS)
    return reached[::-1][::step][::-1]
