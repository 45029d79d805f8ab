"""Valid requests made from the API document, for routes that exist and for routes to come."""

from __future__ import annotations

import re
from typing import Any

from tests.serving.openapi.reading import Document, Operation, example_of, schemas

A_VALUE = {"string": "A-1", "integer": 1, "number": 1.0, "boolean": True}
MOMENTS = {"date-time": "2026-01-31T09:30:00Z", "date": "2026-01-31"}
LONGEST_CHAIN = 6


def valid_body(document: Document, operation: Operation) -> Any:
    """The document's example of a body, or a body made from its schema; None if the operation takes none."""
    content = operation.told.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    return example_of(operation) or made_from(content["schema"], document)


def made_from(schema: Any, document: Document, depth: int = 0) -> Any:
    """The simplest value that fits a schema: every property of an object, one element of a list."""
    schema = _resolved(schema, document)
    if listed := [*schema.get("examples", []), *schema.get("enum", [])]:
        return listed[0]
    if "properties" in schema or schema.get("type") == "object":
        parts = schema.get("properties", {}) if depth < LONGEST_CHAIN else {}
        return {name: made_from(part, document, depth + 1) for name, part in parts.items()}
    if schema.get("type") == "array":
        return [made_from(schema.get("items", {}), document, depth + 1)]
    return MOMENTS.get(schema.get("format", "")) or A_VALUE.get(schema.get("type", "string"), "A-1")


def _resolved(schema: Any, document: Document) -> Any:
    """The schema that a reference leads to, or the first branch of a union."""
    if "$ref" in schema:
        return _resolved(schemas(document)[schema["$ref"].rpartition("/")[2]], document)
    branches = [branch for union in ("anyOf", "oneOf", "allOf") for branch in schema.get(union, [])]
    return _resolved(branches[0], document) if branches else schema


def path_of(operation: Operation, value: str = "EXAMPLE-1") -> str:
    """The operation's path with `value` for its first parameter, and plain values for the others."""
    first = re.sub(r"\{[^}]*\}", lambda _: value, operation.path, count=1)
    return re.sub(r"\{[^}]*\}", "1", first)
