"""The page of a lead: its numbers are the API's, and it says of every lead what may be said of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from features.model.bundle import Bundle, open_bundle
from serving.cockpit.formats import Reader
from serving.cockpit.views.explained import steps
from serving.cockpit.views.lead import LeadView, lead_view
from serving.scorer import Scorer
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor
from tests.serving.conftest import NOW
from tests.serving.small_model import definition, write_small_bundle

READER = Reader("en", ZoneInfo("Europe/Berlin"))
LEADS = [
    {"source": "fair", "employees": 5_000, "demo_requested": False, "customer_since": "2020-05-01"},
    {"source": "web", "demo_requested": True},
    {"source": "a new one", "employees": 3},
    {},
]


def scored(client: Client, lead_id: str, fields: dict[str, Any], **beside: Any) -> dict[str, Any]:
    answer = client.post("/v1/score", json={"lead_id": lead_id, "fields": fields, **beside})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def view_of(store: Store, scorer: Scorer | None, lead_id: str, two: tuple[str, str] = ("", "")) -> LeadView:
    life = store.lives.of_lead(lead_id)
    assert life is not None
    return lead_view(store, scorer, life, two, now=NOW, reader=READER, may_answer=True)


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[Store]:
    """Another connection to what the client's service stores."""
    store = Store(Settings(database_url=sqlite_url).database_url)
    yield store
    store.close()


@pytest.mark.parametrize("fields", LEADS)
def test_the_waterfall_adds_up_to_the_probability_that_the_api_answers(
    client: Client, opened: Store, bundle: Bundle, fields: dict[str, Any]
) -> None:
    scored(client, "L-1", fields)
    answer = client.get("/v1/leads/L-1/score").json()
    view = view_of(opened, Scorer(bundle), "L-1")
    assert view.standing is not None
    why = view.standing.explained
    every = [share.points for group in why.groups for share in group.fields]
    assert len(every) == len(answer["contributions"])
    assert view.standing.probability == answer["probability"]
    assert math.fsum([100 * answer["base"]["probability"], *every]) == pytest.approx(
        100 * answer["probability"], abs=1e-9
    )
    assert why.base_points + sum(group.points for group in why.groups) == pytest.approx(why.points, abs=1e-9)
    drawn = steps(why.groups, answer["base"]["probability"], answer["probability"], READER)
    assert drawn[0].end == pytest.approx(100 * answer["base"]["probability"])
    level = drawn[0].end
    for step in drawn[1:-1]:
        assert step.start == pytest.approx(level, abs=1e-9)  # each begins where the one before ended
        level = step.end
    assert drawn[-1].end == pytest.approx(level, abs=1e-9)
    assert drawn[-1].shown == READER.percent(answer["probability"], 1)


@pytest.mark.parametrize("fields", LEADS)
def test_each_field_says_what_the_answer_says_and_no_more(
    client: Client, opened: Store, bundle: Bundle, fields: dict[str, Any]
) -> None:
    answer = scored(client, "L-1", fields)
    # A scorer that tells two reasons: the others come from the model in service, and must read the same.
    short = view_of(opened, Scorer(bundle, strongest=2), "L-1").standing
    assert short is not None
    shown = {share.name: share for share in (*short.explained.strongest, *short.explained.others)}
    for reason in answer["reasons"]:
        share = shown[reason["field"]]
        assert (share.label.de, share.value.en, share.points) == (
            reason["label"]["de"],
            reason["value"]["en"],
            reason["points"],
        )
        assert share.evidence is not None
        assert reason["text"]["de"].endswith(f"Punkte. {share.evidence.de}")
        assert reason["text"]["en"].endswith(f"points. {share.evidence.en}")
    notes = {name: share.note for name, share in shown.items() if share.note}
    assert {name for name, note in notes.items() if note == "missing"} == set(answer["missing"])
    assert {name for name, note in notes.items() if note == "unknown"} == set(answer["unknown"])
    missing = math.fsum(each["points"] for each in answer["contributions"] if each["field"] in answer["missing"])
    assert short.explained.lacking_points == pytest.approx(missing, abs=1e-9)


def test_fields_are_grouped_by_the_team_that_owns_them(client: Client, opened: Store, bundle: Bundle) -> None:
    scored(client, "L-1", LEADS[0])
    standing = view_of(opened, Scorer(bundle), "L-1").standing
    assert standing is not None
    owners = {group.owner: {share.name for share in group.fields} for group in standing.explained.groups}
    assert owners == {"marketing": {"source", "demo_requested"}, "sales": {"employees", "customer_since"}}


def test_without_a_model_in_service_a_stored_score_still_explains_itself(
    client: Client, opened: Store, bundle: Bundle
) -> None:
    answer = scored(client, "L-1", LEADS[0])
    with_model, without = (view_of(opened, scorer, "L-1").standing for scorer in (Scorer(bundle), None))
    assert with_model is not None
    assert without is not None
    told = {share.name: share.evidence for share in without.explained.strongest}
    assert all(told[reason["field"]] for reason in answer["reasons"] if reason["field"] in told)
    assert sum(group.points for group in without.explained.groups) == pytest.approx(
        sum(group.points for group in with_model.explained.groups), abs=1e-9
    )


def test_what_changed_between_two_scores_is_what_the_api_answers(client: Client, opened: Store, bundle: Bundle) -> None:
    names = []
    for employees in (5, 50, 5_000):
        names.append(scored(client, "L-1", {"source": "fair", "employees": employees})["score_id"])
        client.now += timedelta(days=1)
    latest = view_of(opened, Scorer(bundle), "L-1").course
    assert latest is not None
    assert latest.change == client.get("/v1/leads/L-1/change").json()
    chosen = view_of(opened, Scorer(bundle), "L-1", (names[0], names[2])).course
    assert chosen is not None
    assert chosen.change == client.get(f"/v1/leads/L-1/change?before={names[0]}&after={names[2]}").json()
    assert [name for name, _ in latest.scores] == names[::-1]
    assert latest.picture is not None
    assert len(latest.picture.rows) == 3
    unknown = view_of(opened, Scorer(bundle), "L-1", ("0" * 32, names[0])).course
    assert unknown is not None
    assert unknown.change is None


def test_a_score_of_an_earlier_model_is_marked_in_the_course(client: Client, opened: Store, tmp_path: Any) -> None:
    other = open_bundle(write_small_bundle(tmp_path / "other", definition(), seed=8))
    scored(client, "L-1", LEADS[0])
    url = client.app.state.service.settings.database_url
    with Client(Settings(database_url=url), other, NOW + timedelta(days=1)) as newer:
        scored(newer, "L-1", LEADS[0])
    course = view_of(opened, Scorer(other), "L-1").course
    assert course is not None
    assert course.picture is not None
    assert "another model" in course.picture.says
    assert course.change is not None
    assert course.change["same_model"] is False


def closed_leads(client: Client) -> None:
    """Six closed leads: three as our lead, won, won and lost; three of another kind, lost."""
    for number, fields in enumerate([LEADS[0]] * 3 + [LEADS[2]] * 3):
        scored(client, f"P-{number}", {**fields, "employees": 5_000 + number})
        outcome = "won" if number < 2 else "lost"
        told = {"lead_id": f"P-{number}", "outcome": outcome, "at": "2026-02-03T09:00:00Z"}
        assert client.post("/v1/outcomes", json=told).status_code == 200


def test_similar_leads_are_the_nearest_closed_ones_with_how_they_ended(
    client: Client, opened: Store, bundle: Bundle
) -> None:
    closed_leads(client)
    scored(client, "OPEN", LEADS[0])  # nobody knows yet how it ends
    scored(client, "L-1", LEADS[0])
    client.post("/v1/outcomes", json={"lead_id": "L-1", "outcome": "won", "at": "2026-02-03T09:00:00Z"})
    similar = view_of(opened, Scorer(bundle), "L-1").similar
    assert similar is not None
    assert (similar.n, similar.n_won) == (6, 2)
    assert 0 < similar.low < 2 / 6 < similar.high < 1
    assert {lead.lead_id for lead in similar.leads[:3]} == {"P-0", "P-1", "P-2"}  # never the lead itself
    assert [lead.distance for lead in similar.leads] == sorted(lead.distance for lead in similar.leads)
    labels = [label.en for label, _ in similar.leads[0].shares]
    assert "Source" in labels


def test_who_objects_is_not_held_against_others(client: Client, opened: Store, bundle: Bundle) -> None:
    closed_leads(client)
    scored(client, "L-1", LEADS[0])
    client.post("/v1/leads/P-0/objection", json={})
    similar = view_of(opened, Scorer(bundle), "L-1").similar
    assert similar is not None
    assert "P-0" not in {lead.lead_id for lead in similar.leads}
    assert similar.n == 5


def test_candidates_are_bounded_and_next_to_the_probability(client: Client, opened: Store) -> None:
    closed_leads(client)
    near = opened.closed.near(0.5, 2, without="")
    assert len(near) <= 4
    above = [lead.probability for lead in near if lead.probability >= 0.5]
    below = [lead.probability for lead in near if lead.probability < 0.5]
    assert above == sorted(above)
    assert below == sorted(below, reverse=True)


def test_what_was_told_stands_there_with_what_counts(client: Client, opened: Store, bundle: Bundle) -> None:
    scored(client, "L-1", LEADS[0])
    for verdict, reason, at in (
        ("rejected", "no_budget", "2026-02-03T09:00:00Z"),
        ("accepted", "need_confirmed", "2026-02-03T08:00:00Z"),
    ):
        told = {"lead_id": "L-1", "verdict": verdict, "reason": reason, "by": "rep-1", "at": at}
        assert client.post("/v1/verdicts", json=told).status_code == 200
    view = view_of(opened, Scorer(bundle), "L-1")
    shown = [(each.kind, each.reason.en if each.reason else "", each.counts) for each in view.happened]
    assert shown == [("rejected", "No budget", True), ("accepted", "Need confirmed", False)]
    assert "Sales has changed its mind" in view.contradictions[0].en


# ---------------------------------------------------------------------------------------------- over HTTP


def test_the_page_says_how_probable_in_words_and_until_when(client: Client, visit: Callable[..., Visitor]) -> None:
    answer = scored(client, "L-1", LEADS[0], deal_value=10_000)
    page = visit("marketing").get("/cockpit/leads/L-1")
    assert page.status_code == 200
    assert f"{100 * answer['probability']:.1f}\u00a0%" in page.text
    assert "within 90 days" in page.text
    assert "4 hours left" in page.text or "overdue" in page.text or "24 hours left" in page.text
    assert "innerhalb von 90 Tagen" in visit("sales", "de").get("/cockpit/leads/L-1").text


def test_of_an_objected_lead_no_score_is_shown_but_what_was_told(client: Client, visit: Callable[..., Visitor]) -> None:
    answer = scored(client, "L-1", LEADS[0])
    verdict = {"lead_id": "L-1", "verdict": "rejected", "reason": "no_budget", "by": "rep-1", "at": "2026-02-03"}
    client.post("/v1/verdicts", json=verdict)
    client.post("/v1/leads/L-1/objection", json={})
    page = visit("sales").get("/cockpit/leads/L-1")
    assert page.status_code == 200
    assert "The person objects" in page.text
    assert "No budget" in page.text
    assert f"{100 * answer['probability']:.1f}" not in page.text
    assert "<svg" not in page.text
    assert 'name="verdict"' not in page.text


def test_an_erased_lead_has_a_page_that_says_so(client: Client, visit: Callable[..., Visitor]) -> None:
    scored(client, "L-1", LEADS[0])
    assert client.send("DELETE", "/v1/leads/L-1").status_code == 200
    page = visit("marketing", "de").get("/cockpit/leads/L-1")
    assert page.status_code == 410
    assert "Dieser Lead wurde gelöscht" in page.text
    assert "L-1<" not in re.sub(r"<a [^>]*>", "", page.text)


@pytest.mark.parametrize("lead_id", ["unknown", "a%20b", "%C3%A4", "..%2f", "x" * 200])
def test_an_unknown_lead_is_told_in_words(visit: Callable[..., Visitor], lead_id: str) -> None:
    page = visit("sales").get(f"/cockpit/leads/{lead_id}")
    assert page.status_code == 404
    assert "text/html" in page.headers["content-type"]


def test_who_objected_before_being_scored_has_a_page(client: Client, visit: Callable[..., Visitor]) -> None:
    client.post("/v1/leads/L-1/objection", json={})
    page = visit("sales").get("/cockpit/leads/L-1")
    assert page.status_code == 200
    assert "No score was ever stored" in page.text
