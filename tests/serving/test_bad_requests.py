"""Whatever is sent: problem details with every fault at once, never a 500, never half a write."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from features.model.bundle import Bundle
from serving.body import parse_body
from serving.errors import MOST_PROBLEMS, ApiError
from serving.schemas import ProblemDetails
from serving.settings import Settings
from tests.serving.client import Client

LEAD = b'{"lead_id":"L1","fields":{"source":"web"}}'


def problem_of(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = TypeAdapter(ProblemDetails).validate_json(answer.content, strict=True, extra="forbid")
    assert told["status"] == status
    assert told["request_id"] == answer.headers["x-request-id"]
    return told


def test_faults_of_the_envelope_and_of_the_fields_come_in_one_answer(client: Client) -> None:
    body = {
        "lead_id": 5,
        "account_id": ["A"],
        "owner": 7,
        "deal_value": "much",
        "as_of": "20250-01-01",
        "priority": "high",
        "fields": {
            "source": 3,
            "employees": -1,
            "demo_requested": "yes",
            "customer_since": "2027-01-01",
            "color": "red",
        },
    }
    told = problem_of(client.post("/v1/score", json=body), 422)
    assert {problem["where"] for problem in told["problems"]} == {
        "lead_id",
        "account_id",
        "owner",
        "deal_value",
        "as_of",
        "priority",
        "fields.source",
        "fields.employees",
        "fields.demo_requested",
        "fields.customer_since",
        "fields.color",
    }
    assert told["n_problems"] == 11
    by_place = {problem["where"]: problem for problem in told["problems"]}
    assert by_place["fields.employees"] == {
        "where": "fields.employees",
        "field": "employees",
        "seen": "-1",
        "expected": "≥ 0, ≤ 500000",
        "message": "the value does not fit the field",
        "code": "invalid_value",
    }
    assert by_place["priority"]["expected"] == "lead_id, account_id, owner, deal_value, as_of, fields"
    assert client.get("/v1/leads/5").status_code == 404


def test_a_body_full_of_unknown_entries_costs_no_more_than_its_first_hundreds(client: Client) -> None:
    told = problem_of(client.post("/v1/score", json={f"k{n}": 1 for n in range(8_000)}), 422)
    assert len(told["problems"]) == MOST_PROBLEMS
    assert told["n_problems"] == MOST_PROBLEMS + 1 + 2  # and lead_id and fields


def test_faults_are_told_in_german_to_whoever_asks_for_german(client: Client) -> None:
    answer = client.post(
        "/v1/score", json={"lead_id": "L", "fields": {"employees": "viele"}}, headers={"Accept-Language": "de-DE"}
    )
    told = problem_of(answer, 422)
    assert answer.headers["content-language"] == "de"
    assert told["title"] == "Die Anfrage passt nicht"
    assert told["problems"][0]["message"] == "der Wert passt nicht zum Feld"


@pytest.mark.parametrize("body", [{}, {"lead_id": None, "fields": None}])
def test_what_is_required_and_absent_is_said(client: Client, body: dict[str, Any]) -> None:
    told = problem_of(client.post("/v1/score", json=body), 422)
    assert [(problem["where"], problem["seen"]) for problem in told["problems"]] == [("lead_id", ""), ("fields", "")]


@pytest.mark.parametrize(
    "lead_id", ["", " L1", "a/b", "jane@example.com", "x" * 129, "Jane Doe", "ä", "L\u0000", "-1", True, 1.5]
)
def test_an_id_is_plain_and_is_no_mail_address(client: Client, lead_id: object) -> None:
    told = problem_of(client.post("/v1/score", json={"lead_id": lead_id, "fields": {}}), 422)
    assert [problem["where"] for problem in told["problems"]] == ["lead_id"]


@pytest.mark.parametrize(
    "as_of",
    [
        "yesterday",
        "2026-02-30",
        "20250-01-01",
        "1899-12-31",
        "2026-02-05",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        1_700_000_000,
        "",
        "2026-01-31T25:00:00Z",
        {},
    ],
)
def test_an_as_of_date_is_a_moment_that_has_been(client: Client, as_of: object) -> None:
    told = problem_of(client.post("/v1/score", json={"lead_id": "L", "as_of": as_of, "fields": {}}), 422)
    assert [problem["where"] for problem in told["problems"]] == ["as_of"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        LEAD[:-1],
        b"{'lead_id': 'L1'}",
        b'{"lead_id":"L1","fields":{"employees":NaN}}',
        b'{"lead_id":"L1","fields":{"employees":Infinity}}',
        b'{"lead_id":"L1","fields":{"employees":-Infinity}}',
        b'{"lead_id":"L1","fields":{"employees":1e999}}',
        b"\xef\xbb\xbf" + LEAD,
        b'{"lead_id":"\xff","fields":{}}',
        b'{"lead_id":"\\ud800","fields":{}}',
        LEAD.decode().encode("utf-16"),
        LEAD + LEAD,
        b"[]",
        b"null",
        b'"lead"',
        b"17",
        b'{"lead_id":"L1","fields":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"lead_id":"L1","fields":{"source":' + b"[" * 500 + b"]" * 500 + b"}}",
        b'{"a":' * 500 + b"1" + b"}" * 500,
    ],
)
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_a_body_that_is_no_json_object_is_malformed(client: Client, path: str, body: bytes) -> None:
    told = problem_of(client.raw(path, body), 400)
    assert told["type"] == "urn:lead-quality:problem:malformed-json"
    assert len(told["problems"]) == 1


def test_a_future_as_of_date_comes_with_the_faults_of_the_fields_the_key_and_the_rest_of_the_envelope(
    client: Client,
) -> None:
    body = b"""{"lead_id":"a@b.c","as_of":"2999-01-01","extra":1,"extra":2,
               "fields":{"employees":-1,"customer_since":"2998-01-01"}}"""
    told = problem_of(client.raw("/v1/score", body, **{"Idempotency-Key": "a b"}), 422)
    assert {problem["where"] for problem in told["problems"]} == {
        "header Idempotency-Key",
        "lead_id",
        "as_of",
        "extra",
        "fields.employees",
        "fields.customer_since",
    }


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_the_fault_of_a_header_is_told_even_if_the_body_is_no_json(client: Client, path: str) -> None:
    told = problem_of(client.raw(path, b"{", **{"Idempotency-Key": "a b"}), 400)
    assert [problem["code"] for problem in told["problems"]] == ["malformed_json", "invalid_value"]


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (b'{"lead_id":"L1","lead_id":"L2","fields":{}}', ["lead_id"]),
        (b'{"lead_id":"L1","fields":{"source":"web","source":"web"}}', ["fields.source"]),
        (b'{"lead_id":"L1","fields":{"source":"a:b","sour\\u0063e":"c"}}', ["fields.source"]),
        (b'{"lead_id":"L1","fields":{"source":"a\\u003ab\\u003A","source":"c"}}', ["fields.source"]),
        (
            b'{"lead_id":"L1","fields":{},"fields":{"source":1,"source":2}}',
            ["fields", "fields.source", "fields.source"],
        ),
    ],
)
def test_a_key_that_stands_twice_is_named(client: Client, body: bytes, places: list[str]) -> None:
    told = problem_of(client.raw("/v1/score", body), 422)
    assert [problem["where"] for problem in told["problems"]] == places


def test_a_key_that_stands_twice_in_a_batch_is_named_with_its_lead(client: Client) -> None:
    body = b'{"leads":[' + LEAD + b',{"lead_id":"L2","fields":{"employees":1,"employees":2}}]}'
    told = problem_of(client.raw("/v1/score/batch", body), 422)
    assert [problem["where"] for problem in told["problems"]] == ["leads[1].fields.employees"]


@pytest.mark.parametrize("text", ["a:b", "a\\u003ab", "::::", "ümlaut: ja", '\\"source\\":\\"x\\"', "\\\\u003a"])
def test_colons_in_values_are_no_keys(client: Client, text: str) -> None:
    body = f'{{"lead_id":"L:1","fields":{{"source":"{text}"}}}}'.encode()
    assert client.raw("/v1/score", body).status_code == 200


class Pairs(list[Any]):
    """An object whose keys may stand more than once."""


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(alphabet='a:"\\ü\u0000{'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("ab:"), inner), max_size=3).map(Pairs)
    ),
    max_leaves=12,
)


def written(value: Any) -> str:
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(key)} : {written(part)}" for key, part in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def repeats(value: Any) -> bool:
    if isinstance(value, Pairs):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(repeats(part) for _, part in value)
    return isinstance(value, list) and any(map(repeats, value))


@given(st.lists(st.tuples(st.sampled_from("ab:"), JSON_VALUES), max_size=4).map(Pairs))
def test_repeated_keys_are_found_exactly_where_there_are_some(value: Pairs) -> None:
    _, problems = parse_body(written(value).encode())
    assert bool(problems) == repeats(value)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_another_content_type_is_refused(client: Client, headers: dict[str, str]) -> None:
    told = problem_of(client.raw("/v1/score", LEAD, **headers), 415)
    assert told["type"] == "urn:lead-quality:problem:unsupported-media-type"


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf_8_is_taken_however_it_is_announced(client: Client, kind: str) -> None:
    assert client.raw("/v1/score", LEAD, **{"Content-Type": kind}).status_code == 200


def test_a_body_beyond_the_limit_is_refused_announced_or_not(client: Client) -> None:
    large = LEAD[:-1] + b" " * 100_000 + b"}"
    assert "100000" in problem_of(client.raw("/v1/score", large), 413)["detail"]

    async def chunks() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    answer = client.post("/v1/score", content=chunks(), headers={"Content-Type": "application/json"})
    problem_of(answer, 413)


def test_a_body_that_does_not_come_is_given_up(bundle: Bundle, sqlite_url: str) -> None:
    async def slow() -> Any:
        yield LEAD[:5]
        await asyncio.sleep(30)

    short = Settings(database_url=sqlite_url, body_timeout_s=0.05)
    with Client(short, bundle, datetime(2026, 2, 3, tzinfo=UTC)) as client:
        answer = client.post("/v1/score", content=slow(), headers={"Content-Type": "application/json"})
    problem_of(answer, 408)


def test_huge_values_are_not_echoed(client: Client) -> None:
    body = {"lead_id": "x" * 20_000, "fields": {"source": "y" * 20_000, "z" * 20_000: 1, "employees": ["w" * 20_000]}}
    answer = client.post("/v1/score", json=body)
    assert problem_of(answer, 422)["n_problems"] == 4
    assert len(answer.content) < 3_000


def test_a_body_full_of_fields_that_do_not_exist_costs_a_bounded_answer(client: Client) -> None:
    answer = client.post("/v1/score", json={"lead_id": "L", "fields": {f"f{n}": 1 for n in range(8_000)}})
    told = problem_of(answer, 422)
    assert len(told["problems"]) == 200
    assert told["n_problems"] > 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/v2/score", 404),
        ("GET", "/v1/score/", 404),
        ("GET", "/v1/score", 405),
        ("PUT", "/v1/leads/L1", 405),
        ("PUT", "/v1/score/batch", 405),
    ],
)
def test_wrong_addresses_and_methods_are_problem_details_too(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = client.send(method, path)
    problem_of(answer, status)
    assert ("allow" in answer.headers) == (status == 405)


def test_the_callers_request_id_is_kept_if_it_is_a_plain_one(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "crm-42"}).headers["x-request-id"] == "crm-42"
    replaced = client.get("/healthz", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"]
    another = client.get("/healthz").headers["x-request-id"]
    assert " " not in replaced
    assert len({replaced, another, "a b\tc"}) == 3


FIELD_VALUES = JSON_VALUES.map(lambda value: json.loads(written(value))) | st.integers() | st.floats(width=32)
RECORDS = st.dictionaries(
    st.sampled_from(["source", "employees", "demo_requested", "customer_since", "color"]), FIELD_VALUES
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "lead_id": st.just("L1") | FIELD_VALUES,
        "account_id": FIELD_VALUES,
        "as_of": st.just("2026-01-01") | st.datetimes().map(str) | FIELD_VALUES,
        "fields": RECORDS | FIELD_VALUES,
        "leads": FIELD_VALUES,
    },
)


@given(envelope=ENVELOPES, path=st.sampled_from(["/v1/score", "/v1/score/batch"]))
@example(envelope={"lead_id": "L1", "fields": {"employees": 10**400}}, path="/v1/score")
@example(envelope={"lead_id": "L1", "fields": {"customer_since": "0001-01-01T00:00:00+14:00"}}, path="/v1/score")
@example(envelope={"lead_id": "L1", "fields": {"customer_since": "9999-12-31T23:59:59-14:00"}}, path="/v1/score")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_record_whatever_is_a_failure_of_ours(client: Client, envelope: dict[str, Any], path: str) -> None:
    body = json.dumps(envelope).encode()
    answer = client.raw(path, body)
    assert answer.status_code in {200, 400, 422}
    if answer.status_code != 200:
        problem_of(answer, answer.status_code)


@given(body=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_whatever_break_the_parser(body: bytes) -> None:
    try:
        parsed, _ = parse_body(body)
    except ApiError as error:
        parsed = error.kind.name
    assert parsed == "malformed_json" or isinstance(parsed, dict)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json;odata.metadata=minimal",
        "application/json; charset=utf-8; odata=verbose",
        "application/json; charset=utf-8;",
        'Application/JSON; charset="UTF-8"',
    ],
)
def test_parameters_of_the_content_type_that_importers_send_change_nothing(client: Client, content_type: str) -> None:
    body = json.dumps({"lead_id": "L", "fields": {}}).encode()
    assert client.raw("/v1/score", body, **{"Content-Type": content_type}).status_code == 200


def test_a_batch_whose_leads_have_all_objected_is_a_409_with_their_places(client: Client) -> None:
    assert client.post("/v1/score", json={"lead_id": "L", "fields": {}}).status_code == 200
    assert client.post("/v1/leads/L/objection", json={}).status_code == 200
    told = problem_of(
        client.post("/v1/score/batch", json={"leads": [{"lead_id": "L", "fields": {"employees": 1}}]}), 409
    )
    assert [problem["where"] for problem in told["problems"]] == ["leads[0].lead_id"]


@pytest.mark.parametrize("limit", ["0000000019999999", "000000001" + 30 * "9", "0", "-1", "1e3"])
def test_a_limit_is_a_plain_number_within_bounds(client: Client, limit: str) -> None:
    problem_of(client.get(f"/v1/leads?limit={limit}"), 422)
