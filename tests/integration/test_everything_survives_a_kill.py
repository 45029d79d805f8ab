"""Scores, outcomes, verdicts, objections and erasures that were answered survive kill -9, each once."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named as arguments)

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa

from features.erased import lead_hash
from serving.settings import Settings
from tests.integration.test_service_process import Process, running, serving_says
from tests.serving.conftest import bundle_place, database_url, postgres_server, postgres_url, sqlite_url
from tests.serving.feedback.test_outcomes_and_verdicts import LIKELY, REJECTED, WON

N_CLIENTS = 8
N_ROUNDS = 3
ENOUGH = 4  # rounds of every client before the kill


class Told(NamedTuple):
    """A request that was answered."""

    method: str
    path: str
    body: dict[str, Any] | None
    answer: bytes


def requests_about(lead_id: str) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """All that can be told about a lead; another one objects, and a third is scored and erased."""
    yield "POST", "/v1/score", {"lead_id": lead_id, "as_of": "2026-02-01T00:00:00Z", "fields": LIKELY}
    yield "POST", "/v1/outcomes", {**WON, "lead_id": lead_id}
    yield "POST", "/v1/verdicts", {**REJECTED, "lead_id": lead_id}
    yield "POST", f"/v1/leads/{lead_id}-O/objection", {"at": "2026-02-01"}
    yield "POST", "/v1/score", {"lead_id": f"{lead_id}-E", "as_of": "2026-02-01T00:00:00Z", "fields": LIKELY}
    yield "DELETE", f"/v1/leads/{lead_id}-E", None


def tell_until_killed(service: Process, name: str, answered: list[Told], enough: threading.Semaphore) -> None:
    with service.client() as http:
        for number in range(100_000):
            for method, path, body in requests_about(f"L{name}-{number}"):
                try:
                    answer = http.request(method, path, json=body)
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                answered.append(Told(method, path, body, answer.content))
            if number == ENOUGH:
                enough.release()


def told_until_kills(place: Path, settings: dict[str, str]) -> list[Told]:
    answered: list[Told] = []
    for round_number in range(N_ROUNDS):
        enough = threading.Semaphore(0)
        with running(place, **settings) as service, ThreadPoolExecutor(N_CLIENTS) as threads:
            jobs = [
                threads.submit(tell_until_killed, service, f"{round_number}{client}", answered, enough)
                for client in range(N_CLIENTS)
            ]
            assert enough.acquire(timeout=60)
            time.sleep(0.1 * round_number)
            service.stop(signal.SIGKILL)
            for job in jobs:
                job.result(60)
    return answered


def column(url: str, query: str) -> list[str]:
    engine = sa.create_engine(Settings(database_url=url).database_url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.text(query)).scalars())
    engine.dispose()
    return found


def test_everything_that_was_answered_is_there_once_after_kills(
    tmp_path: Path, bundle_place: Path, database_url: str
) -> None:
    serving_says(tmp_path, "migrate", DATABASE_URL=database_url)
    settings = {"BUNDLE": str(bundle_place), "DATABASE_URL": database_url}
    answered = told_until_kills(tmp_path, settings)
    erased = {told.path.rpartition("/")[2] for told in answered if told.method == "DELETE"}
    assert len(erased) >= N_ROUNDS * ENOUGH
    hashes = set(column(database_url, "SELECT lead_hash FROM erasures"))
    assert {lead_hash(lead_id) for lead_id in erased} <= hashes
    for path, table in (("/v1/score", "scores"), ("/v1/outcomes", "outcomes"), ("/v1/verdicts", "verdicts")):
        stored = column(database_url, f"SELECT lead_id FROM {table}")
        named = {told.body["lead_id"] for told in answered if told.path == path and told.body}
        expected = {lead_id for lead_id in named if lead_hash(lead_id) not in hashes}  # a kill may swallow a receipt
        assert len(stored) == len(set(stored)), table
        assert expected <= set(stored), table
        assert not erased & set(stored), table
    objected = {told.path.split("/")[3] for told in answered if told.path.endswith("/objection")}
    assert objected <= set(column(database_url, "SELECT lead_id FROM objections"))
    with running(tmp_path, **settings) as service, service.client() as http:
        for told in answered[:: max(1, len(answered) // 60)]:
            again = http.request(told.method, told.path, json=told.body)
            if told.path == "/v1/score" and told.body and lead_hash(told.body["lead_id"]) in hashes:
                assert again.status_code == 409
            else:
                assert again.content == told.answer, told.path
