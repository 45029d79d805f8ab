"""`python -m serving migrate` brings the store's tables up to date."""

from __future__ import annotations

import argparse

from features.text import Language
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "migrate", _run, "bring the store's tables up to date")


def _run(settings: Settings, _: argparse.Namespace, __: Language) -> int:
    with opened(settings) as store:
        store.migrate()
    return WORKED
