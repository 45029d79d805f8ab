"""`python -m serving backup` copies an SQLite store while the service runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from features.text import Language, Text
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "backup", _run, "copy an SQLite store while the service runs")
    parser.add_argument("--out", type=Path, required=True, help="the copy, a file that does not exist yet")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    with opened(settings) as store:
        store.back_up(parsed.out)
    print(_WRITTEN.in_language(language).format(parsed.out, parsed.out.stat().st_size))
    return WORKED


_WRITTEN = Text("Wrote {} ({} bytes).", "{} geschrieben ({} Bytes).")
