"""Whether the process lives, and whether it can score."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError, Problem
from features.text import Text
from serving.errors import ApiError
from serving.responses import documented, json_response
from serving.schemas import Health
from serving.service import Service

router = APIRouter(tags=["health"])


@router.get(
    "/healthz",
    operation_id="getHealth",
    summary="Whether the process answers",
    response_model=Health,
    response_description="It does.",
)
async def get_health() -> Response:
    """Says that the process lives; it asks neither the model nor the store."""
    return json_response(Health(status="live"))


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Whether leads can be scored now",
    response_model=Health,
    response_description="Model and store are ready.",
    responses=documented("not_ready"),
)
async def get_readiness(request: Request) -> Response:
    """Says that model and store are ready, or everything that they are waiting for."""
    problems = await run_in_threadpool(_reasons, Service.of(request))
    if problems:
        raise ApiError("not_ready", detail=NOT_READY, problems=problems)
    return json_response(Health(status="ready"))


def _reasons(service: Service) -> list[Problem]:
    """Why the service is not ready; empty if it is."""
    problems = []
    try:
        _ = service.model.scorer
    except LeadQualityError as error:
        problems.append(_reason("model", NO_MODEL, error))
    try:
        service.store.check()
    except LeadQualityError as error:
        problems.append(_reason("store", NO_STORE, error))
    return problems


def _reason(where: str, what: Text, error: LeadQualityError) -> Problem:
    expected = Text("ready", "bereit")
    told = Text(f"{what.en}: {error}", f"{what.de}: {error}")
    return Problem(where=where, what=told, expected=expected, code=f"{where}_not_ready")


NOT_READY = Text("Leads cannot be scored yet.", "Leads können noch nicht bewertet werden.")
NO_MODEL = Text("no model is in service", "kein Modell ist im Einsatz")
NO_STORE = Text("the store cannot be used", "der Speicher ist nicht nutzbar")
