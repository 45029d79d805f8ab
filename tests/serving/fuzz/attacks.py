"""An endless supply of requests, drawn by a seed: fitting, wrong in one place, wrong in all, and no requests at all."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.serving.fuzz.hostile import HEADERS, LITERALS, PATH_PARTS, QUERIES, VALUES, changed_bodies, whole_bodies
from tests.serving.fuzz.requests import path_of, valid_body
from tests.serving.fuzz.wire import chunked, request
from tests.serving.openapi.reading import Document, operations

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
LETTERS = string.printable + "äöüß€\u0000\u2028🦄\u202e"
MOST_LEADS = 60
LARGE_BYTES = 10_000_000


@dataclass(frozen=True)
class Attack:
    """A request as bytes; `name` says what it is, `has_one_answer` whether it is one request in HTTP's terms."""

    name: str
    raw: bytes
    has_one_answer: bool = True


class Attacks:
    """Draws attacks on the operations of a document."""

    def __init__(self, document: Document, seed: int) -> None:
        self._random = Random(seed)
        self._operations = [(each, valid_body(document, each)) for each in operations(document)]
        self._with_bodies = [(each, body) for each, body in self._operations if body is not None]
        self._score = next(body for each, body in self._with_bodies if each.path == "/v1/score")
        self._number = 0
        self._seed = seed
        self._bodies: list[tuple[str, str, bytes, dict[str, str]]] = []
        for operation, body in self._with_bodies:
            place = operation.method.upper(), path_of(operation)
            raw = json.dumps(body).encode()
            self._bodies += [(*place, changed, {}) for _, changed in changed_bodies(body)]
            self._bodies += [(*place, whole, headers) for _, whole, headers in whole_bodies(raw)]
        self._kinds: list[tuple[Callable[[], Attack], int]] = [
            (self._fitting, 20),
            (self._batch, 4),
            (self._known_to_be_wrong, 30),
            (self._drawn, 20),
            (self._bent, 14),
            (self._address, 12),
            (self._in_chunks, 4),
            (self._garbage, 4),
            (self._large, 0.02),  # type: ignore[list-item]
        ]

    def next(self) -> Attack:
        """One more."""
        kinds, weights = zip(*self._kinds, strict=True)
        return self._random.choices(kinds, weights)[0]()

    def _lead(self) -> dict[str, Any]:
        self._number += 1
        fields = {name: value for name, value in self._score["fields"].items() if self._random.random() < 0.8}
        return {"lead_id": f"F{self._seed}-{self._number}", "fields": fields}

    def _fitting(self) -> Attack:
        return Attack("a lead that fits", request("POST", "/v1/score", json.dumps(self._lead()).encode()))

    def _batch(self) -> Attack:
        leads: list[Any] = [self._lead() for _ in range(self._random.randrange(MOST_LEADS))]
        for _ in range(self._random.randrange(3)):
            leads.insert(self._random.randrange(len(leads) + 1), self._value(2))
        return Attack("a batch", request("POST", "/v1/score/batch", json.dumps({"leads": leads}).encode()))

    def _known_to_be_wrong(self) -> Attack:
        method, path, body, headers = self._random.choice(self._bodies)
        return Attack("a body known to be wrong", request(method, path, body, headers))

    def _drawn(self) -> Attack:
        """Any JSON in the form of the body, or in none."""
        operation, body = self._random.choice(self._with_bodies)
        drawn = {name: self._value(3) for name in body} if self._random.random() < 0.8 else self._value(5)
        if isinstance(drawn, dict) and isinstance(body.get("fields"), dict) and self._random.random() < 0.7:
            drawn["fields"] = {name: self._value(1) for name in body["fields"]}
        raw = json.dumps(drawn, allow_nan=True, ensure_ascii=self._random.random() < 0.5)
        encoded = raw.encode("utf-8", "surrogatepass")
        return Attack("drawn JSON", request(operation.method.upper(), path_of(operation), encoded))

    def _bent(self) -> Attack:
        """A valid body with some bytes changed, doubled or cut out."""
        operation, body = self._random.choice(self._with_bodies)
        raw = bytearray(json.dumps(body).encode())
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(raw))
            to = min(len(raw), at + self._random.randint(1, 6))
            raw[at:to] = self._random.choice(
                [b"", bytes(raw[at:to]) * 2, self._random.randbytes(2), self._random.choice([*LITERALS.values()])[:50]]
            )
            raw = raw or bytearray(b"{")
        return Attack("bent bytes", request(operation.method.upper(), path_of(operation), bytes(raw)))

    def _address(self) -> Attack:
        operation, body = self._random.choice(self._operations)
        method = operation.method.upper() if self._random.random() < 0.7 else self._random.choice(METHODS)
        path = path_of(operation, self._random.choice(PATH_PARTS))
        path += self._random.choice(["", "", "/", "//", "/" + self._random.choice(PATH_PARTS)])
        path += "?" + self._random.choice(QUERIES)
        headers = self._random.choice([*HEADERS.values()])
        raw = None if body is None or method in ("GET", "TRACE") else json.dumps(body).encode()
        return Attack("an odd address", request(method, path, raw, headers))

    def _in_chunks(self) -> Attack:
        raw = json.dumps(self._lead() if self._random.random() < 0.5 else self._value(3)).encode()
        head = request(
            "POST", "/v1/score", headers={"Transfer-Encoding": "chunked", "Content-Type": "application/json"}
        )
        return Attack("chunks", head + chunked(raw, self._random.randint(1, 200)))

    def _garbage(self) -> Attack:
        """What is no HTTP, or stops being it somewhere."""
        raw = bytearray(request("POST", "/v1/score", json.dumps(self._lead() | {"lead_id": "GARBLED"}).encode()))
        at = self._random.randrange(len(raw) - 1)
        raw[at : at + self._random.randint(0, 9)] = self._random.randbytes(self._random.randint(0, 12))
        return Attack("garbage", bytes(raw[: self._random.randint(1, len(raw))]), has_one_answer=False)

    def _large(self) -> Attack:
        raw = b'{"lead_id":"L","fields":{"a":"' + b"x" * LARGE_BYTES + b'"}}'
        return Attack("ten megabytes", request("POST", "/v1/score", raw), has_one_answer=False)

    def _value(self, depth: int) -> Any:
        """Any JSON value, no deeper than this."""
        kind = self._random.randrange(8 if depth > 0 else 6)
        if kind < 3:
            return self._random.choice([*VALUES.values()])
        if kind == 3:
            return (
                self._random.choice([1, -1]) * 10 ** self._random.randrange(320) if self._random.random() < 0.5 else 7
            )
        if kind == 4:
            return self._random.uniform(-1e6, 1e6)
        if kind == 5:
            return "".join(self._random.choices(LETTERS, k=self._random.randrange(40)))
        if kind == 6:
            return [self._value(depth - 1) for _ in range(self._random.randrange(4))]
        return {"".join(self._random.choices(LETTERS, k=3)): self._value(depth - 1) for _ in range(3)}
