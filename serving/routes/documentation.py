"""The API documents of the model in service, and a page to read them that needs no network."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import NotReadyError
from features.text import Language
from serving.docs_page import docs_page
from serving.openapi import Documents, Version
from serving.responses import json_response
from serving.scorer import Scorer
from serving.service import Service

router = APIRouter()

NOTHING_FROM_ELSEWHERE = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_is_host = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?").fullmatch


@router.get("/openapi.json", include_in_schema=False)
async def get_openapi_3_1(request: Request) -> Response:
    """The OpenAPI 3.1 document; it lists the fields of the model in service."""
    return await _answer(request, "3.1")


@router.get("/openapi-3.0.json", include_in_schema=False)
async def get_openapi_3_0(request: Request) -> Response:
    """The same in OpenAPI 3.0, as Salesforce External Services imports it."""
    return await _answer(request, "3.0")


@router.get("/openapi-2.0.json", include_in_schema=False)
@router.get("/swagger.json", include_in_schema=False)
async def get_swagger_2_0(request: Request) -> Response:
    """The same in Swagger 2.0, as Power Platform imports it."""
    return await _answer(request, "2.0")


@router.get("/docs", include_in_schema=False)
async def get_docs(request: Request) -> Response:
    """The same document as a page, in the reader's language."""
    language, address = Service.of(request).language(request), _address(request)
    document = await run_in_threadpool(_document, request.app, "3.1", language, address)
    page = await run_in_threadpool(docs_page, document, language, address)
    headers = {"Content-Language": language, "Content-Security-Policy": NOTHING_FROM_ELSEWHERE}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


async def _answer(request: Request, version: Version) -> Response:
    language = Service.of(request).language(request)
    make = partial(_document, request.app, version, language, _address(request))
    response = await run_in_threadpool(lambda: json_response(make()))
    response.headers["Content-Language"] = language
    return response


def _document(app: FastAPI, version: Version, language: Language, address: str) -> dict[str, Any]:
    service: Service = app.state.service
    scorer: Scorer | None
    try:
        scorer = service.model.scorer
    except NotReadyError:
        scorer = None  # the fields are not known yet; everything else is
    known = getattr(app.state, "documents", None)
    if known is None:
        known = app.state.documents = Documents(app, service.settings)
    documents: Documents = known
    return documents.get(scorer, version, language, address)


def _address(request: Request) -> str:
    """Where the caller reached the service; where it listens, if the header Host is no host."""
    if _is_host(request.headers.get("host", "")):
        return str(request.base_url).rstrip("/")
    host, port = request.scope.get("server") or ("localhost", None)
    return f"{request.url.scheme}://{host}" + (f":{port}" if port else "")
