"""Outcomes and verdicts over HTTP: read whole, stored once, answered as stored, on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.definition import read_definition
from features.model.bundle import Bundle, open_bundle
from serving.feedback.reading import OUTCOME_KEYS, VERDICT_KEYS
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.small_model import definition, write_small_bundle

ROOT = Path(__file__).parents[3]
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
LIKELY = {"source": "fair", "employees": 5_000, "demo_requested": False, "customer_since": "2026-01-20"}
UNLIKELY = {"source": "cold", "employees": 1, "demo_requested": True, "customer_since": "2021-01-01"}
WON = {"lead_id": "GO", "outcome": "won", "at": "2026-02-02T08:00:00Z", "value": 12_500, "reason": "best_price"}
REJECTED = {
    "lead_id": "GO",
    "verdict": "rejected",
    "reason": "no_budget",
    "by": "rep-17",
    "at": "2026-02-03T09:00:00Z",
    "first_contact_at": "2026-02-03T08:30:00Z",
}


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    """The application over either database, with a lead that was handed over, GO, and one that was not, NURTURE."""
    with Client(Settings(database_url=database_url, max_batch_leads=20), bundle, NOW, store=store) as client:
        for lead_id, fields, handover in (("GO", LIKELY, "go"), ("NURTURE", UNLIKELY, "nurture")):
            answer = client.post("/v1/score", json={"lead_id": lead_id, "fields": fields}).json()
            assert answer["handover"] == handover
        yield client


def stored(database_url: str, columns: str, table: str) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(Settings(database_url=database_url).database_url)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(f"SELECT {columns} FROM {table}"))]
    engine.dispose()
    return rows


def lead_row(database_url: str, columns: str) -> tuple[Any, ...]:
    (row,) = stored(database_url, columns, "leads WHERE lead_id = 'GO'")
    return row


def test_an_outcome_is_answered_as_it_is_stored_and_twice_is_once(service: Client, database_url: str) -> None:
    first = service.post("/v1/outcomes", json=WON)
    assert first.status_code == 200
    assert first.json() == {
        "outcome_id": first.json()["outcome_id"],
        "lead_id": "GO",
        "outcome": "won",
        "at": "2026-02-02T08:00:00.000000Z",
        "received_at": "2026-02-03T10:00:00.000000Z",
        "value": 12_500.0,
        "reason": "best_price",
    }
    service.now += timedelta(days=3)
    assert service.post("/v1/outcomes", json={**WON, "at": "2026-02-02T09:00:00+01:00"}).content == first.content
    assert stored(database_url, "outcome", "outcomes") == [("won",)]
    assert lead_row(database_url, "outcome, value") == ("won", 12_500.0)


def test_a_verdict_is_answered_as_it_is_stored_and_twice_is_once(service: Client, database_url: str) -> None:
    first = service.post("/v1/verdicts", json=REJECTED)
    assert first.status_code == 200
    assert {name: first.json()[name] for name in ("verdict", "reason", "by", "first_contact_at")} == {
        "verdict": "rejected",
        "reason": "no_budget",
        "by": "rep-17",
        "first_contact_at": "2026-02-03T08:30:00.000000Z",
    }
    service.now += timedelta(days=3)
    assert service.post("/v1/verdicts", json=REJECTED).content == first.content
    assert stored(database_url, "verdict, reason", "verdicts") == [("rejected", "no_budget")]
    assert lead_row(database_url, "verdict, verdict_reason") == ("rejected", "no_budget")


def test_the_latest_own_date_wins_whatever_the_order_of_arrival(service: Client, database_url: str) -> None:
    for outcome, day in (("lost", "2026-02-02"), ("won", "2026-01-30"), ("open", "2026-02-01")):
        told = {"lead_id": "GO", "outcome": outcome, "at": day}
        assert service.post("/v1/outcomes", json=told).status_code == 200
    assert lead_row(database_url, "outcome, value") == ("lost", None)
    assert service.post("/v1/outcomes", json={**WON, "at": "2026-02-02"}).status_code == 200  # as late: it came last
    assert lead_row(database_url, "outcome, value") == ("won", 12_500.0)
    assert len(stored(database_url, "id", "outcomes")) == 4


def test_the_first_contact_is_the_earliest_that_any_verdict_names(service: Client, database_url: str) -> None:
    accepted = {**REJECTED, "verdict": "accepted", "reason": "need_confirmed", "at": "2026-02-03T09:30:00Z"}
    for verdict in (accepted, {**REJECTED, "first_contact_at": "2026-02-03T07:00:00Z"}):
        assert service.post("/v1/verdicts", json=verdict).status_code == 200
    verdict, contact = lead_row(database_url, "verdict, first_contact_at")
    assert verdict == "accepted"
    assert "07:00:00" in str(contact)


def test_a_key_repeats_what_was_stored_and_is_refused_with_another_content(service: Client, database_url: str) -> None:
    first = service.post("/v1/outcomes", json=WON, headers=KEY)
    assert service.post("/v1/outcomes", json=WON, headers=KEY).content == first.content
    other = service.post("/v1/outcomes", json={**WON, "value": 1}, headers=KEY)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:lead-quality:problem:idempotency-key-reused"
    again = service.post("/v1/outcomes", json=WON, headers={"Idempotency-Key": "another"})
    assert again.status_code == 200
    assert len(stored(database_url, "id", "outcomes")) == 2


@pytest.mark.parametrize("path", ["/v1/outcomes", "/v1/verdicts"])
def test_nothing_is_told_about_a_lead_without_a_score(service: Client, path: str) -> None:
    told = {"/v1/outcomes": WON, "/v1/verdicts": REJECTED}[path]
    answer = service.post(path, json={**told, "lead_id": "NOBODY"}, headers={"Accept-Language": "de"})
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:lead-quality:problem:unknown-lead"
    assert answer.json()["problems"][0]["message"] == "von diesem Lead ist kein Score gespeichert"


def test_a_verdict_is_only_for_leads_that_were_handed_over(service: Client, database_url: str) -> None:
    answer = service.post("/v1/verdicts", json={**REJECTED, "lead_id": "NURTURE"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lead-quality:problem:not-handed-over"
    assert stored(database_url, "id", "verdicts") == []


def test_every_fault_of_an_outcome_comes_at_once(service: Client) -> None:
    wrong = {"lead_id": "a@b.c", "outcome": "maybe", "at": "2026-02-05", "value": -1, "reason": "Too Dear", "extra": 1}
    answer = service.post("/v1/outcomes", json=wrong, headers={"Idempotency-Key": "x y"})
    assert answer.status_code == 422
    places = {problem["where"] for problem in answer.json()["problems"]}
    assert places == {"header Idempotency-Key", "lead_id", "outcome", "at", "value", "reason", "extra"}


def test_every_fault_of_a_verdict_comes_at_once_and_names_the_reasons_that_exist(service: Client) -> None:
    wrong = {
        "lead_id": "GO",
        "verdict": "rejected",
        "reason": "need_confirmed",  # a reason to accept
        "by": "jane@example.com",
        "at": "20250-01-01",
        "first_contact_at": "2026-02-03",  # hours are agreed, so a day is not enough
    }
    problems = {problem["where"]: problem for problem in service.post("/v1/verdicts", json=wrong).json()["problems"]}
    assert set(problems) == {"reason", "by", "at", "first_contact_at"}
    assert problems["reason"]["expected"] == "one of: no_budget, not_reachable"
    assert problems["reason"]["code"] == "unknown_reason"


def test_a_reason_that_was_not_sent_is_missing_and_not_unknown(service: Client) -> None:
    wrong = {name: value for name, value in REJECTED.items() if name != "reason"} | {"sure": "quite", "of": {"it": 1}}
    problems = service.post("/v1/verdicts", json=wrong, headers={"Accept-Language": "de"}).json()["problems"]
    told = {problem["where"]: (problem["code"], problem["message"], problem["seen"]) for problem in problems}
    assert told == {
        "reason": ("missing_reason", "der Grund fehlt", ""),
        "sure": ("unknown_key", "diesen Eintrag gibt es nicht", "'quite'"),
        "of": ("unknown_key", "diesen Eintrag gibt es nicht", "{'it': 1}"),
    }


@pytest.mark.parametrize("value", ["5", True, 1e400, 10**400, [5], {"amount": 5}, -0.01])
def test_a_value_that_is_no_amount_is_refused(service: Client, value: object) -> None:
    body = json.dumps({**WON, "value": value}).replace("Infinity", "1e400").encode()
    assert service.raw("/v1/outcomes", body).status_code in (400, 422)


def test_a_batch_says_what_became_of_each_and_repeats_itself(service: Client, database_url: str) -> None:
    records = [
        WON,
        {**WON, "lead_id": "NOBODY"},
        {**WON, "outcome": "maybe"},
        7,
        {**WON, "outcome": "open", "at": "2026-02-03"},
        WON,
    ]
    headers = {**KEY, "X-Request-ID": "same"}
    first = service.post("/v1/outcomes/batch", json={"outcomes": records}, headers=headers)
    assert first.status_code == 200
    assert [result["status"] for result in first.json()["results"]] == [200, 404, 422, 422, 200, 200]
    assert (first.json()["n_stored"], first.json()["n_refused"]) == (3, 3)
    assert lead_row(database_url, "outcome") == ("open",)
    service.now += timedelta(days=1)
    assert service.post("/v1/outcomes/batch", json={"outcomes": records}, headers=headers).content == first.content
    assert len(stored(database_url, "id", "outcomes")) == 3


def test_a_batch_of_verdicts_tells_refusals_apart(service: Client) -> None:
    records = [REJECTED, {**REJECTED, "lead_id": "NURTURE"}, {**REJECTED, "lead_id": "NOBODY"}, {**REJECTED, "by": ""}]
    answer = service.post("/v1/verdicts/batch", json={"verdicts": records}).json()
    assert [result["status"] for result in answer["results"]] == [200, 409, 404, 422]
    assert answer["results"][0]["verdict"]["by"] == "rep-17"


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"outcomes": []}, ["outcomes"]),
        ({"outcomes": [WON] * 21}, ["outcomes"]),
        ({}, ["outcomes"]),
        ({"outcomes": [WON], "more": 1}, ["more"]),
        ({"outcomes": [{**WON, "at": None}, {**WON, "value": "x"}]}, ["outcomes[0].at", "outcomes[1].value"]),
    ],
)
def test_a_batch_that_cannot_be_read_stores_nothing(
    service: Client, database_url: str, body: dict[str, Any], places: list[str]
) -> None:
    answer = service.post("/v1/outcomes/batch", json=body)
    assert answer.status_code == 422
    assert [problem["where"] for problem in answer.json()["problems"]] == places
    assert stored(database_url, "id", "outcomes") == []


def test_a_definition_without_reasons_asks_for_none(sqlite_url: str, tmp_path: Path) -> None:
    agreed = definition()
    without = agreed.model_copy(update={"verdicts": type(agreed.verdicts)()})
    other = open_bundle(write_small_bundle(tmp_path / "without", without))
    with Client(Settings(database_url=sqlite_url), other, NOW) as client:
        client.post("/v1/score", json={"lead_id": "GO", "fields": LIKELY})
        told = {name: value for name, value in REJECTED.items() if name != "reason"}
        answer = client.post("/v1/verdicts", json=told)
        assert answer.status_code == 200
        assert "reason" not in answer.json()
        assert client.post("/v1/verdicts", json=REJECTED).status_code == 422


def examples(language: str) -> list[dict[str, Any]]:
    page = (ROOT / "docs" / language / "outcomes.md").read_text()
    return [json.loads(body) for body in re.findall(r"-d '(\{.*?\})'", page, flags=re.DOTALL)]


def test_the_examples_of_the_page_fit_the_demo() -> None:
    outcome, verdict = examples("en")
    assert examples("de") == [outcome, verdict]
    assert set(outcome) <= set(OUTCOME_KEYS)
    assert set(verdict) <= set(VERDICT_KEYS)
    demo = read_definition(ROOT / "definitions" / "demo.toml")
    assert verdict["reason"] in demo.verdicts.rejected
