"""The simulator: more capacity never costs wins, nothing is lost between the two sides, and its intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definition import LeadDefinition
from features.definition.agreement import Handover
from serving.kpis.capacity import Simulated, simulate, wins
from tests.serving.kpis.histories import agreed, grade

AGREED = agreed()
probabilities = st.lists(st.floats(0, 1), max_size=60)
capacities = st.floats(0.1, 50)


def by_capacity(capacity: float) -> LeadDefinition:
    return AGREED.model_copy(update={"handover": Handover(capacity_per_week=capacity)})


def tried(p: list[float], capacity: float, weeks: float = 4.0) -> Simulated:
    return simulate(p, weeks, by_capacity(capacity))


@given(probabilities, capacities, capacities)
def test_more_capacity_hands_over_no_fewer_leads_and_no_fewer_wins(p: list[float], one: float, other: float) -> None:
    less, more = tried(p, min(one, other)), tried(p, max(one, other))
    assert more.threshold <= less.threshold
    assert more.n_handed_over >= less.n_handed_over
    assert more.handed_over.expected >= less.handed_over.expected - 1e-9
    assert more.left_behind.expected <= less.left_behind.expected + 1e-9
    for before, after in zip(less.by_grade, more.by_grade, strict=True):
        assert (after.grade, after.n >= before.n) == (before.grade, True)


@given(probabilities, capacities)
def test_what_is_handed_over_and_what_is_left_is_everything(p: list[float], capacity: float) -> None:
    result = tried(p, capacity)
    assert result.handed_over.expected + result.left_behind.expected == pytest.approx(sum(p))
    assert sum(load.n for load in result.by_grade) == result.n_handed_over
    assert sum(load.expected_wins for load in result.by_grade) == pytest.approx(result.handed_over.expected)
    assert result.n_handed_over == sum(each >= result.threshold for each in p)
    for load in result.by_grade:
        assert load.n == sum(each >= result.threshold and grade(each) == load.grade for each in p)


@given(st.lists(st.floats(0, 0.99), max_size=60, unique=True), capacities)
def test_the_capacity_is_filled_but_not_exceeded_where_leads_differ(p: list[float], capacity: float) -> None:
    assert tried(p, capacity).n_handed_over == min(len(p), int(capacity * 4))


def test_leads_at_the_threshold_all_go_together() -> None:
    assert tried([0.5, 0.2, 0.2, 0.2], capacity=0.5).n_handed_over == 4


def test_a_threshold_can_be_tried_instead() -> None:
    result = simulate([0.5, 0.3, 0.1], 2.0, AGREED.model_copy(update={"handover": Handover(threshold=0.3)}))
    assert (result.threshold, result.n_handed_over, result.handed_over.expected) == (0.3, 2, 0.8)


@given(probabilities)
def test_the_interval_holds_what_is_expected_and_stays_between_none_and_all(p: list[float]) -> None:
    result = wins(np.array(p))
    assert 0 <= result.low <= result.expected <= result.high <= max(len(p), result.expected)


@pytest.mark.parametrize(("n", "a", "b"), [(20, 1, 6), (60, 1, 30), (400, 1, 5), (3_000, 2, 3)])
def test_nine_in_ten_windows_bring_wins_within_the_interval(n: int, a: float, b: float) -> None:
    """Against the exact distribution of the sum, by convolution: whole numbers make it 90 % or somewhat more."""
    p = np.random.default_rng(n).beta(a, b, n)
    result, chance = wins(p), exact(p)
    held = chance[int(np.ceil(result.low)) : int(np.floor(result.high)) + 1].sum()
    tails = chance[: int(np.ceil(result.low))].sum(), chance[int(np.floor(result.high)) + 1 :].sum()
    assert 0.895 <= held <= 0.99
    assert max(tails) <= 0.053


def exact(p: np.ndarray) -> np.ndarray:
    """The chance of each number of wins."""
    chance = np.ones(1)
    for each in p:
        chance = np.append(chance, 0) * (1 - each) + np.append(0, chance) * each
    return chance
