"""From a probability to score, grade and handover."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definition import LeadDefinition, parse_definition
from features.grades import grade, handover, score, threshold_for
from tests.small_agreement import agreement


def capacity(leads_per_week: float) -> LeadDefinition:
    return parse_definition(agreement(handover={"capacity_per_week": leads_per_week}))


def test_the_score_is_the_probability_in_percent_halves_up() -> None:
    assert [score(p) for p in (0.0, 0.004, 0.005, 0.125, 0.994, 1.0)] == [0, 0, 1, 13, 99, 100]


def test_a_probability_at_a_cut_off_gets_the_better_grade() -> None:
    definition = parse_definition(agreement(grades={"A": 0.5, "B": 0.3, "C": 0.1}))
    below = [math.nextafter(cut, 0) for cut in (0.5, 0.3, 0.1)]
    assert [grade(p, definition) for p in (0.5, 0.3, 0.1, 0.0)] == ["A", "B", "C", "D"]
    assert [grade(p, definition) for p in below] == ["B", "C", "D"]


def test_a_lead_at_the_threshold_goes_to_sales_and_one_below_is_nurtured() -> None:
    assert (handover(0.3, 0.3), handover(math.nextafter(0.3, 0), 0.3)) == ("go", "nurture")


def test_a_threshold_of_the_definition_is_taken_as_it_is() -> None:
    assert threshold_for(parse_definition(agreement(handover={"threshold": 0.3})), [0.9, 0.8], weeks=1) == 0.3


def test_capacity_hands_over_as_many_leads_as_sales_can_work() -> None:
    # Two weeks of three leads each: the six best of ten.
    probabilities = [number / 10 for number in range(10)]
    threshold = threshold_for(capacity(3), probabilities, weeks=2)
    assert threshold == 0.4
    assert sum(handover(p, threshold) == "go" for p in probabilities) == 6


def test_more_capacity_than_leads_hands_over_all_and_none_hands_over_none() -> None:
    assert threshold_for(capacity(100), [0.1, 0.2], weeks=1) == 0.0
    assert threshold_for(capacity(0.1), [0.1, 0.2], weeks=1) == 1.0


@given(
    st.lists(st.floats(0, 0.999), min_size=1, max_size=50, unique=True),
    st.floats(0.1, 60),
    st.floats(0.5, 10),
)
def test_without_ties_capacity_is_never_exceeded_nor_left_idle(
    probabilities: list[float], per_week: float, weeks: float
) -> None:
    threshold = threshold_for(capacity(per_week), probabilities, weeks)
    n = sum(handover(p, threshold) == "go" for p in probabilities)
    assert n == min(math.floor(per_week * weeks), len(probabilities))


@pytest.mark.parametrize("probabilities", [[0.5, 0.5, 0.5, 0.1]])
def test_ties_at_the_threshold_go_together(probabilities: list[float]) -> None:
    threshold = threshold_for(capacity(1), probabilities, weeks=1)
    assert sum(handover(p, threshold) == "go" for p in probabilities) == 3
