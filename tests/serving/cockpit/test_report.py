"""The report as a file: it stands by itself, in the reader's language, and Chromium prints it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from serving.__main__ import main
from serving.commands.report import CHROMIUMS
from serving.settings import Settings
from serving.store import Store
from tests.serving.kpis.histories import keep, random_rows

DAYS = ["--from", "2025-02-01", "--last", "2026-02-03"]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, sqlite_url: str, bundle_place: Path) -> pytest.MonkeyPatch:
    """The environment of somebody who writes the report of a filled store."""
    store = Store(Settings(database_url=sqlite_url).database_url)
    store.migrate()
    keep(sqlite_url, random_rows(300, seed=4))
    store.close()
    monkeypatch.setenv("LEAD_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("LEAD_BUNDLE", str(bundle_place))
    monkeypatch.setenv("LEAD_LANGUAGE", "en")
    return monkeypatch


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Lead quality: report for the meeting"), ("de", "Lead-Qualität: Bericht für die Sitzung")],
)
def test_the_report_stands_by_itself_in_the_language_of_the_environment(
    settings: pytest.MonkeyPatch, tmp_path: Path, language: str, title: str
) -> None:
    settings.setenv("LEAD_LANGUAGE", language)
    settings.setenv("PATH", str(tmp_path))  # without Chromium: then there is only the page
    assert main(["report", "--out", str(tmp_path / "out"), *DAYS]) == 0
    page = (tmp_path / "out" / f"report-{language}.html").read_text(encoding="utf-8")
    assert f"<h1>{title}</h1>" in page
    assert not re.search(r"""(href|src)=["'](?!#)""", page), "nothing is fetched, no link leads nowhere"
    assert re.search(r"300|29\d", page)
    assert not (tmp_path / "out" / f"report-{language}.pdf").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_chromium_prints_the_report(tmp_path: Path) -> None:
    if not any(map(shutil.which, CHROMIUMS)):
        pytest.skip("no Chromium is installed")
    assert main(["report", "--out", str(tmp_path), *DAYS]) == 0
    assert (tmp_path / "report-en.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.usefixtures("settings")
def test_days_that_are_no_period_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--out", str(tmp_path), "--from", "2026-02-01", "--last", "2026-01-01"]) == 1
    assert "2026-02-01" in capsys.readouterr().err
    assert list(tmp_path.glob("*.html")) == []
