"""The page of a lead, and sales' answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serving.cockpit.asked import Asked
from serving.cockpit.forms import Form, signed_form
from serving.cockpit.rendering import page
from serving.cockpit.session import own_path
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.lead import lead_view
from serving.errors import ApiError
from serving.feedback.reading import Arrived
from serving.feedback.telling import VERDICTS, tell_one
from serving.identity import Arrival
from serving.intake import is_lead_id
from serving.routes.leads import scorer_if_any
from serving.scorer import in_utc
from serving.service import Service
from serving.store import Store

router = APIRouter(include_in_schema=False)
GONE = 410


@router.get("/cockpit/leads/{lead_id}")
def show_lead(request: Request, lead_id: str) -> Response:
    """How probable it is that a lead is won, why, and what has happened to it."""
    service, viewer = Service.of(request), Viewer.of(request)
    asked = Asked(request.query_params)
    two = asked.text("before"), asked.text("after")
    asked.check()
    life = service.store.lives.of_lead(lead_id) if is_lead_id(lead_id) else None
    if life is None:
        return _without_score(request, service.store, lead_id)
    view = lead_view(
        service.store,
        scorer_if_any(service.model),
        life,
        two,
        now=service.clock(),
        reader=viewer.reader,
        may_answer=viewer.role == "sales",
    )
    return page(request, "lead.html", view=view)


@router.post("/cockpit/leads/{lead_id}/verdict")
def answer_lead(request: Request, lead_id: str, form: Annotated[Form, Depends(signed_form)]) -> Response:
    """Store sales' verdict, the very way that POST /v1/verdicts does, and go back to where it was given."""
    service, viewer = Service.of(request), Viewer.of(request)
    now = service.clock()
    arrived = Arrived(service.model.scorer.bundle.definition, Arrival(now), viewer.key_id)
    tell_one(_verdict(lead_id, form, viewer.pseudonym, now), VERDICTS, service.store.verdicts, arrived)
    return RedirectResponse(_back(form.get("back", ""), lead_id), 303)


def _verdict(lead_id: str, form: Form, by: str, now: datetime) -> bytes:
    """The body that POST /v1/verdicts takes. To the second: who clicks twice says it once."""
    told: dict[str, object] = {"lead_id": lead_id, "verdict": form.get("verdict", ""), "by": by}
    told["at"] = in_utc(now.astimezone(UTC).replace(microsecond=0))
    optional: Mapping[str, str] = {name: form.get(name, "") for name in ("reason", "first_contact_at")}
    return orjson.dumps(told | {name: value for name, value in optional.items() if value})


def _back(address: str, lead_id: str) -> str:
    """Where the verdict was given, told which lead it was about."""
    parts = urlsplit(own_path(address))
    asked = [(name, value) for name, value in parse_qsl(parts.query) if name != "answered"]
    return f"{parts.path}?{urlencode([*asked, ('answered', lead_id)])}"


def _without_score(request: Request, store: Store, lead_id: str) -> Response:
    """Of a lead without a stored score: that it was erased, or that its person objects."""
    if not is_lead_id(lead_id):
        raise ApiError("unknown_lead")
    erased_at = store.erasures.erased_at(lead_id)
    if erased_at is not None:
        return page(request, "no_lead.html", status=GONE, erased_at=erased_at, objected_at=None, lead_id="")
    objection = store.objections.of_lead(lead_id)
    if objection is None:
        raise ApiError("unknown_lead")
    objected_at = objection.objected_at
    return page(request, "no_lead.html", erased_at=None, objected_at=objected_at, lead_id=lead_id)
