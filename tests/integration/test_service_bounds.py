"""What clients without manners do to the running service: they are refused, and everybody else goes on being served."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named as arguments)

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.integration.test_service_process import NO_TLS, Process, environment, running
from tests.serving.conftest import bundle_place, sqlite_url

HEAD_BYTES = 4_000
TIGHT = {
    "MAX_HEAD_BYTES": str(HEAD_BYTES),
    "IDLE_TIMEOUT_S": "1",
    "MAX_CONCURRENT": "2",
    "MAX_CONNECTIONS": "12",
    "BODY_TIMEOUT_S": "3",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, bundle_place: Path) -> Iterator[Process]:
    place = tmp_path_factory.mktemp("bounds")
    with running(place, BUNDLE=str(bundle_place), DATABASE_URL=f"sqlite:///{place / 'scores.db'}", **TIGHT) as service:
        yield service


def connected(service: Process) -> socket.socket:
    host, port = service.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def said(connection: socket.socket) -> bytes:
    """Everything that comes until the server closes the connection."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass  # it was closed while we still sent
    return received


def head(service: Process, path: str = "/v1/score", method: str = "POST", length: int = 100) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}")
    return "\r\n".join([*lines, f"X-API-Key: {service.key}", "", ""]).encode()


def problem(answer: bytes) -> dict[str, object]:
    told: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return told


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
        b"GET /" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 101 + b"\r\n",
    ],
    ids=["header", "address", "number of headers"],
)
def test_a_head_that_is_too_large_is_431_with_problem_details(service: Process, request_head: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(request_head)
        answer = said(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"x-content-type-options: nosniff\r\n" in answer
    assert problem(answer)["type"] == "urn:lead-quality:problem:request-head-too-large"


ENDLESS = {
    "header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Endless: ", b"a"),
    "address": (b"GET /", b"a"),
    "trailers": (
        b"POST /v1/score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
        b"a: b\r\n",
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_comes_before_or_after_a_body_without_end_is_cut_off(service: Process, what: str) -> None:
    start, more = ENDLESS[what]
    with connected(service) as connection:
        sent = connection.send(start)
        try:
            while sent < 100 * HEAD_BYTES:
                sent += connection.send(more * 200)
                time.sleep(0.001)
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert sent < 100 * HEAD_BYTES
    assert service.get("/v1/model").status_code == 200


@pytest.mark.parametrize("start", [b"", b"GET /healthz HTTP/1.1\r\nHo", b"\r\n"])
def test_who_sends_nothing_or_half_a_head_does_not_hold_the_connection(service: Process, start: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(start)
        before = time.monotonic()
        assert said(connection) == b""
        assert 0.5 < time.monotonic() - before < 8


def seconds_until_cut_off(connection: socket.socket, drops: bytes) -> float:
    before = time.monotonic()
    try:
        for drop in drops:
            connection.sendall(bytes([drop]))
            time.sleep(0.05)
    except (ConnectionResetError, BrokenPipeError):
        return time.monotonic() - before
    return float("inf")


def test_a_head_that_drips_does_not_hold_the_connection(service: Process) -> None:
    with connected(service) as connection:
        assert seconds_until_cut_off(connection, b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"a" * 300) < 8


def test_a_body_that_drips_after_its_answer_does_not_hold_the_connection(service: Process) -> None:
    with connected(service) as connection:
        connection.sendall(head(service, length=100_000).replace(service.key.encode(), b"lq_guess"))
        assert seconds_until_cut_off(connection, b"x" * 300) < 8


def test_a_slow_body_is_408_and_more_at_a_time_than_allowed_is_503(service: Process) -> None:
    with ExitStack() as open_connections:
        slow = [open_connections.enter_context(connected(service)) for _ in range(2)]
        for connection in slow:
            connection.sendall(head(service) + b'{"lead_id')
        time.sleep(0.5)
        answer = service.get("/v1/model")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:lead-quality:problem:overloaded"
        assert answer.headers["retry-after"] == "5"
        assert httpx.get(f"{service.url}/healthz", verify=NO_TLS).status_code == 200
        assert httpx.get(f"{service.url}/v1/model", verify=NO_TLS).status_code == 401
        assert [said(connection)[:12] for connection in slow] == [b"HTTP/1.1 408"] * 2
    assert service.get("/v1/model").status_code == 200


def test_more_connections_than_allowed_get_a_plain_503_and_leave_room_again(service: Process) -> None:
    with ExitStack() as open_connections:
        for _ in range(12):
            open_connections.enter_context(connected(service))
        time.sleep(0.2)
        assert httpx.get(f"{service.url}/healthz", verify=NO_TLS).status_code == 503
    time.sleep(0.5)
    assert httpx.get(f"{service.url}/healthz", verify=NO_TLS).status_code == 200


def test_a_connection_that_is_used_stays_open(service: Process) -> None:
    with service.client() as http:
        for _ in range(5):
            assert http.get("/v1/model").status_code == 200
            time.sleep(0.5)
        lead = {"lead_id": "L1", "fields": {}}
        assert http.post("/v1/score", json=lead).status_code == 200


def test_neither_keys_nor_guesses_stand_in_the_log(service: Process) -> None:
    guess = service.key[:-64] + "5ec7e7" * 10 + "5ec7"
    for headers in ({"X-API-Key": guess}, {"Authorization": f"Bearer {guess}"}):
        assert httpx.get(f"{service.url}/v1/leads/SECRET", headers=headers, verify=NO_TLS).status_code == 401
    assert service.get("/v1/leads/SECRET").status_code == 404
    text = service.log.read_text()
    assert service.key.split("_")[2] not in text
    assert "5ec7e7" not in text
    assert "SECRET" not in text
    assert any(line.get("key_id") == service.key.split("_")[1] for line in service.lines())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "keys create"),
        ({"DEMO": "1", "HOST": "0.0.0.0"}, "LEAD_DEMO"),
        ({"DATABASE_URL": "postgresql://leads:changeme@192.0.2.1/leads", "STORE_TIMEOUT_S": "1"}, "LEAD_DATABASE_URL"),
        ({"CORS_ORIGINS": "*"}, "LEAD_CORS_ORIGINS"),
    ],
    ids=["no key", "open to others", "a password of the usual ones", "any origin"],
)
def test_what_is_not_safe_does_not_start(tmp_path: Path, settings: dict[str, str], told: str) -> None:
    command = [sys.executable, "-W", "error", "-m", "serving"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(**settings), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "changeme" not in done.stderr
    assert "Traceback" not in done.stderr
