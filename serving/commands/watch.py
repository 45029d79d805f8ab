"""`python -m serving watch` evaluates, prints what it found, and says by its exit code whether an alert is raised."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

from features.text import Language, Text
from serving.commands.command import Commands, add_command, opened
from serving.in_service import ModelInService
from serving.monitoring.table import alert_table
from serving.monitoring.watch import Alert, evaluate
from serving.service import utc_now
from serving.settings import Settings
from serving.store import Store
from serving.watcher import watch_settings

QUIET: Final = 0
RAISED: Final = 1
NOT_EVALUATED: Final = 2
NO_INTERVAL = Text(
    "LEAD_WATCH_EVERY_S is 0: say --once, or how often to evaluate",
    "LEAD_WATCH_EVERY_S ist 0: --once angeben, oder wie oft ausgewertet werden soll",
)


def add(commands: Commands) -> None:
    """Add the command."""
    about = "evaluate drift, gaps, volume and calibration; exits with 1 if an alert is raised, 2 if it could not tell"
    parser = add_command(commands, "watch", _run, about, failed=NOT_EVALUATED)
    parser.add_argument("--once", action="store_true", help="evaluate once instead of every LEAD_WATCH_EVERY_S seconds")
    parser.add_argument("--all", action="store_true", help="list every check, not only what was found")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    if not parsed.once and not settings.watch_every_s:
        print(NO_INTERVAL.in_language(language), file=sys.stderr)
        return NOT_EVALUATED
    with opened(settings) as store:
        return _watch(settings, store, language, once=parsed.once, everything=parsed.all)


def _watch(settings: Settings, store: Store, language: Language, *, once: bool, everything: bool) -> int:
    store.check()
    model = ModelInService(settings)
    while True:
        model.renew(utc_now())  # another model may have come meanwhile
        bundle = model.scorer.bundle
        alerts = evaluate(bundle, store.watching, watch_settings(settings), utc_now())
        print(alert_table(alerts, bundle.definition, language, everything=everything), flush=True)
        if once or not _waited(settings.watch_every_s):
            return _code(alerts)


def _waited(seconds: float) -> bool:
    """Whether the time passed; False if somebody stopped it."""
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        return False
    return True


def _code(alerts: list[Alert]) -> int:
    return RAISED if any(alert.state.raised for alert in alerts) else QUIET
