"""What becomes of leads: outcomes from the CRM, verdicts from sales."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from serving.body import read_body
from serving.feedback.reading import Arrived
from serving.feedback.shapes import OutcomeAnswer, OutcomesAnswer, VerdictAnswer, VerdictsAnswer
from serving.feedback.telling import OUTCOMES, VERDICTS, Way, tell_many, tell_one
from serving.identity import Arrival
from serving.responses import documented, json_response
from serving.routes.described import IDEMPOTENCY_KEY, takes
from serving.service import Service, sent_key
from serving.store import Outcome, Told, Verdict

router = APIRouter(tags=["feedback"])
T = TypeVar("T", bound=Outcome | Verdict)

FAULTS = (
    "malformed_json",
    "unknown_lead",
    "body_too_slow",
    "lead_refused",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "idempotency_key_reused",
    "internal",
    "not_ready",
    "store_unavailable",
)


@router.post(
    "/v1/outcomes",
    operation_id="tellOutcome",
    summary="Tell what became of a lead",
    response_model=OutcomeAnswer,
    response_description="The stored outcome.",
    responses=documented(*FAULTS),
    openapi_extra=takes("OutcomeRequest", IDEMPOTENCY_KEY),
)
async def tell_outcome(request: Request) -> Response:
    """Won, lost or open again, with its own date. The latest date counts, whatever the order of arrival.

    Every outcome stays in the lead's history. The same outcome sent twice is stored once and answered the same.
    """
    return await _one(request, OUTCOMES, Service.of(request).store.outcomes)


@router.post(
    "/v1/outcomes/batch",
    operation_id="tellOutcomes",
    summary="Tell what became of many leads",
    response_model=OutcomesAnswer,
    response_description="One result for each outcome, in order.",
    responses=documented(*FAULTS),
    openapi_extra=takes("OutcomesRequest", IDEMPOTENCY_KEY),
)
async def tell_outcomes(request: Request) -> Response:
    """A result for each outcome: look at the status of each. If none fits, nothing is stored and the answer is 422."""
    return await _many(request, OUTCOMES, Service.of(request).store.outcomes)


@router.post(
    "/v1/verdicts",
    operation_id="tellVerdict",
    summary="Tell what sales says of a lead",
    response_model=VerdictAnswer,
    response_description="The stored verdict.",
    responses=documented(*FAULTS, "not_handed_over"),
    openapi_extra=takes("VerdictRequest", IDEMPOTENCY_KEY),
)
async def tell_verdict(request: Request) -> Response:
    """Accepted or rejected, with a reason code of the definition, of a lead that was handed over.

    Every verdict stays in the lead's history; the one with the latest date counts. Sent twice, it is stored once.
    """
    return await _one(request, VERDICTS, Service.of(request).store.verdicts)


@router.post(
    "/v1/verdicts/batch",
    operation_id="tellVerdicts",
    summary="Tell what sales says of many leads",
    response_model=VerdictsAnswer,
    response_description="One result for each verdict, in order.",
    responses=documented(*FAULTS),
    openapi_extra=takes("VerdictsRequest", IDEMPOTENCY_KEY),
)
async def tell_verdicts(request: Request) -> Response:
    """A result for each verdict: look at the status of each. If none fits, nothing is stored and the answer is 422."""
    return await _many(request, VERDICTS, Service.of(request).store.verdicts)


async def _one(request: Request, way: Way[T], told: Told[T]) -> Response:
    arrived, raw = await arrived_with_body(request)
    return json_response(await run_in_threadpool(tell_one, raw, way, told, arrived))


async def _many(request: Request, way: Way[T], told: Told[T]) -> Response:
    service = Service.of(request)
    arrived, raw = await arrived_with_body(request)
    work = partial(
        tell_many,
        raw,
        way,
        told,
        arrived,
        most=service.settings.max_batch_leads,
        language=service.language(request),
        request_id=request.state.request_id,
    )
    return json_response(await run_in_threadpool(work))


async def arrived_with_body(request: Request) -> tuple[Arrived, bytes]:
    """When the request came, under which agreement and with which API key; and its body."""
    service = Service.of(request)
    arrival = Arrival(service.clock(), sent_key(request))
    definition = service.model.scorer.bundle.definition
    raw = await read_body(request, service.settings)
    return Arrived(definition, arrival, getattr(request.state, "key_id", None)), raw
