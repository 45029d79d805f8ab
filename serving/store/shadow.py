"""What a challenger would have said of leads that the champion scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.records import ModelRecord
from serving.store.refusals import refused_leads
from serving.store.rows import insert_missing, rows_of, where_in
from serving.store.tables import leads, models, scores, shadow_scores
from serving.store.writer import Writer

ROWS_AT_A_TIME = 1_000
LEADS_SCORED = where_in(select(scores.c.request_key, scores.c.lead_id), scores.c.request_key)


@dataclass(frozen=True, slots=True)
class ShadowScore:
    """A challenger's score of the lead whose stored score has this request key."""

    request_key: str
    probability: float
    log_odds: float
    grade: str
    handover: str
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """What both models said of one lead, the first time that both did, and what became of it."""

    lead_id: str
    account_id: str | None
    as_of: datetime
    probability: float
    grade: str
    handover: str
    would_be_probability: float
    would_be_grade: str
    would_be_handover: str
    outcome: str | None
    outcome_at: datetime | None
    outcome_latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Wanted:
    model: ModelRecord
    scores: Sequence[ShadowScore]


class Shadows:
    """Scores in the shadow. Methods block on the database."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def save(self, model: ModelRecord, found: Sequence[ShadowScore]) -> int:
        """How many were stored: one whose lead was erased, or has objected, meanwhile is not."""
        return self._writer.write(_write, _Wanted(model, found))

    def pairs(self, champion: str, challenger: str) -> Iterator[Pair]:
        """Each lead that both bundles scored, by the first request that both did, in the order of ids."""
        would_be = (shadow_scores.c.probability, shadow_scores.c.grade, shadow_scores.c.handover)
        query: Select[Any] = (
            select(
                scores.c.lead_id,
                leads.c.account_id,
                scores.c.as_of,
                scores.c.probability,
                scores.c.grade,
                scores.c.handover,
                *would_be,
                leads.c.outcome,
                leads.c.outcome_at,
                leads.c.outcome_latest_at,
            )
            .join_from(shadow_scores, scores, scores.c.request_key == shadow_scores.c.request_key)
            .join(leads, leads.c.lead_id == scores.c.lead_id)
            .where(shadow_scores.c.bundle_id == challenger, scores.c.bundle_id == champion)
            .order_by(scores.c.lead_id, scores.c.id)
            .execution_options(yield_per=ROWS_AT_A_TIME)
        )
        before = None
        with outside(), self._engine.connect() as connection:
            for row in connection.execute(query):
                if row.lead_id != before:
                    before = row.lead_id
                    yield Pair(*row)


def _write(connection: Connection, wanted: Sequence[_Wanted]) -> list[int | LeadQualityError]:
    return [_stored(connection, each) for each in wanted]


def _stored(connection: Connection, wanted: _Wanted) -> int:
    keys = [score.request_key for score in wanted.scores]
    lead_of = {row.request_key: row.lead_id for row in rows_of(connection, LEADS_SCORED, keys)}
    refused = refused_leads(connection, list(lead_of.values()))
    there = {key for key, lead_id in lead_of.items() if lead_id not in refused}
    rows = [asdict(score) | {"bundle_id": wanted.model.bundle_id} for score in wanted.scores]
    kept = [row for row in rows if row["request_key"] in there]
    if kept:
        about = asdict(wanted.model) | {"first_served_at": min(row["scored_at"] for row in kept)}
        insert_missing(connection, models, [about])
        insert_missing(connection, shadow_scores, kept)
    return len(kept)
