"""The lives of leads, read: the state of one, its scores, everything that happened to it, and lists of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, literal, select, tuple_, union_all

from serving.store.errors import outside
from serving.store.leads import LeadRow
from serving.store.records import Objection, Outcome, Verdict
from serving.store.tables import leads, models, objections, outcomes, scores, verdicts

SCORE_ID_DIGITS = 32
KINDS = {0: "score", 1: "outcome", 2: "verdict"}


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score as it is stored, with the model that it came from."""

    score_id: str
    as_of: datetime
    received_at: datetime
    probability: float
    score: int
    grade: str
    handover: str
    bundle_id: str
    model_name: str
    model_version: str
    inputs: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class ScoreInShort:
    """A score without what it was made from, and without its reasons."""

    score_id: str
    as_of: datetime
    received_at: datetime
    bundle_id: str
    probability: float
    grade: str
    model_name: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a lead's history something stands: by its arrival, then by kind, then by the number of its row."""

    received_at: datetime
    kind: int
    number: int


Happened: TypeAlias = StoredScore | Outcome | Verdict


@dataclass(frozen=True, slots=True)
class Life:
    """What is known about one lead; `row` is its row of the table of leads."""

    row: LeadRow
    n_scores: int
    latest_score: int
    outcomes: Sequence[Outcome]
    verdicts: Sequence[Verdict]
    objection: Objection | None


class Lives:
    """Leads in the store, read. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_lead(self, lead_id: str) -> Life | None:
        """Everything but the scores' answers; None if no score of the lead is stored."""
        with outside(), self._engine.connect() as connection:
            row = connection.execute(select(leads).where(leads.c.lead_id == lead_id)).one_or_none()
            return None if row is None else _life(connection, dict(row._mapping))

    def score(self, lead_id: str, score_id: str) -> StoredScore | None:
        """One of the lead's scores; None if it has none of this name."""
        named = func.substr(scores.c.request_key, 1, SCORE_ID_DIGITS) == score_id
        return self._one_score(_stored_scores(lead_id).where(named))

    def latest_two(self, lead_id: str) -> tuple[StoredScore | None, StoredScore | None]:
        """The score before the latest, and the latest, by as-of date; None where there is none."""
        newest_first = (scores.c.as_of.desc(), scores.c.id.desc())
        with outside(), self._engine.connect() as connection:
            found = [
                _score(row) for row in connection.execute(_stored_scores(lead_id).order_by(*newest_first).limit(2))
            ]
        return (found[1] if len(found) > 1 else None), (found[0] if found else None)

    def newest(self, lead_id: str, most: int) -> list[ScoreInShort]:
        """The lead's newest scores by as-of date, the newest first."""
        names = [column for column in scores.columns if column.name in ScoreInShort.__slots__]
        named = (models.c.name.label("model_name"), models.c.version.label("model_version"))
        query = select(scores.c.request_key, *names, *named).join(models).where(scores.c.lead_id == lead_id)
        newest_first = (scores.c.as_of.desc(), scores.c.id.desc())
        with outside(), self._engine.connect() as connection:
            found = list(connection.execute(query.order_by(*newest_first).limit(most)))
        return [ScoreInShort(request_key[:SCORE_ID_DIGITS], *values) for request_key, *values in found]

    def score_before(self, lead_id: str, place: Place) -> StoredScore | None:
        """The lead's score that arrived last before `place`."""
        arrival = (scores.c.received_at, scores.c.id)
        before = tuple_(*arrival) < tuple_(literal(place.received_at, scores.c.received_at.type), place.number)
        return self._one_score(_stored_scores(lead_id).where(before).order_by(*(part.desc() for part in arrival)))

    def history(self, lead_id: str, after: Place | None, most: int) -> list[tuple[Place, Happened]]:
        """What happened to the lead, in the order of arrival, after a place in it; at most `most`."""
        with outside(), self._engine.connect() as connection:
            places = [Place(*row) for row in connection.execute(_places(lead_id, after).limit(most))]
            found = {
                0: _numbered(connection, _stored_scores(lead_id), scores.c.id, places, 0),
                1: _numbered(connection, select(outcomes), outcomes.c.id, places, 1),
                2: _numbered(connection, select(verdicts), verdicts.c.id, places, 2),
            }
        return [(place, found[place.kind][place.number]) for place in places]

    def _one_score(self, query: Select[Any]) -> StoredScore | None:
        with outside(), self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).one_or_none()
        return None if row is None else _score(row)


def _life(connection: Connection, row: LeadRow) -> Life:
    lead_id = row["lead_id"]
    of_scores = select(func.count()).where(scores.c.lead_id == lead_id)
    latest = select(scores.c.score).where(scores.c.request_key == row["latest_key"])
    told = [
        list(connection.execute(select(table).where(table.c.lead_id == lead_id).order_by(table.c.id)))
        for table in (outcomes, verdicts)
    ]
    objection = connection.execute(select(objections).where(objections.c.lead_id == lead_id)).one_or_none()
    return Life(
        row,
        connection.execute(of_scores).scalar_one(),
        connection.execute(latest).scalar_one(),
        [_told(Outcome, each) for each in told[0]],
        [_told(Verdict, each) for each in told[1]],
        None if objection is None else Objection(**objection._mapping),
    )


def _stored_scores(lead_id: str) -> Select[Any]:
    named = (models.c.name.label("model_name"), models.c.version.label("model_version"))
    return select(scores, *named).join(models).where(scores.c.lead_id == lead_id)


def _score(row: Row[Any]) -> StoredScore:
    values = {name: value for name, value in row._mapping.items() if name in StoredScore.__slots__}
    return StoredScore(score_id=row.request_key[:SCORE_ID_DIGITS], **values)


def _told(kind: type[Outcome] | type[Verdict], row: Row[Any]) -> Any:
    return kind(**{name: value for name, value in row._mapping.items() if name != "id"})


def _places(lead_id: str, after: Place | None) -> Select[Any]:
    """Where the things that happened to a lead stand in its history."""
    parts = [
        select(table.c.received_at, literal(kind).label("kind"), table.c.id.label("number")).where(
            table.c.lead_id == lead_id
        )
        for kind, table in enumerate((scores, outcomes, verdicts))
    ]
    every = union_all(*parts).subquery()
    place: tuple[ColumnElement[Any], ...] = (every.c.received_at, every.c.kind, every.c.number)
    query = select(every).order_by(*place)
    if after is None:
        return query
    return query.where(
        tuple_(*place) > tuple_(literal(after.received_at, every.c.received_at.type), after.kind, after.number)
    )


def _numbered(
    connection: Connection, query: Select[Any], number: ColumnElement[Any], places: Sequence[Place], kind: int
) -> dict[int, Happened]:
    """The rows of one kind at these places, by their number."""
    numbers = [place.number for place in places if place.kind == kind]
    if not numbers:
        return {}
    rows = connection.execute(query.where(number.in_(numbers)))
    return {row.id: _score(row) if kind == 0 else _told((Outcome, Verdict)[kind - 1], row) for row in rows}
