"""The page of sources and campaigns, and its table as CSV."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from serving.cockpit.asked import Asked
from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.period import read_period
from serving.cockpit.views.sources import ORDERS, bys, sources_answer, sources_view, usual_order
from serving.kpis.as_csv import as_csv
from serving.kpis.counts import By
from serving.service import Service

router = APIRouter(include_in_schema=False)
NAVIGATION = Entry("sources", "/cockpit/sources", order=30, first_for=("marketing",))


@router.get("/cockpit/sources")
def show_sources(request: Request) -> Response:
    """What came from where, and what became of it."""
    service, asked = Service.of(request), Asked(request.query_params)
    definition, now = service.model.scorer.bundle.definition, service.clock()
    by = cast(By, asked.one_of("by", bys(definition), bys(definition)[0]))
    order = asked.one_of("order", ORDERS, usual_order(by))
    period = read_period(asked, definition, now)
    asked.check()
    leads = service.store.figures.columns()
    view = sources_view(leads, period, by, order, definition=definition, now=now, reader=Viewer.of(request).reader)
    return page(request, "sources.html", view=view, block="rows")


@router.get("/cockpit/sources.csv")
def download_sources(request: Request) -> Response:
    """The table for a spreadsheet."""
    service, asked = Service.of(request), Asked(request.query_params)
    definition, now = service.model.scorer.bundle.definition, service.clock()
    by = cast(By, asked.one_of("by", bys(definition), bys(definition)[0]))
    period = read_period(asked, definition, now)
    asked.check()
    answer = sources_answer(service.store.figures.columns(), period, by, definition, now)
    content = as_csv(answer["table"], Viewer.of(request).language)
    name = f"leads-by-{by}-{period.start}-{period.last}.csv"
    return Response(content, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})
