"""The OpenAPI document of the model in service, and a page to read it that needs no network."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import NotReadyError
from serving.docs_page import docs_page
from serving.openapi import openapi_document
from serving.responses import json_response
from serving.scorer import Scorer
from serving.service import Service

router = APIRouter()

NOTHING_FROM_ELSEWHERE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@router.get("/openapi.json", include_in_schema=False)
async def get_openapi_document(request: Request) -> Response:
    """The OpenAPI 3.1 document; it lists the fields of the model in service."""
    return json_response(await run_in_threadpool(_document, request.app))


@router.get("/docs", include_in_schema=False)
async def get_docs(request: Request) -> Response:
    """The same document as a page, in the reader's language."""
    language = Service.of(request).language(request)
    document = await run_in_threadpool(_document, request.app)
    page = docs_page(document, language, str(request.base_url).rstrip("/"))
    headers = {"Content-Language": language, "Content-Security-Policy": NOTHING_FROM_ELSEWHERE}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _document(app: FastAPI) -> dict[str, Any]:
    """The document for the model in service, made once for each."""
    service: Service = app.state.service
    scorer: Scorer | None
    try:
        scorer = service.model.scorer
    except NotReadyError:
        scorer = None  # the fields are not known yet; everything else is
    known = getattr(app.state, "document", None)
    if known is None or known[0] is not scorer:
        known = app.state.document = (scorer, openapi_document(app, scorer, service.settings))
    document: dict[str, Any] = known[1]
    return document
