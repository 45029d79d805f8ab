"""What is kept for as long as the definition says after the last thing that happened, and no longer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from features.model.bundle import Bundle
from serving.__main__ import main
from serving.commands.retention import retain
from serving.settings import Settings
from serving.store import Erasure, LearntFrom, Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.feedback.test_outcomes_and_verdicts import LIKELY, REJECTED, WON
from tests.serving.privacy.test_erasure import export
from tests.serving.small_model import definition
from tests.serving.store.test_log import reader

DAYS = 365
OLD = NOW - timedelta(days=DAYS, seconds=1)
LONG_A_CUSTOMER = {**LIKELY, "customer_since": "2024-12-20"}


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, OLD, store=store) as client:
        yield client


def fill(client: Client) -> None:
    """Leads scored long ago, to some of which something has happened since."""
    for lead_id in ("OLD", "WON", "JUDGED", "AGAIN", "OBJECTED"):
        assert client.post("/v1/score", json={"lead_id": lead_id, "fields": LONG_A_CUSTOMER}).status_code == 200
    old = {"lead_id": "OLD", "outcome": "lost", "at": "2025-01-01"}
    assert client.post("/v1/outcomes", json=old).status_code == 200
    client.now = NOW - timedelta(days=300)
    long_ago = {"at": "2025-01-02", "first_contact_at": "2025-01-02T09:00:00Z"}
    assert client.post("/v1/outcomes", json={**WON, "lead_id": "WON", "at": "2025-01-02"}).status_code == 200
    assert client.post("/v1/verdicts", json={**REJECTED, **long_ago, "lead_id": "JUDGED"}).status_code == 200
    assert client.post("/v1/score", json={"lead_id": "AGAIN", "fields": {}}).status_code == 200
    assert client.post("/v1/leads/OBJECTED/objection", json={}).status_code == 200


def kept(client: Client) -> set[str]:
    return {
        lead_id
        for lead_id in ("OLD", "WON", "JUDGED", "AGAIN", "OBJECTED")
        if client.get(f"/v1/leads/{lead_id}").status_code == 200
    }


def test_a_dry_run_counts_and_removes_nothing(service: Client, store: Store) -> None:
    fill(service)
    told = retain(store, definition(), NOW, dry_run=True)
    assert told[0].en == "Nothing has happened since 2025-02-03 (365 days) to 2 leads."
    assert told[0].de == "Seit dem 2025-02-03 (365 Tage) ist bei 2 Leads nichts geschehen."
    assert len(kept(service)) == 5


def test_only_leads_to_which_nothing_has_happened_are_removed(service: Client, store: Store) -> None:
    fill(service)
    told = retain(store, definition(), NOW, dry_run=False)
    assert "leads 2" in told[1].en
    assert kept(service) == {"WON", "JUDGED", "AGAIN"}
    assert retain(store, definition(), NOW, dry_run=False)[0].en.endswith("to 0 leads.")


def test_an_objection_outlives_the_lead_and_a_removed_lead_may_come_again(service: Client, store: Store) -> None:
    fill(service)
    retain(store, definition(), NOW, dry_run=False)
    assert service.post("/v1/score", json={"lead_id": "OBJECTED", "fields": {}}).status_code == 409
    assert service.post("/v1/score", json={"lead_id": "OLD", "fields": {}}).status_code == 200


def test_a_receipt_still_names_the_models_that_learnt_from_a_lead_removed_by_retention(
    service: Client, store: Store, database_url: str
) -> None:
    fill(service)
    export(database_url, "e1", "OLD")
    retain(store, definition(), NOW, dry_run=False)
    assert "OLD" not in kept(service)
    receipt = json.loads(store.erasures.erase(Erasure("OLD", "r" * 32, NOW, (LearntFrom("b1", "m", "1", ("e1",)),))))
    assert [export["export_id"] for export in receipt["exports"]] == ["e1"]
    assert [model["bundle_id"] for model in receipt["models_that_learnt_from_it"]] == ["b1"]
    assert receipt["removed"] == [{"table": "exported_leads", "n": 1}]


def test_in_which_old_exports_a_removed_lead_stood_is_forgotten_and_a_receipt_does_not_deny_it(
    service: Client, store: Store, database_url: str
) -> None:
    fill(service)
    for export_id, lead_id, at in (("e0", "OLD", OLD), ("e1", "OLD", NOW), ("e2", "WON", OLD), ("e3", "OBJECTED", OLD)):
        export(database_url, export_id, lead_id, at)
    retain(store, definition(), NOW, dry_run=False)
    models = tuple(LearntFrom(f"b{number}", "m", str(number), (f"e{number}",)) for number in range(4))

    def told(lead_id: str) -> dict[str, str]:
        receipt = json.loads(store.erasures.erase(Erasure(lead_id, lead_id.ljust(32, "r"), NOW, models)))
        named = {
            which: receipt[f"models_{which}"] for which in ("that_learnt_from_it", "that_may_have", "that_did_not")
        }
        return {which: " ".join(each["bundle_id"] for each in found) for which, found in named.items()}

    assert told("OBJECTED") == {"that_learnt_from_it": "", "that_may_have": "b0 b3", "that_did_not": "b1 b2"}
    assert told("WON") == {"that_learnt_from_it": "b2", "that_may_have": "", "that_did_not": "b0 b1 b3"}
    assert told("NEVER") == {"that_learnt_from_it": "", "that_may_have": "b0 b2 b3", "that_did_not": "b1"}
    retain(store, definition(), NOW + timedelta(days=DAYS + 1), dry_run=False)
    assert told("OLD") == {"that_learnt_from_it": "", "that_may_have": "b0 b1 b2 b3", "that_did_not": ""}


def test_a_reader_of_the_log_is_waited_for_longer_than_a_process_takes_to_end(sqlite_url: str, bundle: Bundle) -> None:
    store, seconds = Store(sqlite_url), 2.5  # a store that closes gives up after one
    with Client(Settings(database_url=sqlite_url), bundle, OLD) as client:
        fill(client)
        with ThreadPoolExecutor(1) as threads, reader(sqlite_url):
            removing = threads.submit(retain, store, definition(), NOW, dry_run=False)
            time.sleep(seconds)
            assert not removing.done()
    told = removing.result(60)
    store.close()
    assert not any("-wal" in line.en for line in told)


def test_a_day_before_its_time_nothing_is_removed(service: Client, store: Store) -> None:
    fill(service)
    assert "to 0 leads" in retain(store, definition(), NOW - timedelta(days=1), dry_run=False)[0].en


def test_without_a_rule_nothing_is_removed(service: Client, store: Store) -> None:
    fill(service)
    without = definition().model_copy(update={"retention": None})
    assert "nothing is removed" in retain(store, without, NOW, dry_run=False)[0].en
    assert len(kept(service)) == 5


def test_the_command_keeps_to_the_definition_in_service(
    service: Client,
    database_url: str,
    bundle_place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(service)
    for name, value in {"DATABASE_URL": database_url, "BUNDLE": str(bundle_place), "LANGUAGE": "de"}.items():
        monkeypatch.setenv(f"LEAD_{name}", value)
    assert main(["retention", "--dry-run"]) == 0
    assert "ist bei 5 Leads nichts geschehen" in capsys.readouterr().out  # by the real clock, years later
    monkeypatch.setenv("LEAD_BUNDLE", "nowhere")
    assert main(["retention"]) == 1
