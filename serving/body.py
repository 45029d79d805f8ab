"""The body of a request: read with a limit in size and time, then parsed, with keys that stand in it twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import orjson
from starlette.requests import Request

from features.errors import Problem
from features.text import Text
from serving.errors import LONGEST_PLACE, ApiError
from serving.settings import Settings

MOST_NESTED = 32


async def read_body(request: Request, settings: Settings) -> bytes:
    """The request's body.

    Raises
    ------
    ApiError
        The content type is not JSON, or the body is too large or too slow.
    """
    _check_content_type(request)
    too_large = ApiError("body_too_large", detail=_at_most(settings.max_body_bytes))
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > settings.max_body_bytes:
        raise too_large
    received = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            async for chunk in request.stream():
                received += chunk
                if len(received) > settings.max_body_bytes:
                    raise too_large
    except TimeoutError as error:
        raise ApiError("body_too_slow", headers={"Connection": "close"}) from error
    return bytes(received)


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


def _check_content_type(request: Request) -> None:
    """Return if the body is plain JSON in UTF-8; parameters such as `odata.metadata` change nothing about that."""
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    named = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip().strip('"') for name, _, value in named if name.strip() == "charset"}
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type.strip() != "application/json" or charsets - {"utf-8", "utf8"} or encoding != "identity":
        raise ApiError("unsupported_media_type")


def _all_keys_once(raw: bytes, parsed: dict[str, Any]) -> bool:
    """Whether no key stands twice in one object, by counting colons: parsing keeps only the last of two equal keys.

    Every colon in the text ends a key or stands inside a string. As many of them as the parsed value has keys, and
    colons in its strings, means that nothing was dropped. An escaped colon would spoil the count, so it says no.
    """
    return raw.count(b":") == _colons(parsed, MOST_NESTED) and b"\\u003" not in raw


def _colons(value: object, levels: int) -> int:
    """The colons that a JSON text of `value` has; at most `levels` deep, which also keeps `repr` of a value safe."""
    if isinstance(value, str):
        return value.count(":")
    if not isinstance(value, (dict, list)):
        return 0
    if not levels:
        raise ApiError("malformed_json", problems=[_too_deep()])
    if isinstance(value, dict):
        return sum(1 + key.count(":") + _colons(part, levels - 1) for key, part in value.items())
    return sum(_colons(part, levels - 1) for part in value)


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


def _at_most(max_bytes: int) -> Text:
    return Text(f"At most {max_bytes} bytes in one request.", f"Höchstens {max_bytes} Bytes in einer Anfrage.")


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
