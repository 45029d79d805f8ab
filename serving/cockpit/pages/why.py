"""Why leads win: importance and evidence, and the same as CSV."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from serving.cockpit.asked import Asked
from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.why import why_view
from serving.cockpit.views.why_csv import why_csv
from serving.service import Service

router = APIRouter(include_in_schema=False)
NAVIGATION = Entry("why", "/cockpit/why", order=20)
OWNERS = ("marketing", "sales")
FILE_NAMES = {"en": "why-leads-win", "de": "warum-leads-gewinnen"}


@router.get("/cockpit/why")
def show_why(request: Request) -> Response:
    """Which fields move probabilities, and how leads with each of their values fared."""
    owner, viewer = _owner(request), Viewer.of(request)
    view = why_view(Service.of(request).model.scorer.bundle, owner, viewer.reader)
    return page(request, "why.html", view=view)


@router.get("/cockpit/why.csv")
def download_why(request: Request) -> Response:
    """The same, a line for each value."""
    owner, viewer = _owner(request), Viewer.of(request)
    content = why_csv(Service.of(request).model.scorer.bundle, owner, viewer.reader)
    name = f"{FILE_NAMES[viewer.language]}{'-' + owner if owner else ''}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Language": viewer.language}
    return Response(content, media_type="text/csv", headers=headers)


def _owner(request: Request) -> str:
    asked = Asked(request.query_params)
    owner = asked.one_of("owner", OWNERS)
    asked.check()
    return owner
