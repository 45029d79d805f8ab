"""Which closed leads look the same to the model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from serving.lives.likeness import distance, most_alike
from serving.store import ClosedLead

POINTS = st.dictionaries(st.sampled_from("abcd"), st.floats(-50, 50))


def answer(**points: float) -> dict[str, Any]:
    return {"contributions": [{"field": name, "points": each} for name, each in points.items()]}


def closed(lead_id: str, given: dict[str, Any], **points: float) -> ClosedLead:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    said = orjson.dumps(answer(**points))
    return ClosedLead(lead_id, None, "won", at, 0.2, "B", orjson.dumps(given), said)


@given(POINTS, POINTS, POINTS)
def test_the_distance_is_one(one: dict[str, float], other: dict[str, float], third: dict[str, float]) -> None:
    assert distance(one, one) == 0
    assert distance(one, other) == distance(other, one) >= 0
    assert distance(one, third) <= distance(one, other) + distance(other, third) + 1e-9


def test_the_nearest_come_first_whatever_their_probability() -> None:
    found = most_alike(
        answer(source=8.0, employees=-1.0),
        {"source": "fair", "employees": 240},
        [
            closed("far", {"source": "cold"}, source=-6.0, employees=13.0),  # the same sum, from other fields
            closed("near", {"source": "fair", "employees": 300}, source=8.0, employees=-0.5),
            closed("twin-2", {"source": "fair", "employees": 240}, source=8.0, employees=-1.0),
            closed("twin-1", {"source": "fair", "employees": 240}, source=8.0, employees=-1.0),
        ],
        3,
    )
    assert [(each.lead.lead_id, each.distance) for each in found] == [("twin-1", 0.0), ("twin-2", 0.0), ("near", 0.5)]


def test_what_two_leads_share_and_what_sets_them_apart() -> None:
    own, given = answer(a=1.0, b=-9.0, c=4.0, d=0.0), {"a": 1, "b": "x", "c": 2, "d": None}
    (found,) = most_alike(own, given, [closed("L", {"a": 1, "b": "x", "c": 7, "d": None}, a=1.0, b=-9.0, c=-2.0)], 5)
    assert found.shared == ("b", "a")  # the one that moves the lead more stands first; what both lack is not shared
    assert (found.apart, found.distance) == ("c", 6.0)


def test_leads_that_are_the_same_are_set_apart_by_nothing() -> None:
    (found,) = most_alike(answer(a=1.0), {"a": 1}, [closed("L", {"a": 1}, a=1.0)], 5)
    assert found.apart == ""
