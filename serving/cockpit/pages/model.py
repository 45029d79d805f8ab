"""The page about the model, and its card."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer, language_of
from serving.cockpit.views.model import model_view
from serving.cockpit.views.model_alerts import alerts_view
from serving.cockpit.views.model_live import live_view
from serving.cockpit.views.model_record import record_view
from serving.errors import ApiError
from serving.service import Service

router = APIRouter(include_in_schema=False)
NAVIGATION = Entry("model", "/cockpit/model", order=60, first_for=("data",))

ONLY_STYLE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
"""The card is a file that came with the bundle: it may look as it likes, and do nothing."""


@router.get("/cockpit/model")
def show_model(request: Request) -> Response:
    """What the model predicts, how well it does, and how it came to be in service."""
    service, reader = Service.of(request), Viewer.of(request).reader
    scorer, now = service.model.scorer, service.clock()
    return page(
        request,
        "model.html",
        view=model_view(scorer, reader),
        live=live_view(scorer.bundle, service.later, now, reader),
        alerts=alerts_view(service.store.watching, scorer.bundle.definition, service.settings.silent_alerts),
        record=record_view(service.registry, service.store.served, scorer.bundle.bundle_id, now, reader),
        pending=service.model.pending,
    )


@router.get("/cockpit/model/record")
def show_record(request: Request) -> Response:
    """The versions alone, which the page asks for again while the registry is being asked."""
    service, reader = Service.of(request), Viewer.of(request).reader
    bundle_id = service.model.scorer.bundle.bundle_id
    record = record_view(service.registry, service.store.served, bundle_id, service.clock(), reader)
    return page(request, "model_record.html", block="record", record=record)


@router.get("/cockpit/model/card")
def show_card(request: Request) -> Response:
    """The model card that training wrote, as it is, and unable to run or load anything."""
    language = language_of(request)
    card = Service.of(request).model.scorer.bundle.cards.get(language)
    if card is None:
        raise ApiError("not_found")
    return HTMLResponse(card, headers={"Content-Security-Policy": ONLY_STYLE, "Content-Language": language})
