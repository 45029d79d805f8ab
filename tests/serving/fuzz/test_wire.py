"""A real server against clients that do not speak HTTP as they should: slow, broken, greedy or malicious ones."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.fuzz.counting import Counter
from tests.serving.fuzz.judging import faults_of
from tests.serving.fuzz.server import Server, running_server
from tests.serving.fuzz.wire import answers, chunked, exchange, hang_up, request

LEAD = b'{"lead_id":"L1","as_of":"2026-01-01","fields":{"source":"web"}}'
SHORT_S = 1.0
IDLE_S = 2
LARGEST = 200_000
CHUNKED = {"Transfer-Encoding": "chunked", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('wire') / 'scores.db'}"


@pytest.fixture(scope="module")
def server(bundle_place: Path, store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "BUNDLE": str(bundle_place),
        "DATABASE_URL": store_url,
        "BODY_TIMEOUT_S": str(SHORT_S),
        "MAX_BODY_BYTES": str(LARGEST),
        "MAX_BATCH_LEADS": "50",
        "IDLE_TIMEOUT_S": str(IDLE_S),
    }
    with running_server(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server


@pytest.fixture
def counter(server: Server, store_url: str) -> Iterator[Counter]:
    assert server.lives
    with Counter(store_url) as counter:
        yield counter


def statuses(raw: bytes) -> list[int]:
    told = answers(raw)
    for answer in told:
        assert answer.status_code == 100 or faults_of(answer) == [], answer.text
    return [answer.status_code for answer in told]


def chunked_request(body: bytes, size: int = 7) -> bytes:
    return request("POST", "/v1/score", headers=CHUNKED) + chunked(body, size)


def scored(lead_id: str) -> bytes:
    body = json.dumps({"lead_id": lead_id, "as_of": "2026-01-01", "fields": {}}).encode()
    return request("POST", "/v1/score", body)


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_body_in_chunks_without_a_length_is_scored(server: Server, size: int) -> None:
    assert statuses(exchange(server.port, chunked_request(LEAD, size))) == [200]


def test_a_body_byte_by_byte_is_scored(server: Server) -> None:
    pieces = [byte for number in scored("SLOW") for byte in (bytes([number]), 0.001)]
    assert statuses(exchange(server.port, *pieces)) == [200]


def test_requests_that_do_not_wait_for_answers_are_answered_in_order(server: Server) -> None:
    raw = exchange(server.port, b"".join(scored(f"P{number}") for number in range(20)), n_answers=20)
    told = answers(raw)
    assert [answer.json()["lead_id"] for answer in told] == [f"P{number}" for number in range(20)]


def test_a_refused_request_does_not_disturb_the_ones_behind_it(server: Server) -> None:
    wrong = request("POST", "/v1/score", b"{")
    raw = exchange(server.port, scored("A") + wrong + request("GET", "/nowhere") + scored("B"), n_answers=4)
    assert statuses(raw) == [200, 400, 404, 200]


def test_http_1_0_is_answered_and_closed(server: Server) -> None:
    raw = exchange(server.port, request("POST", "/v1/score", LEAD, version="1.0"))
    assert statuses(raw) == [200]


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(server: Server) -> None:
    head, body = request("POST", "/v1/score", LEAD, {"Expect": "100-continue"}).split(b"\r\n\r\n")
    assert statuses(exchange(server.port, head + b"\r\n\r\n", 0.2, body)) == [100, 200]


def test_a_client_that_announces_too_much_is_refused_before_it_sends(server: Server) -> None:
    head = request(
        "POST",
        "/v1/score",
        headers={"Expect": "100-continue", "Content-Type": "application/json", "Content-Length": str(10**12)},
    )
    assert statuses(exchange(server.port, head)) == [413]


def test_a_body_that_grows_beyond_the_limit_is_refused(server: Server) -> None:
    large = b'{"lead_id":"' + b"x" * (LARGEST + 10_000) + b'"}'
    assert statuses(exchange(server.port, request("POST", "/v1/score", large))) == [413]
    assert statuses(exchange(server.port, chunked_request(large, 50_000))) == [413]


def test_ten_megabytes_are_refused(server: Server) -> None:
    large = b'{"lead_id":"' + b"x" * 10_000_000 + b'"}'
    raw = exchange(server.port, request("POST", "/v1/score", large))
    assert raw == b"" or statuses(raw) == [413]  # a client that does not stop sending may not hear the answer
    assert server.lives


def test_a_client_that_does_not_send_its_body_is_given_up(server: Server) -> None:
    started = time.monotonic()
    raw = exchange(server.port, request("POST", "/v1/score", LEAD)[:-5])
    assert statuses(raw) == [408]
    assert time.monotonic() - started < SHORT_S + 5


def test_a_body_that_trickles_is_given_up_too(server: Server) -> None:
    raw = request("POST", "/v1/score", LEAD)
    head, body = raw[: -len(LEAD)], raw[-len(LEAD) :]
    pieces = [piece for number in body for piece in (bytes([number]), SHORT_S / 20)]
    told = exchange(server.port, head, *pieces)
    assert statuses(told) == [408]


@pytest.mark.parametrize("cut", [1, 10, 60, -1, -30])
def test_a_client_that_hangs_up_in_the_middle_writes_nothing(server: Server, counter: Counter, cut: int) -> None:
    before = counter.settled()
    whole = scored("GONE")
    hang_up(server.port, whole[:cut])
    assert server.lives
    assert counter.settled() == before


def test_a_client_that_does_not_wait_for_the_answer_harms_nobody(server: Server) -> None:
    for number in range(50):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.sendall(scored(f"LEFT-{number}"))
    assert server.lives


BROKEN = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": request("GET", "/healthz", version="9.9"),
    "words": b"hello there\r\n\r\n",
    "zeros": b"\x00" * 5_000,
    "method in lower case": b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in the path": b"GET /v1/ model HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the path": b"GET /v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "header without a colon": b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
    "header with a blank name": b"GET /healthz HTTP/1.1\r\n : x\r\n\r\n",
    "blank before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "two lengths": request("POST", "/v1/score", LEAD, {"content-length": "5"}),
    "negative length": request("POST", "/v1/score", LEAD, {"Content-Length": "-5"}),
    "length in words": request("POST", "/v1/score", LEAD, {"Content-Length": "ten"}),
    "length and plus": request("POST", "/v1/score", LEAD, {"Content-Length": "+5"}),
    "endless length": request("POST", "/v1/score", LEAD, {"Content-Length": "9" * 40}),
    "length and chunks": request("POST", "/v1/score", LEAD, {"Transfer-Encoding": "chunked"}),
    "chunk of no size": request("POST", "/v1/score", headers=CHUNKED) + b"xyz\r\n" + LEAD,
    "chunk of endless size": request("POST", "/v1/score", headers=CHUNKED) + b"f" * 40 + b"\r\n" + LEAD,
    "unknown transfer": request("POST", "/v1/score", headers={"Transfer-Encoding": "gzip, x"}) + LEAD,
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_what_is_no_http_is_refused_and_writes_nothing(server: Server, counter: Counter, raw: bytes) -> None:
    before = counter.settled()
    told = statuses(exchange(server.port, raw))
    assert all(400 <= status < 500 for status in told)
    assert len(told) <= 1
    assert server.lives
    assert counter.settled() == before


ODD = {
    "whole address": request("GET", "http://leads.test/healthz"),
    "host alone": request("GET", "http://leads.test"),
    "star": request("OPTIONS", "*"),
    "connect": request("CONNECT", "leads.test:443"),
    "upwards": request("GET", "/v1/../../../etc/passwd"),
    "upwards encoded": request("GET", "/v1/leads/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
    "double slashes": request("GET", "//v1//model"),
    "slash behind": request("GET", "/v1/model/"),
    "encoded NUL": request("GET", "/v1/leads/%00"),
    "encoded line end": request("GET", "/v1/leads/%0d%0aX-Injected:%20yes"),
    "question marks": request("GET", "/healthz????"),
    "fragment": request("GET", "/healthz#x"),
    "long path": request("GET", "/v1/leads/" + "x" * 6_000),
    "long query": request("GET", "/healthz?" + "x" * 6_000),
    "body on GET": request("GET", "/healthz", LEAD),
    "web socket": request(
        "GET",
        "/v1/score",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAA",
        },
    ),
    "HTTP/2 upgrade": request(
        "GET", "/healthz", headers={"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
    ),
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "folded header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "header of umlauts": "GET /healthz HTTP/1.1\r\nHost: x\r\nAccept-Language: ä\r\n\r\n".encode(),
    "only line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "empty lines before": b"\r\n\r\n" + request("GET", "/healthz"),
    "trailer": request("POST", "/v1/score", headers=CHUNKED) + chunked(LEAD, 9)[:-2] + b"X-Late: 1\r\n\r\n",
    "two content types": request("POST", "/v1/score", LEAD, {"content-type": "text/plain"}),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_odd_requests_are_answered_in_order_or_refused(server: Server, raw: bytes) -> None:
    told = answers(exchange(server.port, raw))
    for answer in told:
        assert faults_of(answer) == []
        assert "x-injected" not in answer.headers
    assert server.lives


SLOW_HEADS = {
    "nothing": b"",
    "a byte": b"G",
    "no line end": b"GET /healthz HTTP/1.1",
    "headers without end": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
}


@pytest.mark.parametrize("raw", SLOW_HEADS.values(), ids=SLOW_HEADS)
def test_a_head_that_does_not_come_does_not_hold_the_connection(server: Server, raw: bytes) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(raw)
        while connection.recv(1_000):
            pass
    assert IDLE_S - 0.5 <= time.monotonic() - started < IDLE_S + 5


def test_a_head_that_trickles_does_not_hold_the_connection_either(server: Server) -> None:
    started = time.monotonic()
    pieces = [piece for _ in range(60) for piece in (b"X: y\r\n", IDLE_S / 10)]
    exchange(server.port, b"GET /healthz HTTP/1.1\r\n", *pieces)
    assert time.monotonic() - started < IDLE_S + 5


@pytest.mark.parametrize(
    "raw",
    [
        request("GET", "/healthz", headers={"X": "x" * 200_000}),
        request("GET", "/healthz", headers={"x" * 200_000: "X"}),
        request("GET", "/healthz?" + "x" * 200_000),
        request("GET", "/healthz", headers={f"X{number}": "x" * 500 for number in range(200)}),
        request("GET", "/healthz", headers={f"X{number}": "" for number in range(5_000)}),
        request("GET", "/healthz", headers={"X": "x" * 200_000})[:-4],
    ],
    ids=["a value", "a name", "an address", "many", "many empty ones", "one without end"],
)
def test_absurd_heads_are_refused(server: Server, raw: bytes) -> None:
    before = server.resident_kb
    for _ in range(20):
        told = statuses(exchange(server.port, raw))
        assert told in ([431], [])  # a client that does not stop sending may not hear the answer
    assert statuses(exchange(server.port, request("GET", "/healthz"))) == [200]
    assert server.resident_kb < before + 20_000


def test_connections_are_given_back(server: Server) -> None:
    open_files = server.open_files
    for raw in BROKEN.values():
        exchange(server.port, raw)
    deadline = time.monotonic() + IDLE_S + 5
    while server.open_files > open_files + 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.open_files <= open_files + 2


def test_many_silent_connections_do_not_keep_others_out(server: Server) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        assert statuses(exchange(server.port, scored("AMONG-MANY"))) == [200]
    finally:
        for connection in silent:
            connection.close()
    assert server.lives
