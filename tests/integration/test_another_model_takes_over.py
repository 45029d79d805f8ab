"""A retrained model takes over while requests keep coming: none fails, and no later one is answered by the old one."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named as arguments)

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from features.model.bundle import bundle_id_of
from tests.integration.test_service_process import NO_TLS, Process, resident_mb, running
from tests.serving.conftest import bundle_place, sqlite_url
from tests.serving.small_model import definition, write_small_bundle

N_CLIENTS = 6
PATIENCE_S = 180


@dataclass(frozen=True)
class Answered:
    """One request of a storm, with the clock's reading when it began."""

    began: float
    status: int
    bundle_id: str


class Storm:
    """Requests from several clients, one after another each, until the block ends; none is ever sent again."""

    def __init__(self, service: Process) -> None:
        self.service = service
        self.answers: list[Answered] = []
        self._ended = threading.Event()

    @contextmanager
    def blowing(self) -> Iterator[None]:
        with ThreadPoolExecutor(N_CLIENTS) as threads:
            clients = [threads.submit(self._client, number) for number in range(N_CLIENTS)]
            try:
                self.wait_for(lambda: len(self.answers) > 10 * N_CLIENTS)
                yield
            finally:
                self._ended.set()
            for client in clients:
                client.result(PATIENCE_S)

    def wait_for(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def only(self, bundle_id: str) -> bool:
        """Whether enough of the newest answers to have come from every worker name this bundle."""
        return {answer.bundle_id for answer in self.answers[-20 * N_CLIENTS :]} == {bundle_id}

    def _client(self, number: int) -> None:
        # No connection is kept: each request may reach another worker.
        for count in range(1_000_000):
            if self._ended.is_set():
                return
            began = time.monotonic()
            lead = {"lead_id": f"L{number}-{count}", "fields": {"employees": count, "source": "web"}}
            answer = httpx.post(f"{self.service.url}/v1/score", json=lead, timeout=30, verify=NO_TLS)
            named = answer.json()["model"]["bundle_id"] if answer.status_code == 200 else ""
            self.answers.append(Answered(began, answer.status_code, named))


class Place:
    """A place whose name is turned from one bundle to another, as a deployment does."""

    def __init__(self, place: Path, bundle: Path) -> None:
        self.place = place
        self.turn_to(bundle)

    def turn_to(self, bundle: Path) -> str:
        draft = self.place.with_name("draft")
        draft.symlink_to(bundle, target_is_directory=True)
        draft.replace(self.place)
        return bundle_id_of(bundle)


@pytest.fixture(scope="module")
def other_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_bundle(tmp_path_factory.mktemp("bundles") / "other", definition(), seed=8)


@pytest.fixture(scope="module")
def broken_place(tmp_path_factory: pytest.TempPathFactory, other_place: Path) -> Path:
    """A bundle half of which arrived."""
    broken = tmp_path_factory.mktemp("bundles") / "broken"
    shutil.copytree(other_place, broken)
    (broken / "model.txt").write_bytes((broken / "model.txt").read_bytes()[:1000])
    manifest = (broken / "bundle.json").read_text()
    (broken / "bundle.json").write_text(manifest.replace("\n", "\n ", 1))  # another one than either
    return broken


def test_no_request_fails_and_none_that_begins_afterwards_sees_the_old_model(
    tmp_path: Path, bundle_place: Path, other_place: Path, broken_place: Path, sqlite_url: str
) -> None:
    place = Place(tmp_path / "bundle", bundle_place)
    old, settings = bundle_id_of(bundle_place), {"DATABASE_URL": sqlite_url, "DEMO": "true", "BUNDLE_CHECK_S": "0"}
    with running(tmp_path, BUNDLE=str(place.place), **settings) as service:
        storm = Storm(service)
        with storm.blowing():
            new = place.turn_to(other_place)
            answer = service.post("/v1/model/reload", {})
            over = time.monotonic()
            assert (answer.status_code, answer.json()["changed"]) == (200, True)
            assert answer.json()["model"]["bundle_id"] == new
            storm.wait_for(lambda: storm.only(new))
            place.turn_to(broken_place)
            refused = service.post("/v1/model/reload", {})
            assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "model-refused")
            assert "SHA-256" in refused.json()["detail"] or "seal" in refused.json()["detail"]
            model = service.get("/v1/model").json()
            assert (model["model"]["bundle_id"], "pending" in model) == (new, True)
            assert service.get("/readyz").status_code == 200
            place.turn_to(other_place)
            assert service.post("/v1/model/reload", {}).json()["changed"] is False
            assert "pending" not in service.get("/v1/model").json()
        assert {answer.status for answer in storm.answers} == {200}
        assert {answer.bundle_id for answer in storm.answers} == {old, new}
        assert {answer.bundle_id for answer in storm.answers if answer.began > over} == {new}


@pytest.mark.parametrize("how", ["looking", "signal", "request"])
def test_all_workers_change_over_whoever_is_told(
    tmp_path: Path, bundle_place: Path, other_place: Path, sqlite_url: str, how: str
) -> None:
    place = Place(tmp_path / "bundle", bundle_place)
    settings = {"DATABASE_URL": sqlite_url, "DEMO": "true", "WORKERS": "2"}
    check_s = "0.2" if how == "looking" else "0"
    with running(tmp_path, BUNDLE=str(place.place), BUNDLE_CHECK_S=check_s, **settings) as service:
        storm = Storm(service)
        # A worker that starts later opens the other model at once, and has nothing to take over.
        storm.wait_for(lambda: service.log.read_text().count("Application startup complete") == 2)
        with storm.blowing():
            new = place.turn_to(other_place)
            if how == "signal":
                os.kill(service.process.pid, signal.SIGHUP)
            elif how == "request":
                assert service.post("/v1/model/reload", {}).status_code == 200
            storm.wait_for(lambda: taken(service) == [new, new])
            over = time.monotonic()
            storm.wait_for(lambda: storm.only(new))
        assert {answer.status for answer in storm.answers} == {200}
        assert len({answer.bundle_id for answer in storm.answers}) == 2
        assert {answer.bundle_id for answer in storm.answers if answer.began > over} == {new}


def taken(service: Process) -> list[object]:
    """The bundles that workers say they have taken; a line that is still being written does not count yet."""
    whole = service.log.read_text().rpartition("\n")[0].splitlines()
    lines = [json.loads(line) for line in whole if "another model is in service" in line]
    return [line["bundle_id"] for line in lines]


def test_twenty_changes_leave_no_old_model_behind(
    tmp_path: Path, bundle_place: Path, other_place: Path, sqlite_url: str
) -> None:
    place = Place(tmp_path / "bundle", bundle_place)
    resident = []
    with running(tmp_path, BUNDLE=str(place.place), DATABASE_URL=sqlite_url, DEMO="true") as service:
        for number in range(24):
            place.turn_to([other_place, bundle_place][number % 2])
            assert service.post("/v1/model/reload", {}).json()["changed"] is True
            assert service.post("/v1/score", {"lead_id": f"L{number}", "fields": {}}).status_code == 200
            resident.append(resident_mb(service.process.pid))
    assert resident[-1] < 1.05 * resident[3], resident
