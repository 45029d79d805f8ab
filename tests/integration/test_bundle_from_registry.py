"""The service takes its bundle from a real MLflow registry, without holding MLflow in its own process."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named as arguments)

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from features.errors import BundleError, OutsideError
from serving.bundles import Found, ModelInService, find_bundle
from serving.settings import Settings
from tests.serving.conftest import NOW, bundle_place

ROOT = Path(__file__).parents[2]

# What training does with MLflow, without training: a logged model directory that holds a bundle, version 1, champion.
REGISTER = """
import sys
from pathlib import Path
from shutil import copytree
import mlflow
bundle, work = Path(sys.argv[1]), Path(sys.argv[2])
copytree(bundle, work / "model" / "artifacts" / "bundle")
(work / "model" / "MLmodel").write_text("flavors: {python_function: {loader_module: none}}\\n")
client = mlflow.MlflowClient()
experiment = client.create_experiment("leads", artifact_location=(work / "artifacts").as_uri())
run = client.create_run(experiment)
client.log_artifacts(run.info.run_id, str(work / "model"), "model")
client.create_registered_model("leads")
client.create_model_version("leads", source=f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
client.set_registered_model_alias("leads", "champion", "1")
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, bundle_place: Path) -> str:
    work = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{work / 'mlflow.db'}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-c", REGISTER, str(bundle_place), str(work)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return uri


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
    manifest = tmp_path / "leads" / "1" / "bundle.json"
    assert manifest.read_bytes() == (bundle_place / "bundle.json").read_bytes()
    assert [place.name for place in (tmp_path / "leads").iterdir()] == ["1"]
    before = manifest.stat().st_ino
    assert find_bundle("models:/leads/1", tmp_path) == Found(tmp_path / "leads" / "1", "leads", "1")
    assert manifest.stat().st_ino == before


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
