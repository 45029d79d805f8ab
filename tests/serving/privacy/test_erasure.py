"""An erased lead is gone from every table and from the files, is refused from then on, and leaves a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.erased import lead_hash, read_erased
from features.model.bundle import Bundle
from serving.__main__ import main
from serving.settings import Settings
from serving.store import Erasure, LearntFrom, Store
from serving.store.engine import open_engine
from serving.store.removal import tables_of_leads
from serving.store.tables import exported_leads, exports, metadata, shadow_scores
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.feedback.test_outcomes_and_verdicts import LIKELY, REJECTED, WON
from tests.serving.store.test_store import MODEL, SCORE

SECRET = "SECRET-4711"


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


def tell_everything(client: Client, lead_id: str) -> None:
    for employees in (5_000, 6_000):
        lead = {"lead_id": lead_id, "account_id": "A1", "fields": {**LIKELY, "employees": employees}}
        assert client.post("/v1/score", json=lead).json()["handover"] == "go"
    assert client.post("/v1/outcomes", json={**WON, "lead_id": lead_id}).status_code == 200
    assert client.post("/v1/verdicts", json={**REJECTED, "lead_id": lead_id}).status_code == 200
    assert client.post(f"/v1/leads/{lead_id}/objection", json={}).status_code == 200


def all_of_the_database(database_url: str) -> str:
    """Every value of every row of every table."""
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    with engine.connect() as connection:
        found = [str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))]
    engine.dispose()
    return "\n".join(found)


def export(database_url: str, export_id: str, lead_id: str, at: datetime = NOW) -> None:
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    with engine.begin() as connection:
        row = {"export_id": export_id, "exported_at": at, "definition_fingerprint": "f" * 64, "n_leads": 1}
        connection.execute(sa.insert(exports), row)
        connection.execute(sa.insert(exported_leads), {"export_id": export_id, "lead_id": lead_id})
    engine.dispose()


def test_every_table_that_knows_a_lead_is_emptied_of_it() -> None:
    """A later table about leads has the column lead_id, or is named here.

    Of the blocks, tests/serving/store/test_counted.py says that they are emptied.
    """
    of_no_single_lead = {"models", "keys", "alerts", "exports", "erasures", "sessions", "agreements", "definitions"}
    of_no_single_lead |= {"lead_blocks", "consents"}
    others = {table.name for table in metadata.sorted_tables} - {table.name for table in tables_of_leads()}
    assert others <= of_no_single_lead | {name for name in others if name.startswith("monitor")}
    assert shadow_scores in tables_of_leads()


def test_an_erased_lead_is_gone_from_every_table_and_the_others_are_not(service: Client, database_url: str) -> None:
    tell_everything(service, SECRET)
    tell_everything(service, "OTHER-1")
    export(database_url, "e1", SECRET)
    assert SECRET in all_of_the_database(database_url)
    answer = service.send("DELETE", f"/v1/leads/{SECRET}")
    assert answer.status_code == 200
    assert SECRET not in all_of_the_database(database_url)
    assert service.get(f"/v1/leads/{SECRET}").status_code == 404
    assert service.get("/v1/leads/OTHER-1").status_code == 200
    removed = {part["table"]: part["n"] for part in answer.json()["removed"]}
    assert removed == {"scores": 2, "leads": 1, "outcomes": 1, "verdicts": 1, "objections": 1, "exported_leads": 1}
    assert answer.json()["exports"] == [{"export_id": "e1", "exported_at": "2026-02-03T10:00:00.000000Z"}]
    assert answer.json()["lead_hash"] == lead_hash(SECRET)


def test_the_receipt_is_answered_again_and_names_nobody(service: Client) -> None:
    tell_everything(service, SECRET)
    first = service.send("DELETE", f"/v1/leads/{SECRET}")
    service.now += timedelta(days=9)
    assert service.send("DELETE", f"/v1/leads/{SECRET}").content == first.content
    assert service.get(f"/v1/erasures/{first.json()['receipt_id']}").content == first.content
    assert SECRET not in first.text
    assert service.get("/v1/erasures/unknown").status_code == 404


def test_nothing_is_stored_about_an_erased_lead_any_more(service: Client, database_url: str) -> None:
    tell_everything(service, SECRET)
    service.send("DELETE", f"/v1/leads/{SECRET}")
    told: list[tuple[str, dict[str, Any]]] = [
        ("/v1/score", {"lead_id": SECRET, "fields": LIKELY}),
        ("/v1/outcomes", {**WON, "lead_id": SECRET}),
        ("/v1/verdicts", {**REJECTED, "lead_id": SECRET}),
        (f"/v1/leads/{SECRET}/objection", {}),
    ]
    for path, body in told:
        answer = service.post(path, json=body)
        assert answer.status_code == 409, path
        assert answer.json()["problems"][0]["code"] == "erased"
    assert SECRET not in all_of_the_database(database_url)


def test_a_lead_that_was_never_seen_can_be_erased_before_it_comes(service: Client) -> None:
    answer = service.send("DELETE", "/v1/leads/NEVER").json()
    assert (answer["removed"], answer["exports"]) == ([], [])
    assert service.post("/v1/score", json={"lead_id": "NEVER", "fields": {}}).status_code == 409


def test_the_receipt_names_the_models_that_learnt_from_an_export_with_the_lead(store: Store, database_url: str) -> None:
    store.scores.save(MODEL, [replace(SCORE, lead_id=SECRET)])
    export(database_url, "e1", SECRET)
    export(database_url, "e2", "OTHER-1")
    models = (LearntFrom("b1", "m", "1", ("e1", "e2")), LearntFrom("b2", "m", "2", ("e2",)))
    receipt = json.loads(store.erasures.erase(Erasure(SECRET, "r" * 32, NOW, models)))
    assert receipt["models_that_learnt_from_it"] == [{"bundle_id": "b1", "name": "m", "version": "1"}]
    assert receipt["models_that_did_not"] == [{"bundle_id": "b2", "name": "m", "version": "2"}]


def test_not_a_byte_of_an_erased_lead_stays_in_the_files_of_sqlite(bundle: Bundle, tmp_path: Path) -> None:
    place = tmp_path / "scores.db"
    with Client(Settings(database_url=f"sqlite:///{place}"), bundle, NOW) as client:
        for number in range(60):  # enough for pages to be split
            leads = [{"lead_id": f"SECRET-{number}-{each}-X", "fields": LIKELY} for each in range(5)]
            assert client.post("/v1/score/batch", json={"leads": leads}).status_code == 200
        gone = [f"SECRET-{number}-{number % 5}-X" for number in range(0, 60, 3)]
        kept = "SECRET-1-0-X"
        for lead_id in gone:
            assert client.send("DELETE", f"/v1/leads/{lead_id}").status_code == 200
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("scores.db"))
    assert kept.encode() in files
    assert [lead_id for lead_id in gone if lead_id.encode() in files] == []


def test_the_erased_are_listed_for_training(
    service: Client, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lead_id in (SECRET, "L2"):
        service.send("DELETE", f"/v1/leads/{lead_id}")
    monkeypatch.setenv("LEAD_DATABASE_URL", database_url)
    assert main(["erased", "--out", str(tmp_path / "erased.txt")]) == 0
    assert read_erased(tmp_path / "erased.txt") == {lead_hash(SECRET), lead_hash("L2")}
