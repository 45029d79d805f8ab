"""`python -m serving` starts the service; `python -m serving --help` lists what else it does."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from features.text import reader_language
from serving.commands import (
    agreement,
    backup,
    demo,
    erased,
    history,
    keys,
    migrate,
    openapi,
    replay,
    report,
    retention,
    serve,
    shadow,
    watch,
)

COMMANDS = (
    serve,
    migrate,
    keys,
    agreement,
    watch,
    backup,
    history,
    shadow,
    retention,
    erased,
    openapi,
    replay,
    report,
    demo,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if it could not be done, 2 if an argument or a setting does not fit."""
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    given = sys.argv[1:] if arguments is None else list(arguments)
    parsed = parser.parse_args(given or ["serve"])
    code: int = parsed.run(parsed, reader_language(os.environ))
    return code


if __name__ == "__main__":
    sys.exit(main())
