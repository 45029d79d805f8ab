"""The page of the figures, and the report for the meeting."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from serving.cockpit.asked import Asked
from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.kpis import kpi_view
from serving.cockpit.views.period import read_period
from serving.cockpit.views.report import report_view
from serving.service import Service

router = APIRouter(include_in_schema=False)
NAVIGATION = Entry("kpis", "/cockpit/kpis", order=50)


@router.get("/cockpit/kpis")
def show_kpis(request: Request) -> Response:
    """Funnel, acceptance, follow-up and conversion of a period."""
    service, asked = Service.of(request), Asked(request.query_params)
    scorer, now = service.model.scorer, service.clock()
    period = read_period(asked, scorer.bundle.definition, now)
    asked.check()
    leads = service.store.figures.columns()
    view = kpi_view(leads, period, scorer.bundle.definition, now, Viewer.of(request).reader)
    return page(request, "kpis.html", view=view, block="figures")


@router.get("/cockpit/report")
def show_report(request: Request) -> Response:
    """The same on paper, with the sources."""
    service, asked = Service.of(request), Asked(request.query_params)
    scorer, now = service.model.scorer, service.clock()
    period = read_period(asked, scorer.bundle.definition, now)
    asked.check()
    view = report_view(service.store.figures.columns(), period, scorer, now, Viewer.of(request).reader)
    return page(request, "report.html", view=view, stylesheet="")
