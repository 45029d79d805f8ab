"""`python -m serving backup` copies an SQLite store while the service runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from features.errors import LeadQualityError
from features.text import Language, Text
from serving.commands.command import (
    FAILED,
    SETTINGS_DO_NOT_FIT,
    WORKED,
    Commands,
    add_command,
    opened,
    read_settings,
    tell,
)


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "backup", _run, "copy an SQLite store while the service runs")
    parser.add_argument("--out", type=Path, required=True, help="the copy, a file that does not exist yet")


def _run(parsed: argparse.Namespace, language: Language) -> int:
    settings = read_settings()
    if settings is None:
        return SETTINGS_DO_NOT_FIT
    try:
        with opened(settings) as store:
            store.back_up(parsed.out)
    except LeadQualityError as error:
        tell(error, language)
        return FAILED
    print(_WRITTEN.in_language(language).format(parsed.out, parsed.out.stat().st_size))
    return WORKED


_WRITTEN = Text("Wrote {} ({} bytes).", "{} geschrieben ({} Bytes).")
