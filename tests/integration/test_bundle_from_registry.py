"""The service takes its bundle from a real MLflow registry, without holding MLflow in its own process."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named as arguments)

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from mlflow import MlflowClient

from features.errors import BundleError, OutsideError
from features.model.bundle import open_bundle
from serving.bundles import Found, find_bundle
from serving.in_service import ModelInService
from serving.registry import record_of
from serving.settings import Settings
from tests.serving.conftest import NOW, bundle_place
from tests.serving.small_model import definition, write_small_bundle
from training.judging.gates import Decision, Policy
from training.promotions import Promotion
from training.tracking.registry import Registry

ROOT = Path(__file__).parents[2]

Registered: TypeAlias = Callable[[Path, Path, str], str]


@pytest.fixture(scope="module")
def registered(migrated_database: Path) -> Registered:
    """Makes a new registry in a folder, whose version 1 is a bundle, tagged with an id if that is not empty: its URI.

    As training does it, without training: a logged model directory that holds a bundle, version 1, champion.
    """

    def made(work: Path, bundle: Path, bundle_id: str) -> str:
        uri = f"sqlite:///{shutil.copy(migrated_database, work / 'mlflow.db')}"
        shutil.copytree(bundle, work / "model" / "artifacts" / "bundle")
        (work / "model" / "MLmodel").write_text("flavors: {python_function: {loader_module: none}}\n")
        client = MlflowClient(uri, uri)
        run = client.create_run(client.create_experiment("leads", artifact_location=(work / "artifacts").as_uri()))
        client.log_artifacts(run.info.run_id, str(work / "model"), "model")
        client.create_registered_model("leads")
        tags = {"bundle_id": bundle_id} if bundle_id else {}
        client.create_model_version("leads", f"{run.info.artifact_uri}/model", run_id=run.info.run_id, tags=tags)
        client.set_registered_model_alias("leads", "champion", "1")
        client.log_metric(run.info.run_id, "log_loss", 0.25)
        return uri

    return made


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, bundle_place: Path, registered: Registered) -> str:
    return registered(tmp_path_factory.mktemp("registry"), bundle_place, open_bundle(bundle_place).bundle_id)


@pytest.fixture(autouse=True)
def _use(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_the_champion_is_fetched_opened_and_named_and_not_fetched_again(tmp_path: Path, bundle_place: Path) -> None:
    model = ModelInService(Settings(bundle="models:/leads@champion", bundle_cache=tmp_path))
    model.open(NOW)
    named = model.scorer.model_name
    assert (named["name"], named["version"]) == ("leads", "1")
    (place,) = (tmp_path / "leads").iterdir()
    manifest = place / "bundle.json"
    assert manifest.read_bytes() == (bundle_place / "bundle.json").read_bytes()
    before = manifest.stat().st_ino
    assert find_bundle("models:/leads/1", tmp_path) == Found(place, "leads", "1", named["bundle_id"])
    assert manifest.stat().st_ino == before


@pytest.mark.parametrize("tagged", [True, False], ids=["tagged", "untagged"])
def test_version_1_of_another_registry_is_not_taken_from_the_cache_of_the_first(
    tmp_path: Path, bundle_place: Path, monkeypatch: pytest.MonkeyPatch, registered: Registered, tagged: bool
) -> None:
    other = open_bundle(write_small_bundle(tmp_path / "other", definition(), seed=8))
    settings = Settings(bundle="models:/leads/1", bundle_cache=tmp_path / "cache")
    served = []
    for name, place in [("first", bundle_place), ("second", tmp_path / "other")]:
        (tmp_path / name).mkdir()
        uri = registered(tmp_path / name, place, open_bundle(place).bundle_id if tagged else "")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        model = ModelInService(settings)
        model.open(NOW)
        served.append(model.scorer.model_name["bundle_id"])
    assert served == [open_bundle(bundle_place).bundle_id, other.bundle_id]


def test_a_version_that_holds_another_bundle_than_its_registry_says_is_not_served(
    tmp_path: Path, bundle_place: Path, monkeypatch: pytest.MonkeyPatch, registered: Registered
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registered(tmp_path, bundle_place, "f" * 64))
    model = ModelInService(Settings(bundle="models:/leads/1", bundle_cache=tmp_path / "cache"))
    with pytest.raises(BundleError, match=r"is bundle f+ in the registry, but it holds bundle"):
        model.open(NOW)


def test_a_model_that_the_registry_does_not_know_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"fetching models:/leads@nobody failed: .*nobody"):
        find_bundle("models:/leads@nobody", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "source",
    ["models:/", "models:/leads", "models:/leads@", "models:/a/b", "models:/../1", "models:/..@x", "models:/./1"],
)
def test_an_address_that_names_no_model_is_refused_before_anything_starts(tmp_path: Path, source: str) -> None:
    with pytest.raises(BundleError, match="expected models:/NAME@ALIAS"):
        find_bundle(source, tmp_path)


def test_a_directory_needs_no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert find_bundle(str(tmp_path), tmp_path / "cache").place == tmp_path
    assert not (tmp_path / "cache").exists()


def test_without_mlflow_the_reason_is_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "mlflow.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", f"{hidden}{os.pathsep}{ROOT}")
    with pytest.raises(OutsideError, match="MLflow is not installed here"):
        find_bundle("models:/leads@champion", tmp_path)


def test_the_record_of_versions_and_promotions_is_read_as_training_wrote_it(registry: str) -> None:
    written = Registry(registry, "leads")
    written.record_verdict(1, Decision(True, (), Policy()), None)
    first = Promotion(
        key="a", kind="promotion", version=1, replaces=None, after=0, who="Ada", at=NOW, reason="The first"
    )
    written.append(first)
    written.append(replace(first, key="b", who="Bob"))
    record = record_of("leads")
    (version,) = record.versions
    assert (version.number, version.aliases, version.passed) == (1, ("champion",), True)
    assert version.verdict is not None
    assert version.verdict.de == "Alle erforderlichen Prüfungen sind bestanden."
    assert version.metrics["log_loss"] == 0.25
    (promotion,) = record.promotions  # the second had not seen the first: it came too late, and counts for nothing
    assert (promotion.who, promotion.version, promotion.reason) == ("Ada", 1, "The first")
    assert promotion.at == NOW


def test_a_registry_that_knows_no_such_model_is_said_in_one_line() -> None:
    with pytest.raises(OutsideError, match="reading the record of nobody failed"):
        record_of("nobody")
