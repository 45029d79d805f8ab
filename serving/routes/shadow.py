"""The challenger in the shadow."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import NotReadyError
from serving.responses import documented, json_response
from serving.service import Service
from serving.shadow.answer import CountsShown, ShadowAnswer, shadow_answer

router = APIRouter(tags=["model"])


@router.get(
    "/v1/model/shadow",
    operation_id="getShadow",
    summary="What the challenger would have said",
    response_model=ShadowAnswer,
    response_description="Champion and challenger on the same leads.",
    responses=documented("internal", "not_ready", "store_unavailable"),
)
async def get_shadow(request: Request) -> Response:
    """How far a challenger in the shadow differs from the model in service, and who was right where that is known."""
    service = Service.of(request)
    champion = service.model.scorer
    if service.shadow is None:
        return json_response(ShadowAnswer(state="none", champion=champion.model_name))
    try:
        challenger = service.shadow.challenger.scorer
    except NotReadyError:
        return json_response(ShadowAnswer(state="not_ready", champion=champion.model_name))
    answer = await run_in_threadpool(shadow_answer, champion, challenger, service.store, service.clock())
    counts = service.shadow.counts
    answer["counts"] = CountsShown(n_scored=counts.n_scored, n_dropped=counts.n_dropped, n_unfit=counts.n_unfit)
    return json_response(answer)
