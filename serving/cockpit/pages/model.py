"""The page about the model."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.model import model_view
from serving.service import Service

router = APIRouter(include_in_schema=False)
NAVIGATION = Entry("model", "/cockpit/model", order=60, first_for=("data",))


@router.get("/cockpit/model")
def show_model(request: Request) -> Response:
    """What the model predicts, how well it does, and how it came to be in service."""
    view = model_view(Service.of(request).model.scorer, Viewer.of(request).reader)
    return page(request, "model.html", view=view)
