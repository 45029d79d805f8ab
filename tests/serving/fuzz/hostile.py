"""What hostile or broken clients send: bodies, values, paths and headers, each with a name that a failure can quote."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

JSON = {"Content-Type": "application/json"}

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "minus one": -1,
    "fraction": 1.5,
    "largest float": 1.7976931348623157e308,
    "smallest float": 5e-324,
    "beyond 64 bits": 2**64,
    "400 digits": 10**308,
    "empty text": "",
    "blank": " ",
    "NUL": "a\u0000b",
    "control characters": "\u0001\u001b[2J\u007f",
    "noncharacter": "\uffff",
    "right to left": "\u202egro.elpmaxe",
    "emoji": "🦄" * 40,
    "combining": "e" + "\u0301" * 300,
    "long text": "x" * 5_000,
    "mail address": "jane@example.com",
    "year 20250": "20250-01-01",
    "year 0": "0000-01-01",
    "year 1": "0001-01-01T00:00:00+14:00",
    "year 9999": "9999-12-31T23:59:59-12:00",
    "30 February": "2026-02-30",
    "leap second": "2026-06-30T23:59:60Z",
    "future": "2999-01-01T00:00:00Z",
    "number as text": "17",
    "NaN as text": "NaN",
    "empty list": [],
    "list": [1, "a", None],
    "list of lists": [[[[]]]],
    "empty object": {},
    "object": {"$ref": "#/", "__proto__": {"a": 1}},
    "many": list(range(2_000)),
}

# As they are written, since JSON writers refuse to write them.
LITERALS: dict[str, bytes] = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "1e400": b"1e400",
    "10**400": b"1" + b"0" * 400,
    "10**5000": b"1" + b"0" * 5_000,
    "tiny": b"1e-99999",
    "long fraction": b"0." + b"1" * 10_000,
    "leading zero": b"007",
    "hex": b"0x10",
    "lone surrogate": b'"\\ud800"',
    "swapped surrogates": b'"\\udc00\\ud800"',
    "escaped NUL": b'"\\u0000"',
    "raw NUL": b'"\x00"',
    "raw newline": b'"\n"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "beyond Unicode": b'"\xf4\x90\x80\x80"',
    "comment": b"1/**/",
    "single quotes": b"'a'",
    "deep list": b"[" * 3_000 + b"]" * 3_000,
    "deep object": b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    "endless list": b"[" * 50_000,
}


def whole_bodies(valid: bytes) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Bodies that are wrong as a whole, with their headers."""
    yield from ((f"only {name}", body, JSON) for name, body in LITERALS.items())
    for name, body in {
        "nothing": b"",
        "blanks": b" \n\t ",
        "null": b"null",
        "text": b'"lead"',
        "list": b"[]",
        "list of it": b"[" + valid + b"]",
        "twice": valid + valid,
        "truncated": valid[:-1],
        "half": valid[: len(valid) // 2],
        "BOM": b"\xef\xbb\xbf" + valid,
        "UTF-16": valid.decode().encode("utf-16"),
        "UTF-32": valid.decode().encode("utf-32"),
        "Latin-1": '{"ä":"ö"}'.encode("latin-1"),
        "gzip unannounced": gzip.compress(valid),
        "zeros": b"\x00" * 1_000,
        "a long text": b'{"lead_id":"' + b"x" * 300_000 + b'"}',
        "form": b"lead_id=L1&fields=",
        "multipart": b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
        "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "YAML": b"!!python/object/apply:os.system ['true']",
        "many keys": b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(4_000)) + b"}",
        "one key many times": b"{" + b",".join([b'"lead_id":"L"'] * 2_000) + b"}",
    }.items():
        yield name, body, JSON
    for kind in (
        "",
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json; x=" + "y" * 2_000,
    ):
        yield f"content type {kind[:30]!r}", valid, {"Content-Type": kind}
    yield "gzip", gzip.compress(valid), JSON | {"Content-Encoding": "gzip"}


def changed_bodies(valid: Any) -> Iterator[tuple[str, bytes]]:
    """The valid body with each of its values in turn replaced by each hostile one, and each key left out or doubled."""
    for place in places(valid):
        at = ".".join(map(str, place))
        for name, value in VALUES.items():
            yield f"{at}: {name}", json.dumps(_replaced(valid, place, value)).encode()
        marked = json.dumps(_replaced(valid, place, "@@"))
        for name, literal in LITERALS.items():
            yield f"{at}: {name}", marked.encode().replace(b'"@@"', literal)
        if isinstance(place[-1], str):
            yield f"{at}: left out", json.dumps(_without(valid, place)).encode()
            key = json.dumps(place[-1])
            yield f"{at}: twice", marked.replace('"@@"', f"1,{key}:2").encode()
            yield f"{at}: misspelt", marked.replace(f"{key}: ", f'"\\u0000{place[-1]}": ').encode()


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a body, in objects by key and in lists to the first element."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = list(enumerate(value))[:1]
    for key, part in parts:
        yield (*before, key)
        yield from places(part, (*before, key))


PATH_PARTS = (
    "%00",
    "..",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%ff%fe",
    "%ED%A0%80",
    "%C3%BC",
    "a%20b",
    "%0d%0aX-Injected:%201",
    "%3Cscript%3E",
    "'%20OR%20'1'='1",
    "x" * 4_000,
    ";",
    "*",
    "%",
    "%zz",
    "{lead_id}",
)
QUERIES = (
    "",
    "a",
    "=",
    "&&&&",
    "limit=-1",
    "limit=99999999999999999999",
    "limit=NaN",
    "limit=1e400",
    "limit=1&limit=2",
    "cursor=%00",
    "cursor=" + "A" * 3_000,
    "from=20250-01-01",
    "from=0000-00-00",
    "from=9999-12-31T23:59:59-12:00",
    "grade=%ff",
    "grade[]=A",
    "lead_id='%20OR%201=1--",
    "format=../../etc/passwd",
    "&".join(f"p{n}={n}" for n in range(500)),
)
HEADERS: dict[str, dict[str, str]] = {
    "languages": {"Accept-Language": ",".join(f"x{n};q=0.{n}" for n in range(500))},
    "language nonsense": {"Accept-Language": "de;q=nan, en;q=inf, ;q=, *;q=-1"},
    "accept nothing": {"Accept": "image/png"},
    "accept nonsense": {"Accept": ",;=/*;q=;" * 50},
    "request id": {"X-Request-ID": "x" * 5_000},
    "etag": {"If-None-Match": 'W/"' + "x" * 2_000, "If-Match": "*, *"},
    "since": {"If-Modified-Since": "Mon, 99 Foo 20250 99:99:99 GMT"},
    "range": {"Range": "bytes=-1-9999999999999999999999"},
    "forwarded": {"X-Forwarded-For": "::1, 999.999.999.999", "X-Forwarded-Proto": "gopher", "Forwarded": "for=_x"},
    "host": {"Host": "a b{}<>"},
    "override": {"X-HTTP-Method-Override": "DELETE"},
    "origin": {"Origin": "null", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "*"},
    "empty key": {"Idempotency-Key": ""},
    "long key": {"Idempotency-Key": "k" * 5_000},
    "key with blanks": {"Idempotency-Key": "a b"},
    "no key": {"X-API-Key": ""},
    "wrong key": {"X-API-Key": "lq_" + "x" * 3_000},
    "key of blanks": {"X-API-Key": "a b"},
    "bearer nonsense": {"Authorization": "Bearer"},
    "basic": {"Authorization": "Basic dXNlcjpwYXNz"},
    "two keys": {"X-API-Key": "a", "Authorization": "Bearer b"},
    "traceparent": {"traceparent": "00-" + "0" * 64},
    "many": {f"X-H{n}": "v" for n in range(90)},
}


def _replaced(whole: Any, place: tuple[Any, ...], value: Any) -> Any:
    copied = copy.deepcopy(whole)
    _at(copied, place[:-1])[place[-1]] = value
    return copied


def _without(whole: Any, place: tuple[Any, ...]) -> Any:
    copied = copy.deepcopy(whole)
    del _at(copied, place[:-1])[place[-1]]
    return copied


def _at(whole: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        whole = whole[key]
    return whole
