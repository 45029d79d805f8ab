"""What watching reads: the first scores of recent and of matured leads, how many came when; and the alerts it keeps.

A lead counts once, by its first score: a CRM that scores all of its open leads every night does not change what new
leads look like.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, Select, delete, func, or_, select

from features.errors import LeadQualityError
from features.target import closed_before
from serving.store.errors import outside
from serving.store.rows import insert_or_replace
from serving.store.tables import alerts, definitions, leads, outcomes, scores
from serving.store.writer import Writer

TURN: Final = "(turn)"
"""The row of `alerts` that says when somebody last began to evaluate; no alert has a name like it."""


@dataclass(frozen=True, slots=True)
class FirstScore:
    """What came with a lead when it was scored first, and what is known of its outcome.

    Attributes
    ----------
    account_id : str or None
    inputs : bytes
        JSON: the fields as they came.
    outcome : str or None
        None if none was sent.
    """

    account_id: str | None
    as_of: datetime
    inputs: bytes
    outcome: str | None
    outcome_at: datetime | None
    outcome_latest_at: datetime | None

    @property
    def was_closed(self) -> bool:
        """Whether its outcome was there before its as-of date."""
        return self.outcome_latest_at is not None and bool(closed_before(self.outcome_latest_at, self.as_of))


@dataclass(frozen=True, slots=True)
class Comparable:
    """Whose leads can be compared: those scored under this definition, or under another in which facts mean the same.

    Attributes
    ----------
    facts : str
        `features.definition.facts_fingerprint`.
    """

    fingerprint: str
    facts: str


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """The state of one alert; `detail` is JSON, what was last found."""

    name: str
    raised: bool
    since: datetime
    checked_at: datetime
    n_over: int
    n_under: int
    value: float | None
    detail: bytes


Change: TypeAlias = Callable[[Mapping[str, AlertRecord]], Sequence[AlertRecord]]
"""The alerts as they are, by name, to the alerts as they shall be; those that it leaves out are dropped."""

OUTCOME = (leads.c.outcome, leads.c.outcome_at, leads.c.outcome_latest_at)
COLUMNS = tuple(AlertRecord.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class _Turn:
    now: datetime
    not_before: datetime


class Watching:
    """What is watched, in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def recent(self, agreed: Comparable, since: datetime, most: int) -> list[FirstScore]:
        """The newest leads first scored since then under such a definition, at most so many, the newest first."""
        return self._first_scores(agreed, most, leads.c.first_scored_at >= since)

    def matured(self, agreed: Comparable, since: datetime, until: datetime, most: int) -> list[FirstScore]:
        """The newest leads whose first as-of date lies from `since` to `until`, both included."""
        return self._first_scores(
            agreed, most, leads.c.first_as_of >= since, leads.c.first_as_of <= until, newest=leads.c.first_as_of
        )

    def counts(self, edges: Sequence[datetime]) -> list[int]:
        """How many leads were first scored between each edge (included) and the next (excluded)."""
        came = leads.c.first_scored_at
        with outside(), self._engine.connect() as connection:
            return [
                connection.execute(
                    select(func.count()).select_from(leads).where(came >= start, came < end)
                ).scalar_one()
                for start, end in itertools.pairwise(edges)
            ]

    def first_scored_at(self) -> datetime | None:
        """When the first of all leads was scored; None if none was."""
        with outside(), self._engine.connect() as connection:
            moment: datetime | None = connection.execute(select(func.min(leads.c.first_scored_at))).scalar()
        return moment

    def has_outcomes(self) -> bool:
        """Whether any outcome has ever been sent."""
        with outside(), self._engine.connect() as connection:
            return connection.execute(select(outcomes.c.id).limit(1)).first() is not None

    def alerts(self) -> list[AlertRecord]:
        """Every alert, raised or not, by name."""
        with outside(), self._engine.connect() as connection:
            return sorted(_stored(connection).values(), key=lambda each: each.name)

    def take_turn(self, now: datetime, not_before: datetime) -> bool:
        """Whether the caller may evaluate: nobody has begun to since `not_before`, and from now on nobody else may."""
        return self._writer.write(_take_turns, _Turn(now, not_before))

    def change(self, change: Change) -> list[AlertRecord]:
        """The alerts after `change`, which is given those before it in the transaction that writes."""
        return self._writer.write(_change, change)

    def _first_scores(self, agreed: Comparable, most: int, *which: Any, newest: Any = None) -> list[FirstScore]:
        order = leads.c.first_scored_at if newest is None else newest
        under = scores.c.definition_fingerprint
        same_facts = select(definitions.c.fingerprint).where(definitions.c.facts == agreed.facts)
        query: Select[Any] = (
            select(leads.c.account_id, scores.c.as_of, scores.c.inputs, *OUTCOME)
            .join_from(leads, scores, scores.c.request_key == leads.c.first_key)
            .where(or_(under == agreed.fingerprint, under.in_(same_facts)), *which)
            .order_by(order.desc(), leads.c.lead_id)
            .limit(most)
        )
        with outside(), self._engine.connect() as connection:
            return [FirstScore(*row) for row in connection.execute(query)]


def _stored(connection: Connection) -> dict[str, AlertRecord]:
    rows = connection.execute(select(*(alerts.c[name] for name in COLUMNS)).where(alerts.c.name != TURN))
    return {row.name: AlertRecord(*row) for row in rows}


def _take_turns(connection: Connection, wanted: Sequence[_Turn]) -> list[bool | LeadQualityError]:
    taken: list[bool | LeadQualityError] = []
    for turn in wanted:
        last: datetime | None = connection.execute(select(alerts.c.checked_at).where(alerts.c.name == TURN)).scalar()
        free = last is None or last <= turn.not_before
        if free:
            insert_or_replace(connection, alerts, [_row(_began(turn.now))])
        taken.append(free)
    return taken


def _began(now: datetime) -> AlertRecord:
    return AlertRecord(TURN, False, now, now, 0, 0, None, b"{}")


def _change(connection: Connection, wanted: Sequence[Change]) -> list[list[AlertRecord] | LeadQualityError]:
    results: list[list[AlertRecord] | LeadQualityError] = []
    for change in wanted:
        after = sorted(change(_stored(connection)), key=lambda each: each.name)
        kept = [each.name for each in after]
        connection.execute(delete(alerts).where(alerts.c.name.not_in([*kept, TURN])))
        if after:
            insert_or_replace(connection, alerts, [_row(each) for each in after])
        results.append(after)
    return results


def _row(record: AlertRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in COLUMNS}
