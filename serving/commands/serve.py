"""`python -m serving serve` starts the service."""

from __future__ import annotations

import argparse

import uvicorn

from features.text import Language
from serving.commands.command import SETTINGS_DO_NOT_FIT, WORKED, Commands, add_command, read_settings
from serving.settings import Settings

GRACE_S = 10


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "serve", _run, "start the service (what happens without a command, too)")


def _run(_: argparse.Namespace, __: Language) -> int:
    settings = read_settings()
    if settings is None:
        return SETTINGS_DO_NOT_FIT
    _serve(settings)
    return WORKED


def _serve(settings: Settings) -> None:
    uvicorn.run(
        "serving.app:from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,  # logs.py has configured it: JSON, without paths
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
