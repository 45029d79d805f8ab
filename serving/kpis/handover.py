"""The simulator's question and answer: which rule, over which window, and what it would have done."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, NotRequired
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from features.definition import LeadDefinition
from features.definition.agreement import Handover
from features.errors import DataError, Problem
from features.text import Text
from serving.kpis.capacity import Simulated, Wins, simulate
from serving.kpis.counts import NAMED, Selection
from serving.kpis.query import Query, read_query, selection
from serving.kpis.shares import LEVEL
from serving.kpis.supply import read_supply
from serving.schemas import Probability

PERIOD_AND_FILTERS = ("from", "to", *NAMED)
MOST_PER_WEEK = 1_000_000
A_CAPACITY = Text("leads a week, above 0 and at most a million", "Leads pro Woche, über 0 und höchstens eine Million")
A_THRESHOLD = Text("a probability from 0 to 1", "eine Wahrscheinlichkeit von 0 bis 1")
RULES: dict[str, tuple[Callable[[float], bool], Text]] = {
    "capacity_per_week": (lambda leads: 0 < leads <= MOST_PER_WEEK, A_CAPACITY),
    "threshold": (lambda probability: 0 <= probability <= 1, A_THRESHOLD),
}
"""Which values fit, and how that is said."""
VALID = 1.0
ONE_RULE = Text("a capacity or a threshold, not both", "eine Kapazität oder eine Schwelle, nicht beides")
LONGEST_NUMBER = 25
A_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


class WinsShown(TypedDict):
    """Wins that the probabilities promise."""

    expected: Annotated[float, Field(description="The sum of the leads' probabilities.")]
    low: Annotated[float, Field(description="Lower end of the 90 % interval of the wins themselves.")]
    high: Annotated[float, Field(description="Upper end of the 90 % interval of the wins themselves.")]


class WorkloadShown(TypedDict):
    """What sales would get of a grade in a week."""

    grade: Literal["A", "B", "C", "D"]
    leads_per_week: float
    expected_wins_per_week: float


class HandoverAnswer(TypedDict):
    """What a handover rule would have done with the leads of a past window."""

    start: Annotated[str, Field(description="First day of the window.")]
    end: Annotated[str, Field(description="First day after the window.")]
    weeks: float
    capacity_per_week: NotRequired[float]
    threshold: Annotated[Probability, Field(description="Leads at or above it are handed over.")]
    level: Annotated[float, Field(description="Of the intervals.")]
    horizon_days: NotRequired[int]
    n_leads: int
    n_handed_over: int
    leads_per_week: float
    handed_over_per_week: float
    wins: Annotated[WinsShown, Field(description="Of the leads handed over, in the whole window.")]
    wins_left_behind: Annotated[WinsShown, Field(description="Of all other leads, in the whole window.")]
    workload: list[WorkloadShown]


def read_rule(
    parameters: Sequence[tuple[str, str]], definition: LeadDefinition, now: datetime
) -> tuple[Query, LeadDefinition]:
    """The window, and the definition with the rule that is to be tried; its own where none is named.

    Raises
    ------
    DataError
        With every parameter that does not fit.
    """
    problems: list[Problem] = []
    given = {name: value for name, value in parameters if name in RULES}
    rule = definition.handover
    if "capacity_per_week" in given:
        rule = Handover(capacity_per_week=_number("capacity_per_week", given, problems))
    if "threshold" in given:
        # Built without checks: an agreed threshold of 0 or 1 is a slip, but trying what each would do is a question.
        rule = Handover.model_construct(capacity_per_week=None, threshold=_number("threshold", given, problems))
    if len(given) == len(RULES):
        problems.append(_misfit("threshold", given["threshold"], ONE_RULE))
    try:
        query = read_query(parameters, definition, now, also=tuple(RULES), known=PERIOD_AND_FILTERS)
    except DataError as error:
        raise DataError([*problems, *error.problems]) from error
    if problems:
        raise DataError(problems)
    return query, definition.model_copy(update={"handover": rule})


def handover(
    probabilities: Callable[[Selection], Sequence[float]],
    query: Query,
    definition: LeadDefinition,
    now: datetime,
    began: datetime | None = None,
) -> HandoverAnswer:
    """What the rule of `definition` would have done; the parameters are those of `read_supply`.

    Raises
    ------
    StoreDownError
        If the database fails.
    """
    supply = read_supply(probabilities, selection(query, definition, now), now, began)
    return _shown(simulate(supply.probabilities, supply.weeks, definition), query, definition)


def first_day(first_scored_at: datetime | None, definition: LeadDefinition) -> datetime | None:
    """The midnight, on the definition's clocks, before the first lead of all was scored; None without any."""
    if first_scored_at is None:
        return None
    return first_scored_at.astimezone(ZoneInfo(definition.read.timezone)).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0
    )


def _shown(simulated: Simulated, query: Query, definition: LeadDefinition) -> HandoverAnswer:
    weeks = simulated.weeks
    answer = HandoverAnswer(
        start=_day(query.start),
        end=_day(query.end),
        weeks=weeks,
        threshold=simulated.threshold,
        level=LEVEL,
        n_leads=simulated.n,
        n_handed_over=simulated.n_handed_over,
        leads_per_week=simulated.n / weeks,
        handed_over_per_week=simulated.n_handed_over / weeks,
        wins=_wins(simulated.handed_over),
        wins_left_behind=_wins(simulated.left_behind),
        workload=[
            WorkloadShown(
                grade=load.grade, leads_per_week=load.n / weeks, expected_wins_per_week=load.expected_wins / weeks
            )
            for load in simulated.by_grade
        ],
    )
    if definition.handover.capacity_per_week is not None:
        answer["capacity_per_week"] = definition.handover.capacity_per_week
    if definition.timing == "dated" and definition.target.horizon_days is not None:
        answer["horizon_days"] = definition.target.horizon_days
    return answer


def _wins(wins: Wins) -> WinsShown:
    return WinsShown(expected=wins.expected, low=wins.low, high=wins.high)


def _day(day: date) -> str:
    return day.isoformat()


def _number(name: str, given: dict[str, str], problems: list[Problem]) -> float:
    """The number that was given; a fault among `problems` and one that is valid if it does not fit."""
    fits, expected = RULES[name]
    is_number = len(given[name]) <= LONGEST_NUMBER and A_NUMBER.fullmatch(given[name])
    value = float(given[name]) if is_number else math.nan
    if fits(value):
        return value
    problems.append(_misfit(name, given[name], expected))
    return VALID


def _misfit(name: str, seen: str, expected: Text) -> Problem:
    what = Text("this value does not fit", "dieser Wert passt nicht")
    return Problem(f"parameter {name}", what, expected, seen=seen, code="invalid_parameter")
