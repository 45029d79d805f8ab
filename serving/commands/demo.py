"""`python -m serving demo` is the last part of `make demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from features.text import Language
from serving.commands.command import Commands, add_parser
from serving.demo import demo


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_parser(commands, "demo", _run, "start the service on the demo's champion and score a lead")
    parser.add_argument(
        "--calls", type=Path, help="what a simulated CRM sent until now, taken before the service starts"
    )
    parser.add_argument("--once", action="store_true", help="stop after the lead has been scored")


def _run(parsed: argparse.Namespace, language: Language) -> int:
    return demo(language, calls=parsed.calls, once=parsed.once)
