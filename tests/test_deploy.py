"""What is given to run the service elsewhere: it lints clean and names only what exists.

No container engine runs on the machines that test this, so no image is built here; what the image would hold is tried.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.settings import Settings
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "lead-quality.service").read_text()
STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
HEAVY = ("lightgbm", "sklearn", "pandas", "scipy", "pyarrow", "mlflow", "training")


def stage(name: str) -> str:
    return re.split(rf"^FROM \S+ AS {name}$", DOCKERFILE, flags=re.MULTILINE)[1].split("\nFROM ")[0]


def test_the_dockerfile_lints_clean() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint has no build for this machine")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_images_copy_what_exists_and_install_with_hashes() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    assert {"features", "serving", "training"} <= set(sources)
    assert all((ROOT / source).exists() for source in sources)
    assert DOCKERFILE.count("pip install") == DOCKERFILE.count("--require-hashes") == 2


def test_no_image_runs_as_root() -> None:
    for name in ("service", "training"):
        assert re.search(r"^USER [1-9]\d+$", stage(name), re.MULTILINE)


def test_what_the_service_image_holds_is_enough_to_import_the_service(tmp_path: Path) -> None:
    for package in re.findall(r"^COPY (\w+) \1$", stage("service"), re.MULTILINE):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    without = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r})); import serving.app, serving.__main__"
    environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", without], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_compose_builds_stages_that_exist_and_waits_for_services_that_exist() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        assert service.get("build", {}).get("target", "service") in STAGES
        assert set(service.get("depends_on", {})) <= set(services) - {name}
        for needed, condition in service.get("depends_on", {}).items():
            healthy = condition["condition"] == "service_healthy"
            assert ("healthcheck" in services[needed]) >= healthy
        named = {volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith(".")}
        assert named <= set(COMPOSE["volumes"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_compose_sets_only_settings_that_exist_and_no_password_has_a_default() -> None:
    known = {f"LEAD_{name.upper()}" for name in Settings.model_fields} | {"MLFLOW_TRACKING_URI"}
    for name in ("migrate", "service"):
        assert set(COMPOSE["services"][name]["environment"]) <= known
    text = (DEPLOY / "compose.yaml").read_text()
    assert text.count("POSTGRES_PASSWORD") == text.count("POSTGRES_PASSWORD:?") + 1  # the name of the setting itself
    assert re.search(r"^POSTGRES_PASSWORD=$", (DEPLOY / "env.example").read_text(), re.MULTILINE)


def test_compose_opens_ports_only_on_this_host() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", sorted(place.name for place in DEPLOY.glob("*.service")))
def test_the_systemd_units_are_valid(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        (tmp_path / unit.name).write_text(
            unit.read_text().replace("/opt/lead-quality/.venv/bin/python", sys.executable)
        )
    timers = [place for place in tmp_path.glob("*.timer") if place.stem == Path(name).stem]
    command = ["systemd-analyze", "verify", tmp_path / name, *timers]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "lead-quality" not in done.stderr, done.stderr


def test_the_systemd_unit_does_not_start_again_what_starting_again_does_not_help() -> None:
    from serving.commands.command import SETTINGS_DO_NOT_FIT

    assert f"RestartPreventExitStatus={SETTINGS_DO_NOT_FIT}" in UNIT
