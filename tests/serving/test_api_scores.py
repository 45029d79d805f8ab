"""One lead over HTTP: the numbers, the shape, and what is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from features.model.bundle import Bundle
from serving.schemas import BatchAnswer, ImportanceAnswer, ModelAnswer, ScoreAnswer, WhatIfAnswer
from tests.serving.client import Client

LEAD = {
    "lead_id": "00Q5g00000AbCdE",
    "account_id": "A-17",
    "as_of": "2026-02-01T09:30:00Z",
    "fields": {"source": "fair", "employees": 120, "demo_requested": True, "customer_since": "2025-11-01"},
}


def scored(client: Client, lead: dict[str, Any] = LEAD) -> dict[str, Any]:
    answer = client.post("/v1/score", json=lead)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_answer_has_the_documented_shape(client: Client) -> None:
    answer = client.post("/v1/score", json=LEAD)
    TypeAdapter(ScoreAnswer).validate_json(answer.content, strict=True, extra="forbid")
    assert answer.headers["content-type"] == "application/json"


def test_the_probability_is_the_models_own(client: Client, bundle: Bundle) -> None:
    record = bundle.model.encoder.record(LEAD["fields"], datetime(2026, 2, 1, 9, 30, tzinfo=UTC))
    explained = bundle.model.explain(record.row[None, :])
    answer = scored(client)
    assert answer["probability"] == explained.probability[0]
    assert answer["log_odds"] == explained.log_odds[0]
    assert [part["contribution"] for part in answer["contributions"]] == explained.contributions[0].tolist()
    assert bundle.model.forest.n_trees > 0


@pytest.mark.parametrize("fields", [LEAD["fields"], {}, {"source": "never seen"}, {"employees": 0}])
def test_base_plus_contributions_is_the_log_odds_in_the_json_answer(client: Client, fields: dict[str, Any]) -> None:
    answer = scored(client, {"lead_id": "L", "fields": fields})
    total = sum((part["contribution"] for part in answer["contributions"]), answer["base"]["log_odds"])
    assert total == pytest.approx(answer["log_odds"], abs=1e-9)
    points = sum(part["points"] for part in answer["contributions"])
    assert points == pytest.approx(100 * (answer["probability"] - answer["base"]["probability"]), abs=1e-9)


def test_reasons_and_the_line_for_the_rest_are_all_of_the_contributions(bundle: Bundle, sqlite_url: str) -> None:
    from serving.settings import Settings

    settings = Settings(database_url=sqlite_url, strongest_reasons=2)
    with Client(settings, bundle, datetime(2026, 2, 3, tzinfo=UTC)) as client:
        answer = scored(client)
    assert len(answer["reasons"]) == 2
    assert answer["rest"]["n_fields"] == 2
    listed = sum(reason["contribution"] for reason in answer["reasons"]) + answer["rest"]["contribution"]
    assert listed == pytest.approx(sum(part["contribution"] for part in answer["contributions"]), abs=1e-12)
    assert abs(answer["reasons"][0]["points"]) >= abs(answer["reasons"][1]["points"])


def test_a_reason_reads_in_german_and_in_english(client: Client) -> None:
    reasons = {reason["field"]: reason for reason in scored(client)["reasons"]}
    assert reasons["source"]["text"]["de"].startswith("Quelle: Messe, ")
    assert reasons["source"]["text"]["en"].startswith("Source: Trade fair, ")
    assert reasons["source"]["evidence"]["n"] > 100


def test_missing_fields_and_values_never_seen_are_scored_and_listed(client: Client) -> None:
    answer = scored(client, {"lead_id": "L", "fields": {"source": "billboard", "employees": None}})
    assert answer["unknown"] == ["source"]
    assert answer["missing"] == ["employees", "demo_requested", "customer_since"]


def test_a_placeholder_of_the_definition_counts_as_missing(client: Client) -> None:
    assert "source" in scored(client, {"lead_id": "L", "fields": {"source": "unknown"}})["missing"]


def test_grade_and_handover_follow_the_definition(client: Client) -> None:
    seen = set()
    for source, employees in [("fair", 100_000), ("cold", 1), ("web", 100)]:
        answer = scored(client, {"lead_id": "L", "fields": {"source": source, "employees": employees}})
        p = answer["probability"]
        assert answer["grade"] == ("A" if p >= 0.5 else "B" if p >= 0.3 else "C" if p >= 0.15 else "D")
        assert answer["handover"] == ("go" if p >= 0.3 else "nurture")
        seen.add(answer["handover"])
    assert seen == {"go", "nurture"}


def test_the_answer_names_its_model_and_says_that_it_is_simulated(client: Client, bundle: Bundle) -> None:
    model = scored(client)["model"]
    assert model["bundle_id"] == bundle.bundle_id
    assert model["definition"] == {
        "name": "test-funnel",
        "version": 3,
        "fingerprint": bundle.definition.fingerprint,
    }
    assert model["simulated"] is True


def test_what_is_not_known_is_left_out_and_never_null(client: Client) -> None:
    answer = client.post("/v1/score", json={"lead_id": "L", "fields": {}})
    assert "account_id" not in answer.json()
    for path in ("/v1/model", "/v1/model/importance"):
        assert "null" not in client.get(path).text
    assert "null" not in answer.text


def test_without_an_as_of_date_the_lead_is_scored_for_the_moment_of_receipt(client: Client) -> None:
    assert scored(client, {"lead_id": "L", "fields": {}})["as_of"] == "2026-02-03T10:00:00.000000Z"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-01-31T09:30:00+02:00", "2026-01-31T07:30:00.000000Z"),
        ("2026-01-31T09:30:00", "2026-01-31T08:30:00.000000Z"),  # the definition's zone: Berlin, one hour ahead
        ("2026-01-31", "2026-01-30T23:00:00.000000Z"),
    ],
)
def test_an_as_of_date_is_answered_in_utc(client: Client, given: str, meant: str) -> None:
    assert scored(client, {"lead_id": "L", "as_of": given, "fields": {}})["as_of"] == meant


def test_a_date_counts_in_days_before_the_as_of_date(client: Client) -> None:
    lead = {"lead_id": "L", "as_of": "2026-01-31T12:00:00Z", "fields": {"customer_since": "2026-01-21T12:00:00Z"}}
    reasons = {reason["field"]: reason for reason in scored(client, lead)["reasons"]}
    assert reasons["customer_since"]["value"] == {"en": "10 days ago", "de": "vor 10 Tagen"}


def test_a_score_can_be_read_back_as_it_was_given(client: Client) -> None:
    given = client.post("/v1/score", json=LEAD)
    read = client.get(f"/v1/leads/{LEAD['lead_id']}/score")
    assert read.status_code == 200
    assert read.content == given.content


def test_the_latest_score_is_the_one_with_the_latest_as_of_date(client: Client) -> None:
    newest = scored(client)
    scored(client, {**LEAD, "as_of": "2025-06-01T00:00:00Z", "fields": {}})
    assert client.get(f"/v1/leads/{LEAD['lead_id']}/score").json() == newest


def test_a_lead_that_was_never_scored_is_not_found(client: Client) -> None:
    for lead_id in ("nobody", "has space", "a" * 500, "ümlaut"):
        answer = client.get(f"/v1/leads/{lead_id}/score")
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:lead-quality:problem:not-found"


def test_the_model_describes_itself(client: Client, bundle: Bundle) -> None:
    answer = client.get("/v1/model")
    told = TypeAdapter(ModelAnswer).validate_json(answer.content, strict=True, extra="forbid")
    assert told["base_rate"] == bundle.manifest.base_rate
    assert [field["name"] for field in told["fields"]] == list(bundle.definition.fields)
    assert told["windows"][0]["start"] == "2024-01-01"
    assert "start" not in told["windows"][1]
    assert told["metrics"] == {"log_loss": {"value": 0.4, "n": 1_000, "low": 0.38}}
    assert told["warnings"] == [{"en": "Small on purpose.", "de": "Absichtlich klein."}]


def test_importance_lists_every_field_the_strongest_first(client: Client, bundle: Bundle) -> None:
    answer = client.get("/v1/model/importance")
    told = TypeAdapter(ImportanceAnswer).validate_json(answer.content, strict=True, extra="forbid")
    sizes = [entry["mean_absolute_points"] for entry in told["importance"]]
    assert sizes == sorted(sizes, reverse=True)
    assert {entry["field"] for entry in told["importance"]} == set(bundle.definition.fields)


class TestBatch:
    def test_one_lead_alone_equals_the_lead_in_a_batch_bit_for_bit(self, client: Client) -> None:
        leads = [
            {**LEAD, "lead_id": f"L{number}", "fields": {**LEAD["fields"], "employees": 7 * number}}
            for number in range(1, 12)
        ]
        batch = client.post("/v1/score/batch", json={"leads": leads}).json()
        for lead, result in zip(leads, batch["results"], strict=True):
            alone = scored(client, {**lead, "lead_id": f"{lead['lead_id']}-alone"})
            for name in ("probability", "log_odds", "contributions", "reasons", "rest"):
                assert json.dumps(alone[name]) == json.dumps(result["score"][name])

    def test_each_lead_gets_its_score_or_its_faults_in_order(self, client: Client) -> None:
        wrong = {"lead_id": 7, "fields": {"employees": "many", "color": "red"}}
        answer = client.post("/v1/score/batch", json={"leads": [LEAD, wrong, "lead", {**LEAD, "lead_id": "L2"}]})
        assert answer.status_code == 200
        batch = TypeAdapter(BatchAnswer).validate_json(answer.content, strict=True, extra="forbid")
        assert (batch["n_scored"], batch["n_refused"]) == (2, 2)
        assert [result["status"] for result in batch["results"]] == [200, 422, 422, 200]
        assert [result["position"] for result in batch["results"]] == [0, 1, 2, 3]
        assert batch["results"][3]["score"]["lead_id"] == "L2"
        places = {problem["where"] for problem in batch["results"][1]["problem"]["problems"]}
        assert places == {"lead_id", "fields.employees", "fields.color"}

    def test_every_scored_lead_of_a_batch_is_stored(self, client: Client) -> None:
        leads = [{"lead_id": f"L{number}", "fields": {}} for number in range(20)]
        batch = client.post("/v1/score/batch", json={"leads": leads}).json()
        for lead, result in zip(leads, batch["results"], strict=True):
            assert client.get(f"/v1/leads/{lead['lead_id']}/score").json() == result["score"]

    def test_a_batch_in_which_nothing_fits_is_refused_with_every_place(self, client: Client) -> None:
        leads = [{"lead_id": "L0", "fields": {"employees": -1}}, {"lead_id": "L1", "fields": []}, 3]
        answer = client.post("/v1/score/batch", json={"leads": leads})
        assert answer.status_code == 422
        places = [problem["where"] for problem in answer.json()["problems"]]
        assert places == ["leads[0].fields.employees", "leads[1].fields", "leads[2].lead"]
        assert answer.json()["problems"][0]["field"] == "employees"

    def test_a_fault_of_the_envelope_refuses_the_batch_and_lists_the_faults_of_its_leads_too(
        self, client: Client
    ) -> None:
        body = {"leads": [LEAD, {"lead_id": "L1", "fields": {"employees": "x"}}], "mode": "fast"}
        answer = client.post("/v1/score/batch", json=body)
        assert answer.status_code == 422
        assert [problem["where"] for problem in answer.json()["problems"]] == ["mode", "leads[1].fields.employees"]
        assert client.get(f"/v1/leads/{LEAD['lead_id']}/score").status_code == 404

    @pytest.mark.parametrize("leads", [[], [LEAD] * 21, None, {"0": LEAD}, "all"])
    def test_a_batch_has_one_to_the_allowed_number_of_leads(self, client: Client, leads: object) -> None:
        answer = client.post("/v1/score/batch", json={"leads": leads})
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["expected"] == "a list of 1 to 20 leads"


def test_the_clock_is_asked_once_for_each_request(client: Client) -> None:
    first = scored(client, {"lead_id": "L", "fields": {}})
    client.now += timedelta(days=1)
    second = scored(client, {"lead_id": "L", "fields": {}})
    assert (first["as_of"], second["as_of"]) == ("2026-02-03T10:00:00.000000Z", "2026-02-04T10:00:00.000000Z")


WHAT_IF = {"as_of": LEAD["as_of"], "fields": LEAD["fields"]}


def test_what_if_gives_the_same_numbers_and_words_and_stores_nothing(client: Client) -> None:
    answer = client.post("/v1/what-if", json=WHAT_IF, headers={"Accept-Language": "de"})
    TypeAdapter(WhatIfAnswer).validate_json(answer.content, strict=True, extra="forbid")
    assert client.get(f"/v1/leads/{LEAD['lead_id']}/score").status_code == 404
    real = client.post("/v1/score", json=LEAD, headers={"Accept-Language": "de"}).json()
    assert answer.json() == {
        name: value for name, value in real.items() if name not in ("score_id", "lead_id", "account_id")
    }


def test_what_if_takes_no_id_and_tells_all_faults_at_once(client: Client) -> None:
    answer = client.post("/v1/what-if", json={"lead_id": "L", "as_of": "never", "fields": {"employees": -1}})
    assert answer.status_code == 422
    assert {problem["where"] for problem in answer.json()["problems"]} == {"lead_id", "as_of", "fields.employees"}
