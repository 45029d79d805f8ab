"""A person who objects is not scored any more, on either database, whoever asks at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from features.model.bundle import Bundle
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW

LEAD: dict[str, Any] = {"lead_id": "L1", "fields": {"source": "web", "employees": 9}}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
PATH = "/v1/leads/L1/objection"


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


def score(client: Client, **headers: str) -> int:
    return client.post("/v1/score", json=LEAD, headers=headers).status_code


def test_after_an_objection_scoring_says_why_it_refuses(service: Client) -> None:
    assert score(service) == 200
    assert service.post(PATH, json={"at": "2026-01-31"}).status_code == 200
    answer = service.post("/v1/score", json=LEAD, headers={"Accept-Language": "de"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lead-quality:problem:lead-refused"
    assert answer.json()["problems"][0]["message"] == "die Person hat am 2026-01-30 widersprochen"  # midnight in Berlin
    batch = service.post("/v1/score/batch", json={"leads": [LEAD, {**LEAD, "lead_id": "L2"}]}).json()
    assert [result["status"] for result in batch["results"]] == [409, 200]


def test_a_request_that_was_answered_before_is_refused_too(service: Client) -> None:
    assert score(service, **KEY) == 200
    batch = {"leads": [LEAD]}
    assert service.post("/v1/score/batch", json=batch, headers={"Idempotency-Key": "b"}).status_code == 200
    service.post(PATH, json={})
    assert score(service) == score(service, **KEY) == 409
    again = service.post("/v1/score/batch", json=batch, headers={"Idempotency-Key": "b"})
    assert again.status_code == 409  # of the whole batch, since it stores nothing
    assert again.json()["problems"][0]["where"] == "leads[0].lead_id"


def test_the_first_objection_stands_and_is_answered_the_same(service: Client) -> None:
    first = service.post(PATH, json={"at": "2026-01-31T08:00:00Z"})
    assert first.json() == {
        "lead_id": "L1",
        "objected": True,
        "objected_at": "2026-01-31T08:00:00.000000Z",
        "received_at": "2026-02-03T10:00:00.000000Z",
    }
    service.now += timedelta(days=1)
    assert service.post(PATH, json={"at": "2026-01-31T08:00:00Z"}).content == first.content
    assert service.post(PATH, json={}).content == first.content
    assert service.get(PATH).content == first.content


def test_a_person_may_object_before_any_score(service: Client) -> None:
    assert service.get(PATH).json() == {"lead_id": "L1", "objected": False}
    assert service.post(PATH, json={}).status_code == 200
    assert score(service) == 409


def test_an_objection_can_be_withdrawn_and_that_can_be_repeated(service: Client) -> None:
    service.post(PATH, json={})
    first = service.send("DELETE", PATH)
    assert first.json() == {"lead_id": "L1", "objected": False}
    assert service.send("DELETE", PATH).content == first.content
    assert score(service) == 200


def test_what_became_of_the_lead_is_still_told(service: Client) -> None:
    score(service)
    service.post(PATH, json={})
    lost = {"lead_id": "L1", "outcome": "lost", "at": "2026-02-03"}
    assert service.post("/v1/outcomes", json=lost).status_code == 200


@pytest.mark.parametrize("body", [{"at": "tomorrow"}, {"at": "2026-03-01"}, {"when": "2026-01-31"}, {"at": 5}])
def test_an_objection_that_cannot_be_read_is_refused(service: Client, body: dict[str, Any]) -> None:
    assert service.post(PATH, json=body).status_code == 422
    assert service.get(PATH).json()["objected"] is False


def test_an_id_that_no_lead_has_is_not_found(service: Client) -> None:
    for method in ("GET", "DELETE"):
        assert service.send(method, "/v1/leads/a@b.c/objection").status_code == 404
    assert service.post("/v1/leads/a@b.c/objection", json={}).status_code == 404


def test_no_score_is_stored_after_an_objection_was_answered(service: Client) -> None:
    """Whoever scores at the same moment is either before it, or refused."""
    objected: list[bool] = []

    def scored(number: int) -> tuple[bool, int]:
        after = bool(objected)
        lead = {**LEAD, "fields": {"employees": number}}
        return after, service.post("/v1/score", json=lead).status_code

    def object_now(_: int) -> tuple[bool, int]:
        status = service.post(PATH, json={}).status_code
        objected.append(True)
        return False, status

    with ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(object_now if number == 30 else scored, number) for number in range(80)]
        results = [job.result() for job in jobs]
    assert {status for after, status in results if after} == {409}
    assert {status for _, status in results} == {200, 409}
    assert score(service) == 409
