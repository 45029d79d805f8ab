"""`python -m serving migrate` brings the store's tables up to date."""

from __future__ import annotations

import argparse

from features.errors import LeadQualityError
from features.text import Language
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
    add_command(commands, "migrate", _run, "bring the store's tables up to date")


def _run(_: argparse.Namespace, language: Language) -> int:
    settings = read_settings()
    if settings is None:
        return SETTINGS_DO_NOT_FIT
    try:
        with opened(settings) as store:
            store.migrate()
    except LeadQualityError as error:
        tell(error, language)
        return FAILED
    return WORKED
