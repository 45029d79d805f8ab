"""Scoring one lead or many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import DataError
from features.text import Language
from serving import scoring
from serving.body import read_body
from serving.identity import SentKey
from serving.responses import documented, json_response
from serving.routes.described import IDEMPOTENCY_KEY, takes
from serving.schemas import BatchAnswer, ScoreAnswer, WhatIfAnswer
from serving.service import Service, sent_key
from serving.store import WantedScores

T = TypeVar("T")

router = APIRouter(tags=["scores"])

SHORT_BODY_BYTES = 4_000
"""A longer body for one lead is read by a thread, which costs some 0.06 ms of processor more.

Measured at this size: a lead with one long value takes 0.05 ms to read and score, lists in lists 1.1 ms, and 400 fields
that do not exist, which is the costliest that we know, 2.5 ms. At 64,000 bytes it is 0.14, 17 and 4.5 ms.
"""

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


@router.post(
    "/v1/score",
    operation_id="scoreLead",
    summary="Score one lead, with all reasons",
    response_model=ScoreAnswer,
    response_description="The stored score.",
    responses=FAULTS,
    openapi_extra=takes("ScoreRequest", IDEMPOTENCY_KEY),
)
async def score_lead(request: Request) -> Response:
    """The lead's probability and explanation, stored before it is answered.

    Leave out what is not known. Missing fields and values never seen before are scored, and listed in the answer.
    The same request sent twice is stored once and answered the same.
    """
    service, received_at = Service.of(request), Service.of(request).clock()
    scorer, language = service.model.scorer, service.language(request)
    raw = await read_body(request, service.settings)
    key = sent_key(request)
    work = partial(scoring.score_lead, raw, scorer, received_at=received_at, idempotency_key=key)
    try:
        pending = await _soon(work, raw)
    except DataError:
        before = await run_in_threadpool(_answered_before, service, raw, received_at, key, language)
        if before is None:
            raise
        return json_response(before)
    model = scoring.model_record(scorer.model_name)
    (stored,) = await service.gathering.stored(WantedScores(model, [pending.new]))
    return json_response(scoring.answered(pending, stored, language))


@router.post(
    "/v1/what-if",
    operation_id="whatIf",
    summary="The probability that a lead would have, without storing it",
    response_model=WhatIfAnswer,
    response_description="The answer; nothing was stored.",
    responses=documented(
        "malformed_json",
        "body_too_slow",
        "body_too_large",
        "unsupported_media_type",
        "invalid_request",
        "internal",
        "not_ready",
    ),
    openapi_extra=takes("WhatIfRequest"),
)
async def what_if(request: Request) -> Response:
    """The probability and explanation of a lead that need not exist, for trying out what would change it.

    It takes no id and stores nothing, so it is about nobody. A lead that is worked with is scored at /v1/score.
    """
    service, received_at = Service.of(request), Service.of(request).clock()
    scorer, language = service.model.scorer, service.language(request)
    raw = await read_body(request, service.settings)
    work = partial(scoring.what_if, raw, scorer, received_at=received_at, language=language)
    return json_response(await _soon(work, raw))


async def _soon(work: Callable[[], T], raw: bytes) -> T:
    """What `work` on this body gives: at once if it is short, else from a thread."""
    return work() if len(raw) <= SHORT_BODY_BYTES else await run_in_threadpool(work)


def _answered_before(
    service: Service, raw: bytes, received_at: datetime, key: SentKey | None, language: Language
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
    openapi_extra=takes("BatchRequest", IDEMPOTENCY_KEY),
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
        idempotency_key=sent_key(request),
        most_leads=service.settings.max_batch_leads,
        language=service.language(request),
        request_id=request.state.request_id,
    )
    return json_response(await run_in_threadpool(work))
