"""The agreement: the simulator of the handover, proposals, and the answers to them."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from features.definition import GRADES
from features.errors import DataError
from features.text import Text
from serving.agreement.acting import Act, answer_proposal, propose
from serving.agreement.asking import read_answer, read_proposal
from serving.agreement.proposing import usual_days
from serving.agreement.shapes import MOST_PER_WEEK
from serving.cockpit.asked import Asked
from serving.cockpit.forms import Form, signed_form
from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.agreement import agreement_view
from serving.cockpit.views.simulator import WEEKS, Tried
from serving.errors import api_error
from serving.service import Service
from serving.store import UnknownProposalError

router = APIRouter(include_in_schema=False)
ADDRESS = "/cockpit/agreement"
NAVIGATION = Entry("agreement", ADDRESS, order=40)
TOLD = ("proposed", "in_effect", "declined", "withdrawn")
TRIED = ("capacity", "threshold", "weeks")
LONGEST_NUMBER = 15
ACTS: dict[str, Act] = {"consent": "consent", "decline": "decline"}


@router.get(ADDRESS)
def show_agreement(request: Request) -> Response:
    """What is in effect, what is proposed, and what another rule would do."""
    asked = Asked(request.query_params)
    tried = _tried(asked)
    told = asked.one_of("told", TOLD)
    asked.check()
    return _shown(request, tried, told=told)


@router.post(f"{ADDRESS}/proposals")
def make_proposal(request: Request, form: Annotated[Form, Depends(signed_form)]) -> Response:
    """Back to the page with the proposal on it; or the form again, with what was wrong."""
    service, viewer = Service.of(request), Viewer.of(request)
    try:
        wish = read_proposal(_entry(form, service), viewer.role, viewer.key_id, ())
        propose(service, wish)
    except DataError as error:
        tried = _tried(Asked(QueryParams({name: form.get(name, "") for name in TRIED})))
        return _shown(request, tried, error=error, form=form)
    return RedirectResponse(f"{ADDRESS}?told=proposed#proposal", 303)


@router.post(f"{ADDRESS}/proposals/{{proposal_id}}/{{act}}")
def answer(request: Request, form: Annotated[Form, Depends(signed_form)]) -> Response:
    """Back to the page, after a team's answer; or what was wrong with it."""
    service, viewer = Service.of(request), Viewer.of(request)
    named, act = request.path_params["proposal_id"], ACTS.get(request.path_params["act"])
    if act is None or not (named.isascii() and named.isdigit() and len(named) <= LONGEST_NUMBER):
        raise UnknownProposalError(named)
    try:
        who, comment = read_answer(
            {"comment": _lines(form.get("comment", ""))}, viewer.role, viewer.key_id, (), needs_comment=act == "decline"
        )
        done = answer_proposal(service, act, int(named), who, comment)
    except DataError as error:
        return _shown(request, Tried(), error=error, form=form)
    return RedirectResponse(f"{ADDRESS}?told={done.ending or 'in_effect'}", 303)


def _shown(
    request: Request, tried: Tried, *, told: str = "", error: DataError | None = None, form: Form | None = None
) -> Response:
    service, viewer = Service.of(request), Viewer.of(request)
    view = agreement_view(service, tried, service.clock(), viewer.role, viewer.reader)
    refused = None if error is None else api_error(error)
    status = 200 if refused is None else refused.kind.status
    return page(
        request,
        "agreement.html",
        status=status,
        block="simulator",
        view=view,
        told=told,
        error=refused,
        form=form or {},
    )


def _tried(asked: Asked) -> Tried:
    """The rule that the address, or a form, wants to try."""
    capacity = _number(asked, "capacity", MOST_PER_WEEK, A_CAPACITY)
    percent = _number(asked, "threshold", math.nextafter(100, 0), A_PERCENTAGE)
    if capacity is not None and percent is not None:
        asked.refuse("threshold", asked.text("threshold"), ONE_RULE)
    weeks = asked.one_of("weeks", map(str, WEEKS))
    return Tried(capacity, None if percent is None else percent / 100, int(weeks) if weeks else None)


def _number(asked: Asked, name: str, most: float, expected: Text) -> float | None:
    """A number as the reader writes it; None, with a fault noted, if it does not fit, and None if there is none."""
    written = asked.text(name)
    if not written:
        return None
    value = number_of(written)
    if value is None or not 0 < value <= most:
        asked.refuse(name, written, expected)
        return None
    return value


def number_of(written: str) -> float | None:
    """A number with a decimal point or comma, such as people type it; None if it is none.

    >>> number_of("12,5"), number_of("40"), number_of("1e3"), number_of("1.000,5")
    (12.5, 40.0, None, None)
    """
    plain = written.strip().replace(",", ".", 1)
    whole, _, part = plain.partition(".")
    if len(plain) > LONGEST_NUMBER or not all(digits.isascii() and digits.isdigit() for digits in (whole, part or "0")):
        return None
    return float(plain)


def _entry(form: Form, service: Service) -> dict[str, Any]:
    """The form as the API takes a proposal; what is no number stays as it was typed, so that it is told."""
    definition, now = service.model.scorer.bundle.definition, service.clock()
    hours = {grade: form.get(f"hours_{grade}", "").strip() for grade in GRADES}
    entry: dict[str, Any] = {
        "based_on": int(form["based_on"]) if form.get("based_on", "").isdecimal() else None,
        "follow_up_hours": {grade: _typed(written) for grade, written in hours.items() if written},
        "comment": _lines(form.get("comment", "")),
    }
    if capacity := form.get("capacity", "").strip():
        entry["handover"] = {"capacity_per_week": _typed(capacity)}
        weeks = form.get("weeks", "")
        entry |= dict(usual_days(definition, now, int(weeks) if weeks in map(str, WEEKS) else WEEKS[1]))
    if threshold := form.get("threshold", "").strip():
        percent = number_of(threshold)
        entry.setdefault("handover", {})["threshold"] = threshold if percent is None else percent / 100
    return entry


def _typed(written: str) -> float | str:
    value = number_of(written)
    return written if value is None else value


def _lines(comment: str) -> str:
    """A comment with the line ends of texts instead of those of forms."""
    return comment.replace("\r\n", "\n")


A_CAPACITY = Text("leads a week, above 0 and at most a million", "Leads pro Woche, über 0 und höchstens eine Million")
A_PERCENTAGE = Text("a percentage above 0 and below 100", "ein Prozentsatz über 0 und unter 100")
ONE_RULE = Text("a capacity or a threshold, not both", "eine Kapazität oder eine Schwelle, nicht beides")
