"""Lists of leads, a page at a time: the most probable first, by expected value, or by the beginning of their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Engine, and_, exists, func, literal, literal_column, or_, select, tuple_

from serving.store.errors import outside
from serving.store.leads import LeadRow
from serving.store.tables import HANDED_OVER_AND_OPEN, REJECTED, leads, objections, scores

Part: TypeAlias = Literal["all", "at_work", "rejected"]
Order: TypeAlias = Literal["probability", "by_value", "verdict_at"]
Place: TypeAlias = tuple[float | datetime, str]
PARTS: Mapping[Part, tuple[ColumnElement[bool], ...]] = {
    "all": (),
    "at_work": (HANDED_OVER_AND_OPEN,),
    "rejected": (REJECTED,),
}
AFTER_EVERY_CHARACTER = "\x7f"
"""Ids hold only visible ASCII (serving/intake.py); this stands after all of it."""


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
    part : {"all", "at_work", "rejected"}
        Among which leads: what sales works at is handed over and open. Each part has an index for each of its orders.
    overdue_at : datetime, optional
        Only leads handed over that nobody spoke with, judged or closed, whose agreed hours had passed by then.
    hours : mapping of str to float
        Agreed hours by grade at the handover.
    order : {"probability", "by_value", "verdict_at"}
        What is listed first: the most probable; of leads at work, also the largest expected value; of rejected ones,
        the newest verdict.
    """

    grades: tuple[str, ...] = ()
    equal: Mapping[str, str] = field(default_factory=dict)
    outcome: str | None = None
    verdict: str | None = None
    handed_over: bool | None = None
    part: Part = "all"
    overdue_at: datetime | None = None
    hours: Mapping[str, float] = field(default_factory=dict)
    order: Order = "probability"


@dataclass(frozen=True, slots=True)
class Listed:
    """A lead of a list: its row of the table of leads, and its latest score's answer."""

    row: LeadRow
    answer: bytes


class Worklist:
    """Lists of leads in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, wanted: Wanted, after: Place | None, most: int, *, backwards: bool = False) -> list[LeadRow]:
        """Rows of leads in the order wanted, after a lead's place in it and id; objections are left out.

        Parameters
        ----------
        backwards : bool
            The rows before that place instead, those next to it; still in the order wanted.
        """
        place = (leads.c[wanted.order], leads.c.lead_id)
        ordered = [part.asc() if backwards else part.desc() for part in place]
        query = select(leads).where(*_conditions(wanted, self._engine.name)).order_by(*ordered).limit(most)
        if after is not None:
            here, there = tuple_(*place), tuple_(literal(after[0], place[0].type), after[1])
            query = query.where(here > there if backwards else here < there)
        with outside(), self._engine.connect() as connection:
            found = [dict(row._mapping) for row in connection.execute(query)]
        return found[::-1] if backwards else found

    def beginning_with(self, text: str, after: str | None, most: int) -> list[LeadRow]:
        """Rows of the leads whose ids begin with `text`, by id, after one of them; objections are left out."""
        query = select(leads).where(_begins_with(text, self._engine.name), _nobody_objects())
        if after is not None:
            query = query.where(leads.c.lead_id > after)
        with outside(), self._engine.connect() as connection:
            found = connection.execute(query.order_by(leads.c.lead_id).limit(most))
            return [dict(row._mapping) for row in found]

    def count(self, wanted: Wanted, most: int) -> int:
        """How many leads a list holds in all; `most` if there are more: counting all of them would take too long."""
        conditions = _conditions(wanted, self._engine.name)
        some = select(literal(1)).select_from(leads).where(*conditions).limit(most)
        with outside(), self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one())

    def with_answers(self, rows: list[LeadRow]) -> list[Listed]:
        """Each lead with its latest score's answer; without those that were erased since the rows were read."""
        keys = [row["latest_key"] for row in rows]
        query = select(scores.c.request_key, scores.c.answer).where(scores.c.request_key.in_(keys))
        with outside(), self._engine.connect() as connection:
            answers = {row.request_key: row.answer for row in connection.execute(query)}
        return [Listed(row, answers[row["latest_key"]]) for row in rows if row["latest_key"] in answers]

    def owners(self, most: int) -> list[str]:
        """The first `most` teams and territories that work any lead, by name."""
        first = select(func.min(leads.c.owner).label("owner")).where(leads.c.owner.is_not(None))
        found = first.cte("owners", recursive=True)
        # From one name to the next through the index: however many leads there are, each name is looked up once.
        following = select(func.min(leads.c.owner)).where(leads.c.owner > found.c.owner).scalar_subquery()
        names = found.union_all(select(following).where(found.c.owner.is_not(None)))
        query = select(names.c.owner).where(names.c.owner.is_not(None)).limit(most)
        with outside(), self._engine.connect() as connection:
            return list(connection.execute(query).scalars())


def _conditions(wanted: Wanted, dialect: str) -> Iterator[ColumnElement[bool]]:
    yield from PARTS[wanted.part]
    if wanted.grades:
        yield leads.c.grade.in_(wanted.grades)
    for column, value in wanted.equal.items():
        yield _filtered(column, wanted, dialect) == value
    if wanted.outcome is not None:
        yield _is_open() if wanted.outcome == "open" else leads.c.outcome == wanted.outcome
    if wanted.verdict is not None:
        yield leads.c.verdict.is_(None) if wanted.verdict == "none" else leads.c.verdict == wanted.verdict
    if wanted.handed_over is not None:
        yield leads.c.handed_over_at.is_not(None) if wanted.handed_over else leads.c.handed_over_at.is_(None)
    if wanted.overdue_at is not None:
        yield _overdue(wanted, wanted.overdue_at, dialect)
    yield _nobody_objects()


def _nobody_objects() -> ColumnElement[bool]:
    return ~exists().where(objections.c.lead_id == leads.c.lead_id)


def _filtered(column: str, wanted: Wanted, dialect: str) -> ColumnElement[Any]:
    """A column to filter by; but for the plus, SQLite would look every lead of a region up, and sort them."""
    if wanted.part == "all" or dialect != "sqlite":
        return leads.c[column]
    return literal_column(f"+leads.{column}", leads.c[column].type)


def _overdue(wanted: Wanted, now: datetime, dialect: str) -> ColumnElement[bool]:
    handed_over_at = _filtered("handed_over_at", wanted, dialect)
    too_long = [
        and_(leads.c.handover_grade == grade, handed_over_at < now - timedelta(hours=agreed))
        for grade, agreed in wanted.hours.items()
    ]
    return and_(leads.c.first_contact_at.is_(None), leads.c.verdict.is_(None), _is_open(), or_(False, *too_long))


def _is_open() -> ColumnElement[bool]:
    return or_(leads.c.outcome.is_(None), leads.c.outcome == "open")


def _begins_with(text: str, dialect: str) -> ColumnElement[bool]:
    """In the form that each database finds in an index; SQLite's LIKE does not tell small letters from capitals."""
    if dialect == "sqlite":
        return and_(leads.c.lead_id >= text, leads.c.lead_id < text + AFTER_EVERY_CHARACTER)
    return leads.c.lead_id.startswith(text, autoescape=True)
