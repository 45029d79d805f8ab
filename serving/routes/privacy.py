"""Objection and erasure of a person."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.text import Text
from serving.errors import ApiError
from serving.etags import IF_NONE_MATCH, STILL_THE_SAME, tagged_response
from serving.intake import ID_PATTERN, is_lead_id
from serving.privacy.objecting import object_to_scores, objection_answer
from serving.privacy.shapes import ObjectionAnswer, Receipt
from serving.responses import documented, json_response
from serving.routes.described import in_path, takes
from serving.routes.feedback import arrived_with_body
from serving.routes.leads import scorer_if_any
from serving.scorer import Scorer
from serving.service import Service
from serving.store import Erasure, LearntFrom

router = APIRouter(tags=["privacy"])

LEAD_ID = in_path("lead_id", "The lead's id in your system.", pattern=ID_PATTERN)
RECEIPT_ID = in_path("receipt_id", "As the erasure was answered.")
NO_ID = Text("No lead can have this id.", "Eine solche Kennung kann kein Lead haben.")
NO_RECEIPT = Text("There is no such receipt.", "Eine solche Quittung gibt es nicht.")
STORE = ("not_found", "internal", "store_unavailable")


@router.post(
    "/v1/leads/{lead_id}/objection",
    operation_id="objectToScores",
    summary="A person objects to being scored",
    response_model=ObjectionAnswer,
    response_description="The objection that stands.",
    responses=documented(
        "malformed_json",
        "body_too_slow",
        "lead_refused",
        "body_too_large",
        "unsupported_media_type",
        "invalid_request",
        "not_ready",
        *STORE,
    ),
    openapi_extra=takes("ObjectionRequest", LEAD_ID),
)
async def object_to_being_scored(request: Request) -> Response:
    """From then on scoring the lead is answered with 409, and it is left out of lists and exports.

    The lead need not have been scored before. The first objection stands until it is withdrawn.
    """
    lead_id, service = _lead_id(request), Service.of(request)
    arrived, raw = await arrived_with_body(request)
    return json_response(await run_in_threadpool(object_to_scores, raw, lead_id, service.store, arrived))


@router.get(
    "/v1/leads/{lead_id}/objection",
    operation_id="getObjection",
    summary="Whether a person objects to being scored",
    response_model=ObjectionAnswer,
    response_description="The objection that stands, or that there is none.",
    responses={**documented(*STORE), **STILL_THE_SAME},
    openapi_extra={"parameters": [LEAD_ID, IF_NONE_MATCH]},
)
async def get_objection(request: Request) -> Response:
    """Whether the lead may be scored, as far as its person is concerned."""
    lead_id = _lead_id(request)
    objection = await run_in_threadpool(Service.of(request).store.objections.of_lead, lead_id)
    return tagged_response(request, objection_answer(lead_id, objection))


@router.delete(
    "/v1/leads/{lead_id}/objection",
    operation_id="withdrawObjection",
    summary="A person withdraws an objection",
    response_model=ObjectionAnswer,
    response_description="No objection stands any more.",
    responses=documented(*STORE),
    openapi_extra={"parameters": [LEAD_ID]},
)
async def withdraw_objection(request: Request) -> Response:
    """From then on the lead can be scored again. It is answered the same if there was none."""
    lead_id = _lead_id(request)
    await run_in_threadpool(Service.of(request).store.objections.withdraw, lead_id)
    return json_response(objection_answer(lead_id, None))


@router.delete(
    "/v1/leads/{lead_id}",
    operation_id="eraseLead",
    summary="Erase a lead",
    response_model=Receipt,
    response_description="The receipt of the erasure.",
    responses=documented(*STORE),
    openapi_extra={"parameters": [LEAD_ID]},
)
async def erase_lead(request: Request) -> Response:
    """Everything about the lead is removed, but a hash by which it is refused from then on.

    The receipt says where the lead stood. Sent again, it is answered with the same receipt.
    """
    service = Service.of(request)
    erasure = Erasure(
        _lead_id(request),
        uuid4().hex,
        service.clock(),
        models_in_service(service),
        getattr(request.state, "key_id", None),
    )
    return json_response(await run_in_threadpool(service.store.erasures.erase, erasure))


@router.get(
    "/v1/erasures/{receipt_id}",
    operation_id="getErasure",
    summary="The receipt of an erasure",
    response_model=Receipt,
    response_description="The receipt as it was given.",
    responses={**documented(*STORE), **STILL_THE_SAME},
    openapi_extra={"parameters": [RECEIPT_ID, IF_NONE_MATCH]},
)
async def get_erasure(request: Request) -> Response:
    """Where the erased lead stood, and which models had learnt from it."""
    find = Service.of(request).store.erasures.receipt
    receipt = await run_in_threadpool(find, request.path_params["receipt_id"])
    if receipt is None:
        raise ApiError("not_found", detail=NO_RECEIPT)
    return tagged_response(request, receipt)


def models_in_service(service: Service) -> tuple[LearntFrom, ...]:
    """The models of which the service knows what they learnt from: what it has opened, also for the shadow."""
    opened = [service.model, *([service.shadow.challenger] if service.shadow else [])]
    return tuple(_learnt_from(scorer) for model in opened if (scorer := scorer_if_any(model)) is not None)


def _learnt_from(scorer: Scorer) -> LearntFrom:
    named = scorer.model_name
    return LearntFrom(named["bundle_id"], named["name"], named["version"], scorer.bundle.manifest.history_exports)


def _lead_id(request: Request) -> str:
    lead_id: str = request.path_params["lead_id"]
    if not is_lead_id(lead_id):
        raise ApiError("not_found", detail=NO_ID)
    return lead_id
