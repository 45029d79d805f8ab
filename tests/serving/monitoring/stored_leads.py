"""Leads of the small model's own funnel, stored as if they had been scored over time; and ways in which they change."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from features.model.bundle import Bundle
from serving.scorer import Scorer
from serving.scoring import model_record
from serving.settings import Settings
from serving.store import NewScore, Store
from serving.store.engine import open_engine
from serving.store.tables import leads as leads_table
from serving.store.tables import outcomes as outcomes_table
from tests.serving.small_model import simulated_leads

Fields = dict[str, Any]
Change = Callable[[Fields, int], Fields]
PER_DAY = 24
_numbers = itertools.count()


@dataclass(frozen=True)
class LeadThatCame:
    """One lead as it came."""

    fields: Fields
    won: bool


def leads_that_came(seed: int, change: Change = lambda fields, _: fields) -> list[LeadThatCame]:
    """Three thousand leads like those of the small model's training, each of them changed."""
    frame, as_of, won = simulated_leads(seed)
    days_ago = (as_of - frame["customer_since"]) / pd.Timedelta(days=1)
    came = []
    for place in range(len(frame)):
        row = frame.iloc[place]
        fields: Fields = {
            "source": row["source"],
            "employees": row["employees"],
            "demo_requested": None if pd.isna(row["demo_requested"]) else row["demo_requested"] == "true",
            "days_ago": days_ago.iloc[place],
        }
        known = {name: None if pd.isna(value) else value for name, value in fields.items()}
        came.append(LeadThatCame(change(known, place), bool(won[place])))
    return came


def store_leads(
    store: Store, bundle: Bundle, came: Sequence[LeadThatCame], until: datetime, per_day: int = PER_DAY
) -> list[str]:
    """Store the leads as first scored one after the other, the last at `until`; their ids."""
    start = until - timedelta(days=(len(came) - 1) / per_day)
    new = [_new_score(lead, start + timedelta(days=place / per_day)) for place, lead in enumerate(came)]
    store.scores.save(model_record(Scorer(bundle).model_name), new)
    return [score.lead_id for score in new]


def store_outcomes(database_url: str, ids: Sequence[str], won: Sequence[bool]) -> None:
    """Say which leads were won, ten days after their as-of date, and which were lost; in the table itself."""
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    with engine.begin() as connection:
        as_of = {row.lead_id: row.first_as_of for row in connection.execute(sa.select(leads_table))}
        for lead_id, is_won in zip(ids, won, strict=True):
            at = as_of[lead_id] + timedelta(days=10)
            told = {"outcome": "won" if is_won else "lost", "outcome_at": at, "outcome_latest_at": at}
            connection.execute(sa.update(leads_table).where(leads_table.c.lead_id == lead_id).values(told))
        one = {
            "lead_id": ids[0],
            "outcome": "lost",
            "at": as_of[ids[0]],
            "latest_at": as_of[ids[0]],
            "received_at": as_of[ids[0]],
        }
        connection.execute(sa.insert(outcomes_table), [{"request_key": "o", "request_hash": "o", **one}])
    engine.dispose()


def _new_score(lead: LeadThatCame, moment: datetime) -> NewScore:
    number = next(_numbers)
    fields = dict(lead.fields)
    days_ago = fields.pop("days_ago")
    since = None if days_ago is None else moment - timedelta(days=days_ago)
    inputs = {**fields, "customer_since": since and since.isoformat()}
    return NewScore(
        request_key=f"watched-{number}",
        request_hash="h",
        lead_id=f"L{number}",
        account_id=None,
        as_of=moment,
        received_at=moment,
        probability=0.2,
        log_odds=-1.4,
        score=20,
        grade="C",
        handover="nurture",
        inputs=json.dumps({name: value for name, value in inputs.items() if value is not None}).encode(),
        answer=b"{}",
    )


def every(nth: int, change: Change) -> Change:
    """The change for one lead in `nth`, the others as they were."""
    return lambda fields, place: change(fields, place) if place % nth == 0 else fields


def without(field: str) -> Change:
    """Leads that come without a field."""
    return lambda fields, _: {**fields, field: None}


def with_value(field: str, value: Any) -> Change:
    """Leads that all have this value."""
    return lambda fields, _: {**fields, field: value}


def times(field: str, factor: float) -> Change:
    """Leads whose number is so many times as large."""
    return lambda fields, _: {**fields, field: None if fields[field] is None else np.round(factor * fields[field])}


def with_evaluated_skill(bundle: Bundle, skill: float) -> Bundle:
    """The bundle as if its evaluation had found this skill."""
    metrics = {**bundle.manifest.metrics, "log_loss_skill": {"value": skill}}
    return replace(bundle, manifest=replace(bundle.manifest, metrics=metrics))
