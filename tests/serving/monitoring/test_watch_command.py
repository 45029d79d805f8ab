"""`python -m serving watch` says by its exit code what a scheduler needs to know; workers count together."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.model.bundle import Bundle
from serving.__main__ import main
from serving.commands.serve import _counting_together
from serving.metrics import DIRECTORY
from serving.settings import Settings
from serving.store import Store
from tests.serving.monitoring.stored_leads import Change, leads_that_came, store_leads, without

ROOT = Path(__file__).parents[3]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, sqlite_url: str, bundle_place: Path) -> str:
    settings = {"DATABASE_URL": sqlite_url, "BUNDLE": str(bundle_place), "WATCH_RAISE_AFTER": "2", "LANGUAGE": "de"}
    for name, value in settings.items():
        monkeypatch.setenv(f"LEAD_{name}", value)
    return sqlite_url


def filled(url: str, bundle: Bundle, change: Change = lambda fields, _: fields) -> None:
    store = Store(Settings(database_url=url).database_url, timeout_s=5)
    store.migrate()
    now = datetime.now(UTC) - timedelta(minutes=1)
    store_leads(store, bundle, leads_that_came(seed=51, change=change)[:500], now)
    store.close()


def test_the_exit_code_is_0_while_all_is_quiet(
    configured: str, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(configured, bundle)
    assert [main(["watch", "--once"]) for _ in range(3)] == [0, 0, 0]
    assert "14 Prüfungen, 0 ausgelöst" in capsys.readouterr().out


def test_the_exit_code_is_1_once_an_alert_is_raised(
    configured: str, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(configured, bundle, without("employees"))
    assert [main(["watch", "--once"]) for _ in range(3)] == [0, 1, 1]
    told = capsys.readouterr().out
    assert "AUSGELÖST seit" in told
    assert "Beschäftigte: Anteil ohne Angabe" in told
    assert main(["watch", "--once", "--all"]) == 1
    assert "calibration" in capsys.readouterr().out


@pytest.mark.parametrize("broken", ["BUNDLE", "DATABASE_URL", "WATCH_LEADS"])
@pytest.mark.usefixtures("configured")
def test_the_exit_code_is_2_if_it_could_not_be_evaluated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, broken: str
) -> None:
    """No bundle there, tables that nobody has made, a setting that does not fit."""
    value = {"BUNDLE": str(tmp_path / "none"), "DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "WATCH_LEADS": "1"}
    monkeypatch.setenv(f"LEAD_{broken}", value[broken])
    assert main(["watch", "--once"]) == 2
    assert capsys.readouterr().err


@pytest.mark.usefixtures("configured")
def test_without_an_interval_it_must_be_told_to_evaluate_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEAD_WATCH_EVERY_S", "0")
    assert main(["watch"]) == 2
    assert "LEAD_WATCH_EVERY_S ist 0" in capsys.readouterr().err


def counted(directory: str, code: str) -> str:
    command = [sys.executable, "-c", f"from serving.metrics import Metrics\nmetrics = Metrics()\n{code}"]
    environment = {**os.environ, DIRECTORY: directory, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_counts_of_several_workers_are_added_up_those_of_ended_ones_too() -> None:
    with _counting_together(workers=2):
        directory = os.environ[DIRECTORY]
        for _ in range(2):
            counted(directory, "metrics.answered('GET', '/readyz', 200, 0.003); metrics.committed(3, 0.01, 7)")
        told = counted(directory, "print(metrics.written_out(None, None).decode())")
        assert Path(directory).exists()
    assert 'lead_http_requests_total{method="GET",route="/readyz",status="200"} 2.0' in told
    assert "lead_store_writes_total 6.0" in told
    assert "lead_store_waiting 7" not in told  # nothing waits in a worker that has ended
    assert not Path(directory).exists()
    assert DIRECTORY not in os.environ


def test_one_worker_counts_for_itself() -> None:
    with _counting_together(workers=1):
        assert DIRECTORY not in os.environ
