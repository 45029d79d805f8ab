"""The body of a request: read with a limit in size and time, then parsed, with keys that stand in it twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from features.errors import Problem
from features.text import Text
from serving.errors import LONGEST_PLACE, ApiError
from serving.headers import header
from serving.settings import Settings

MOST_NESTED = 32


async def read_body(request: Request, settings: Settings) -> bytes:
    """The request's body.

    Raises
    ------
    ApiError
        The content type is not JSON, or the body is too large or too slow.
    """
    if not _is_plain_json(header(request.scope, b"content-type"), header(request.scope, b"content-encoding")):
        raise ApiError("unsupported_media_type")
    announced = header(request.scope, b"content-length")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > settings.max_body_bytes:
        raise _too_large(settings.max_body_bytes)
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return await _received(request.receive, settings.max_body_bytes)
    except TimeoutError as error:
        raise ApiError("body_too_slow", headers={"Connection": "close"}) from error


async def _received(receive: Receive, max_bytes: int) -> bytes:
    """All pieces of the body; nearly always there is one, and it is there."""
    pieces: list[bytes] = []
    n_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        n_bytes += len(pieces[-1])
        if n_bytes > max_bytes:
            raise _too_large(max_bytes)
        more = message.get("more_body", False)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parse_body(raw: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """The JSON object in `raw`, and a problem for each key that stands twice in an object.

    Raises
    ------
    ApiError
        It is not JSON (NaN and Infinity are not), not in UTF-8, not an object, or nested deeper than any request.
    """
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        place = Text(f"Line {error.lineno}, column {error.colno}.", f"Zeile {error.lineno}, Spalte {error.colno}.")
        raise ApiError("malformed_json", detail=place, problems=[_malformed(error)]) from error
    if not isinstance(parsed, dict):
        raise ApiError("malformed_json", problems=[_not_an_object(parsed)])
    return parsed, [] if _all_keys_once(raw, parsed) else list(_repeated_keys(raw))


@lru_cache(maxsize=64)  # callers do not change theirs
def _is_plain_json(content_type: str, encoding: str) -> bool:
    """Whether the body is plain JSON in UTF-8; parameters such as `odata.metadata` change nothing about that."""
    media_type, *parameters = content_type.lower().split(";")
    named = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip().strip('"') for name, _, value in named if name.strip() == "charset"}
    is_plain = encoding.strip().lower() in ("", "identity")
    return media_type.strip() == "application/json" and not charsets - {"utf-8", "utf8"} and is_plain


def _all_keys_once(raw: bytes, parsed: dict[str, Any]) -> bool:
    """Whether no key stands twice in one object, by counting colons: parsing keeps only the last of two equal keys.

    Every colon in the text ends a key or stands inside a string. As many of them as the parsed value has keys, and
    colons in its strings, means that nothing was dropped. An escaped colon would spoil the count, so it says no.
    """
    return raw.count(b":") == _colons(parsed, MOST_NESTED) and b"\\u003" not in raw


def _colons(value: dict[str, Any] | list[Any], levels: int) -> int:
    """The colons that a JSON text of `value` has; at most `levels` deep, which also keeps `repr` of a value safe."""
    if not levels:
        raise ApiError("malformed_json", problems=[_too_deep()])
    is_object = isinstance(value, dict)
    n_colons = len(value) + "".join(value).count(":") if is_object else 0
    for part in value.values() if isinstance(value, dict) else value:
        kind = part.__class__
        if kind is str:
            n_colons += part.count(":")
        elif kind is dict or kind is list:
            n_colons += _colons(part, levels - 1)
    return n_colons


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys came more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.repeated = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


def _repeated_keys(raw: bytes) -> Iterator[Problem]:
    """A problem for each key that stands more than once in one object."""
    pending: list[tuple[str, Any]] = [("", json.loads(raw, object_pairs_hook=_Object))]
    while pending:
        place, value = pending.pop()
        if isinstance(value, _Object):
            for key in dict.fromkeys(value.repeated):
                yield _repeated(f"{place}{key}")
            pending += [(f"{place}{key}."[-LONGEST_PLACE:], part) for key, part in value.items()]
        elif isinstance(value, list):
            pending += [(f"{place.removesuffix('.')}[{index}].", part) for index, part in enumerate(value)]


def _repeated(place: str) -> Problem:
    return Problem(
        where=place,
        what=Text("this key stands more than once", "dieser Schlüssel steht mehrmals da"),
        expected=Text("each key once", "jeder Schlüssel einmal"),
        code="repeated_key",
    )


def _too_large(max_bytes: int) -> ApiError:
    at_most = Text(f"At most {max_bytes} bytes in one request.", f"Höchstens {max_bytes} Bytes in einer Anfrage.")
    return ApiError("body_too_large", detail=at_most)


def _malformed(error: orjson.JSONDecodeError) -> Problem:
    return Problem(
        where=f"body line {error.lineno} column {error.colno}",
        what=Text("this is not valid JSON", "das ist kein gültiges JSON"),
        expected=Text(
            "JSON in UTF-8, without NaN or Infinity, and the whole of it",
            "JSON in UTF-8, ohne NaN oder Infinity, und vollständig",
        ),
        seen=error.msg,
        code="malformed_json",
    )


def _not_an_object(parsed: object) -> Problem:
    kinds = {list: "[…]", str: '"…"', bool: "true / false", type(None): "null"}
    return Problem(
        where="body",
        what=Text("the body is not a JSON object", "der Body ist kein JSON-Objekt"),
        expected=Text("a JSON object: {…}", "ein JSON-Objekt: {…}"),
        seen=kinds.get(type(parsed), "a number"),
        code="not_an_object",
    )


def _too_deep() -> Problem:
    return Problem(
        where="body",
        what=Text("the body is nested too deeply", "der Body ist zu tief verschachtelt"),
        expected=Text(f"at most {MOST_NESTED} levels", f"höchstens {MOST_NESTED} Ebenen"),
        code="too_deep",
    )
