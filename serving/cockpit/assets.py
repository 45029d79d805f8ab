"""The style sheet, the script and the icon: part of the service, and kept by browsers until the next release."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from serving.auth.access import COCKPIT

STATIC: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


class Asset(NamedTuple):
    """A file as it is sent."""

    content: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by its name."""
    files = sorted(path for path in STATIC.iterdir() if path.suffix in TYPES)
    return {path.name: Asset(path.read_bytes(), TYPES[path.suffix]) for path in files}


@cache
def version() -> str:
    """What all files together are: it changes when any of them does."""
    whole = hashlib.sha256()
    for name, asset in assets().items():
        whole.update(name.encode() + b"\0" + asset.content + b"\0")
    return whole.hexdigest()[:16]


def address_of_asset(name: str) -> str:
    """Where a file is found.

    Raises
    ------
    KeyError
        If there is no such file.
    """
    _ = assets()[name]
    return f"{COCKPIT}/static/{version()}/{name}"
