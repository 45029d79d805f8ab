"""Every route of the document, with everything that hostile clients send: routes that come later are covered too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from features.model.bundle import Bundle
from serving.settings import Settings
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.fuzz.counting import Counter
from tests.serving.fuzz.hostile import HEADERS, PATH_PARTS, QUERIES, changed_bodies, whole_bodies
from tests.serving.fuzz.judging import faults_of
from tests.serving.fuzz.requests import path_of, valid_body
from tests.serving.openapi.reading import Document, Operation, operations

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "X" * 40)


@pytest.fixture(scope="module")
def service(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'scores.db'}"
    settings = Settings(database_url=url, max_batch_leads=20, max_body_bytes=200_000)
    with Client(settings, bundle, NOW) as client:
        yield client


@pytest.fixture(scope="module")
def document(service: Client) -> Document:
    return service.get("/openapi.json").json()


def with_bodies(document: Document) -> Iterator[tuple[Operation, Any]]:
    for operation in operations(document):
        body = valid_body(document, operation)
        if body is not None:
            yield operation, body


def sent(service: Client, operation: Operation, body: bytes, **headers: str) -> Any:
    return service.send(
        operation.method.upper(),
        path_of(operation),
        content=body,
        headers={"Content-Type": "application/json"} | headers,
    )


class Watch:
    """Collects what is wrong, and sees what a refused request has written."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._before = counter.rows()
        self.faults: list[str] = []
        self.n = 0

    def look(self, name: str, answer: Any) -> None:
        self.n += 1
        self.faults += [f"{name}: {fault}" for fault in faults_of(answer)]
        after = self._counter.rows()
        if answer.status_code >= 400 and after != self._before:
            self.faults.append(f"{name}: refused with {answer.status_code}, but it wrote {self._before} -> {after}")
        self._before = after


@pytest.fixture
def watch(service: Client) -> Iterator[Watch]:
    with Counter(service.app.state.service.settings.database_url) as counter:
        yield Watch(counter)


def test_no_hostile_body_is_a_failure_of_ours_and_none_that_is_refused_writes(
    service: Client, document: Document, watch: Watch
) -> None:
    for operation, body in with_bodies(document):
        for name, raw, headers in whole_bodies(json.dumps(body).encode()):
            watch.look(f"{operation.path} {name}", sent(service, operation, raw, **headers))
    assert watch.faults == []
    assert watch.n > 100


def test_no_value_in_any_place_is_a_failure_of_ours_and_none_that_is_refused_writes(
    service: Client, document: Document, watch: Watch
) -> None:
    for operation, body in with_bodies(document):
        for name, raw in changed_bodies(body):
            watch.look(f"{operation.path} {name}", sent(service, operation, raw))
    assert watch.faults == []
    assert watch.n > 1_000


def test_no_path_query_or_header_is_a_failure_of_ours(service: Client, document: Document, watch: Watch) -> None:
    for operation in operations(document):
        body = valid_body(document, operation)
        options = {} if body is None else {"json": body}
        method = operation.method.upper()
        for part in PATH_PARTS:
            watch.look(f"{operation.path} {part}", service.send(method, path_of(operation, part), **options))
            added = service.send(method, f"{path_of(operation)}/{part}", **options)
            watch.look(f"{operation.path}/ {part}", added)
        for query in QUERIES:
            watch.look(f"{operation.path}?{query}", service.send(method, f"{path_of(operation)}?{query}", **options))
        for name, headers in HEADERS.items():
            told = service.send(method, path_of(operation), headers=headers, **options)
            watch.look(f"{operation.path} {name}", told)
    assert watch.faults == []


def test_a_method_that_a_route_does_not_take_is_refused_with_those_that_it_does(
    service: Client, document: Document, watch: Watch
) -> None:
    taken = {path: set(methods) for path, methods in document["paths"].items()}
    for operation in operations(document):
        for method in METHODS:
            answer = service.send(method, path_of(operation))
            watch.look(f"{method} {operation.path}", answer)
            if method.lower() not in taken[operation.path]:
                assert answer.status_code == 405, (method, operation.path)
                assert answer.headers["allow"]
    assert watch.faults == []


def test_every_fault_of_the_envelope_is_told_at_once(service: Client, document: Document) -> None:
    for operation, body in with_bodies(document):
        wrong = {name: {"wrong": []} for name, value in body.items() if not isinstance(value, (dict, list))}
        if not wrong:
            continue
        answer = sent(service, operation, json.dumps(body | wrong | {"one_too_many": 1}).encode())
        assert answer.status_code == 422, (operation.path, answer.text)
        told = {problem["where"] for problem in answer.json()["problems"]}
        assert told >= {*wrong, "one_too_many"}, operation.path


def test_a_service_without_a_model_refuses_in_order(document: Document, sqlite_url: str) -> None:
    with Client(Settings(database_url=sqlite_url, bundle="nowhere"), None, NOW) as client:
        for operation, body in with_bodies(document):
            for raw in (json.dumps(body).encode(), b"{", b'{"a":1,"a":2}'):
                answer = sent(client, operation, raw)
                assert answer.status_code == 503 or faults_of(answer) == [], operation.path
                assert "retry-after" in answer.headers or answer.status_code < 500
