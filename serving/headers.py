"""Headers that every answer carries: what browsers must not do with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from starlette.types import Scope

from serving.settings import Settings

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

CONTENT_SECURITY_POLICY: Final = b"content-security-policy"
NOTHING_AT_ALL: Final = (CONTENT_SECURITY_POLICY, b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
ALWAYS: Final[Headers] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
DEMO: Final = (b"x-lead-demo", b"open")


def standing_headers(settings: Settings) -> Headers:
    """What every answer of this service carries."""
    headers = ALWAYS
    if settings.hsts_s:
        headers += ((b"strict-transport-security", f"max-age={settings.hsts_s}".encode()),)
    if settings.demo:
        headers += (DEMO,)
    return headers


def header(scope: Scope, name: bytes) -> str:
    """The first header of a request with this name, in lower case; empty if there is none."""
    for each, value in scope["headers"]:
        if each == name:
            return str(value, "latin-1")
    return ""


def added_to(sent: Iterable[tuple[bytes, bytes]], standing: Headers) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with the standing ones; a page that brings one of these itself keeps its own."""
    headers = list(sent)
    own = {name for name, _ in headers}
    headers += [header for header in standing if header[0] not in own]
    if CONTENT_SECURITY_POLICY not in own:
        headers.append(NOTHING_AT_ALL)
    return headers
