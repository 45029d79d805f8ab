"""Answers as ready bytes, and errors as problem details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from features.errors import LeadQualityError
from features.text import Language
from serving.auth.access import is_page
from serving.errors import KINDS, PROBLEM_JSON, ApiError, api_error, body
from serving.logs import log
from serving.service import Service

JSON = "application/json"
READS_PROBLEMS = frozenset((PROBLEM_JSON, "application/*", "*/*"))
READING = ("GET", "HEAD")
STORING_NOTHING = ("/v1/what-if",)
BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def json_response(content: Any) -> Response:
    """`content` as JSON; bytes are JSON already."""
    return Response(content if isinstance(content, bytes) else orjson.dumps(content), media_type=JSON)


def problem_headers(error: ApiError, language: Language, accept: str) -> dict[str, str]:
    """The headers of problem details, for a caller with this `Accept`."""
    return {"Content-Type": problem_type(accept), "Content-Language": language, **error.headers}


def problem_type(accept: str) -> str:
    """The media type of problem details: plain JSON for callers that say they read nothing else.

    Salesforce External Services is one of them: it cannot read an answer of a type that its document does not list,
    and its document may list no other.

    >>> problem_type("application/json"), problem_type("application/json, */*;q=0.1")
    ('application/json', 'application/problem+json')
    """
    accepted = {part.partition(";")[0].strip().lower() for part in accept[:1000].split(",")}
    return JSON if JSON in accepted and not accepted & READS_PROBLEMS else PROBLEM_JSON


def problem_response(request: Request, error: ApiError) -> Response:
    """The problem details of `error`, in the caller's language; a page for visitors of the cockpit."""
    service = Service.of(request)
    if is_page(request.scope["path"]):
        return service.error_page(request, error)
    language = service.language(request)
    headers = problem_headers(error, language, request.headers.get("accept", ""))
    if error.kind.status == 503:
        headers.setdefault("Retry-After", str(service.settings.retry_after_s))
    return Response(body(error, language, request.state.request_id), error.kind.status, headers=headers)


def answer_errors(app: FastAPI) -> None:
    """Make `app` answer every error with problem details."""
    app.add_exception_handler(ApiError, error_response)
    app.add_exception_handler(LeadQualityError, error_response)
    app.add_exception_handler(HTTPException, _of_the_framework)


def documented(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """Problem details of these kinds as the OpenAPI document lists them, by status."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in (KINDS[name] for name in kinds):
        before = responses.get(kind.status, {}).get("description")
        responses[kind.status] = {
            "description": f"{before}; {kind.title.en}" if before else kind.title.en,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
    return responses


async def error_response(request: Request, error: Exception) -> Response:
    """The problem details of an error of ours, which is logged by its kind."""
    told = api_error(error, reads=request.method in READING or request.url.path in STORING_NOTHING)
    if told.kind.status >= 500:
        log.error("could not answer", kind=told.kind.name, exc_info=error)
    elif told.problems:
        log.info("refused", kind=told.kind.name, codes=sorted({problem.code for problem in told.problems}))
    return problem_response(request, told)


async def _of_the_framework(request: Request, error: Exception) -> Response:
    status, headers = 500, None
    if isinstance(error, HTTPException):
        status, headers = error.status_code, error.headers
    return problem_response(request, _from_status(status, headers))


def _from_status(status: int, headers: Mapping[str, str] | None) -> ApiError:
    return ApiError(BY_STATUS.get(status, "internal"), headers=headers)
