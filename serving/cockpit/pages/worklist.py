"""The worklist: which lead to call next, and why."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from features.definition import GRADES
from features.text import Text
from serving.cockpit.asked import Asked
from serving.cockpit.navigation import Entry
from serving.cockpit.rendering import page
from serving.cockpit.viewer import Viewer
from serving.cockpit.views.labels import ORDERS
from serving.cockpit.views.places import unpacked
from serving.cockpit.views.worklist import SHELVES, Choice, Turn, order_of, worklist_view
from serving.intake import is_lead_id
from serving.routes.leads import scorer_if_any
from serving.scorer import Scorer
from serving.service import Service
from serving.store import Order

router = APIRouter(include_in_schema=False)
NAVIGATION = Entry("worklist", "/cockpit/worklist", order=10, first_for=("sales",))
A_PLACE = Text("the address of a page as it was linked", "die Adresse einer Seite, wie sie verlinkt war")
AN_ID = Text("the beginning of a lead's id", "der Anfang einer Lead-Kennung")


@router.get("/cockpit/worklist")
def show_worklist(request: Request) -> Response:
    """Leads in the order in which it pays to call them."""
    service, viewer = Service.of(request), Viewer.of(request)
    scorer, asked = scorer_if_any(service.model), Asked(request.query_params)
    choice = _choice(asked, scorer)
    turn = _turn(asked, choice)
    answered = asked.text("answered")
    asked.check()
    view = worklist_view(
        service.store,
        scorer,
        choice,
        turn,
        now=service.clock(),
        may_answer=viewer.role == "sales",
        answered=answered if is_lead_id(answered) else "",
    )
    return page(request, "worklist.html", view=view)


def _choice(asked: Asked, scorer: Scorer | None) -> Choice:
    begins_with = asked.text("id")
    if begins_with and not is_lead_id(begins_with):
        asked.refuse("id", begins_with, AN_ID)
    order = asked.one_of("order", ORDERS, usual_order(scorer))
    return Choice(
        shelf=next(shelf for shelf in SHELVES if shelf == asked.one_of("shelf", SHELVES, SHELVES[0])),
        order="by_value" if order == "by_value" else "probability",
        grade=asked.one_of("grade", GRADES),
        source=asked.text("source"),
        campaign=asked.text("campaign"),
        region=asked.text("region"),
        owner=asked.text("owner"),
        overdue=asked.yes("overdue"),
        begins_with=begins_with,
    )


def usual_order(scorer: Scorer | None) -> Order:
    """By expected value where the definition knows what a deal is worth."""
    return "by_value" if scorer and scorer.bundle.definition.columns.value else "probability"


def _turn(asked: Asked, choice: Choice) -> Turn:
    """Which page of the list; a search goes on after an id."""
    for name in ("after", "before"):
        text = asked.text(name, longest=400)
        if not text:
            continue
        place = (text if is_lead_id(text) else None) if choice.begins_with else unpacked(order_of(choice), text)
        if place is None:
            asked.refuse(name, text, A_PLACE)
        return Turn(place, backwards=name == "before")
    return Turn()
