"""Whether the process lives, and whether it can score."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from features.errors import LeadQualityError, Problem
from features.text import Text
from serving.errors import ApiError
from serving.responses import documented, json_response
from serving.schemas import Health
from serving.service import Service
from serving.settings import is_loopback

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
    """Says that model and store are ready, or everything that they are waiting for.

    The reasons in full, with names of files and servers, are for callers with a key and on the machine itself.
    """
    problems = await _reasons(Service.of(request), in_full=_may_know(request))
    if problems:
        raise ApiError("not_ready", detail=NOT_READY, problems=problems)
    return json_response(Health(status="ready"))


def _may_know(request: Request) -> bool:
    """Whether the caller has a key, or asks from this machine without a proxy in between; in the demo, everybody."""
    if Service.of(request).guard is None or hasattr(request.state, "key_id"):
        return True
    forwarded = any(name in request.headers for name in FORWARDED)
    return request.client is not None and is_loopback(request.client.host) and not forwarded


async def _reasons(service: Service, *, in_full: bool) -> list[Problem]:
    """Why the service is not ready; empty if it is."""
    problems = []
    try:
        _ = service.model.scorer
    except LeadQualityError as error:
        problems.append(_reason("model", NO_MODEL, error if in_full else None))
    if error_of_store := await service.store_state.error():
        problems.append(_reason("store", NO_STORE, error_of_store if in_full else None))
    if not problems and service.guard is not None and not service.guard.has_usable_keys():
        problems.append(_reason("keys", NO_KEYS, None))
    return problems


def _reason(where: str, what: Text, error: LeadQualityError | None) -> Problem:
    expected = Text("ready", "bereit")
    told = what if error is None else Text(f"{what.en}: {error}", f"{what.de}: {error.in_language('de')}")
    return Problem(where=where, what=told, expected=expected, code=f"{where}_not_ready")


NOT_READY = Text("Leads cannot be scored yet.", "Leads können noch nicht bewertet werden.")
FORWARDED = ("forwarded", "x-forwarded-for", "via", "x-real-ip")
NO_MODEL = Text("no model is in service", "kein Modell ist im Einsatz")
NO_STORE = Text("the store cannot be used", "der Speicher ist nicht nutzbar")
NO_KEYS = Text(
    "there is no key that opens anything; python -m serving keys create makes one",
    "es gibt keinen gültigen Schlüssel; python -m serving keys create legt einen an",
)
