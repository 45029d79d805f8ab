"""The same request sent twice is stored once, and answered the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from features.model.bundle import Bundle, open_bundle
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.small_model import definition, write_small_bundle

DATED = {"lead_id": "L1", "as_of": "2026-02-01T00:00:00Z", "fields": {"source": "web", "employees": 9}}
UNDATED = {"lead_id": "L1", "fields": {"source": "web", "employees": 9}}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Any:
    """The application over either database."""
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


def n_stored(database_url: str) -> int:
    engine = sa.create_engine(Settings(database_url=database_url).database_url)
    with engine.connect() as connection:
        n_stored = connection.execute(sa.text("SELECT count(*) FROM scores")).scalar_one()
    engine.dispose()
    return int(n_stored)


def score(client: Client, lead: dict[str, Any], **headers: str) -> httpx.Response:
    answer = client.post("/v1/score", json=lead, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_same_lead_content_and_as_of_date_is_stored_once(service: Client, database_url: str) -> None:
    first = score(service, DATED)
    service.now += timedelta(days=3)
    assert score(service, DATED).content == first.content
    assert n_stored(database_url) == 1


def test_the_order_of_fields_and_the_spelling_of_the_moment_do_not_count(service: Client, database_url: str) -> None:
    first = score(service, DATED)
    turned = {"fields": {"employees": 9, "source": "web"}, "as_of": "2026-02-01T01:00:00+01:00", "lead_id": "L1"}
    assert score(service, turned).content == first.content
    assert n_stored(database_url) == 1


def test_without_an_as_of_date_the_same_content_on_the_same_day_is_one_request(
    service: Client, database_url: str
) -> None:
    first = score(service, UNDATED)
    service.now += timedelta(hours=13, minutes=59)
    assert score(service, UNDATED).content == first.content
    assert n_stored(database_url) == 1
    service.now += timedelta(minutes=1)  # midnight, UTC
    assert score(service, UNDATED).json()["as_of"] == "2026-02-04T00:00:00.000000Z"
    assert n_stored(database_url) == 2


@pytest.mark.parametrize("change", [{"lead_id": "L2"}, {"account_id": "A"}, {"fields": {"source": "fair"}}])
def test_another_lead_or_content_is_another_request(service: Client, database_url: str, change: dict[str, Any]) -> None:
    score(service, DATED)
    score(service, {**DATED, **change})
    assert n_stored(database_url) == 2


def test_another_model_gives_another_score(service: Client, tmp_path: Path, database_url: str, store: Store) -> None:
    first = score(service, DATED).json()
    other = open_bundle(write_small_bundle(tmp_path / "other", definition(), seed=8))
    with Client(Settings(database_url=database_url), other, NOW, store=store) as client:
        second = score(client, DATED).json()
    assert first["model"]["bundle_id"] != second["model"]["bundle_id"]
    assert n_stored(database_url) == 2


def test_an_idempotency_key_repeats_the_answer_on_any_later_day_and_with_any_later_model(
    service: Client, tmp_path: Path, database_url: str, store: Store
) -> None:
    first = score(service, UNDATED, **KEY)
    other = open_bundle(write_small_bundle(tmp_path / "other", definition(), seed=8))
    with Client(Settings(database_url=database_url), other, NOW + timedelta(days=9), store=store) as client:
        assert score(client, UNDATED, **KEY).content == first.content
    assert n_stored(database_url) == 1


@pytest.fixture
def without_employees(tmp_path: Path) -> Bundle:
    """The bundle of a later definition that no longer has the field which the requests name."""
    agreed = definition()
    fields = {name: field for name, field in agreed.fields.items() if name != "employees"}
    return open_bundle(write_small_bundle(tmp_path / "later", agreed.model_copy(update={"fields": fields})))


def test_a_key_repeats_its_answer_under_a_definition_that_would_refuse_the_request(
    service: Client, database_url: str, store: Store, without_employees: Bundle
) -> None:
    first = score(service, UNDATED, **KEY)
    with Client(Settings(database_url=database_url), without_employees, NOW, store=store) as client:
        assert client.post("/v1/score", json=UNDATED).status_code == 422
        assert score(client, UNDATED, **KEY).content == first.content
        other = client.post("/v1/score", json={**UNDATED, "lead_id": "L2"}, headers=KEY)
    assert other.json()["type"] == "urn:lead-quality:problem:idempotency-key-reused"
    assert n_stored(database_url) == 1


def test_a_batch_repeats_its_answers_under_a_definition_that_would_refuse_it(
    service: Client, database_url: str, store: Store, without_employees: Bundle
) -> None:
    body = {"leads": [UNDATED, {**UNDATED, "lead_id": "L2"}]}
    first = service.post("/v1/score/batch", json=body, headers=KEY)
    with Client(Settings(database_url=database_url), without_employees, NOW, store=store) as client:
        assert client.post("/v1/score/batch", json=body).status_code == 422
        again = client.post("/v1/score/batch", json=body, headers=KEY)
    assert again.content == first.content
    assert n_stored(database_url) == 2


def test_a_new_idempotency_key_is_a_new_request(service: Client, database_url: str) -> None:
    score(service, UNDATED, **KEY)
    score(service, UNDATED, **{"Idempotency-Key": "another"})
    assert n_stored(database_url) == 2


def test_an_idempotency_key_with_another_content_is_refused(service: Client, database_url: str) -> None:
    score(service, UNDATED, **KEY)
    answer = service.post("/v1/score", json={**UNDATED, "lead_id": "L2"}, headers={**KEY, "Accept-Language": "de"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lead-quality:problem:idempotency-key-reused"
    assert answer.json()["problems"][0]["message"] == "dieser Schlüssel kam schon mit einer anderen Anfrage"
    assert n_stored(database_url) == 1


def test_a_batch_sent_twice_with_its_key_is_stored_once(service: Client, database_url: str) -> None:
    body = {"leads": [UNDATED, {"lead_id": "L2", "fields": {"employees": "x"}}, {"lead_id": "L3", "fields": {}}]}
    first = service.post("/v1/score/batch", json=body, headers={**KEY, "X-Request-ID": "same"})
    service.now += timedelta(days=2)
    second = service.post("/v1/score/batch", json=body, headers={**KEY, "X-Request-ID": "same"})
    assert second.content == first.content
    assert n_stored(database_url) == 2


def test_a_key_reused_in_a_batch_writes_nothing(service: Client, database_url: str) -> None:
    score(service, UNDATED, **KEY)
    answer = service.post("/v1/score/batch", json={"leads": [UNDATED, DATED]}, headers=KEY)
    assert answer.status_code == 422
    assert n_stored(database_url) == 1


def test_the_same_lead_twice_in_one_batch_is_stored_once_and_answered_twice(service: Client, database_url: str) -> None:
    batch = service.post("/v1/score/batch", json={"leads": [DATED, DATED]}).json()
    assert batch["results"][0]["score"] == batch["results"][1]["score"]
    assert n_stored(database_url) == 1


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "tab\there"])
def test_a_key_that_no_header_should_have_is_a_fault_like_any_other(client: Client, key: str) -> None:
    answer = client.post(
        "/v1/score", json={"lead_id": "L", "fields": {"employees": "x"}}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 422
    places = [problem["where"] for problem in answer.json()["problems"]]
    assert places == ["header Idempotency-Key", "fields.employees"]
