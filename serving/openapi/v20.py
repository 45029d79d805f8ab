"""Swagger 2.0 for custom connectors of Power Platform (Power Automate, Power Apps, Dynamics 365)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from serving.openapi.operations import JSON, Operation, operations, schemas_of
from serving.openapi.plain import REFERENCE, PlainSchemas, Schema, in_words, shortened

LARGEST_BYTES = 1_000_000  # Power Platform takes definitions below 1 MB
DEFINITION = "#/definitions/"


def swagger_2_0(document: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The document in Swagger 2.0, with the extensions that Power Automate shows to makers of flows.

    Parameters
    ----------
    document : mapping
        The OpenAPI 3.1 document.
    address : str
        Where the service is, such as `https://leads.example.com`.
    """
    plain = PlainSchemas(document["components"]["schemas"])
    found = list(operations(document, plain))
    info, place = document["info"], urlsplit(address)
    paths: dict[str, dict[str, Any]] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    keys = _keys(document)
    return {
        "swagger": "2.0",
        "info": {key: info[key] for key in ("title", "version")} | {"description": shortened(info["description"])},
        "host": place.netloc,
        "basePath": place.path or "/",
        "schemes": [place.scheme],
        "consumes": [JSON],
        "produces": [JSON],
        "paths": paths,
        "definitions": {name: _schema(schema) for name, schema in schemas_of(found, document, plain).items()},
    } | ({"securityDefinitions": keys, "security": [{name: []} for name in keys]} if keys else {})


def size_bytes(document: Mapping[str, Any]) -> int:
    """What the document weighs as it is sent."""
    return len(json.dumps(document, ensure_ascii=False).encode())


def _keys(document: Mapping[str, Any]) -> Schema:
    """The API keys alone: 2.0 knows no bearer tokens, and the connector wizard takes one way of signing in."""
    schemes = document["components"].get("securitySchemes", {})
    return {name: scheme for name, scheme in schemes.items() if scheme["type"] == "apiKey"}


def _operation(operation: Operation) -> Schema:
    told: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": operation.tags,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {code: _answer(words, schema) for code, (words, schema) in operation.answers.items()},
    }
    if operation.body is not None:
        body = {"name": "body", "in": "body", "required": True, "schema": _schema(operation.body)}
        told["parameters"].append(body)
    if operation.needs_no_key:
        told["security"] = []
    return told | operation.extensions


def _parameter(told: Schema) -> Schema:
    """A parameter with its type beside its name: 2.0 has no `schema` there."""
    parameter = {key: value for key, value in told.items() if key != "schema"} | _schema(told["schema"])
    parameter.pop("example", None)
    if parameter["type"] == "array" and told["in"] == "query":
        parameter["collectionFormat"] = "multi"
    if told["in"] == "path":
        parameter["x-ms-url-encoding"] = "single"
    visibility = "important" if told["required"] else "advanced"
    return parameter | {"x-ms-summary": in_words(told["name"]), "x-ms-visibility": visibility}


def _answer(description: str, schema: Schema | None) -> Schema:
    return {"description": description} | ({"schema": _schema(schema)} if schema is not None else {})


def _schema(schema: Schema) -> Schema:
    """The plain schema in 2.0's words."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace(REFERENCE, DEFINITION)}
    told = {key: value for key, value in schema.items() if key not in ("title", "nullable")}
    if "title" in schema:
        told["x-ms-summary"] = schema["title"]
    if schema.get("nullable"):
        told["x-nullable"] = True
    if "items" in schema:
        told["items"] = _schema(schema["items"])
    if "additionalProperties" in schema:
        told["additionalProperties"] = _schema(schema["additionalProperties"])
    if "properties" in schema:
        required = schema.get("required", [])
        told["properties"] = {
            name: _schema(part) if "$ref" in part or name not in required else _important(_schema(part))
            for name, part in schema["properties"].items()
        }
    return told


def _important(schema: Schema) -> Schema:
    """Shown to makers of flows first."""
    return schema | {"x-ms-visibility": "important"}
