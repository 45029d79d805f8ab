"""What was scored comes back as a history: one row a lead, as it stood, with what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.definition import LeadDefinition, parse_definition
from features.erased import lead_hash
from features.errors import NotReadyError, OutsideError
from features.exported import BESIDE
from features.history import files_of, read_history
from serving.feedback.reading import last_moment
from serving.history import Exported, write_history
from serving.history.rows import CLOSED_BEFORE, DOES_NOT_FIT, REFUSED, SCORED_LATE
from serving.settings import Settings
from serving.store import ModelRecord, NewScore, Store
from serving.store.engine import WRITES, open_engine
from serving.store.tables import erasures, exported_leads, exports, leads, objections
from tests.small_agreement import agreement

AGREED = parse_definition(agreement())
SCORED = datetime(2026, 2, 3, 10, 0, 0, 123456, tzinfo=UTC)
NOW = SCORED + timedelta(days=200)
MODEL = ModelRecord("abcdef012345", "small", "3", "small", 1, AGREED.fingerprint, simulated=False)
INPUTS = {"source": "fair", "employees": 240, "demo": True, "visit": "2026-02-01"}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    yield engine.execution_options(**{WRITES: True})
    engine.dispose()


def score(store: Store, lead_id: str, fields: dict[str, Any] = INPUTS, **changes: Any) -> None:
    model = changes.pop("model", MODEL)
    received_at = changes.get("received_at", SCORED)
    new = NewScore(
        request_key=f"{lead_id} {received_at}",
        request_hash="h",
        lead_id=lead_id,
        account_id="A1",
        as_of=SCORED,
        received_at=SCORED,
        probability=0.4,
        log_odds=-0.4,
        score=40,
        grade="B",
        handover="go",
        inputs=orjson.dumps(fields),
        answer=b"{}",
    )
    store.scores.save(model, [replace(new, **changes)])


def told(engine: sa.Engine, lead_id: str, outcome: str, after: timedelta, value: float | None = None) -> None:
    at = SCORED + after
    row = {"outcome": outcome, "outcome_at": at, "outcome_latest_at": last_moment(at, ZoneInfo("UTC")), "value": value}
    with engine.begin() as connection:
        connection.execute(sa.update(leads).where(leads.c.lead_id == lead_id).values(**row))


def write(store: Store, place: Path, definition: LeadDefinition = AGREED, **options: Any) -> Exported:
    return write_history(store, definition, place, export_id="e1", now=NOW, **options)


def read(place: Path) -> pd.DataFrame:
    """The file's rows by lead id, with types as they stand."""
    return pq.read_table(place).to_pandas().set_index("id")


def recorded(engine: sa.Engine) -> tuple[Sequence[Any], set[str]]:
    with engine.connect() as connection:
        found = connection.execute(sa.select(exports.c.export_id, exports.c.n_leads)).all()
        return found, set(connection.execute(sa.select(exported_leads.c.lead_id)).scalars())


def test_a_lead_is_one_row_in_the_definitions_words_as_it_stood_when_it_was_scored_first(
    store: Store, engine: sa.Engine, tmp_path: Path
) -> None:
    score(store, "L1")
    later = SCORED + timedelta(days=3)
    score(store, "L1", {**INPUTS, "employees": 999}, as_of=later, received_at=later)
    score(store, "L2", {"source": "007"})
    told(engine, "L1", "won", timedelta(days=40), 1250.5)
    exported = write(store, tmp_path / "history.parquet")
    rows = read(tmp_path / "history.parquet")
    assert (exported.n_leads, exported.outcomes, exported.left_out) == (2, {"won": 1, "open": 1}, ())
    first = rows.loc["L1"]
    assert (first["stage"], first["company"], first["source"], first["employees"]) == ("Won", "A1", "fair", 240.0)
    assert (first["created"], first["closed"]) == (SCORED, SCORED + timedelta(days=40))
    assert first["demo"] is True
    assert (rows.loc["L2", "stage"], rows.loc["L2", "source"]) == ("Open", "007")
    assert rows.loc["L2", ["employees", "demo", "visit", "closed"]].isna().all()
    assert first["lead_quality.first_probability"] == 0.4


def test_training_reads_it_with_the_same_definition_and_learns_which_export_it_was(
    store: Store, engine: sa.Engine, tmp_path: Path
) -> None:
    for number in range(3):
        score(store, f"L{number}")
    told(engine, "L1", "won", timedelta(days=40))
    told(engine, "L2", "lost", timedelta(days=2))
    for ending in ("parquet", "csv"):
        place = tmp_path / f"history.{ending}"
        write_history(store, AGREED, place, export_id=f"of-{ending}", now=NOW)
        history = read_history(AGREED, files_of(AGREED, str(place)), now=NOW)
        assert history.frame["outcome"].tolist() == ["open", "won", "lost"]
        assert history.exports == (f"of-{ending}",)
        assert not any("lead_quality" in str(name) for name in history.frame.columns)
    assert (tmp_path / f"history.csv{BESIDE}").exists()


def test_leads_that_objected_or_were_erased_stay_out_and_are_not_recorded(
    store: Store, engine: sa.Engine, tmp_path: Path
) -> None:
    for number in range(4):
        score(store, f"L{number}")
    about = {"erased_at": NOW, "receipt_id": "r", "receipt": b"{}"}
    with engine.begin() as connection:
        connection.execute(sa.insert(objections).values(lead_id="L1", objected_at=NOW, received_at=NOW))
        # As if it were erased between the reading of its page and its record.
        connection.execute(sa.insert(erasures).values(lead_hash=lead_hash("L2"), **about))
    exported = write(store, tmp_path / "history.parquet")
    assert set(read(tmp_path / "history.parquet").index) == {"L0", "L3"}
    assert exported.left_out == ((REFUSED, 2),)
    assert recorded(engine) == ([("e1", 2)], {"L0", "L3"})


def test_a_lead_scored_only_after_it_was_closed_stays_out_unless_it_is_asked_for(
    store: Store, engine: sa.Engine, tmp_path: Path
) -> None:
    score(store, "L1", received_at=SCORED + timedelta(days=50))
    score(store, "L2", received_at=SCORED + timedelta(days=30))
    for lead_id in ("L1", "L2"):
        told(engine, lead_id, "won", timedelta(days=40))
    assert write(store, tmp_path / "a.parquet").left_out == ((SCORED_LATE, 1),)
    assert set(read(tmp_path / "a.parquet").index) == {"L2"}
    both = write_history(store, AGREED, tmp_path / "b.parquet", export_id="e2", now=NOW, with_late=True)
    assert (both.n_leads, both.left_out) == (2, ())


def test_a_closing_on_the_day_of_the_score_counts_as_after_it_and_one_before_keeps_the_lead_out(
    store: Store, engine: sa.Engine, tmp_path: Path
) -> None:
    midnight = SCORED.replace(hour=0, minute=0, second=0, microsecond=0)
    for lead_id, after in (("L1", midnight - SCORED), ("L2", timedelta(hours=-1)), ("L3", timedelta(hours=1))):
        score(store, lead_id)
        told(engine, lead_id, "lost", after)
    exported = write(store, tmp_path / "history.parquet")
    rows = read(tmp_path / "history.parquet")
    assert rows["closed"].to_dict() == {"L1": SCORED, "L3": SCORED + timedelta(hours=1)}
    assert exported.left_out == ((CLOSED_BEFORE, 1),)


def test_a_lead_that_was_reopened_is_open(store: Store, engine: sa.Engine, tmp_path: Path) -> None:
    score(store, "L1")
    told(engine, "L1", "open", timedelta(days=4))
    write(store, tmp_path / "history.parquet")
    assert read(tmp_path / "history.parquet").loc["L1", ["stage", "closed"]].tolist() == ["Open", pd.NaT]


def test_a_lead_of_an_earlier_agreement_gives_what_this_one_knows_or_stays_out_if_a_value_does_not_fit(
    store: Store, tmp_path: Path
) -> None:
    earlier = replace(MODEL, bundle_id="b0", definition_fingerprint="0" * 64)
    score(store, "L1", {"source": "web", "gone": 3}, model=earlier)
    score(store, "L2", {"employees": "many"}, model=earlier)
    exported = write(store, tmp_path / "history.parquet")
    assert read(tmp_path / "history.parquet")["source"].to_dict() == {"L1": "web"}
    assert (exported.left_out, exported.n_other_agreement) == (((DOES_NOT_FIT, 1),), 1)


@pytest.mark.parametrize(("name", "error"), [("history.xlsx", NotReadyError), ("file/history.parquet", OutsideError)])
def test_an_export_that_fails_leaves_no_file_and_no_record(
    store: Store, engine: sa.Engine, tmp_path: Path, name: str, error: type[Exception]
) -> None:
    score(store, "L1")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(error):
        write(store, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "history"))] == []
    assert recorded(engine) == ([], set())


def test_a_text_that_the_agreed_encoding_cannot_hold_is_said_and_nothing_is_left(store: Store, tmp_path: Path) -> None:
    score(store, "L1", {"source": "東京"})
    agreed = parse_definition(agreement(read={"timezone": "UTC", "encoding": "cp1252"}))
    with pytest.raises(OutsideError, match=r"history\.csv was not written"):
        write(store, tmp_path / "history.csv", agreed)
    assert not [path for path in tmp_path.iterdir() if "history" in path.name]


def test_every_page_is_read_once_whatever_the_size_of_a_page(store: Store) -> None:
    for number in range(7):
        score(store, f"L{number}")
    for per_page in (1, 3, 7, 8):
        pages = list(store.exports.past_leads(per_page))
        assert [lead.lead_id for page in pages for lead in page] == [f"L{number}" for number in range(7)]
        assert max(map(len, pages)) <= per_page


def test_what_was_handed_over_says_so_where_the_agreement_asks_for_chances(
    store: Store, engine: sa.Engine, tmp_path: Path
) -> None:
    agreed = parse_definition(agreement(columns={**agreement()["columns"], "worked_chance": "chance"}))
    for number in range(3):
        score(store, f"L{number}", handover="nurture" if number == 2 else "go")
    told(engine, "L0", "won", timedelta(days=9))
    write(store, tmp_path / "history.parquet", agreed)
    rows = read(tmp_path / "history.parquet")
    assert rows["chance"].fillna(-1).to_dict() == {"L0": 1.0, "L1": 1.0, "L2": -1.0}
    history = read_history(agreed, files_of(agreed, str(tmp_path / "history.parquet")))
    assert history.frame.set_index("lead_id")["worked_chance"].isna().to_dict() == {
        "L0": False,
        "L1": False,
        "L2": True,
    }
