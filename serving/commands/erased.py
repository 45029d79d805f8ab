"""`python -m serving erased` lists the erased leads, by hash, for training."""

from __future__ import annotations

import argparse
from pathlib import Path

from features.erased import write_erased
from features.text import Language, Text, whole
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.settings import Settings

WRITTEN = Text(en="{n} erased leads, by hash: {out}", de="{n} gelöschte Leads, als Hash: {out}")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "erased", _run, "write the hashes of erased leads, which training leaves out")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where they are written, one a line")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    with opened(settings) as store:
        store.check()
        n_leads = write_erased(parsed.out, store.erasures.hashes())
    print(WRITTEN.in_language(language).format(n=whole(n_leads, language), out=parsed.out))
    return WORKED
