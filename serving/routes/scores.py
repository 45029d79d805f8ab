"""Scoring one lead or many."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import DataError
from features.text import Language
from serving import scoring
from serving.body import read_body
from serving.responses import documented, json_response
from serving.schemas import BatchAnswer, ScoreAnswer
from serving.service import Service, committed

router = APIRouter(tags=["scores"])

SHORT_BODY_BYTES = 20_000
"""A longer body for one lead may hold the processor for more than a millisecond: a thread reads it."""

FAULTS = documented(
    "malformed_json",
    "body_too_slow",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "idempotency_key_reused",
    "lead_refused",
    "internal",
    "not_ready",
    "store_unavailable",
)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 visible ASCII characters. A request with a key that came before is answered as then.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def _takes(schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"parameters": [IDEMPOTENCY_KEY], "requestBody": {"required": True, "content": content}}


@router.post(
    "/v1/score",
    operation_id="scoreLead",
    summary="Score one lead, with all reasons",
    response_model=ScoreAnswer,
    response_description="The stored score.",
    responses=FAULTS,
    openapi_extra=_takes("ScoreRequest"),
)
async def score_lead(request: Request) -> Response:
    """The lead's probability and explanation, stored before it is answered.

    Leave out what is not known. Missing fields and values never seen before are scored, and listed in the answer.
    The same request sent twice is stored once and answered the same.
    """
    service, received_at = Service.of(request), Service.of(request).clock()
    scorer, language = service.model.scorer, service.language(request)
    raw = await read_body(request, service.settings)
    key = request.headers.get("idempotency-key")
    work = partial(scoring.score_lead, raw, scorer, received_at=received_at, idempotency_key=key)
    try:
        pending = work() if len(raw) <= SHORT_BODY_BYTES else await run_in_threadpool(work)
    except DataError:
        before = await run_in_threadpool(_answered_before, service, raw, received_at, key, language)
        if before is None:
            raise
        return json_response(before)
    model = scoring.model_record(scorer.model_name)
    (stored,) = await committed(service, service.store.scores.submit(model, [pending.new]))
    return json_response(scoring.answered(pending, stored, language))


def _answered_before(
    service: Service, raw: bytes, received_at: datetime, key: str | None, language: Language
) -> bytes | None:
    if key is None:
        return None
    return scoring.answered_before(raw, service.store, received_at=received_at, idempotency_key=key, language=language)


@router.post(
    "/v1/score/batch",
    operation_id="scoreLeads",
    summary="Score many leads, with all reasons",
    response_model=BatchAnswer,
    response_description="One result for each lead, in order; at least one was scored and stored.",
    responses=FAULTS,
    openapi_extra=_takes("BatchRequest"),
)
async def score_leads(request: Request) -> Response:
    """One result for each lead: its score, or every fault of it. All scores are stored before the answer.

    200 means that at least one lead was scored: look at the status of each. If none could be, the answer is 422 and
    nothing is stored.
    """
    service, received_at = Service.of(request), Service.of(request).clock()
    scorer = service.model.scorer
    raw = await read_body(request, service.settings)
    work = partial(
        scoring.score_batch,
        raw,
        scorer,
        service.store,
        received_at=received_at,
        idempotency_key=request.headers.get("idempotency-key"),
        most_leads=service.settings.max_batch_leads,
        language=service.language(request),
        request_id=request.state.request_id,
    )
    return json_response(await run_in_threadpool(work))
