"""What a simulated CRM sends: in order, consistent, and as the history has it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.definition import read_definition
from training.simulate.calls import Call, calls, until_now, write_calls

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DEFINITION = Path(__file__).parents[3] / "definitions" / "demo.toml"


@pytest.fixture(scope="module")
def sent() -> list[Call]:
    return calls(until_now(NOW, days=100, seed=2), NOW)


def of_kind(sent: list[Call], kind: str) -> list[Call]:
    return [call for call in sent if call.kind == kind]


def test_the_calls_end_now_and_come_in_order(sent: list[Call]) -> None:
    moments = [call.at for call in sent]
    assert moments == sorted(moments)
    assert moments[-1] <= NOW
    assert NOW - of_kind(sent, "score")[-1].at < timedelta(days=1)
    assert moments[0] < NOW - timedelta(days=98)


def test_the_same_moment_and_seed_give_the_same_calls(sent: list[Call]) -> None:
    assert calls(until_now(NOW, days=100, seed=2), NOW) == sent
    assert calls(until_now(NOW, days=100, seed=3), NOW) != sent


def test_a_lead_is_sent_once_more_at_most_and_never_after_it_was_closed(sent: list[Call]) -> None:
    scored = Counter(call.body["lead_id"] for call in of_kind(sent, "score"))
    assert max(scored.values()) == 2
    closed = {call.body["lead_id"]: call.at for call in of_kind(sent, "outcome")}
    assert all(call.at < closed.get(call.body["lead_id"], NOW + timedelta(1)) for call in of_kind(sent, "score"))


def test_what_was_visited_stays_consistent_when_a_lead_is_sent_again(sent: list[Call]) -> None:
    for call in of_kind(sent, "score"):
        fields = call.body["fields"]
        since = fields.get("days_since_last_visit")
        assert fields["emails_clicked_30d"] <= fields["emails_opened_30d"]
        assert fields["pricing_page_views"] <= fields["pages_viewed_30d"]
        assert (fields["pages_viewed_30d"] > 0) <= (since is not None and since < 30)


def test_nothing_is_sent_that_is_known_later_than_the_lead(sent: list[Call]) -> None:
    definition = read_definition(DEFINITION)
    assert {name for call in of_kind(sent, "score") for name in call.body["fields"]} <= set(definition.fields)


def test_verdicts_give_the_reasons_that_the_teams_agreed_on(sent: list[Call]) -> None:
    agreed = read_definition(DEFINITION).verdicts
    for call in of_kind(sent, "verdict"):
        reasons = agreed.accepted if call.body["verdict"] == "accepted" else agreed.rejected
        assert call.body["reason"] in reasons
    assert {call.body["verdict"] for call in of_kind(sent, "verdict")} == {"accepted", "rejected"}


def test_some_verdicts_are_forgotten(sent: list[Call]) -> None:
    old = {call.body["lead_id"] for call in of_kind(sent, "score") if call.at < NOW - timedelta(days=60)}
    judged = {call.body["lead_id"] for call in of_kind(sent, "verdict")}
    assert 0.05 < 1 - len(old & judged) / len(old) < 0.25


def test_written_calls_can_be_read_line_by_line(sent: list[Call], tmp_path: Path) -> None:
    write_calls(sent, tmp_path / "demo" / "calls.jsonl")
    lines = (tmp_path / "demo" / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(sent)
    first = json.loads(lines[0])
    assert (first["kind"], first["body"]) == (sent[0].kind, sent[0].body)
    assert datetime.fromisoformat(first["at"]) == sent[0].at
