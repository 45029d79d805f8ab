"""What several resources say in the same words: in the API document, parameters and bodies that are read by hand.

FastAPI would document a 422 of its own for a parameter that cannot be wrong.
"""

from __future__ import annotations

from typing import Any

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 visible ASCII characters. A request with a key that came before is answered as then.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def takes(schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """An operation with these parameters and a JSON body of this schema of the document."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"parameters": list(parameters), "requestBody": {"required": True, "content": content}}


def in_path(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A text in the path; `schema` says more about it."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
    }
