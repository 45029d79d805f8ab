"""Lists of leads, the most probable first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, and_, exists, or_, select, tuple_

from serving.store.errors import outside
from serving.store.leads import LeadRow
from serving.store.tables import leads, objections


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads a list shows; what is None or empty does not matter.

    Attributes
    ----------
    equal : mapping of str to str
        Column of the table of leads to value.
    outcome : {"won", "lost", "open"}, optional
        A lead of which nothing was told is open.
    verdict : {"accepted", "rejected", "none"}, optional
    overdue_at : datetime, optional
        Only leads handed over that nobody spoke with, judged or closed, whose agreed hours had passed by then.
    hours : mapping of str to float
        Agreed hours by grade at the handover.
    """

    grades: tuple[str, ...] = ()
    equal: Mapping[str, str] = field(default_factory=dict)
    outcome: str | None = None
    verdict: str | None = None
    handed_over: bool | None = None
    overdue_at: datetime | None = None
    hours: Mapping[str, float] = field(default_factory=dict)


class Worklist:
    """Lists of leads in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, wanted: Wanted, after: tuple[float, str] | None, most: int) -> list[LeadRow]:
        """Rows of leads, the most probable first, after a lead's probability and id; objections are left out."""
        place = (leads.c.probability, leads.c.lead_id)
        query = select(leads).where(*_conditions(wanted)).order_by(*(part.desc() for part in place)).limit(most)
        if after is not None:
            query = query.where(tuple_(*place) < tuple_(*after))
        with outside(), self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield ~exists().where(objections.c.lead_id == leads.c.lead_id)
    if wanted.grades:
        yield leads.c.grade.in_(wanted.grades)
    for column, value in wanted.equal.items():
        yield leads.c[column] == value
    if wanted.outcome is not None:
        yield _is_open() if wanted.outcome == "open" else leads.c.outcome == wanted.outcome
    if wanted.verdict is not None:
        yield leads.c.verdict.is_(None) if wanted.verdict == "none" else leads.c.verdict == wanted.verdict
    if wanted.handed_over is not None:
        yield leads.c.handed_over_at.is_not(None) if wanted.handed_over else leads.c.handed_over_at.is_(None)
    if wanted.overdue_at is not None:
        yield _overdue(wanted.overdue_at, wanted.hours)


def _overdue(now: datetime, hours: Mapping[str, float]) -> ColumnElement[bool]:
    too_long = [
        and_(leads.c.handover_grade == grade, leads.c.handed_over_at < now - timedelta(hours=agreed))
        for grade, agreed in hours.items()
    ]
    return and_(leads.c.first_contact_at.is_(None), leads.c.verdict.is_(None), _is_open(), or_(False, *too_long))


def _is_open() -> ColumnElement[bool]:
    return or_(leads.c.outcome.is_(None), leads.c.outcome == "open")
