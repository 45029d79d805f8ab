"""`python -m serving report`: the report for the joint meeting, as a page that prints well, and as PDF."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zoneinfo import ZoneInfo

from features.text import Language, Text
from serving.cockpit.formats import Reader
from serving.cockpit.rendering import document
from serving.cockpit.views.period import period_of
from serving.cockpit.views.report import report_view
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.in_service import ModelInService
from serving.service import utc_now
from serving.settings import Settings

FOLDER = Path(".state") / "report"
CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PRINTED_WITHIN_S = 120
WRITTEN = Text("written: {path}", "geschrieben: {path}")
NO_CHROMIUM = Text(
    "No PDF: no Chromium is installed. Open the page in a browser and print it.",
    "Kein PDF: Es ist kein Chromium installiert. Öffnen Sie die Seite in einem Browser und drucken Sie sie.",
)
NOT_PRINTED = Text("No PDF: Chromium failed: {why}", "Kein PDF: Chromium ist gescheitert: {why}")
NOT_PRINTED_CODE = 1


def add(commands: Commands) -> None:
    """Add the command `report`."""
    parser = add_command(commands, "report", _report, "write the report for the joint meeting, as HTML and PDF")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day; twelve months without it")
    parser.add_argument("--last", type=date.fromisoformat, help="last day; today without it")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder that it is written to")


def _report(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    page = parsed.out / f"report-{language}.html"
    parsed.out.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(settings, parsed, language), encoding="utf-8")
    print(WRITTEN.in_language(language).format(path=page))
    browser = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if browser is None:
        print(NO_CHROMIUM.in_language(language), file=sys.stderr)
        return WORKED
    return _printed(browser, page, language)


def _page(settings: Settings, parsed: argparse.Namespace, language: Language) -> str:
    """The report as a page that stands by itself."""
    now, model = utc_now(), ModelInService(settings)
    model.open(now)
    definition = model.scorer.bundle.definition
    reader = Reader(language, ZoneInfo(definition.read.timezone))
    period = period_of(parsed.first, parsed.last, definition, now)
    with opened(settings) as store:
        store.check()
        view = report_view(store.figures.columns(), period, model.scorer, now, reader)
    return document("report.html", reader, view=view)


def _printed(browser: str, page: Path, language: Language) -> int:
    """Have Chromium print `page`; its profile lives for as long as that takes."""
    pdf = page.with_suffix(".pdf")
    with TemporaryDirectory() as profile:
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={profile}"]
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [browser, *options, *as_root, f"--print-to-pdf={pdf.resolve()}", page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PRINTED_WITHIN_S)
    if done.returncode or not pdf.exists():
        print(NOT_PRINTED.in_language(language).format(why=done.stderr[-500:]), file=sys.stderr)
        return NOT_PRINTED_CODE
    print(WRITTEN.in_language(language).format(path=pdf))
    return WORKED
