"""`python -m serving openapi` writes an API document to a file; it needs a bundle, no running service."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from features.text import LANGUAGES, Language, Text
from serving.app import create_app
from serving.commands.command import FAILED, WORKED, Commands, add_command
from serving.in_service import ModelInService
from serving.openapi import VERSIONS, Documents
from serving.service import utc_now
from serving.settings import Settings

EXAMPLE_ADDRESS = "https://leads.example.com"

_is_address = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?").fullmatch


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "openapi", _run, "write the API document for another system to import")
    parser.add_argument("--version", choices=VERSIONS, default=VERSIONS[0], help="of OpenAPI (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="the file (default: standard output)")
    parser.add_argument("--url", type=_address, default=EXAMPLE_ADDRESS, help="the service's (default: %(default)s)")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of its texts (default: %(default)s)")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    text = json.dumps(_document(settings, parsed), ensure_ascii=False, indent=1) + "\n"
    return _write(text, parsed.out, language)


def _document(settings: Settings, parsed: argparse.Namespace) -> dict[str, object]:
    model = ModelInService(settings)
    model.open(utc_now())
    documents = Documents(create_app(settings), settings)
    return documents.get(model.scorer, parsed.version, parsed.language, parsed.url)


def _write(text: str, out: Path | None, language: Language) -> int:
    if out is None:
        sys.stdout.write(text)
        return WORKED
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        print(_NOT_WRITTEN.in_language(language).format(out, error.strerror), file=sys.stderr)
        return FAILED
    print(_WRITTEN.in_language(language).format(out, len(text.encode())))
    return WORKED


def _address(text: str) -> str:
    if not _is_address(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as {EXAMPLE_ADDRESS}")
    return text.rstrip("/")


_WRITTEN = Text("Wrote {} ({} bytes).", "{} geschrieben ({} Bytes).")
_NOT_WRITTEN = Text("Could not write {}: {}", "{} ließ sich nicht schreiben: {}")
