"""What is stored about leads: lists, the state of one, its latest score, its history, and what changed."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import NotReadyError
from features.text import Text
from serving.answers import in_language
from serving.errors import ApiError
from serving.etags import IF_NONE_MATCH, STILL_THE_SAME, tagged_response
from serving.in_service import ModelInService
from serving.intake import ID_PATTERN, is_lead_id
from serving.lives.comparing import compare
from serving.lives.history import history_answer
from serving.lives.queries import (
    CHOICES,
    LIST_PARAMETERS,
    MOST_HAPPENINGS,
    MOST_LEADS,
    NAMED,
    USUALLY,
    Query,
    history_place,
    lead_place,
    packed_lead,
    wanted_leads,
)
from serving.lives.shapes import ChangeAnswer, HistoryAnswer, LeadAnswer, LeadsAnswer
from serving.lives.state import lead_answer, lead_shown
from serving.responses import documented
from serving.routes.described import in_path
from serving.schemas import ScoreAnswer
from serving.scorer import Scorer
from serving.service import Service
from serving.store import Store, StoredScore, Wanted

router = APIRouter(tags=["leads"])

LEAD_ID = in_path("lead_id", "As it was scored.", pattern=ID_PATTERN)
NO_SCORE = Text("No score of such a lead is stored.", "Von einem solchen Lead ist kein Score gespeichert.")
NOT_TWO = Text(
    "These are not two stored scores of this lead.", "Das sind keine zwei gespeicherten Scores dieses Leads."
)
FAULTS = ("not_found", "internal", "store_unavailable")


def _query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _paging(most: int) -> list[dict[str, Any]]:
    return [
        _query("limit", "How many at most.", type="integer", minimum=1, maximum=most, default=USUALLY),
        _query("next", "The next of the page before.", type="string"),
        IF_NONE_MATCH,
    ]


FILTERS = [
    _query("grade", "Of the latest score; several separated by commas.", type="string"),
    *(_query(name, "Only leads of which this is so.", type="string", enum=[*CHOICES[name]]) for name in CHOICES),
    *(_query(name, "Only leads with this value.", type="string") for name in NAMED),
]


@router.get(
    "/v1/leads",
    operation_id="listLeads",
    summary="Leads, the most probable first",
    response_model=LeadsAnswer,
    response_description="A page of leads.",
    responses={**documented("invalid_request", "internal", "not_ready", "store_unavailable"), **STILL_THE_SAME},
    openapi_extra={"parameters": [*FILTERS, *_paging(MOST_LEADS)]},
)
async def list_leads(request: Request) -> Response:
    """Leads that fit every filter. Leads whose person objects are left out.

    overdue: handed over, and past the agreed hours without a contact, a verdict or an end.
    """
    service = Service.of(request)
    hours = hours_by_grade(service.model.scorer)
    query = Query(request.query_params, LIST_PARAMETERS)
    wanted, after = wanted_leads(query, hours, service.clock()), lead_place(query)
    most = query.limit(MOST_LEADS)
    query.check()
    return tagged_response(request, await run_in_threadpool(_page, service.store, wanted, after, most))


@router.get(
    "/v1/leads/{lead_id}",
    operation_id="getLead",
    summary="The state of a lead",
    response_model=LeadAnswer,
    response_description="What is known about it.",
    responses={**documented(*FAULTS), **STILL_THE_SAME},
    openapi_extra={"parameters": [LEAD_ID, IF_NONE_MATCH]},
)
async def get_lead(request: Request) -> Response:
    """Its latest score, handover, outcome and verdict, and what of it does not go together."""
    service = Service.of(request)
    life = await run_in_threadpool(service.store.lives.of_lead, _lead_id(request))
    if life is None:
        raise ApiError("not_found", detail=NO_SCORE)
    return tagged_response(request, lead_answer(life, hours_by_grade(scorer_if_any(service.model))))


@router.get(
    "/v1/leads/{lead_id}/score",
    operation_id="getScore",
    summary="The latest score of a lead",
    response_model=ScoreAnswer,
    response_description="The answer as it was given then.",
    responses={**documented(*FAULTS), **STILL_THE_SAME},
    openapi_extra={"parameters": [LEAD_ID, IF_NONE_MATCH]},
)
async def get_score(request: Request) -> Response:
    """The lead's stored score with the latest as-of date."""
    service = Service.of(request)
    latest = await run_in_threadpool(service.store.scores.latest, _lead_id(request))
    if latest is None:
        raise ApiError("not_found", detail=NO_SCORE)
    return tagged_response(request, in_language(latest, service.language(request)))


@router.get(
    "/v1/leads/{lead_id}/history",
    operation_id="getHistory",
    summary="What came in about a lead",
    response_model=HistoryAnswer,
    response_description="A page of its history.",
    responses={**documented(*FAULTS, "invalid_request"), **STILL_THE_SAME},
    openapi_extra={"parameters": [LEAD_ID, *_paging(MOST_HAPPENINGS)]},
)
async def get_history(request: Request) -> Response:
    """Every score, outcome and verdict in the order of arrival, with what changed from score to score."""
    service, lead_id = Service.of(request), _lead_id(request)
    query = Query(request.query_params, ("limit", "next"))
    after, most = history_place(query), query.limit(MOST_HAPPENINGS)
    query.check()
    work = partial(history_answer, service.store, lead_id, after, most, scorer_if_any(service.model))
    answer = await run_in_threadpool(work)
    if answer is None:
        raise ApiError("not_found", detail=NO_SCORE)
    return tagged_response(request, answer)


@router.get(
    "/v1/leads/{lead_id}/change",
    operation_id="getChange",
    summary="What changed between two scores of a lead",
    response_model=ChangeAnswer,
    response_description="So many points because of its data, so many because of the model.",
    responses={**documented(*FAULTS, "invalid_request"), **STILL_THE_SAME},
    openapi_extra={
        "parameters": [
            LEAD_ID,
            _query("before", "A score_id. Default: the score before the latest.", type="string"),
            _query("after", "A score_id. Default: the latest score.", type="string"),
            IF_NONE_MATCH,
        ]
    },
)
async def get_change(request: Request) -> Response:
    """The difference of the probabilities, by field as far as the data changed."""
    service, lead_id = Service.of(request), _lead_id(request)
    query = Query(request.query_params, ("before", "after"))
    named = query.text("before"), query.text("after")
    query.check()
    answer = await run_in_threadpool(_change, service, lead_id, named)
    if answer is None:
        raise ApiError("not_found", detail=NOT_TWO)
    return tagged_response(request, answer)


def hours_by_grade(scorer: Scorer | None) -> dict[str, float]:
    """Agreed hours until first contact, by grade at the handover; none are known while there is no model."""
    if scorer is None:
        return {}
    agreed = scorer.bundle.definition.follow_up_hours
    return {grade: hours for grade, hours in agreed if hours is not None}


def scorer_if_any(model: ModelInService) -> Scorer | None:
    """The scorer in service, or None: what is stored can be read without one."""
    try:
        return model.scorer
    except NotReadyError:
        return None


def _page(store: Store, wanted: Wanted, after: tuple[float, str] | None, most: int) -> bytes:
    rows = store.worklist.page(wanted, after, most + 1)
    answer = LeadsAnswer(leads=[lead_shown(row, wanted.hours) for row in rows[:most]])
    if len(rows) > most:
        answer["next"] = packed_lead(rows[most - 1])
    return orjson.dumps(answer)


def _change(service: Service, lead_id: str, named: tuple[str | None, str | None]) -> ChangeAnswer | None:
    lives = service.store.lives
    pair: list[StoredScore | None] = list(lives.latest_two(lead_id))
    for position, score_id in enumerate(named):
        if score_id is not None:
            pair[position] = lives.score(lead_id, score_id)
    before, after = pair
    return None if before is None or after is None else compare(before, after, scorer_if_any(service.model))


def _lead_id(request: Request) -> str:
    lead_id: str = request.path_params["lead_id"]
    if not is_lead_id(lead_id):
        raise ApiError("not_found", detail=NO_SCORE)
    return lead_id
