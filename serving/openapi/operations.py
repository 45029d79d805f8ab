"""The operations of a document that a CRM can call: one JSON value in at most, one JSON value out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.openapi.plain import PlainSchemas, Schema, shortened, used

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
METHODS = ("get", "post", "put", "patch", "delete")
PLACES = ("path", "query", "header")
LONGEST_SUMMARY = 80
LONGEST_ID = 80


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation in plain terms; a body or an answer of None has no content."""

    path: str
    method: str
    name: str
    summary: str
    description: str
    tags: list[str]
    parameters: list[Schema]
    body: Schema | None
    body_example: Any
    answers: dict[str, tuple[str, Schema | None]]
    needs_no_key: bool
    extensions: Schema = field(default_factory=dict)


def operations(document: Mapping[str, Any], plain: PlainSchemas) -> Iterator[Operation]:
    """The operations of a 3.1 document, with plain schemas; those that answer with anything but JSON are left out."""
    taken: set[str] = set()
    for path, methods in document["paths"].items():
        for method in METHODS:
            told = methods.get(method)
            if told is not None and _speaks_json(told):
                name = _identifier(told.get("operationId") or f"{method}{path}", taken)
                parameters = [*methods.get("parameters", []), *told.get("parameters", [])]
                yield _operation((path, method, name), {**told, "parameters": parameters}, plain)


def schemas_of(found: list[Operation], document: Mapping[str, Any], plain: PlainSchemas) -> dict[str, Schema]:
    """The components that the operations need, and no others, in the document's order."""
    pending = [name for each in found for name in used([each.body, [told for _, told in each.answers.values()]])]
    needed: dict[str, Schema] = {}
    while pending:
        name = pending.pop()
        if name not in needed:
            needed[name] = plain.component(name)
            pending += used(needed[name])
    return {name: needed[name] for name in document["components"]["schemas"] if name in needed}


def _operation(place: tuple[str, str, str], told: Mapping[str, Any], plain: PlainSchemas) -> Operation:
    path, method, name = place
    content = told.get("requestBody", {}).get("content", {}).get(JSON) if method != "get" else None
    return Operation(
        path=path,
        method=method,
        name=name,
        summary=told.get("summary", name).rstrip(".")[:LONGEST_SUMMARY],
        description=shortened(told.get("description") or told.get("summary", name)),
        tags=list(told.get("tags", [])),
        parameters=[_parameter(one, plain) for one in told["parameters"] if one["in"] in PLACES],
        body=plain.of(content["schema"]) if content else None,
        body_example=next((one["value"] for one in content.get("examples", {}).values()), None) if content else None,
        answers={_code(code): _answer(about, plain) for code, about in told["responses"].items()},
        needs_no_key=told.get("security") == [],
        extensions={key: value for key, value in told.items() if key.startswith("x-ms-")},
    )


def _speaks_json(told: Mapping[str, Any]) -> bool:
    bodies = [about.get("content", {}) for code, about in told["responses"].items() if code.startswith("2")]
    bodies.append(told.get("requestBody", {}).get("content", {}))
    return all(not content or JSON in content for content in bodies)


def _parameter(told: Schema, plain: PlainSchemas) -> Schema:
    parameter = {"name": told["name"], "in": told["in"], "required": told["in"] == "path" or bool(told.get("required"))}
    if told.get("description"):
        parameter["description"] = shortened(told["description"])
    schema = plain.of(told.get("schema"))
    schema.pop("title", None)
    return parameter | {"schema": schema if "type" in schema else {"type": "string"}}


def _answer(about: Mapping[str, Any], plain: PlainSchemas) -> tuple[str, Schema | None]:
    content = about.get("content", {})
    schema = (content.get(JSON) or content.get(PROBLEM_JSON) or {}).get("schema")
    return shortened(about.get("description", "")), None if schema is None else plain.of(schema)


def _code(code: str) -> str:
    """A status, or `default` for a range of them, which 2.0 does not have."""
    return code if re.fullmatch("[1-5][0-9][0-9]", code) else "default"


def _identifier(name: str, taken: set[str]) -> str:
    """`name` with letters, digits and underscores only, starting with a letter, unlike any that is taken."""
    plain = re.sub("[^A-Za-z0-9]+", "_", name).strip("_")[:LONGEST_ID].rstrip("_")
    plain = plain if plain[:1].isalpha() else f"call_{plain}"
    unique, number = plain, 2
    while unique.lower() in taken:  # Apex knows no difference between upper and lower case
        unique, number = f"{plain}_{number}", number + 1
    taken.add(unique.lower())
    return unique
