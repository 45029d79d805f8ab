"""Reads an API document of any version as a program that imports it would, and calls what it describes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from jsonschema import Draft4Validator, Draft202012Validator
from jsonschema.protocols import Validator
from openapi_schema_validator import OAS30Validator

from tests.serving.client import Client

Document = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
ADDRESSES = {"3.1": "/openapi.json", "3.0": "/openapi-3.0.json", "2.0": "/swagger.json"}
VALIDATORS: dict[str, type[Validator]] = {"3.1": Draft202012Validator, "3.0": OAS30Validator, "2.0": Draft4Validator}


@dataclass(frozen=True)
class Operation:
    path: str
    method: str
    told: dict[str, Any]


def operations(document: Document) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if method in METHODS:
                yield Operation(path, method, told)


def version_of(document: Document) -> str:
    return "2.0" if "swagger" in document else document["openapi"][:3]


def schemas(document: Document) -> dict[str, Any]:
    return document["definitions"] if "swagger" in document else document["components"]["schemas"]


def nodes(value: object) -> Iterator[dict[str, Any]]:
    """Every object of a document, at any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from nodes(part)


def schema_nodes(schema: object) -> Iterator[dict[str, Any]]:
    """Every schema within a schema; names of properties are no schemas."""
    if not isinstance(schema, dict):
        return
    yield schema
    for part in schema.get("properties", {}).values():
        yield from schema_nodes(part)
    for key in ("items", "additionalProperties"):
        yield from schema_nodes(schema.get(key))


def bodies(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of an operation in 3.x, as media type and what is told of it."""
    for told in [operation.told.get("requestBody", {}), *operation.told["responses"].values()]:
        yield from told.get("content", {}).items()


def all_schemas(document: Document) -> Iterator[dict[str, Any]]:
    """Every schema of a document, wherever it stands."""
    roots = list(schemas(document).values())
    for operation in operations(document):
        roots += [told["schema"] for _, told in bodies(operation) if "schema" in told]
        roots += [told["schema"] for told in operation.told["responses"].values() if "schema" in told]
        roots += [one["schema"] for one in operation.told.get("parameters", []) if "schema" in one]
    for root in roots:
        yield from schema_nodes(root)


def complaints(document: Document, operation: Operation, answer: httpx.Response) -> list[str]:
    """What of a real answer the document did not lead to expect."""
    told = operation.told["responses"].get(str(answer.status_code))
    if told is None:
        return [f"{answer.status_code} is not documented"]
    if "swagger" in document:
        schema = told.get("schema")
    else:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if told.get("content") and kind not in told["content"]:
            return [f"{kind} is not documented for {answer.status_code}"]
        schema = told.get("content", {}).get(kind, {}).get("schema")
    if schema is None:
        return []
    whole = {**schema, **{key: document[key] for key in ("components", "definitions") if key in document}}
    validator = VALIDATORS[version_of(document)](whole)
    return [error.message for error in validator.iter_errors(answer.json())]


def example_of(operation: Operation) -> Any:
    """The body that a 3.1 document gives as an example; an empty one where it gives none."""
    content = operation.told.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    return next((example["value"] for example in content.get("examples", {}).values()), {})


def call(client: Client, operation: Operation, body: Any, **headers: str) -> httpx.Response:
    """The answer to an operation called with a body and with values of examples in its path."""
    path = re.sub(r"\{[^}]*\}", "EXAMPLE-1", operation.path)
    options = {} if body is None else {"json": body}
    return client.send(operation.method.upper(), path, headers=headers, **options)
