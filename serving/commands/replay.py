"""`python -m serving replay` takes the calls of a simulated CRM as they would have been at their time."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from features.text import Language, Text, whole
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.in_service import ModelInService
from serving.replay import Replayed, replay
from serving.service import utc_now
from serving.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    about = "fill the store with what a simulated CRM sent, for the demo; only for a model of simulated leads"
    parser = add_command(commands, "replay", _run, about)
    parser.add_argument("calls", type=Path, help="what `python -m training calls` wrote")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    model = ModelInService(settings)
    model.open(utc_now())
    with opened(settings) as store:
        if store.migrates_itself:
            store.migrate()
        done = replay(parsed.calls, model.scorer, store, _shown if sys.stderr.isatty() else _quiet)
    print(_said(done).in_language(language), flush=True)
    return WORKED


def _shown(day: date) -> None:
    print(f"\r{day}", end="", file=sys.stderr, flush=True)


def _quiet(_: date) -> None:
    """Nobody watches."""


def _said(done: Replayed) -> Text:
    numbers = (done.scores, done.verdicts, done.outcomes, done.refused)
    return Text(
        "Simulated calls taken: {} scores, {} verdicts, {} outcomes; {} refused, most of them verdicts on leads that "
        "were not handed over".format(*(whole(number, "en") for number in numbers)),
        "Simulierte Aufrufe verarbeitet: {} Bewertungen, {} Urteile, {} Ergebnisse; {} abgelehnt, meist Urteile über "
        "Leads, die nicht übergeben wurden".format(*(whole(number, "de") for number in numbers)),
    )
