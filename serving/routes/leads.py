"""What is stored about a lead."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.text import Text
from serving.answers import in_language
from serving.errors import ApiError
from serving.intake import ID_PATTERN, is_lead_id
from serving.responses import documented, json_response
from serving.schemas import ScoreAnswer
from serving.service import Service

router = APIRouter(tags=["leads"])

# Read from the path by hand: FastAPI would document a 422 of its own for a parameter that cannot be wrong.
LEAD_ID = {
    "name": "lead_id",
    "in": "path",
    "required": True,
    "description": "As it was scored.",
    "schema": {"type": "string", "pattern": ID_PATTERN},
}
NO_SCORE = Text("No score of such a lead is stored.", "Von einem solchen Lead ist kein Score gespeichert.")


@router.get(
    "/v1/leads/{lead_id}",
    operation_id="getLead",
    summary="The latest score of a lead",
    response_model=ScoreAnswer,
    response_description="The answer as it was given then.",
    responses=documented("not_found", "internal", "store_unavailable"),
    openapi_extra={"parameters": [LEAD_ID]},
)
async def get_lead(request: Request) -> Response:
    """The lead's stored score with the latest as-of date."""
    lead_id = request.path_params["lead_id"]
    latest = await run_in_threadpool(Service.of(request).store.scores.latest, lead_id) if is_lead_id(lead_id) else None
    if latest is None:
        raise ApiError("not_found", detail=NO_SCORE)
    return json_response(in_language(latest, Service.of(request).language(request)))
