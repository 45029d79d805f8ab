"""Another bundle takes the place of the one in service, or the reason why not is kept and the old one stays."""

from __future__ import annotations

import gc
import http.server
import json
import shutil
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from features.errors import BundleError, OutsideError
from features.model.bundle import Bundle, bundle_id_of
from serving.in_service import ModelInService
from serving.registry_stamp import stamp_of
from serving.settings import Settings
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.small_model import definition, write_small_bundle


@pytest.fixture(scope="module")
def other_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_bundle(tmp_path_factory.mktemp("bundles") / "other", definition(), seed=8)


@pytest.fixture
def place(tmp_path: Path, bundle_place: Path) -> Path:
    return Path(shutil.copytree(bundle_place, tmp_path / "bundle"))


def replaced(place: Path, by: Path) -> None:
    shutil.rmtree(place)
    shutil.copytree(by, place)


def test_a_look_that_finds_nothing_new_keeps_the_very_scorer(place: Path) -> None:
    model = ModelInService(Settings(bundle=str(place)))
    model.open(NOW)
    scorer = model.scorer
    assert not model.renew(NOW)
    assert not model.renew(NOW, asked=True)
    assert model.scorer is scorer


def test_the_old_scorer_is_gone_once_another_serves(place: Path, other_place: Path) -> None:
    model = ModelInService(Settings(bundle=str(place)))
    model.open(NOW)
    old = weakref.ref(model.scorer.bundle)
    replaced(place, other_place)
    assert model.renew(NOW)
    gc.collect()
    assert old() is None
    assert model.scorer.model_name["bundle_id"] == bundle_id_of(other_place)


def test_a_bundle_that_is_still_being_copied_is_refused_and_taken_once_it_is_whole(
    place: Path, other_place: Path
) -> None:
    model = ModelInService(Settings(bundle=str(place)))
    model.open(NOW)
    scorer = model.scorer
    shutil.copy(other_place / "bundle.json", place / "bundle.json")
    for moment in (NOW, NOW + timedelta(hours=1)):
        with pytest.raises(BundleError, match="SHA-256"):
            model.renew(moment)
    assert model.scorer is scorer
    assert model.pending is not None
    assert model.pending.since == NOW  # since it is known, not since it was looked at last
    replaced(place, other_place)
    assert model.renew(NOW)
    assert model.pending is None


def test_a_bundle_that_is_gone_leaves_the_one_in_service(place: Path) -> None:
    model = ModelInService(Settings(bundle=str(place)))
    model.open(NOW)
    shutil.rmtree(place)
    with pytest.raises(BundleError):
        model.renew(NOW)
    assert model.scorer.score([]) == []


def test_a_fault_of_ours_ends_neither_the_looking_nor_the_shutdown(bundle: Bundle, sqlite_url: str) -> None:
    unforeseen = "a\0b"  # no path may hold this, which nothing of ours expects
    settings = Settings(database_url=sqlite_url, shadow=unforeseen, bundle_check_s=0.02, bundle_retry_s=0.01)
    with Client(settings, bundle, NOW) as client:
        challenger = client.app.state.service.shadow.challenger
        deadline = time.monotonic() + 20
        while challenger.pending is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert challenger.pending.reason == "the service failed: builtins.ValueError"
        assert client.get("/readyz").status_code == 200


def test_the_api_puts_another_bundle_into_service_or_says_why_not(
    place: Path, other_place: Path, sqlite_url: str
) -> None:
    with Client(Settings(bundle=str(place), database_url=sqlite_url, demo=True, bundle_check_s=0), None, NOW) as client:
        before = client.get("/v1/model").json()["model"]
        assert client.post("/v1/model/reload").json() == {"model": before, "changed": False}
        replaced(place, other_place)
        after = client.post("/v1/model/reload").json()
        assert (after["changed"], after["model"]["bundle_id"]) == (True, bundle_id_of(other_place))
        (place / "linear.json").write_text("{}")
        (place / "bundle.json").write_text("{}")
        refused = client.post("/v1/model/reload", headers={"Accept-Language": "de"})
        assert (refused.status_code, refused.json()["title"]) == (409, "Das Modell kam nicht in den Einsatz")
        shown = client.get("/v1/model").json()
        assert shown["model"] == after["model"]
        assert shown["pending"]["since"] == "2026-02-03T10:00:00.000000Z"
        assert str(place) not in json.dumps(shown["pending"])


class _Registry(http.server.BaseHTTPRequestHandler):
    """An MLflow server as far as it is asked: the version of an alias."""

    versions: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization", "")))
        version = self.versions.get("champion")
        self.send_response(200 if version else 404)
        self.end_headers()
        told = {"model_version": {"name": "leads", "version": version, "creation_timestamp": 1}}
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def registry() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_registry_server_is_asked_for_the_alias_alone() -> None:
    with registry() as uri:
        environment = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_TRACKING_TOKEN": "t"}
        _Registry.versions["champion"] = "3"
        first = stamp_of("models:/leads@champion", environment)
        assert first == stamp_of("models:/leads@champion", environment)
        _Registry.versions["champion"] = "4"
        assert stamp_of("models:/leads@champion", environment) != first
        assert _Registry.asked[-1] == (
            "/api/2.0/mlflow/registered-models/alias?name=leads&alias=champion",
            "Bearer t",
        )
        _Registry.versions.clear()
        with pytest.raises(OutsideError, match="did not tell leads@champion"):
            stamp_of("models:/leads@champion", environment)


def test_a_registry_in_a_file_is_looked_at_and_a_version_never(tmp_path: Path) -> None:
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    before = stamp_of("models:/leads@champion", environment)
    (tmp_path / "mlflow.db").write_bytes(b"1")
    after = stamp_of("models:/leads@champion", environment)
    (tmp_path / "mlflow.db-wal").write_bytes(b"2")
    assert len({before, after, stamp_of("models:/leads@champion", environment)}) == 3
    assert stamp_of("models:/leads/3", environment) == "models:/leads/3"
    assert stamp_of("models:/leads@champion", {"MLFLOW_TRACKING_URI": "postgresql://h/d"}) is None
