"""OpenAPI 3.0 for Salesforce External Services, and for every generator that does not read 3.1 yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.openapi.operations import JSON, Operation, operations, schemas_of
from serving.openapi.plain import PlainSchemas, Schema, shortened


def openapi_3_0(document: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The document in OpenAPI 3.0.

    Every body is `application/json`: any other type, even of an error, makes External Services refuse the whole
    document. It sends `Accept: application/json`, and errors then come under that type.

    Parameters
    ----------
    document : mapping
        The OpenAPI 3.1 document.
    address : str
        Where the service is, such as `https://leads.example.com`.
    """
    plain = PlainSchemas(document["components"]["schemas"])
    found = list(operations(document, plain))
    info = document["info"]
    paths: dict[str, dict[str, Any]] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    components: dict[str, Any] = {"schemas": schemas_of(found, document, plain)}
    if schemes := document["components"].get("securitySchemes"):
        components["securitySchemes"] = schemes
    return {
        "openapi": "3.0.3",
        "info": {key: info[key] for key in ("title", "version")} | {"description": shortened(info["description"])},
        "servers": [{"url": address}],
        "paths": paths,
        "components": components,
    } | ({"security": document["security"]} if document.get("security") else {})


def _operation(operation: Operation) -> Schema:
    told: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": operation.tags,
        "responses": {code: _answer(words, schema) for code, (words, schema) in operation.answers.items()},
    }
    if operation.parameters:
        told["parameters"] = operation.parameters
    if operation.body is not None:
        content: Schema = {"schema": operation.body}
        if operation.body_example is not None:
            content["example"] = operation.body_example
        told["requestBody"] = {"required": True, "content": {JSON: content}}
    if operation.needs_no_key:
        told["security"] = []
    return told


def _answer(description: str, schema: Schema | None) -> Schema:
    return {"description": description} | ({"content": {JSON: {"schema": schema}}} if schema is not None else {})
