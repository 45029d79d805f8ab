"""Random leads with all that can become of them, as rows of the store, and the agreement that they are counted by."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.definition import LeadDefinition, parse_definition
from serving.settings import Settings
from serving.store.engine import open_engine
from serving.store.tables import lead_changes, leads
from tests.serving.small_model import AGREED

NOW = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
N_ACCOUNTS = 80
HORIZON = timedelta(days=90)
HOURS = {"A": 4, "B": 24, "C": 72}
REASONS = ("no_budget", "wrong_contact", "not_reached", "code_of_an_older_version")
Row = dict[str, Any]


def agreed() -> LeadDefinition:
    """The agreement of the tests with hours, reasons and what leads are reported by."""
    agreement = copy.deepcopy(AGREED)
    agreement["follow_up_hours"] = dict(HOURS)
    agreement["reporting"] = {"source": "source"}
    agreement["verdicts"] = {
        "accepted": {"fits": {"en": "Fits", "de": "Passt"}},
        "rejected": {"no_budget": {"en": "No budget", "de": "Kein Budget"}},
    }
    return parse_definition(agreement)


def random_rows(n: int, seed: int) -> list[Row]:
    """`n` leads of fifteen months; a third of them share accounts, moments have fractions or lie exactly on an edge."""
    draw = np.random.default_rng(seed)
    return [_row(number, draw) for number in range(n)]


def _row(number: int, draw: np.random.Generator) -> Row:
    scored = NOW - timedelta(microseconds=int(draw.integers(0, 450 * 86_400 * 1_000_000)))
    as_of = scored - timedelta(days=int(draw.integers(0, 3))) if draw.random() < 0.3 else scored
    p = float(draw.beta(1, 3))
    row: Row = {column.name: None for column in leads.columns} | {
        "lead_id": f"L{number}",
        "account_id": f"A{draw.integers(N_ACCOUNTS)}" if draw.random() < 0.4 else None,
        "first_scored_at": scored,
        **_said("first", number, as_of, p, grade(p)),
        "latest_key": f"{number}",
        "latest_as_of": as_of,
        "probability": p,
        "by_value": p - 1,
        "grade": grade(p),
        "handover": "nurture",
        "simulated": bool(draw.random() < 0.2),
        "source": str(draw.choice(["fair", "web", "cold"])) if draw.random() < 0.9 else None,
        "campaign": f"C{int(draw.integers(12)) ** 2 // 5}",
    }
    return row | _handed_over(number, row, draw) | _outcome(row, draw)


def _said(part: str, number: int, as_of: datetime, p: float, of_grade: str) -> Row:
    key = {"first": f"{number}", "handover": f"h{number}"}[part]
    return {f"{part}_key": key, f"{part}_as_of": as_of, f"{part}_probability": p, f"{part}_grade": of_grade}


def _handed_over(number: int, row: Row, draw: np.random.Generator) -> Row:
    if draw.random() > 0.3 + 0.5 * row["probability"]:
        return {}
    later = timedelta(days=float(draw.exponential(20))) if draw.random() < 0.3 else timedelta(0)
    at = min(row["first_scored_at"] + later, NOW)
    p = row["probability"] if not later else float(draw.beta(2, 2))
    handed: Row = {"handed_over_at": at, "handover": "go", **_said("handover", number, at, p, grade(p))}
    contact = at + _until_contact(grade(p), draw)
    if draw.random() < 0.8 and contact <= NOW:
        handed["first_contact_at"] = contact
    if draw.random() < 0.7:
        accepted = bool(draw.random() < (0.9 if _likes(row) else 0.3))
        handed |= {"verdict": "accepted" if accepted else "rejected", "verdict_at": NOW}
        handed["verdict_reason"] = "fits" if accepted else str(draw.choice(REASONS))
    return handed


def _until_contact(of_grade: str, draw: np.random.Generator) -> timedelta:
    """Mostly random; sometimes before the handover, or exactly at the end of the agreed hours, or a blink after it."""
    kind, agreed_hours = draw.random(), timedelta(hours=HOURS.get(of_grade, 48))
    if kind < 0.1:
        return agreed_hours
    if kind < 0.2:
        return agreed_hours + timedelta(microseconds=1)
    return timedelta(hours=float(draw.exponential(30))) if kind < 0.95 else timedelta(hours=-5)


def _outcome(row: Row, draw: np.random.Generator) -> Row:
    """Won, lost, open again or unknown; sometimes exactly at the end of the horizon, or before the lead was scored."""
    kind = draw.random()
    at = row["first_as_of"] + timedelta(days=float(draw.exponential(60)))
    if kind < 0.1:
        at = row["first_as_of"] + HORIZON - timedelta(microseconds=int(draw.integers(0, 2)))
    elif kind < 0.15:
        at = row["first_as_of"] - timedelta(hours=int(draw.integers(6, 30)))
    outcome = str(draw.choice(["won", "lost", "open"], p=[0.95, 0.03, 0.02] if _likes(row) else [0.3, 0.6, 0.1]))
    if at > NOW or draw.random() < 0.2:
        return {}
    latest = at + timedelta(days=1) - timedelta(microseconds=1) if draw.random() < 0.3 else at  # only its day is known
    return {"outcome": outcome, "outcome_at": at, "outcome_latest_at": latest}


def _likes(row: Row) -> bool:
    """Whether the account likes us: its leads win and are accepted together."""
    return row["account_id"] is not None and int(row["account_id"][1:]) % 2 == 0


def grade(p: float) -> str:
    """By the cut-offs of the agreement."""
    return "A" if p >= 0.5 else "B" if p >= 0.3 else "C" if p >= 0.15 else "D"


def keep(database_url: str, rows: Sequence[Row]) -> None:
    """Put rows of leads into a migrated store."""
    engine = open_engine(Settings(database_url=database_url).database_url, 30)
    with engine.begin() as connection:
        for start in range(0, len(rows), 500):
            connection.execute(sa.insert(leads), rows[start : start + 500])
        connection.execute(sa.insert(lead_changes), [{"lead_id": row["lead_id"]} for row in rows])
    engine.dispose()
