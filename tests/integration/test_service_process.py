"""The service as a process of its own: started by its command, asked over the network, killed, and started again."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named as arguments)

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from serving.auth.keys import new_key
from serving.service import utc_now
from serving.settings import Settings
from serving.store import Store
from tests.serving.conftest import (
    bundle_place,
    database_url,
    postgres_server,
    postgres_url,
    sqlite_url,
)
from tests.serving.postgres import free_port

ROOT = Path(__file__).parents[2]
MOST_RESIDENT_MB = 300
N_CLIENTS = 8
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is asked over TLS, and the context that httpx makes for each client takes 50 ms of processor time."""
STOPPED = {0, -signal.SIGTERM}  # uvicorn shuts down in order and then gives the signal its usual end


def environment(**settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEAD_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **{f"LEAD_{name}": value for name, value in settings.items()}}


class Process:
    """A running service."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path, key: str) -> None:
        self.process, self.log, self.key = process, log, key
        self.url = f"http://127.0.0.1:{port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"X-API-Key": self.key}, timeout=60, verify=NO_TLS)

    def get(self, path: str) -> httpx.Response:
        with self.client() as http:
            return http.get(path)

    def post(self, path: str, body: object) -> httpx.Response:
        with self.client() as http:
            return http.post(path, json=body)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/readyz", verify=NO_TLS).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        pytest.fail(f"not ready in time: {self.log.read_text()}")

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def serving_says(place: Path, *arguments: str, **settings: str) -> str:
    """What a command says that ends by itself."""
    command = [sys.executable, "-W", "error", "-m", "serving", *arguments]
    done = subprocess.run(command, cwd=place, env=environment(**settings), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def key_to(url: str) -> str:
    """A key that opens the service over this store."""
    store = Store(Settings(database_url=url).database_url)
    if store.migrates_itself:
        store.migrate()
    key, record = new_key("tests", "crm", created_at=utc_now())
    store.keys.add(record)
    store.close()
    return key


@contextmanager
def running(place: Path, **settings: str) -> Iterator[Process]:
    port, log = free_port(), place / f"log-{time.monotonic_ns()}"
    key = key_to(settings["DATABASE_URL"])
    command = [sys.executable, "-W", "error", "-m", "serving"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=place, env=environment(PORT=str(port), **settings), stdout=output, stderr=output
        )
    service = Process(process, port, log, key)
    try:
        service.wait_until_ready()
        yield service
    finally:
        if process.poll() is None:
            process.terminate()  # not killed: that would leave its workers behind
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def stored_lead_ids(url: str) -> list[str]:
    engine = sa.create_engine(Settings(database_url=url).database_url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.text("SELECT lead_id FROM scores")).scalars())
    engine.dispose()
    return found


def post_until_killed(service: Process, client: int, acknowledged: dict[str, bytes], started: threading.Event) -> None:
    with service.client() as http:
        for number in range(100_000):
            lead_id = f"L{client}-{number}"
            try:
                answer = http.post("/v1/score", json={"lead_id": lead_id, "fields": {"employees": number}})
            except httpx.TransportError:
                return
            assert answer.status_code == 200, answer.text
            acknowledged[lead_id] = answer.content
            if number == 5:
                started.set()


def test_every_acknowledged_score_survives_kill_minus_9_once(
    tmp_path: Path,
    bundle_place: Path,
    database_url: str,
) -> None:
    serving_says(tmp_path, "migrate", DATABASE_URL=database_url)
    settings = {"BUNDLE": str(bundle_place), "DATABASE_URL": database_url}
    acknowledged: dict[str, bytes] = {}
    for round_number in range(2):
        started = threading.Event()
        with running(tmp_path, **settings) as service, ThreadPoolExecutor(N_CLIENTS) as threads:
            clients = [f"{round_number}{client}" for client in range(N_CLIENTS)]
            jobs = [threads.submit(post_until_killed, service, int(c), acknowledged, started) for c in clients]
            assert started.wait(60)
            time.sleep(0.3)
            service.stop(signal.SIGKILL)
            for job in jobs:
                job.result(30)
    stored = stored_lead_ids(database_url)
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    assert len(acknowledged) >= 2 * 6
    with running(tmp_path, **settings) as service:
        for lead_id, answer in list(acknowledged.items())[::10]:
            assert service.get(f"/v1/leads/{lead_id}/score").content == answer


def hang_up_in_the_middle(service: Process) -> None:
    """Send half a request and leave."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = "POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
        connection.sendall(f'{head}X-API-Key: {service.key}\r\n\r\n{{"lead'.encode())
        time.sleep(0.5)


def assert_stopped_in_order(service: Process) -> None:
    assert service.stop(signal.SIGTERM) in STOPPED
    assert "Application shutdown complete." in {line["event"] for line in service.lines()}


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1024


def test_the_service_stays_small_logs_no_lead_and_stops_when_asked(
    tmp_path: Path,
    bundle_place: Path,
    sqlite_url: str,
) -> None:
    with running(tmp_path, BUNDLE=str(bundle_place), DATABASE_URL=sqlite_url) as service:
        leads = [{"lead_id": f"SECRET-{n}", "fields": {"source": "SECRET-value", "employees": n}} for n in range(500)]
        for _ in range(3):
            assert service.post("/v1/score/batch", {"leads": leads}).status_code == 200
        assert service.get("/v1/leads/SECRET-3").status_code == 200
        assert service.post("/v1/score", {"lead_id": "SECRET@x", "SECRET": 1}).status_code == 422
        hang_up_in_the_middle(service)
        assert resident_mb(service.process.pid) < MOST_RESIDENT_MB
        assert_stopped_in_order(service)
        lines = service.lines()
    requests = [line for line in lines if line["event"] == "request"]
    assert 499 in {line["status"] for line in requests}
    assert "failed" not in {line["event"] for line in lines}
    assert {line["route"] for line in requests} >= {"/v1/score", "/v1/score/batch", "/v1/leads/{lead_id}", "/readyz"}
    assert all({"request_id", "status", "duration_ms", "timestamp", "level"} <= set(line) for line in requests)
    assert "SECRET" not in service.log.read_text()
    secret = service.key.rpartition("_")[2]
    assert secret not in service.log.read_text()


def test_several_workers_share_port_and_store(tmp_path: Path, bundle_place: Path, sqlite_url: str) -> None:
    settings = {"BUNDLE": str(bundle_place), "DATABASE_URL": sqlite_url, "WORKERS": "2"}
    with running(tmp_path, **settings) as service, ThreadPoolExecutor(N_CLIENTS) as threads:

        def post(number: int) -> int:
            return service.post("/v1/score", {"lead_id": f"L{number % 40}", "fields": {}}).status_code

        assert set(threads.map(post, range(80))) <= {200}
        assert service.stop(signal.SIGTERM) in STOPPED
    assert sorted(stored_lead_ids(sqlite_url)) == sorted(f"L{number}" for number in range(40))


def workers_of(process: int) -> list[int]:
    """The processes that listen with this one; its other child only keeps track of what they share."""
    children = map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def worker_of(answer: httpx.Response) -> str:
    """Which process answered: the first part of the ids that it gives to requests."""
    assert answer.status_code == 200, answer.text
    return answer.headers["x-request-id"].partition("-")[0]


def counted(figures: str, name: str) -> float:
    lines = [line for line in figures.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_whichever_worker_is_asked_for_figures_tells_those_of_all(
    tmp_path: Path, bundle_place: Path, sqlite_url: str
) -> None:
    settings = {"BUNDLE": str(bundle_place), "DATABASE_URL": sqlite_url, "WORKERS": "2"}
    serving_says(tmp_path, "migrate", DATABASE_URL=sqlite_url)
    key = serving_says(tmp_path, "keys", "create", "--client", "ops", "--role", "data", **settings)
    with running(tmp_path, **settings) as service, ThreadPoolExecutor(N_CLIENTS) as threads:

        def post(number: int) -> str:
            return worker_of(service.post("/v1/score", {"lead_id": f"L{number}", "fields": {}}))

        scored: list[str] = []
        while len(set(scored)) < 2:  # the other worker may still be starting
            assert len(scored) < 6_000
            scored += threads.map(post, range(len(scored), len(scored) + 60))
        scrapes: dict[str, str] = {}
        for _ in range(500):  # each is a connection of its own, which any worker may take
            answer = httpx.get(f"{service.url}/metrics", headers={"X-API-Key": key}, verify=NO_TLS)
            scrapes[worker_of(answer)] = answer.text
            if len(scrapes) == 2:
                break
    assert set(scrapes) == set(scored)
    for figures in scrapes.values():
        assert counted(figures, "lead_scores_total{") == len(scored)
        answered = 'lead_http_requests_total{method="POST",route="/v1/score",status="200"}'
        assert counted(figures, answered) == len(scored)


def is_over(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_workers_end_in_order_when_the_process_that_began_them_is_killed(
    tmp_path: Path, bundle_place: Path, sqlite_url: str
) -> None:
    settings = {"BUNDLE": str(bundle_place), "DATABASE_URL": sqlite_url, "WORKERS": "2"}
    with running(tmp_path, **settings) as service:
        workers = workers_of(service.process.pid)
        assert len(workers) == 2
        service.stop(signal.SIGKILL)
        deadline = time.monotonic() + 30
        try:
            while not all(map(is_over, workers)) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert all(map(is_over, workers))
        finally:
            for worker in workers:
                if not is_over(worker):
                    os.kill(worker, signal.SIGKILL)
        assert [line["event"] for line in service.lines()].count("Application shutdown complete.") == 2
        with pytest.raises(httpx.ConnectError):
            service.get("/healthz")


def test_a_failure_of_the_store_is_logged_without_its_message(tmp_path: Path, bundle_place: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    with running(tmp_path, BUNDLE=str(bundle_place), DATABASE_URL=url) as service:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE scores"))
        engine.dispose()
        answer = service.post("/v1/score", {"lead_id": "SECRET", "fields": {}})
        assert answer.status_code == 503
        (line,) = [line for line in service.lines() if line["event"] == "could not answer"]
    assert line["request_id"] == answer.json()["request_id"]
    assert line["error"][0] == "serving.store.errors.StoreDownError"
    assert "sqlite3.OperationalError" in line["error"]
    assert any("writer.py" in place for place in line["at"])
    assert "SECRET" not in service.log.read_text()


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        ({"PORT": "many", "WORKERS": "0"}, 2, ["LEAD_PORT: ", "LEAD_WORKERS: "]),
        (
            {"DATABASE_URL": "postgresql://u:secret@127.0.0.1:9/none", "STORE_TIMEOUT_S": "1"},
            1,
            ["the database failed"],
        ),
    ],
)
def test_a_command_that_cannot_work_says_why(
    tmp_path: Path, settings: Mapping[str, str], code: int, told: list[str]
) -> None:
    command = [sys.executable, "-m", "serving", "migrate"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(**settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
    for part in told:
        assert part in done.stderr


def test_serving_needs_none_of_the_libraries_of_training() -> None:
    # Not scipy: numba looks for it by importing it, and does without.
    heavy = ("pandas", "sklearn", "lightgbm", "mlflow", "pyarrow", "altair", "training")
    code = f"import sys, serving.__main__, serving.app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
