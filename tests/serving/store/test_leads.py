"""The row of a lead is what its history adds up to, whatever the order in which it came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import sqlalchemy as sa

from serving.settings import Settings
from serving.store import NewScore, Store
from serving.store.engine import open_engine
from serving.store.tables import leads, metadata
from tests.serving.store.test_store import MODEL, NOW, SCORE


def lead_rows(database_url: str) -> dict[str, sa.Row[tuple[object, ...]]]:
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    with engine.connect() as connection:
        found = {row.lead_id: row for row in connection.execute(sa.select(leads))}
    engine.dispose()
    return found


def history(seed: int) -> list[NewScore]:
    draw = np.random.default_rng(seed)
    return [
        replace(
            SCORE,
            request_key=f"k{number}",
            lead_id=f"L{draw.integers(6)}",
            account_id=None if draw.random() < 0.5 else f"A{draw.integers(3)}",
            as_of=NOW + timedelta(hours=int(draw.integers(4))),
            received_at=NOW + timedelta(minutes=number),
            probability=float(draw.random()),
            grade=str(draw.choice(list("ABCD"))),
            handover=str(draw.choice(["go", "nurture"])),
            source=str(draw.choice(["fair", "web"])),
            owner=None if draw.random() < 0.5 else f"team-{draw.integers(2)}",
            deal_value=None if draw.random() < 0.5 else float(draw.integers(50_000)),
        )
        for number in range(60)
    ]


def last_of(scores: list[NewScore], name: str) -> object:
    """What was named last among the scores that were the latest when they came."""
    latest, named = scores[0].as_of, None
    for score in scores:
        if score.as_of >= latest:
            latest = score.as_of
            named = named if getattr(score, name) is None else getattr(score, name)
    return named


def said(row: sa.Row[tuple[object, ...]], part: str) -> tuple[object, ...]:
    return tuple(getattr(row, f"{part}_{name}") for name in ("as_of", "probability", "grade"))


def test_the_row_of_a_lead_is_what_its_scores_add_up_to(store: Store, database_url: str) -> None:
    given = history(seed=4)
    for start in range(0, len(given), 7):
        store.scores.save(MODEL, given[start : start + 7])
    found = lead_rows(database_url)
    assert set(found) == {score.lead_id for score in given}
    for lead_id, row in found.items():
        own = [score for score in given if score.lead_id == lead_id]
        latest = max(enumerate(own), key=lambda each: (each[1].as_of, each[0]))[1]
        handed = next((score for score in own if score.handover == "go"), None)
        assert (row.first_scored_at, row.first_key) == (own[0].received_at, own[0].request_key)
        assert (row.latest_key, row.latest_as_of, row.source) == (latest.request_key, latest.as_of, latest.source)
        assert row.probability == latest.probability
        last_named = {name: last_of(own, name) for name in ("account_id", "owner", "deal_value")}
        assert {name: getattr(row, name) for name in last_named} == last_named
        value = last_named["deal_value"]
        assert row.by_value == (row.probability - 1 if value is None else row.probability * value)
        assert said(row, "first") == (own[0].as_of, own[0].probability, own[0].grade)
        assert said(row, "handover") == ((handed.as_of, handed.probability, handed.grade) if handed else (None,) * 3)
        assert row.handover_key == (handed.request_key if handed else None)
        assert row.handed_over_at == (handed.received_at if handed else None)


def test_a_repeated_request_changes_no_row(store: Store, database_url: str) -> None:
    store.scores.save(MODEL, [SCORE])
    before = lead_rows(database_url)
    store.scores.save(MODEL, [replace(SCORE, probability=0.9, handover="nurture")])
    assert lead_rows(database_url) == before


def test_scores_from_before_the_table_of_leads_are_counted_by_the_migration(store: Store, database_url: str) -> None:
    given = history(seed=9)
    store.scores.save(MODEL, given)
    before = lead_rows(database_url)
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    later = [table.name for table in reversed(metadata.sorted_tables) if table.name not in ("models", "scores")]
    with engine.begin() as connection:
        for table in later:
            connection.execute(sa.text(f"DROP TABLE {table}"))
        for column in ("owner", "deal_value"):
            connection.execute(sa.text(f"ALTER TABLE scores DROP COLUMN {column}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    store.migrate()
    store.check()
    after = lead_rows(database_url)
    # An account may stand only in an earlier score, and scores of then named neither owner nor deal value.
    unknown = {"account_id", "source", "campaign", "region", "owner", "deal_value", "by_value"}
    columns = [column.name for column in leads.columns if column.name not in unknown]
    for lead_id, row in before.items():
        assert [getattr(row, name) for name in columns] == [getattr(after[lead_id], name) for name in columns]
