"""What the pages tell people to run, run as they stand there, on a registry as training leaves it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from features.text import LANGUAGES
from serving.demo import LEAD
from tests.conftest import SmallModel
from tests.integration.test_service_process import NO_TLS
from tests.serving.postgres import free_port

ROOT = Path(__file__).parents[2]
LONGEST_START_S = 180
languages = pytest.mark.parametrize("language", LANGUAGES)

REGISTER = """
import sys
from pathlib import Path
from training.tracking import Tracking
tracking = Tracking("sqlite:///.state/mlflow.db", "lead-quality", "demo", artifacts=Path(".state/mlartifacts"))
with tracking.run("train") as run:
    version = run.bundle(Path(sys.argv[1]))
tracking.registry.set_alias("champion", version)
"""


def environment(**settings: str) -> dict[str, str]:
    """As in a terminal outside make: nothing says where MLflow is."""
    foreign = ("LEAD_", "MLFLOW_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**inherited, "PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", **settings}


def run(arguments: list[str], place: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=place, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, small_model: SmallModel, migrated_database: Path) -> Path:
    """A folder as training leaves it: `demo` is registered in `.state`, and version 1 is its champion."""
    place = tmp_path_factory.mktemp("checkout")
    (place / ".state").mkdir()
    shutil.copy(migrated_database, place / ".state" / "mlflow.db")
    run(["-c", REGISTER, str(small_model.bundle)], place)
    return place


@languages
def test_the_snippet_for_mlflow_scores_whole_numbers_and_booleans(checkout: Path, language: str) -> None:
    page = (ROOT / "docs" / language / "data-scientist.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(import mlflow\n.*?)```", page, re.DOTALL)
    told = run(["-c", f"{snippet}\nprint(scored['probability'].between(0, 1).tolist())"], checkout)
    assert told.splitlines()[-1] == "[True, True]"


@contextmanager
def started(command: list[str], place: Path, settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A command that serves, ready to be asked, and its address."""
    address = f"http://127.0.0.1:{settings['LEAD_PORT']}"
    process = subprocess.Popen(command, cwd=place, env=environment(**settings))
    try:
        until = time.monotonic() + LONGEST_START_S
        while not is_ready(address):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        yield process, address
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", verify=NO_TLS).status_code == 200
    except httpx.TransportError:
        return False


@languages
def test_the_command_that_starts_the_service_without_make_serves_the_champion(checkout: Path, language: str) -> None:
    page = (ROOT / "docs" / language / "service.md").read_text(encoding="utf-8")
    words = shlex.split(re.findall(r"^.* -m serving$", page, re.MULTILINE)[0])
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    assert [word for word in words if "=" not in word] == [".venv/bin/python", "-m", "serving"]
    making_a_key = shlex.split(re.findall(r"^.* -m serving keys create [^#\n]*", page, re.MULTILINE)[0])
    assert making_a_key[0] == ".venv/bin/python"
    key = run(making_a_key[1:], checkout)
    with started([sys.executable, "-m", "serving"], checkout, {**settings, "LEAD_PORT": str(free_port())}) as served:
        answer = httpx.get(f"{served[1]}/v1/model", headers={"X-API-Key": key}, verify=NO_TLS)
        assert answer.json()["model"]["name"] == "demo"


def child_of(process: subprocess.Popen[bytes]) -> int:
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def wait_until_scored(address: str) -> None:
    """The demo goes on to wait for its service once its lead was answered and told."""
    until = time.monotonic() + LONGEST_START_S
    while httpx.get(f"{address}/v1/leads/{LEAD['lead_id']}", verify=NO_TLS).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(1)


@pytest.mark.parametrize(("how", "code"), [("the service is killed", 128 + signal.SIGKILL), ("Ctrl-C", 0)])
def test_the_demo_ends_with_the_services_exit_code_and_with_0_after_ctrl_c(checkout: Path, how: str, code: int) -> None:
    settings = {"LEAD_PORT": str(free_port()), "LEAD_DATABASE_URL": f"sqlite:///.state/{code}.db"}
    with started([sys.executable, "-m", "serving", "demo"], checkout, settings) as (demo, address):
        wait_until_scored(address)
        if how == "Ctrl-C":
            demo.send_signal(signal.SIGINT)
        else:
            os.kill(child_of(demo), signal.SIGKILL)
        assert demo.wait(60) == code
