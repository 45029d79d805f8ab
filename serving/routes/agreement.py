"""The agreement of both teams: what is in effect, proposals, and the answers to them."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.text import Text
from serving.agreement.acting import Act, answer_proposal, propose
from serving.agreement.asking import Wish, read_answer, read_proposal
from serving.agreement.shapes import AgreementAnswer, DefinitionAnswer, ProposalShown
from serving.agreement.telling import (
    LONGEST_NUMBER,
    MOST,
    USUALLY,
    agreement_answer,
    definition_shown,
    page_of,
    proposal_shown,
)
from serving.body import parse_body, read_body
from serving.errors import ApiError
from serving.responses import documented, json_response
from serving.routes.kpis import parameter
from serving.service import Service
from serving.store import UnknownProposalError

router = APIRouter(tags=["agreement"])

FAULTS = (
    "malformed_json",
    "body_too_slow",
    "body_too_large",
    "unsupported_media_type",
    "proposal_refused",
    "invalid_request",
    "internal",
    "not_ready",
    "store_unavailable",
)
PROPOSAL_ID = {
    "name": "proposal_id",
    "in": "path",
    "required": True,
    "schema": {"type": "integer"},
}
_is_fingerprint = re.compile("[0-9a-f]{64}").fullmatch

FINGERPRINT = {"name": "fingerprint", "in": "path", "required": True, "schema": {"type": "string"}}
NO_DEFINITION = Text(
    "No definition with this fingerprint has been in service since the store keeps them.",
    "Seit der Speicher sie aufbewahrt, war keine Definition mit diesem Fingerabdruck im Einsatz.",
)
PAGE = [
    parameter("limit", "Proposals on a page.", type="integer", minimum=1, maximum=MOST, default=USUALLY),
    parameter("before", "Only proposals made before this one.", type="integer", minimum=1),
]


def _takes(schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"parameters": list(parameters), "requestBody": {"required": True, "content": content}}


@router.get(
    "/v1/agreement",
    operation_id="getAgreement",
    summary="What marketing and sales agreed on",
    response_model=AgreementAnswer,
    response_description="What is in effect, the open proposal, and every proposal so far.",
    responses=documented("invalid_request", "internal", "not_ready", "store_unavailable"),
    openapi_extra={"parameters": PAGE},
)
async def get_agreement(request: Request) -> Response:
    """The rule of handover and the hours of follow-up can be agreed on without training; the rest takes a new model."""
    service = Service.of(request)
    most, before = page_of(request.query_params.multi_items())
    model, store = service.model, service.store.agreements
    bundle, own = model.scorer.bundle, model.own_definition
    return json_response(await run_in_threadpool(agreement_answer, store, bundle, own, most=most, before=before))


@router.get(
    "/v1/definitions/{fingerprint}",
    operation_id="getDefinition",
    summary="What was agreed under a fingerprint",
    response_model=DefinitionAnswer,
    response_description="The whole definition.",
    responses=documented("not_found", "internal", "store_unavailable"),
    openapi_extra={"parameters": [FINGERPRINT]},
)
async def get_definition(request: Request) -> Response:
    """Every score names the fingerprint of the definition under which it was made; this is its text, kept for good."""
    fingerprint = request.path_params["fingerprint"]
    asked = [fingerprint] if _is_fingerprint(fingerprint) else []
    found = await run_in_threadpool(Service.of(request).store.definitions.by_fingerprint, asked)
    if fingerprint not in found:
        raise ApiError("not_found", detail=NO_DEFINITION)
    return json_response(definition_shown(found[fingerprint]))


@router.post(
    "/v1/agreement/proposals",
    operation_id="proposeAgreement",
    summary="Propose another agreement",
    response_model=ProposalShown,
    response_description="The proposal, which counts as the consent of the team that makes it.",
    responses=documented(*FAULTS),
    openapi_extra=_takes("ProposalRequest"),
)
async def propose_agreement(request: Request) -> Response:
    """It takes effect when the other team consents. One proposal at a time is open."""
    service = Service.of(request)
    body, faults = parse_body(await read_body(request, service.settings))
    wish: Wish = read_proposal(body, *_key(request), faults)
    done = await run_in_threadpool(propose, service, wish)
    return json_response(proposal_shown(done, service.model.scorer.bundle.definition.definition.version))


@router.post(
    "/v1/agreement/proposals/{proposal_id}/consent",
    operation_id="consentToAgreement",
    summary="Consent to a proposal",
    response_model=ProposalShown,
    response_description="The proposal; in effect from now on, if both teams have consented.",
    responses=documented(*FAULTS, "unknown_proposal"),
    openapi_extra=_takes("ConsentRequest", PROPOSAL_ID),
)
async def consent_to_agreement(request: Request) -> Response:
    """With the consent of both teams it is in effect at this moment, and every worker applies it within seconds."""
    return await _answered(request, "consent")


@router.post(
    "/v1/agreement/proposals/{proposal_id}/decline",
    operation_id="declineAgreement",
    summary="Decline or withdraw a proposal",
    response_model=ProposalShown,
    response_description="The proposal, which has ended.",
    responses=documented(*FAULTS, "unknown_proposal"),
    openapi_extra=_takes("DeclineRequest", PROPOSAL_ID),
)
async def decline_agreement(request: Request) -> Response:
    """The other team declines; the team that made the proposal withdraws it."""
    return await _answered(request, "decline")


async def _answered(request: Request, act: Act) -> Response:
    service = Service.of(request)
    body, faults = parse_body(await read_body(request, service.settings))
    who, comment = read_answer(body, *_key(request), faults, needs_comment=act == "decline")
    proposal_id = _proposal_id(request.path_params["proposal_id"])
    done = await run_in_threadpool(answer_proposal, service, act, proposal_id, who, comment)
    return json_response(proposal_shown(done, service.model.scorer.bundle.definition.definition.version))


def _key(request: Request) -> tuple[str | None, str | None]:
    """Role and id of the key; None in the demo."""
    return getattr(request.state, "role", None), getattr(request.state, "key_id", None)


def _proposal_id(named: str) -> int:
    if not (named.isascii() and named.isdigit() and len(named) <= LONGEST_NUMBER):
        raise UnknownProposalError(named)
    return int(named)
