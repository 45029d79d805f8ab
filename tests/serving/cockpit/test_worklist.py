"""The worklist on a real store: every shelf, order, filter and page, and answers that go the way of the API's."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from features.model.bundle import Bundle
from serving.cockpit.views.worklist import Choice, Turn, WorklistView, order_of, worklist_view
from serving.scorer import Scorer
from serving.settings import Settings
from serving.store import Store
from serving.store.engine import open_engine
from serving.store.tables import leads, scores
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor
from tests.serving.conftest import NOW

N_LEADS, ON_A_PAGE = 90, 4
Rows = list[dict[str, Any]]


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


@pytest.fixture
def rows(service: Client, database_url: str) -> Rows:
    """Scored leads, with all that can have become of them: written into their rows, as many tests would take long."""
    answers = service.post("/v1/score/batch", json={"leads": [a_lead(number) for number in range(N_LEADS)]})
    assert answers.json()["n_scored"] == N_LEADS
    engine = open_engine(Settings(database_url=database_url).database_url, 30)
    with engine.begin() as connection:
        for number in range(N_LEADS):
            told = became(number)
            connection.execute(sa.update(leads).where(leads.c.lead_id == f"L-{number:03d}").values(**told))
        found = [dict(row._mapping) for row in connection.execute(sa.select(leads))]
    engine.dispose()
    return found


def a_lead(number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"employees": 3 ** (number % 8), "demo_requested": number % 2 == 0}
    fields |= {"source": ("fair", "web", "cold", "oddity")[number % 4]} if number % 9 else {}
    beside: dict[str, Any] = {"owner": f"team-{number % 3}"} if number % 5 else {}
    beside |= {"deal_value": 1_000 * (1 + number % 7)} if number % 4 else {}
    return {"lead_id": f"L-{number:03d}", "fields": fields, **beside}


def became(number: int) -> dict[str, Any]:
    handed = NOW - timedelta(hours=number % 40) if number % 3 else None
    told: dict[str, Any] = {"handed_over_at": handed, "handover_grade": "ABC"[number % 3] if handed else None}
    if handed:
        told |= {"verdict": (None, None, None, "accepted", "rejected")[number % 5]}
        told |= (
            {"verdict_at": handed + timedelta(minutes=number), "verdict_reason": "no_budget"} if told["verdict"] else {}
        )
        told |= {"first_contact_at": handed + timedelta(hours=1)} if number % 7 == 0 else {}
    return told | {"outcome": (None, None, "open", "won", "lost", None)[number % 6], "outcome_at": NOW}


def view_of(
    store: Store, bundle: Bundle, choice: Choice, turn: Turn | None = None, most: int = ON_A_PAGE
) -> WorklistView:
    return worklist_view(store, Scorer(bundle), choice, turn or Turn(), now=NOW, may_answer=True, most=most)


def is_open(row: dict[str, Any]) -> bool:
    return row["handed_over_at"] is not None and row["outcome"] in (None, "open")


SHELF_HOLDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "to_answer": lambda row: is_open(row) and row["verdict"] is None,
    "accepted": lambda row: is_open(row) and row["verdict"] == "accepted",
    "rejected": lambda row: row["verdict"] == "rejected",
    "all": lambda _: True,
}


def is_overdue(row: dict[str, Any]) -> bool:
    hours = {"A": 4, "B": 24}.get(row["handover_grade"])
    return (
        is_open(row)
        and row["first_contact_at"] is None
        and hours is not None
        and row["handed_over_at"] < NOW - timedelta(hours=hours)
    )


FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({}, lambda _: True),
    ({"source": "fair"}, lambda row: row["source"] == "fair"),
    ({"owner": "team-2", "grade": "D"}, lambda row: (row["owner"], row["grade"]) == ("team-2", "D")),
    ({"region": "nowhere"}, lambda _: False),
]


def expected(rows: Rows, choice: Choice, fits: Callable[[dict[str, Any]], bool]) -> list[str]:
    key = order_of(choice)
    listed = [row for row in rows if SHELF_HOLDS[choice.shelf](row) and fits(row)]
    return [row["lead_id"] for row in sorted(listed, key=lambda row: (row[key], row["lead_id"]), reverse=True)]


def turned(address: str) -> Turn:
    """The turn that an address of a page asks for, read as the page does."""
    from starlette.datastructures import QueryParams

    from serving.cockpit.asked import Asked
    from serving.cockpit.pages.worklist import _choice, _turn

    asked = Asked(QueryParams(address.partition("?")[2]))
    turn = _turn(asked, _choice(asked, None))
    asked.check()
    return turn


@pytest.mark.parametrize("shelf", SHELF_HOLDS)
@pytest.mark.parametrize("order", ["by_value", "probability"])
def test_every_list_holds_its_leads_once_in_order_forwards_and_back(
    store: Store, bundle: Bundle, rows: Rows, shelf: Any, order: Any
) -> None:
    for chosen, fits in FILTERS:
        choice = Choice(shelf=shelf, order=order, **chosen)
        wanted, pages, view = expected(rows, choice, fits), [], view_of(store, bundle, choice)
        if shelf != "all":
            assert view.n_leads == len(wanted)
        while True:
            pages.append([line.lead_id for line in view.lines])
            if not view.after:
                break
            view = view_of(store, bundle, choice, turned(view.after))
        assert [lead_id for page in pages for lead_id in page] == wanted
        for page in reversed(pages[:-1]):
            view = view_of(store, bundle, choice, turned(view.before))
            assert [line.lead_id for line in view.lines] == page
        assert len(pages) < 2 or not view.before


@pytest.mark.usefixtures("service")
def test_overdue_leads_are_those_past_their_agreed_hours(store: Store, bundle: Bundle, rows: Rows) -> None:
    view = view_of(store, bundle, Choice(overdue=True), most=N_LEADS)
    late = {row["lead_id"] for row in rows if is_overdue(row) and row["verdict"] is None}
    assert late
    assert {line.lead_id for line in view.lines} == late
    assert {line.follow_up.state for line in view.lines} == {"overdue"}


def test_a_search_finds_ids_by_their_beginning_and_tells_small_letters_from_capitals(
    service: Client, store: Store, bundle: Bundle
) -> None:
    for lead_id in ("x_1", "xa1", "X_1", "x_10", "x_2", "x~", "y_1"):
        assert service.post("/v1/score", json={"lead_id": lead_id, "fields": {}}).status_code == 200
    service.post("/v1/leads/x_2/objection", json={})

    def found(text: str) -> set[str]:
        return {line.lead_id for line in view_of(store, bundle, Choice(begins_with=text), most=N_LEADS).lines}

    assert found("x") == {"x_1", "xa1", "x_10", "x~"}
    assert found("x_") == {"x_1", "x_10"}
    assert found("x_10") == {"x_10"}
    assert found("x_100") == set()


@pytest.mark.usefixtures("rows")
def test_a_lead_whose_person_objects_is_on_no_list(service: Client, store: Store, bundle: Bundle) -> None:
    first = view_of(store, bundle, Choice()).lines[0].lead_id
    assert service.post(f"/v1/leads/{first}/objection", json={}).status_code == 200
    for shelf in ("to_answer", "all"):
        assert first not in {line.lead_id for line in view_of(store, bundle, Choice(shelf=shelf), most=N_LEADS).lines}


@pytest.mark.usefixtures("rows")
def test_what_speaks_for_a_lead_is_what_its_stored_answer_says(service: Client, store: Store, bundle: Bundle) -> None:
    for line in view_of(store, bundle, Choice()).lines:
        reasons = service.get(f"/v1/leads/{line.lead_id}/score").json()["reasons"]
        shown = [(each.label.en, each.value.en, each.points) for each in (*line.speaks_for, *line.speaks_against)]
        told = [(each["label"]["en"], each["value"]["en"], each["points"]) for each in reasons]
        assert set(shown) <= set(told)
        assert all(each.points > 0 for each in line.speaks_for)
        assert all(each.points < 0 for each in line.speaks_against)


def test_the_expected_value_is_probability_times_deal_value(store: Store, bundle: Bundle, rows: Rows) -> None:
    by_id = {row["lead_id"]: row for row in rows}
    lines = view_of(store, bundle, Choice(order="by_value"), most=N_LEADS).lines
    known = [line for line in lines if line.expected_value is not None]
    assert known
    for line in known:
        assert line.expected_value == pytest.approx(line.probability * by_id[line.lead_id]["deal_value"])
    values = [line.expected_value for line in lines]
    assert values == sorted(values, key=lambda value: -1 if value is None else value, reverse=True)


def test_teams_are_found_by_name_each_once(store: Store, rows: Rows) -> None:
    assert store.worklist.owners(200) == sorted({row["owner"] for row in rows if row["owner"]})
    assert store.worklist.owners(2) == ["team-0", "team-1"]


# ---------------------------------------------------------------------------------------------- over HTTP


def handed_over(client: Client, lead_id: str) -> None:
    fields = {"source": "fair", "employees": 5_000}
    answer = client.post(
        "/v1/score", json={"lead_id": lead_id, "fields": fields, "deal_value": 9_000, "owner": "north"}
    )
    assert answer.json()["handover"] == "go", answer.text


def answer_of(visitor: Visitor, lead_id: str, **form: str) -> Any:
    back = "/cockpit/worklist?grade=A"
    return visitor.post_signed(f"/cockpit/leads/{lead_id}/verdict", {"back": back, **form})


def test_sales_sees_the_reasons_and_marketing_only_the_answer(client: Client, visit: Callable[..., Visitor]) -> None:
    handed_over(client, "L-1")
    assert 'value="not_reachable"' in visit("sales").get("/cockpit/worklist").text
    assert 'value="not_reachable"' not in visit("marketing").get("/cockpit/worklist").text


def test_a_verdict_goes_the_way_of_the_api_and_marketing_sees_it(client: Client, visit: Callable[..., Visitor]) -> None:
    handed_over(client, "L-1")
    sales = visit("sales")
    stored = answer_of(sales, "L-1", verdict="rejected", reason="no_budget", first_contact_at="2026-02-03T10:30")
    assert (stored.status_code, stored.headers["location"]) == (303, "/cockpit/worklist?grade=A&answered=L-1")
    (told,) = [each for each in client.get("/v1/leads/L-1/history").json()["history"] if each["kind"] == "verdict"]
    said = {
        "verdict": "rejected",
        "reason": "no_budget",
        "by": "cockpit:demo-sales",
        "at": "2026-02-03T10:00:00.000000Z",
    }
    assert said.items() <= told["verdict"].items()
    assert told["verdict"]["first_contact_at"] == "2026-02-03T09:30:00.000000Z"  # the agreement's clocks are Berlin's
    assert "Lead L-1 is rejected: No budget" in sales.get(stored.headers["location"]).text
    seen = visit("marketing").get("/cockpit/worklist?shelf=rejected").text
    assert "L-1" in seen
    assert "No budget" in seen


def test_another_answer_counts_and_the_first_stays_in_the_history(
    client: Client, visit: Callable[..., Visitor]
) -> None:
    handed_over(client, "L-1")
    sales = visit("sales")
    answer_of(sales, "L-1", verdict="rejected", reason="no_budget")
    client.now += timedelta(seconds=5)
    answer_of(sales, "L-1", verdict="accepted", reason="need_confirmed")
    state = client.get("/v1/leads/L-1").json()
    assert (state["verdict"], state["n_verdicts"]) == ("accepted", 2)


def test_a_double_click_is_one_answer(client: Client, visit: Callable[..., Visitor]) -> None:
    handed_over(client, "L-1")
    sales = visit("sales")
    for _ in range(2):
        assert answer_of(sales, "L-1", verdict="accepted", reason="need_confirmed").status_code == 303
    assert client.get("/v1/leads/L-1").json()["n_verdicts"] == 1


def test_only_sales_answers_and_nothing_that_does_not_fit_is_stored(
    client: Client, visit: Callable[..., Visitor]
) -> None:
    handed_over(client, "L-1")
    for role in ("marketing", "data"):
        assert answer_of(visit(role), "L-1", verdict="accepted", reason="need_confirmed").status_code == 403
    sales = visit("sales")
    for form in ({"verdict": "accepted", "reason": "no_budget"}, {"verdict": "maybe"}, {}):
        assert answer_of(sales, "L-1", **form).status_code == 422
    assert answer_of(sales, "L-2", verdict="accepted", reason="need_confirmed").status_code == 404
    assert client.get("/v1/leads/L-1").json()["n_verdicts"] == 0


def test_after_an_answer_nobody_is_sent_elsewhere(client: Client, visit: Callable[..., Visitor]) -> None:
    handed_over(client, "L-1")
    sales = visit("sales")
    form = {"verdict": "accepted", "reason": "need_confirmed", "back": "https://evil.example.com/cockpit/worklist"}
    went = sales.post_signed("/cockpit/leads/L-1/verdict", form).headers["location"]
    assert went.startswith("/cockpit?")


@pytest.mark.parametrize(
    "query", ["shelf=x", "order=1", "grade=E", "overdue=yes", "after=x", "before=WzFd", "id=%3C", "after=" + "A" * 401]
)
def test_what_does_not_fit_in_an_address_is_told_in_words(visit: Callable[..., Visitor], query: str) -> None:
    answer = visit("sales").get(f"/cockpit/worklist?{query}")
    assert answer.status_code == 422
    assert "text/html" in answer.headers["content-type"]


def test_empty_lists_say_what_to_do(visit: Callable[..., Visitor]) -> None:
    sales = visit("sales", "de")
    assert "Nichts zu beantworten" in sales.get("/cockpit/worklist").text
    assert "sobald das CRM den ersten" in sales.get("/cockpit/worklist?shelf=all").text
    assert "Nichts auf dieser Liste passt" in sales.get("/cockpit/worklist?grade=A").text
    assert "/cockpit/leads/L-9" in sales.get("/cockpit/worklist?id=L-9").text


def test_every_text_of_a_lead_is_escaped(client: Client, visit: Callable[..., Visitor]) -> None:
    client.post("/v1/score", json={"lead_id": "L-1", "fields": {"source": "<b>x</b>", "employees": 90_000}})
    page = visit("sales").get("/cockpit/worklist?shelf=all").text
    assert "<b>x" not in page
    assert html.escape("<b>x</b>") in page


def test_links_lead_to_each_leads_page(client: Client, visit: Callable[..., Visitor]) -> None:
    handed_over(client, "00Q5g:a+b~c=d")
    sales = visit("sales")
    (address,) = re.findall(r'href="(/cockpit/leads/[^"#]+)"', sales.get("/cockpit/worklist").text)
    assert sales.get(html.unescape(address)).status_code == 200


def test_a_lead_that_vanishes_while_the_list_is_made_is_left_out(store: Store, database_url: str) -> None:
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    with engine.connect() as connection:
        assert connection.execute(sa.select(scores)).all() == []
    engine.dispose()
    assert store.worklist.with_answers([{"lead_id": "L", "latest_key": "k"}]) == []
