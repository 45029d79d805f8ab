"""Both teams agree over HTTP, and what they agreed on decides the next score."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.definition import parse_definition, with_parts
from features.model.bundle import Bundle, open_bundle
from serving.auth.keys import ROLES, Role, new_key
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.small_model import AGREED, definition, write_small_bundle

LIKELY = {"source": "fair", "employees": 5_000, "demo_requested": False, "customer_since": "2025-01-20"}
OWN_VERSION = 3
RULE = {"based_on": OWN_VERSION, "handover": {"threshold": 0.9}, "comment": "Fewer leads while the team is small"}
Start = Callable[..., Client]


@pytest.fixture
def keys(store: Store) -> dict[Role, str]:
    made = {}
    for role in ROLES:
        made[role], record = new_key(f"the {role}", role, created_at=NOW)
        store.keys.add(record)
    return made


@pytest.fixture
def service(bundle: Bundle, store: Store, keys: dict[Role, str], database_url: str) -> Iterator[Client]:
    assert keys
    with Client(Settings(database_url=database_url), bundle, NOW, store=store, guarded=True) as client:
        yield client


class Speaks:
    """Sends requests with the key of a role."""

    def __init__(self, client: Client, key: str) -> None:
        self._client, self._headers = client, {"X-API-Key": key}

    def get(self, path: str) -> Any:
        return told(self._client.get(path, headers=self._headers))

    def post(self, path: str, body: Any, language: str = "en") -> httpx.Response:
        return self._client.post(path, json=body, headers={**self._headers, "Accept-Language": language})


@pytest.fixture
def teams(service: Client, keys: dict[Role, str]) -> dict[Role, Speaks]:
    return {role: Speaks(service, keys[role]) for role in ROLES}


def told(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(answer: httpx.Response) -> list[str]:
    return [problem["code"] for problem in answer.json()["problems"]]


def agreed(teams: dict[Role, Speaks], body: dict[str, Any]) -> Any:
    """Marketing proposes, sales consents."""
    proposed = told(teams["marketing"].post("/v1/agreement/proposals", body))
    return told(teams["sales"].post(f"/v1/agreement/proposals/{proposed['proposal_id']}/consent", {}))


def test_the_definition_file_is_in_effect_until_both_agree(teams: dict[Role, Speaks]) -> None:
    answer = teams["crm"].get("/v1/agreement")
    assert answer["in_effect"] == {
        "definition": {"name": "test-funnel", "version": OWN_VERSION, "fingerprint": definition().fingerprint},
        "parts": {"handover": {"threshold": 0.3}, "follow_up_hours": {"A": 4.0, "B": 24.0}},
        "threshold": 0.3,
        "source": "definition_file",
    }
    assert answer["history"] == []


def test_what_both_agreed_on_decides_the_next_score_and_the_last_one_keeps_its_own(
    teams: dict[Role, Speaks], store: Store
) -> None:
    lead = {"lead_id": "L-1", "fields": LIKELY}
    before = told(teams["crm"].post("/v1/score", lead))
    assert before["handover"] == "go"
    proposed = told(teams["marketing"].post("/v1/agreement/proposals", RULE))
    assert told(teams["crm"].post("/v1/score", {**lead, "lead_id": "L-2"}))["handover"] == "go", "one team is not both"
    done = told(teams["sales"].post(f"/v1/agreement/proposals/{proposed['proposal_id']}/consent", {}))
    assert (done["state"], done["version"]) == ("in_effect", 4)
    after = told(teams["crm"].post("/v1/score", lead))
    assert (after["handover"], after["probability"]) == ("nurture", before["probability"])
    assert after["score_id"] != before["score_id"], "another agreement is another request"
    named = after["model"]["definition"]
    assert (named["version"], named["fingerprint"]) == (4, done["fingerprint"])
    assert teams["crm"].get("/v1/leads/L-1/score")["handover"] == "nurture"
    kept = store.definitions.by_fingerprint([before["model"]["definition"]["fingerprint"], named["fingerprint"]])
    assert sorted(record.version for record in kept.values()) == [3, 4]
    history = teams["sales"].get("/v1/leads/L-1/history")["history"]
    assert [each["score"]["definition"]["version"] for each in history] == [3, 4]
    expected = with_parts(definition(), {"handover": {"threshold": 0.9}}, 4)
    read = teams["sales"].get(f"/v1/definitions/{named['fingerprint']}")
    assert parse_definition(read["agreed"]) == expected
    assert read["definition"] == named
    assert named["fingerprint"] == expected.fingerprint


def test_a_fingerprint_that_was_never_in_service_is_not_found(client: Client) -> None:
    answer = client.get(f"/v1/definitions/{'0' * 64}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:lead-quality:problem:not-found")


def test_hours_alone_can_be_agreed_on_and_the_rule_stays(teams: dict[Role, Speaks]) -> None:
    agreed(teams, {"based_on": OWN_VERSION, "follow_up_hours": {"B": 2, "C": 72}, "comment": "B wants a call at once"})
    in_effect = teams["sales"].get("/v1/agreement")["in_effect"]
    assert in_effect["parts"] == {"handover": {"threshold": 0.3}, "follow_up_hours": {"B": 2.0, "C": 72.0}}
    assert (in_effect["threshold"], in_effect["source"]) == (0.3, "agreement")
    told(teams["crm"].post("/v1/score", {"lead_id": "L-1", "fields": LIKELY}))
    (row,) = teams["sales"].get("/v1/leads?handed_over=true")["leads"]
    due = NOW + timedelta(hours=2)
    assert row["grade"] == "B"
    assert row["due_at"].startswith(f"{due:%Y-%m-%dT%H:%M}")


def test_a_capacity_becomes_a_threshold_by_the_leads_that_came(teams: dict[Role, Speaks], service: Client) -> None:
    leads = [{"lead_id": f"L-{n}", "fields": {**LIKELY, "employees": 1 + 7 * n}} for n in range(60)]
    for start in range(0, 60, 20):
        told(teams["crm"].post("/v1/score/batch", {"leads": leads[start : start + 20]}))
    service.now += timedelta(days=14)
    body = {"based_on": OWN_VERSION, "handover": {"capacity_per_week": 10}, "comment": "Ten a week"}
    proposed = told(teams["sales"].post("/v1/agreement/proposals", body))
    assert proposed["window"]["n_leads"] == 60
    assert proposed["window"]["start"] == "2026-02-02T23:00:00.000000Z", "no days before the first lead are counted"
    probabilities = sorted(teams["crm"].get(f"/v1/leads/L-{n}/score")["probability"] for n in range(60))
    assert proposed["threshold"] == pytest.approx(probabilities[-20], abs=1e-12)
    assert proposed["consents"] == [
        {"team": "sales", "key_id": proposed["consents"][0]["key_id"], "at": proposed["proposed_at"]}
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"based_on", "comment"}),
        ({**RULE, "comment": " "}, {"comment"}),
        ({**RULE, "comment": "x" * 2_001}, {"comment"}),
        ({**RULE, "comment": "bell \x07"}, {"comment"}),
        ({**RULE, "based_on": True}, {"based_on"}),
        ({**RULE, "handover": {"threshold": True}}, {"handover.threshold"}),
        ({**RULE, "handover": {"threshold": 1}}, {"handover.threshold"}),
        ({**RULE, "handover": {"threshold": 0.5, "capacity_per_week": 3}}, {"handover"}),
        ({**RULE, "handover": {"capacity_per_week": "40"}}, {"handover.capacity_per_week"}),
        ({**RULE, "handover": {"capacity_per_week": 10**300}}, {"handover.capacity_per_week"}),
        ({**RULE, "follow_up_hours": {"E": 3}}, {"follow_up_hours"}),
        ({**RULE, "follow_up_hours": {"A": -1, "B": 9_000}}, {"follow_up_hours.A", "follow_up_hours.B"}),
        ({**RULE, "team": "sales"}, {"team"}),
        ({**RULE, "grades": {"A": 0.9}}, {"grades"}),
        ({**RULE, "handover": {"capacity_per_week": 10}}, {"handover.capacity_per_week"}),
        ({**RULE, "handover": {"capacity_per_week": 10}, "from": "soon"}, {"parameter from"}),
        ({**RULE, "handover": {"threshold": 0.3}}, {"proposal"}),
    ],
)
def test_every_fault_of_a_proposal_is_told_at_once(
    teams: dict[Role, Speaks], body: dict[str, Any], expected: set[str]
) -> None:
    answer = teams["marketing"].post("/v1/agreement/proposals", body, "de")
    assert answer.status_code == 422, answer.text
    assert {problem["where"] for problem in answer.json()["problems"]} == expected
    assert "open" not in teams["marketing"].get("/v1/agreement")


def test_only_the_two_teams_decide(teams: dict[Role, Speaks]) -> None:
    for role in ("crm", "data"):
        for path in ("", "/1/consent", "/1/decline"):
            assert teams[role].post(f"/v1/agreement/proposals{path}", RULE).status_code == 403


def test_a_proposal_is_declined_with_a_comment_and_the_history_says_so(teams: dict[Role, Speaks]) -> None:
    proposed = told(teams["marketing"].post("/v1/agreement/proposals", RULE))
    path = f"/v1/agreement/proposals/{proposed['proposal_id']}/decline"
    assert teams["sales"].post(path, {}).status_code == 422, "the other team wants to know why"
    told(teams["sales"].post(path, {"comment": "We have two new colleagues"}))
    answer = teams["marketing"].get("/v1/agreement")
    assert "open" not in answer
    assert [(each["state"], each["answer_comment"]) for each in answer["history"]] == [
        ("declined", "We have two new colleagues")
    ]
    late = teams["sales"].post(path.replace("decline", "consent"), {}, "de")
    assert (late.status_code, codes(late)) == (409, ["closed"])
    assert late.json()["title"] == "Die Vereinbarung ist inzwischen weiter"


def test_what_is_based_on_an_older_version_is_refused(teams: dict[Role, Speaks]) -> None:
    agreed(teams, RULE)
    late = teams["sales"].post("/v1/agreement/proposals", {**RULE, "handover": {"threshold": 0.4}})
    assert (late.status_code, codes(late)) == (409, ["outdated"])
    history = teams["sales"].get("/v1/agreement")["history"]
    again = agreed(teams, {**RULE, "based_on": 4, "handover": {"threshold": 0.4}})
    assert again["version"] == 5
    states = [each["state"] for each in teams["sales"].get("/v1/agreement?limit=2")["history"]]
    assert ([each["state"] for each in history], states) == (["in_effect"], ["in_effect", "replaced"])


@pytest.mark.parametrize("named", ["0", "99", "x", "1e3", "9" * 30, "-1", "²"])
def test_a_proposal_that_was_never_made_is_not_found(teams: dict[Role, Speaks], named: str) -> None:
    answer = teams["sales"].post(f"/v1/agreement/proposals/{named}/consent", {})
    assert (answer.status_code, codes(answer)) == (404, ["unknown_proposal"])


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=x", "limit=1&limit=2", "after=3"])
def test_a_parameter_that_does_not_fit_is_told(teams: dict[Role, Speaks], service: Client, query: str) -> None:
    del teams
    assert service.get(f"/v1/agreement?{query}").status_code in (401, 422)


def test_another_worker_applies_it_within_its_refresh(
    teams: dict[Role, Speaks], bundle: Bundle, store: Store, database_url: str
) -> None:
    with Client(Settings(database_url=database_url, keys_refresh_s=0.05), bundle, NOW, store=store) as other:
        second = Speaks(other, "")
        assert second.get("/v1/agreement")["in_effect"]["threshold"] == 0.3
        agreed(teams, RULE)
        deadline = time.monotonic() + 20
        while second.get("/v1/agreement")["in_effect"]["threshold"] == 0.3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert told(second.post("/v1/score", {"lead_id": "L-9", "fields": LIKELY}))["handover"] == "nurture"


def test_it_is_in_effect_from_the_first_answer_after_a_restart(
    teams: dict[Role, Speaks], keys: dict[Role, str], bundle: Bundle, store: Store, database_url: str
) -> None:
    agreed(teams, RULE)
    with Client(Settings(database_url=database_url), bundle, NOW, store=store, guarded=True) as restarted:
        answer = told(Speaks(restarted, keys["crm"]).post("/v1/score", {"lead_id": "L-9", "fields": LIKELY}))
        assert (answer["handover"], answer["model"]["definition"]["version"]) == ("nurture", 4)


def test_a_model_trained_under_that_version_takes_over(
    teams: dict[Role, Speaks], keys: dict[Role, str], store: Store, database_url: str, tmp_path: Path
) -> None:
    agreed(teams, RULE)
    later = parse_definition({**AGREED, "definition": {**AGREED["definition"], "version": 4}})
    trained = open_bundle(write_small_bundle(tmp_path / "later", later))
    with Client(Settings(database_url=database_url), trained, NOW, store=store, guarded=True) as renewed:
        answer = Speaks(renewed, keys["sales"]).get("/v1/agreement")
        assert (answer["in_effect"]["source"], answer["in_effect"]["threshold"]) == ("definition_file", 0.3)


def test_in_the_demo_the_body_says_which_team_speaks(client: Client) -> None:
    assert client.post("/v1/agreement/proposals", json=RULE).status_code == 422
    proposed = told(client.post("/v1/agreement/proposals", json={**RULE, "team": "sales"}))
    assert proposed["consents"][0] == {"team": "sales", "key_id": "demo", "at": proposed["proposed_at"]}
    path = f"/v1/agreement/proposals/{proposed['proposal_id']}/consent"
    assert told(client.post(path, json={"team": "marketing"}))["state"] == "in_effect"
