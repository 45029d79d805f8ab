"""What is stored about a lead."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from features.text import Text
from serving.errors import ApiError
from serving.intake import is_lead_id
from serving.responses import documented, json_response
from serving.schemas import ScoreAnswer
from serving.service import Service

router = APIRouter(tags=["leads"])

NO_SCORE = Text("No score of such a lead is stored.", "Von einem solchen Lead ist kein Score gespeichert.")


@router.get(
    "/v1/leads/{lead_id}",
    operation_id="getLead",
    summary="The latest score of a lead",
    response_model=ScoreAnswer,
    response_description="The answer as it was given then.",
    responses=documented("not_found", "internal", "store_unavailable"),
)
async def get_lead(request: Request, lead_id: Annotated[str, Path(description="As it was scored.")]) -> Response:
    """The lead's stored score with the latest as-of date."""
    latest = await run_in_threadpool(Service.of(request).store.latest, lead_id) if is_lead_id(lead_id) else None
    if latest is None:
        raise ApiError("not_found", detail=NO_SCORE)
    return json_response(latest)
