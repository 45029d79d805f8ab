"""Answers that name their content: a caller that has them already is told so, and nothing is sent again."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from serving.responses import JSON

NOT_MODIFIED = 304
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an earlier answer. If it is still the answer, 304 says so without a body.",
    "schema": {"type": "string"},
}
STILL_THE_SAME: dict[int | str, dict[str, Any]] = {NOT_MODIFIED: {"description": "Still the answer with this ETag."}}


def tagged_response(request: Request, content: Any) -> Response:
    """`content` as JSON with its ETag, or 304 if the caller has it; bytes are JSON already."""
    raw = content if isinstance(content, bytes) else orjson.dumps(content)
    tag = f'"{hashlib.sha256(raw).hexdigest()[:32]}"'
    if _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=NOT_MODIFIED, headers={"ETag": tag})
    return Response(raw, media_type=JSON, headers={"ETag": tag})


def _has(if_none_match: str, tag: str) -> bool:
    """Whether the caller has the answer; a tag weakened on its way, by a proxy that compresses, counts too."""
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return tag in known or "*" in known
