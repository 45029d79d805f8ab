"""Which leads the figures of a page are about: a period and filters, as they stand in its address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np

from features.definition import LeadDefinition
from features.errors import DataError
from features.text import Text
from serving.cockpit.asked import Asked
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.formats import Reader
from serving.kpis.columns import LeadColumns
from serving.kpis.counts import NAMED, By, Named
from serving.kpis.query import Query, read_query
from serving.kpis.shown import Shower
from serving.kpis.texts import NOT_STATED

WITHOUT = "∅"
"""What stands in an address for leads without a source, campaign or region."""
MOST_CHOICES = 300
SHORTCUTS = (30, 90, 365)
A_PERIOD = Text(
    "a day before the last one, at most ten years earlier", "ein Tag vor dem letzten, höchstens zehn Jahre früher"
)


@dataclass(frozen=True, slots=True)
class Period:
    """What was chosen; whatever is the page's own choice is left out of addresses.

    Attributes
    ----------
    start, end : date
        Half-open.
    today : date
        By the agreement's clocks.
    asked_for : mapping
        What stands in the address: `from`, `last` and filters.
    """

    start: date
    end: date
    today: date
    filters: Mapping[Named, str | None]
    asked_for: Mapping[str, str]

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.end - timedelta(days=1)

    def query(self, by: By | None = None, limit: int = 20) -> Query:
        """The same for the figures."""
        return Query(self.start, self.end, by, self.filters, limit)

    def address(self, path: str, **other: str) -> str:
        """The address of a page about the same leads, with `other` parameters; empty ones are left out."""
        named = {name: value for name, value in {**self.asked_for, **other}.items() if value}
        return f"{path}?{urlencode(named)}" if named else path


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter: its name, what it is called, and its options as (value, text)."""

    name: Named
    label: str
    options: Sequence[tuple[str, str]]
    value: str


@dataclass(frozen=True, slots=True)
class Controls:
    """What the reader may choose.

    Attributes
    ----------
    shortcuts : sequence of (str, str)
        Address and name of periods that end today.
    """

    first: str
    last: str
    choices: Sequence[Choice]
    shortcuts: Sequence[tuple[str, str]] = field(default=())


def read_period(asked: Asked, definition: LeadDefinition, now: datetime) -> Period:
    """The period and filters of an address; what does not fit is noted with `asked`."""
    first, last = asked.day("from"), asked.day("last")
    chosen = {name: asked.text(name) for name in reported(definition)}
    try:
        return period_of(first, last, definition, now, chosen)
    except DataError:
        asked.refuse("from", str(first or ""), A_PERIOD)
        return period_of(None, None, definition, now)


def period_of(
    first: date | None,
    last: date | None,
    definition: LeadDefinition,
    now: datetime,
    chosen: Mapping[Named, str] = MappingProxyType({}),
) -> Period:
    """The period from its first to its last day, by default twelve calendar months up to today.

    Parameters
    ----------
    chosen : mapping
        Filters as they stand in an address; empty ones do not matter.

    Raises
    ------
    DataError
        If the days are no period.
    """
    given = [("from", first.isoformat())] if first else []
    given += [("to", (last + timedelta(days=1)).isoformat())] if last else []
    query = read_query(given, definition, now)
    filters: dict[Named, str | None] = {
        name: None if value == WITHOUT else value for name, value in chosen.items() if value
    }
    days = {"from": first.isoformat() if first else "", "last": last.isoformat() if last else ""}
    today = now.astimezone(ZoneInfo(definition.read.timezone)).date()
    return Period(query.start, query.end, today, filters, days | {str(name): value for name, value in chosen.items()})


def reported(definition: LeadDefinition) -> tuple[Named, ...]:
    """What leads can be filtered by under this agreement."""
    known = definition.reporting.named() if definition.reporting else {}
    return tuple(name for name in NAMED if name in known)


def controls(period: Period, path: str, leads: LeadColumns, definition: LeadDefinition, reader: Reader) -> Controls:
    """What may be chosen, for one reader."""
    return Controls(
        first=period.start.isoformat(),
        last=period.last.isoformat(),
        choices=[_choice(name, period, leads, definition, reader) for name in reported(definition)],
        shortcuts=[_shortcut(days, period, path, reader) for days in SHORTCUTS],
    )


def _choice(name: Named, period: Period, leads: LeadColumns, definition: LeadDefinition, reader: Reader) -> Choice:
    """The values that leads have, the most frequent first, in the order of their names."""
    t, shower = Catalogue(reader), Shower(period.query(), definition)
    coded = leads.words[name]
    n = np.bincount(coded.codes, minlength=len(coded.words))
    frequent = [coded.words[code] for code, _ in Counter(dict(enumerate(n.tolist()))).most_common(MOST_CHOICES)]
    named = [(word, reader.text(shower.label(name, word))) for word in frequent if word is not None]
    options = [("", t("common.figures.all")), *sorted(named, key=lambda each: each[1].casefold())]
    if n[0]:
        options.append((WITHOUT, reader.text(NOT_STATED)))
    value = period.asked_for.get(name, "")
    if value and value not in dict(options):
        options.append((value, value))
    return Choice(name, t(f"common.figures.by.{name}"), options, value)


def _shortcut(days: int, period: Period, path: str, reader: Reader) -> tuple[str, str]:
    t = Catalogue(reader)
    first = (period.today - timedelta(days=days - 1)).isoformat()
    return period.address(path, **{"from": first, "last": ""}), t("common.figures.last_days", n=days)
