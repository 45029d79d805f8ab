"""A lead's state and history: what counts, what does not go together, and what changed from score to score."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.model.bundle import Bundle, open_bundle
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.feedback.test_outcomes_and_verdicts import LIKELY, REJECTED, WON
from tests.serving.small_model import definition, write_small_bundle

BEFORE = ["outcome_before_first_score"]
ACCEPTED = {**REJECTED, "verdict": "accepted", "reason": "need_confirmed"}


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return open_bundle(write_small_bundle(tmp_path_factory.mktemp("newer") / "b", definition(), seed=8))


def score(client: Client, lead_id: str = "GO", **fields: Any) -> dict[str, Any]:
    client.now += timedelta(minutes=1)
    answer = client.post("/v1/score", json={"lead_id": lead_id, "fields": {**LIKELY, **fields}})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def tell(client: Client, path: str, **record: Any) -> None:
    client.now += timedelta(minutes=1)
    answer = client.post(path, json={"lead_id": "GO", **record})
    assert answer.status_code == 200, answer.text


def codes(client: Client) -> list[str]:
    return [each["code"] for each in client.get("/v1/leads/GO").json()["contradictions"]]


def test_the_state_of_a_lead_is_what_counts(service: Client) -> None:
    latest = score(service)
    tell(service, "/v1/outcomes", **{**WON, "at": "2026-02-03T10:30:00Z"})
    tell(service, "/v1/verdicts", **{**ACCEPTED, "at": "2026-02-03T11:00:00Z"})
    state = service.get("/v1/leads/GO").json()
    assert (state["score"], state["score_id"]) == (latest["score"], latest["score_id"])
    assert (state["outcome"], state["value"], state["verdict"]) == ("won", 12_500.0, "accepted")
    assert (state["n_scores"], state["n_outcomes"], state["n_verdicts"]) == (1, 1, 1)
    assert state["handed_over_at"] == "2026-02-03T10:01:00.000000Z"
    assert (state["handover_grade"], state["due_at"]) == ("B", "2026-02-04T10:01:00.000000Z")
    assert service.get("/v1/leads/GO/score").json() == latest
    service.post("/v1/leads/GO/objection", json={})
    assert "objected_at" in service.get("/v1/leads/GO").json()


def test_a_lead_of_which_nothing_was_told_contradicts_nothing(service: Client) -> None:
    score(service)
    state = service.get("/v1/leads/GO").json()
    assert state["contradictions"] == []
    assert not {"outcome", "verdict", "first_contact_at", "value"} & set(state)
    assert service.get("/v1/leads/NOBODY").status_code == 404


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("won", "2026-02-03"), ("lost", "2026-02-03")], ["outcomes_of_one_date"]),
        ([("won", "2026-02-03"), ("lost", "2026-02-04")], ["outcome_reversed"]),
        ([("won", "2026-02-03T01:00Z"), ("open", "2026-02-03T02:00Z"), ("lost", "2026-02-03T03:00Z")], BEFORE),
        ([("won", "2026-02-01")], BEFORE),
        ([("won", "2026-02-03")], []),  # the day of the score, without a time: it may have been later
    ],
)
def test_outcomes_that_do_not_go_together_are_named(
    service: Client, told: list[tuple[str, str]], expected: list[str]
) -> None:
    score(service)
    for outcome, at in told:
        tell(service, "/v1/outcomes", outcome=outcome, at=at)
    assert codes(service) == expected


def test_verdicts_that_do_not_go_together_are_named_in_both_languages(service: Client) -> None:
    score(service)
    early = {"at": "2026-02-01", "first_contact_at": "2026-02-03T09:00:00Z"}
    tell(service, "/v1/verdicts", **{**ACCEPTED, **early})
    assert codes(service) == ["verdict_before_handover", "contact_before_handover"]
    tell(service, "/v1/verdicts", **{**REJECTED, "at": "2026-02-03T12:00:00Z"})
    tell(service, "/v1/outcomes", outcome="won", at="2026-02-03T12:00:00Z")
    assert codes(service) == ["rejected_but_won", "contact_before_handover", "verdict_changed"]
    texts = [each["text"] for each in service.get("/v1/leads/GO").json()["contradictions"]]
    assert texts[0]["de"] == "Der Vertrieb hat den Lead abgelehnt, und er wurde gewonnen."


def test_the_history_holds_everything_in_the_order_of_arrival_in_pages(service: Client) -> None:
    for number in range(3):
        score(service, employees=6_000 + number)
        tell(service, "/v1/outcomes", outcome="open", at=f"2026-01-0{number + 1}")
        tell(service, "/v1/verdicts", **{**ACCEPTED, "by": f"rep-{number}"})
    whole = service.get("/v1/leads/GO/history").json()
    assert [each["kind"] for each in whole["history"]] == ["score", "outcome", "verdict"] * 3
    assert "next" not in whole
    paged, path = [], "/v1/leads/GO/history?limit=2"
    while True:
        page = service.get(path).json()
        paged += page["history"]
        if "next" not in page:
            break
        path = f"/v1/leads/GO/history?limit=2&next={page['next']}"
    assert paged == whole["history"]
    assert service.get("/v1/leads/NOBODY/history").status_code == 404


def adds_up(change: dict[str, Any]) -> bool:
    fields = math.fsum(each["points"] for each in change["fields"])
    whole = change["data_points"] + change["model_points"]
    return abs(fields - change["data_points"]) < 1e-9 and abs(whole - change["points"]) < 1e-9


def test_under_one_model_the_change_is_due_to_the_fields_that_changed(service: Client) -> None:
    first, second = score(service, employees=9), score(service, employees=3_000, source="cold")
    (change,) = [each["change"] for each in service.get("/v1/leads/GO/history").json()["history"] if "change" in each]
    assert (change["before"], change["after"]) == (first["score_id"], second["score_id"])
    assert abs(change["points"] - 100 * (second["probability"] - first["probability"])) < 1e-9
    assert change["same_model"]
    assert change["model_points"] == 0
    assert adds_up(change)
    told = {each["field"]: each for each in change["fields"]}
    assert {name for name, each in told.items() if each["changed"]} == {"employees", "source"}
    assert told["employees"]["text"]["de"].startswith("Beschäftigte: 9\u00a0Personen → 3.000\u00a0Personen, +")
    assert change == service.get("/v1/leads/GO/change").json()


def test_a_score_unchanged_but_for_its_day_says_so(service: Client) -> None:
    score(service)
    service.now += timedelta(days=30)
    score(service)
    change = service.get("/v1/leads/GO/change").json()
    assert [each["field"] for each in change["fields"] if each["changed"]] == ["customer_since"]
    assert adds_up(change)


def test_between_two_models_data_and_model_are_told_apart_by_the_one_in_service(
    service: Client, store: Store, database_url: str, newer: Bundle
) -> None:
    first = score(service, employees=9)
    with Client(Settings(database_url=database_url), newer, NOW + timedelta(days=1), store=store) as client:
        second = score(client, employees=3_000)
        by_newer = client.get("/v1/leads/GO/change").json()
        assert adds_up(by_newer)
        assert not by_newer["same_model"]
        assert by_newer["divided"]
        middle = score(client, lead_id="TWIN", employees=9)  # the old data, by the new model
        assert abs(by_newer["model_points"] - 100 * (middle["probability"] - first["probability"])) < 0.2
    by_older = service.get("/v1/leads/GO/change").json()
    assert adds_up(by_older)
    assert abs(by_older["points"] - 100 * (second["probability"] - first["probability"])) < 1e-9


def test_data_of_a_field_that_the_model_no_longer_has_is_nothing_to_it(
    service: Client, store: Store, database_url: str, tmp_path: Path
) -> None:
    score(service, employees=9)
    smaller = open_bundle(write_small_bundle(tmp_path / "smaller", definition(without="employees")))
    with Client(Settings(database_url=database_url), smaller, NOW + timedelta(days=1), store=store) as client:
        client.post("/v1/score", json={"lead_id": "GO", "fields": {"source": "web"}})
        assert adds_up(client.get("/v1/leads/GO/change").json())
    again = service.get("/v1/leads/GO/change").json()  # a rollback: the older model lacks the field in the newer data
    assert adds_up(again)


def test_a_change_that_nobody_can_divide_says_so(
    service: Client, store: Store, database_url: str, newer: Bundle, tmp_path: Path
) -> None:
    score(service, employees=9)
    with Client(Settings(database_url=database_url), newer, NOW + timedelta(days=1), store=store) as client:
        score(client, employees=3_000)
    third = open_bundle(write_small_bundle(tmp_path / "third", definition(), seed=9))
    for other in (third, None):
        settings = Settings(database_url=database_url, bundle=str(tmp_path / "nowhere"))
        with Client(settings, other, NOW + timedelta(days=2), store=store) as client:
            change = client.get("/v1/leads/GO/change").json()
        assert change["divided"] is False
        assert "neither of the two models is in service" in change["text"]["en"]
        assert not {"data_points", "model_points", "fields"} & set(change)


def test_any_two_scores_can_be_compared_by_name(service: Client) -> None:
    first, _, third = (score(service, employees=number) for number in (9, 90, 900))
    path = f"/v1/leads/GO/change?before={first['score_id']}&after={third['score_id']}"
    change = service.get(path).json()
    assert abs(change["points"] - 100 * (third["probability"] - first["probability"])) < 1e-9
    assert service.get("/v1/leads/GO/change?before=unknown").status_code == 404
    assert service.get("/v1/leads/GO/change?from=x").status_code == 422


@pytest.mark.parametrize("path", ["", "/score", "/history", "/change", "/objection"])
def test_an_answer_that_the_caller_has_is_not_sent_again(service: Client, path: str) -> None:
    score(service, employees=9)
    score(service, employees=10)
    address = f"/v1/leads/GO{path}"
    first = service.get(address)
    tag = first.headers["etag"]
    assert service.get(address).headers["etag"] == tag
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = service.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert service.get(address, headers={"If-None-Match": '"other"'}).content == first.content
