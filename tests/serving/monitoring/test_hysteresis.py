"""When findings raise an alert and clear it, and what a finding says."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from serving.monitoring.hysteresis import Patience, State, after
from serving.monitoring.reading import Reading, Verdict

NOW = datetime(2026, 2, 3, tzinfo=UTC)
LETTERS: dict[str, Verdict] = {"o": "over", "b": "between", "u": "under", "n": "untold"}


def history(findings: str) -> list[bool]:
    """Whether the alert is raised after each finding; three raise it, two clear it."""
    state: State | None = None
    raised = []
    for hour, letter in enumerate(findings):
        state = after(state, LETTERS[letter], NOW + timedelta(hours=hour), Patience(3, 2))
        raised.append(state.raised)
    return raised


@pytest.mark.parametrize(
    ("findings", "raised_at"),
    [
        ("ooo", [2]),
        ("oobooo", [5]),  # a finding between the limits breaks the row
        ("oonooo", [5]),  # so does one that could not be told
        ("uuuuu", []),
        ("ooouu", [2, 3]),
        ("ooouou", [2, 3, 4, 5]),  # neither limit is kept twice in a row
        ("ooobbbbbb", [2, 3, 4, 5, 6, 7, 8]),  # between the limits nothing changes
        ("ooonnnn", [2, 3, 4, 5, 6]),  # silence clears nothing
        ("ooouuooo", [2, 3, 7]),
    ],
)
def test_only_what_is_found_again_and_again_changes_anything(findings: str, raised_at: list[int]) -> None:
    assert [hour for hour, raised in enumerate(history(findings)) if raised] == raised_at


def test_since_is_when_the_state_began() -> None:
    state = after(None, "over", NOW, Patience(2, 2))
    assert state == State(raised=False, since=NOW, n_over=1)
    state = after(state, "over", NOW + timedelta(hours=1), Patience(2, 2))
    assert (state.raised, state.since) == (True, NOW + timedelta(hours=1))
    later = after(state, "over", NOW + timedelta(hours=2), Patience(2, 2))
    assert later.since == state.since


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (0.5, 0.3, 0.7, "under"),
        (0.5, -1.0, 3.0, "under"),
        (1.2, 0.9, 1.5, "between"),
        (1.2, 1.1, 1.3, "over"),
        (-0.5, -0.8, -0.1, "over"),
        (1.2, 1.1, math.inf, "over"),
    ],
)
def test_a_finding_is_over_only_if_its_whole_interval_is_outside(
    value: float, low: float, high: float, verdict: Verdict
) -> None:
    reading = Reading("volume", "", value, low, high, (0.0, 1.0), 100)
    assert reading.verdict == verdict


@pytest.mark.parametrize(
    "reading",
    [
        Reading("missing", "employees", 0.1, 0.05, 0.15, (-0.05, 0.05), 900, figures={"share": 0.2}),
        Reading("field", "source", 0.1, 0.05, math.inf, (-math.inf, 0.05), 900),
    ],
)
def test_a_reading_survives_as_json(reading: Reading) -> None:
    assert Reading.from_dict(json.loads(json.dumps(reading.to_dict(), allow_nan=False))) == reading


def test_what_could_not_be_told_survives_as_json() -> None:
    untold = Reading.untold("calibration", "", (0.9, 1.1), 12, "outcomes")
    again = Reading.from_dict(json.loads(json.dumps(untold.to_dict(), allow_nan=False)))
    assert (again.verdict, again.n, again.lacking, again.tolerated) == ("untold", 12, "outcomes", (0.9, 1.1))
    assert all(math.isnan(number) for number in (again.value, again.low, again.high))
