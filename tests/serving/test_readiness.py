"""Live is not ready: what is missing is said, nothing is answered that was not stored, and it recovers by itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import NotReadyError
from features.model.bundle import Bundle
from serving.in_service import ModelInService
from serving.settings import Settings
from tests.serving.client import Client
from tests.serving.conftest import NOW

LEAD = {"lead_id": "L1", "fields": {}}


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def reasons(client: Client, language: str = "en") -> dict[str, str]:
    answer = client.get("/readyz", headers={"Accept-Language": language})
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "5"
    return {problem["where"]: problem["message"] for problem in answer.json()["problems"]}


def test_model_and_store_in_place_are_ready(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_without_a_bundle_the_service_lives_says_why_it_is_not_ready_and_asks_to_come_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = Settings(database_url=sqlite_url, bundle=str(tmp_path / "nowhere"))
    with Client(settings, None, NOW) as client:
        assert client.get("/healthz").status_code == 200
        assert "nowhere" in reasons(client)["model"]
        assert reasons(client, "de")["model"].startswith("kein Modell ist im Einsatz: ")
        for answer in (client.post("/v1/score", json=LEAD), client.get("/v1/model")):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
            assert "nowhere" not in answer.text


def test_a_bundle_that_arrives_later_is_served_without_a_restart(
    sqlite_url: str, tmp_path: Path, bundle_place: Path
) -> None:
    settings = Settings(database_url=sqlite_url, bundle=str(tmp_path / "late"), bundle_retry_s=0.05)
    with Client(settings, None, NOW) as client:
        assert set(reasons(client)) == {"model"}
        shutil.copytree(bundle_place, tmp_path / "copy")
        (tmp_path / "copy").rename(tmp_path / "late")
        assert eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.post("/v1/score", json=LEAD).status_code == 200


def test_a_bundle_that_was_changed_is_not_served(sqlite_url: str, tmp_path: Path, bundle_place: Path) -> None:
    changed = Path(shutil.copytree(bundle_place, tmp_path / "changed"))
    calibrator = changed / "calibrator.json"
    calibrator.write_text(calibrator.read_text().replace("1", "2"))
    with Client(Settings(database_url=sqlite_url, bundle=str(changed)), None, NOW) as client:
        assert "SHA-256" in reasons(client)["model"]


def test_a_shared_database_is_never_migrated_unasked(bundle: Bundle, postgres_url: str) -> None:
    settings = Settings(database_url=postgres_url, bundle_retry_s=0.05)
    with Client(settings, bundle, NOW) as client:
        assert "python -m serving migrate" in reasons(client)["store"]
        assert client.post("/v1/score", json=LEAD).status_code == 503
        client.app.state.service.store.migrate()
        assert eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.post("/v1/score", json=LEAD).status_code == 200


def test_a_store_that_is_down_gives_no_score_and_says_to_come_again(bundle: Bundle) -> None:
    settings = Settings(database_url="postgresql://leads:secret@127.0.0.1:9/none", store_timeout_s=1)
    with Client(settings, bundle, NOW) as client:
        assert set(reasons(client)) == {"store"}
        for answer in (
            client.post("/v1/score", json=LEAD),
            client.post("/v1/score/batch", json={"leads": [LEAD]}),
            client.get("/v1/leads/L1"),
        ):
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:lead-quality:problem:store-unavailable"
            assert answer.headers["retry-after"] == "5"
            assert "secret" not in answer.text
        assert client.get("/v1/model").status_code == 200


def test_a_read_that_fails_does_not_speak_of_storing(bundle: Bundle) -> None:
    settings = Settings(database_url="postgresql://leads:secret@127.0.0.1:9/none", store_timeout_s=1)
    with Client(settings, bundle, NOW) as client:
        for path in ("/v1/leads/L1", "/v1/leads", "/v1/kpis", "/v1/erasures/" + "0" * 32):
            assert client.get(path).json()["detail"] == (
                "What is stored could not be read. Send the same request again."
            )
        assert "could not be stored" in client.post("/v1/score", json=LEAD).json()["detail"]
        german = client.get("/v1/leads/L1", headers={"Accept-Language": "de"}).json()["detail"]
        assert german == "Was gespeichert ist, ließ sich nicht lesen. Senden Sie die Anfrage noch einmal."


def test_faults_of_a_request_that_stores_nothing_are_told_without_speaking_of_storing(client: Client) -> None:
    what_if = client.post("/v1/what-if", json={"fields": {"employees": "many"}})
    for answer in (client.get("/v1/leads?limit=x"), client.get("/v1/kpis?by=x"), what_if):
        assert answer.status_code == 422
        assert answer.json()["detail"] == "Every fault is listed under problems."
    assert client.post("/v1/score", json={}).json()["detail"].startswith("Nothing was stored.")


def test_before_it_is_opened_there_is_no_model() -> None:
    with pytest.raises(NotReadyError, match="not been opened"):
        _ = ModelInService(Settings()).scorer
