"""What is asked of the figures: the parameters of a request, read and checked, and what they select."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import cast, get_args
from zoneinfo import ZoneInfo

from features.definition import GRADES, LeadDefinition
from features.errors import DataError, Problem
from features.text import Text, same
from serving.kpis.counts import BYS, NAMED, By, Named, Selection

PARAMETERS = ("from", "to", "by", *NAMED, "limit", "offset")
GROUPS_ON_A_PAGE = 20
MOST_GROUPS = 1_000
MOST_DAYS = 3_660
LONGEST_VALUE = 200
NOT_REPORTED = Text("the definition's [reporting] does not name it", "[reporting] der Definition nennt es nicht")
UNKNOWN = Text("there is no such parameter", "diesen Parameter gibt es nicht")
REPEATED = Text("the parameter came more than once", "der Parameter kam mehr als einmal")
A_DAY = Text("a day such as 2026-01-31", "ein Tag wie 2026-01-31")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a period in whole days of the definition's time zone, `end` exclusive, and how to group."""

    start: date
    end: date
    by: By | None = None
    filters: Mapping[Named, str | None] = field(default_factory=dict)
    limit: int = GROUPS_ON_A_PAGE
    offset: int = 0


def read_query(
    parameters: Sequence[tuple[str, str]],
    definition: LeadDefinition,
    now: datetime,
    *,
    known: Sequence[str] = PARAMETERS,
    also: Sequence[str] = (),
) -> Query:
    """The query that `parameters` ask for.

    Without `to`, the period reaches to the end of today; without `from`, it has the twelve calendar months up to there.

    Parameters
    ----------
    known : sequence of str
        Those of our parameters that may be asked here.
    also : sequence of str
        Parameters that others read.

    Raises
    ------
    DataError
        With every parameter that does not fit.
    """
    reader = _Reader(parameters, definition)
    start, end = reader.period(now)
    query = Query(
        start=start,
        end=end,
        by=reader.by(),
        filters=reader.filters(),
        limit=reader.whole("limit", GROUPS_ON_A_PAGE, 1, MOST_GROUPS),
        offset=reader.whole("offset", 0, 0, 10**9),
    )
    reader.refuse_others([*known, *also])
    if reader.problems:
        raise DataError(reader.problems)
    return query


def selection(query: Query, definition: LeadDefinition, now: datetime) -> Selection:
    """The leads that a query is about, as the store counts them."""
    leads_from = definition.target.leads_from
    agreed = [(grade, getattr(definition.follow_up_hours, grade)) for grade in GRADES]
    return Selection(
        start=_midnight(query.start, definition),
        end=_midnight(query.end, definition),
        now=now,
        by=query.by,
        months=_months(query, definition) if query.by == "month" else (),
        filters=query.filters,
        horizon_days=definition.target.horizon_days if definition.timing == "dated" else None,
        leads_from=_midnight(leads_from, definition) if leads_from else None,
        hours={grade: hours for grade, hours in agreed if hours is not None},
    )


class _Reader:
    """Reads parameters and collects what is wrong with them."""

    def __init__(self, parameters: Sequence[tuple[str, str]], definition: LeadDefinition) -> None:
        self.problems: list[Problem] = []
        self._given = dict(parameters)
        self._names = [name for name, _ in parameters]
        self._definition = definition
        self._reported = definition.reporting.named() if definition.reporting else {}

    def period(self, now: datetime) -> tuple[date, date]:
        today = now.astimezone(ZoneInfo(self._definition.read.timezone)).date()
        end = self._day("to", today + timedelta(days=1))
        last = end - timedelta(days=1)
        start = self._day("from", date(last.year - (last.month < 12), last.month % 12 + 1, 1))
        if not self.problems and not 0 < (end - start).days <= MOST_DAYS:
            en = f"a day before {end}, at most ten years earlier"
            self._misfit("from", Text(en, f"ein Tag vor {end}, höchstens zehn Jahre früher"))
        return start, end

    def by(self) -> By | None:
        known = [by for by in BYS if by not in NAMED or by in self._reported]
        value = self._given.get("by")
        if value is None:
            return None
        if value not in known:
            self._misfit("by", same(", ".join(known)))
        return cast(By, value)

    def filters(self) -> dict[Named, str | None]:
        chosen: dict[Named, str | None] = {}
        for name in get_args(Named):
            value = self._given.get(name)
            if value is None:
                continue
            if name not in self._reported:
                self._add(name, NOT_REPORTED, same(", ".join(self._reported)))
            elif len(value) > LONGEST_VALUE or "\0" in value:
                self._misfit(name, Text(f"at most {LONGEST_VALUE} characters", f"höchstens {LONGEST_VALUE} Zeichen"))
            chosen[name] = value or None
        return chosen

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        value = self._given.get(name)
        if value is None:
            return default
        if not re.fullmatch("[0-9]{1,10}", value, re.ASCII) or not least <= int(value) <= most:
            en = f"a whole number from {least} to {most}"
            self._misfit(name, Text(en, f"eine ganze Zahl von {least} bis {most}"))
            return default
        return int(value)

    def refuse_others(self, known: Sequence[str]) -> None:
        for name in dict.fromkeys(self._names):
            if name not in known:
                self._add(name, UNKNOWN, same(", ".join(known)))
            elif self._names.count(name) > 1:
                self._add(name, REPEATED, Text("one value", "ein Wert"))

    def _day(self, name: str, default: date) -> date:
        value = self._given.get(name)
        if value is None:
            return default
        if re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", value, re.ASCII):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass  # said below, as for every other value that is no day
        self._misfit(name, A_DAY)
        return default

    def _misfit(self, name: str, expected: Text) -> None:
        self._add(name, Text("this value does not fit", "dieser Wert passt nicht"), expected)

    def _add(self, name: str, what: Text, expected: Text) -> None:
        seen = self._given.get(name, "")
        self.problems.append(Problem(f"parameter {name}", what, expected, seen=seen, code="invalid_parameter"))


def _months(query: Query, definition: LeadDefinition) -> tuple[tuple[str, datetime], ...]:
    """Each calendar month that the period touches, with its beginning."""
    first, last = query.start, query.end - timedelta(days=1)
    numbers = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    days = [date(number // 12, number % 12 + 1, 1) for number in numbers]
    return tuple((f"{day:%Y-%m}", _midnight(day, definition)) for day in days)


def _midnight(day: date, definition: LeadDefinition) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(definition.read.timezone))
