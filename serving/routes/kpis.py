"""The figures that marketing and sales meet over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.definition import LeadDefinition
from features.errors import DataError, Problem
from features.text import Text, same
from serving.kpis.as_csv import as_csv
from serving.kpis.counts import BYS, NAMED
from serving.kpis.handover import MOST_PER_WEEK, HandoverAnswer, first_day, handover, read_rule
from serving.kpis.query import GROUPS_ON_A_PAGE, MOST_GROUPS, Query, read_query
from serving.kpis.report import kpis
from serving.kpis.shapes import KpiAnswer
from serving.responses import JSON, documented, json_response
from serving.service import Service

router = APIRouter(tags=["figures"])

CSV = "text/csv"
FORMATS = ("json", "csv")


def parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A query parameter as the OpenAPI document lists it; it is read by hand, so that all faults are told at once."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


PERIOD = [
    parameter("from", "First day of the period. Default: twelve calendar months.", type="string", format="date"),
    parameter("to", "First day after the period. Default: tomorrow.", type="string", format="date"),
]
FILTERS = [
    parameter(name, f"Only leads with this {name}; empty for those without one.", type="string") for name in NAMED
]
RULE = [
    parameter(
        "capacity_per_week",
        "Leads that sales can take in a week.",
        type="number",
        exclusiveMinimum=0,
        maximum=MOST_PER_WEEK,
    ),
    parameter("threshold", "Or the probability from which leads are handed over.", type="number", minimum=0, maximum=1),
]
TABLE = [
    parameter("by", "What the table groups leads by; no table without it.", type="string", enum=list(BYS)),
    parameter("limit", "Groups on a page.", type="integer", minimum=1, maximum=MOST_GROUPS, default=GROUPS_ON_A_PAGE),
    parameter("offset", "Groups before the page.", type="integer", minimum=0, default=0),
    parameter("format", "csv for the table alone, as Accept: text/csv.", type="string", enum=list(FORMATS)),
]


@router.get(
    "/v1/kpis",
    operation_id="getKpis",
    summary="Funnel, follow-up, acceptance and conversion",
    response_model=KpiAnswer,
    response_description="Every figure with its denominator, period, interval and definition.",
    responses=documented("invalid_request", "internal", "not_ready", "store_unavailable"),
    openapi_extra={"parameters": [*PERIOD, *FILTERS, *TABLE]},
)
async def get_kpis(request: Request) -> Response:
    """The figures that marketing and sales hold against each other, computed once, from the same leads.

    Leads too young for a figure are left out of it. A figure without leads has no value.
    """
    service = Service.of(request)
    definition, now = service.model.scorer.bundle.definition, service.clock()
    parameters = request.query_params.multi_items()
    query = read_query(parameters, definition, now, also=["format"])
    as_table = _wants_csv(request)
    if as_table:
        _require_table(query)
    answer = await run_in_threadpool(kpis, service.store.figures.counts, query, definition, now)
    if not as_table:
        return json_response(answer)
    content = as_csv(answer["table"], service.language(request))
    name = f"leads-by-{query.by}-{query.start}-{query.end}.csv"
    return Response(content, media_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get(
    "/v1/handover",
    operation_id="simulateHandover",
    summary="What another handover rule would have done",
    response_model=HandoverAnswer,
    response_description="Leads and wins handed over and left behind.",
    responses=documented("invalid_request", "internal", "not_ready", "store_unavailable"),
    openapi_extra={"parameters": [*RULE, *PERIOD, *FILTERS]},
)
async def simulate_handover(request: Request) -> Response:
    """Sales' capacity a week gives a threshold, and the threshold what sales gets and what stays behind.

    By the first scores of the leads of a past window. Nothing is changed. Without a rule, the definition's is tried.
    """
    service = Service.of(request)
    now = service.clock()
    parameters = request.query_params.multi_items()
    query, definition = read_rule(parameters, service.model.scorer.bundle.definition, now)
    return json_response(await run_in_threadpool(_simulated, service, query, definition, now))


def _simulated(service: Service, query: Query, definition: LeadDefinition, now: datetime) -> HandoverAnswer:
    began = first_day(service.store.watching.first_scored_at(), definition)
    return handover(service.store.figures.probabilities, query, definition, now, began)


def _wants_csv(request: Request) -> bool:
    """What `format` says, or else whether `Accept` names CSV and not JSON.

    Raises
    ------
    DataError
        If `format` names another.
    """
    named = request.query_params.get("format")
    if named is None:
        accepted = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
        return CSV in accepted and JSON not in accepted
    if named not in FORMATS:
        what = Text("this value does not fit", "dieser Wert passt nicht")
        expected = same(", ".join(FORMATS))
        raise DataError([Problem("parameter format", what, expected, seen=named, code="invalid_parameter")])
    return named == "csv"


def _require_table(query: Query) -> None:
    """Raise if there is no table to write as CSV."""
    if query.by is None:
        what = Text("only a table can be written as CSV", "nur eine Tabelle lässt sich als CSV schreiben")
        raise DataError([Problem("parameter by", what, same(", ".join(BYS)), code="invalid_parameter")])
