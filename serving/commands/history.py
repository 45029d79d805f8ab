"""`python -m serving history` writes what was scored, and what became of it, as a history to train on."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from features.definition import LeadDefinition, read_definition
from features.model.bundle import open_bundle
from features.text import Language, Text, whole
from serving.bundles import find_bundle
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.history import Exported, write_history
from serving.service import utc_now
from serving.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "history", _run, "write what was scored, and what became of it, to train on")
    parser.add_argument("--out", type=Path, required=True, help="the file to write: .parquet or .csv")
    parser.add_argument("--definition", type=Path, help="the agreement; without it, that of the model in service")
    parser.add_argument(
        "--with-late",
        action="store_true",
        help="take leads that were first scored after they were closed, too: if their fields knew nothing of it",
    )


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    definition = _agreement(settings, parsed.definition)
    exported = _export(settings, definition, parsed)
    for sentence in [_where(parsed.out, exported), *exported.in_words(), *_warnings(definition)]:
        print(sentence.in_language(language))
    return WORKED


def _agreement(settings: Settings, place: Path | None) -> LeadDefinition:
    if place is not None:
        return read_definition(place)
    return open_bundle(find_bundle(settings.bundle, settings.bundle_cache).place).definition


def _export(settings: Settings, definition: LeadDefinition, parsed: argparse.Namespace) -> Exported:
    shows = sys.stderr.isatty()

    def progress(n_leads: int) -> None:
        if shows:
            print(f"\r{whole(n_leads, 'en')} leads", end="", file=sys.stderr, flush=True)

    with opened(settings) as store:
        exported = write_history(
            store,
            definition,
            parsed.out,
            export_id=secrets.token_hex(16),
            now=utc_now(),
            with_late=parsed.with_late,
            progress=progress,
        )
    if shows:
        print(file=sys.stderr)
    return exported


def _where(place: Path, exported: Exported) -> Text:
    return Text(f"Export {exported.export_id} in {place}", f"Export {exported.export_id} in {place}")


def _warnings(definition: LeadDefinition) -> list[Text]:
    """What the definition says that makes training learn less from the export than is in it."""
    day = definition.read.data_end
    if day is None:
        return []
    return [
        Text(
            f"! The definition sets read.data_end = {day}: leads whose horizon ends later are not learnt from.",
            f"! Die Definition setzt read.data_end = {day}: Leads mit späterem Ende des Horizonts lernt niemand.",
        )
    ]
