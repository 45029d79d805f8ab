"""What the commands share: how one is added, how settings and errors are told, how the store is opened."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from pydantic import ValidationError

from features.errors import LeadQualityError
from features.text import Language
from serving.settings import Settings
from serving.settings_faults import faults_of
from serving.store import Store

WORKED = 0
FAILED = 1
SETTINGS_DO_NOT_FIT = 2

Run: TypeAlias = Callable[[argparse.Namespace, Language], int]
Work: TypeAlias = Callable[[Settings, argparse.Namespace, Language], int]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(
    commands: Commands, name: str, work: Work, about: str, *, failed: int = FAILED
) -> argparse.ArgumentParser:
    """A new parser under `name`; what it parses is given to `work` with the settings of the environment.

    Settings that do not fit, and errors of ours, are told and become an exit code here; else it is what `work` returns.

    Parameters
    ----------
    failed : int
        The exit code after an error of ours.
    """

    def run(parsed: argparse.Namespace, language: Language) -> int:
        settings = _read_settings(language)
        if settings is None:
            return SETTINGS_DO_NOT_FIT
        try:
            return work(settings, parsed, language)
        except LeadQualityError as error:
            print(error.in_language(language), file=sys.stderr)
            return failed

    return add_parser(commands, name, run, about)


def add_parser(commands: Commands, name: str, run: Run, about: str) -> argparse.ArgumentParser:
    """A new parser under `name`; what it parses is given to `run`, which returns the exit code."""
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def _read_settings(language: Language) -> Settings | None:
    """The settings of the environment; None, with every fault told, if one does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in faults_of(error):
            print(fault.in_language(language), file=sys.stderr)
        return None


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store that the settings name, closed at the end."""
    store = Store(settings.database_url, timeout_s=settings.store_timeout_s)
    try:
        yield store
    finally:
        store.close()
