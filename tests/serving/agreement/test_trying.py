"""Two rules side by side: their difference is a set of leads of its own, and more capacity never brings fewer wins."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definition.agreement import Handover
from features.model.bundle import Bundle
from serving.agreement.supplies import FRESH, Supplies
from serving.agreement.trying import difference, reaches, simulated, tried_threshold
from serving.kpis.query import Query, selection
from serving.kpis.supply import Supply, read_supply
from serving.store import Store
from tests.serving.conftest import NOW
from tests.serving.monitoring.stored_leads import leads_that_came, store_leads
from tests.serving.small_model import definition

AGREED = definition()
WEEKS = 4
probabilities = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=60)


def supply(values: list[float]) -> Supply:
    return Supply(np.array(sorted(values, reverse=True)), NOW - timedelta(weeks=WEEKS), NOW)


def test_the_difference_of_two_rules_by_hand() -> None:
    """Ten leads; from 0.5 on five of them go, from 0.2 on eight: three more, with 0.2 + 0.3 + 0.4 wins among them."""
    came = supply([0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    now, tried = simulated(came, 0.5, AGREED), simulated(came, 0.2, AGREED)
    found = difference(now, tried, came.probabilities)
    assert (found.leads, found.leads_per_week) == (3, 0.75)
    assert found.wins.expected == pytest.approx(0.9)
    assert found.wins_per_week == pytest.approx(0.9 / WEEKS)
    assert found.per_hundred == pytest.approx(100 * (4.4 / 8 - 3.5 / 5))


@given(probabilities, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_difference_adds_up_and_turns_its_sign_with_the_rules(values: list[float], one: float, other: float) -> None:
    came = supply(values)
    a, b = simulated(came, one, AGREED), simulated(came, other, AGREED)
    there, back = difference(a, b, came.probabilities), difference(b, a, came.probabilities)
    assert there.leads == -back.leads == b.n_handed_over - a.n_handed_over
    assert there.wins_per_week == pytest.approx(-back.wins_per_week)
    assert a.handed_over.expected + there.wins_per_week * WEEKS == pytest.approx(b.handed_over.expected)


@given(probabilities)
def test_more_capacity_never_brings_fewer_wins_and_the_last_point_takes_all(values: list[float]) -> None:
    came = supply(values)
    found = reaches(came)
    wins = [each.wins_per_week for each in found]
    assert wins == sorted(wins)
    assert found[-1].capacity == len(values) / WEEKS
    assert wins[-1] * WEEKS == pytest.approx(sum(values))
    assert all(each.low <= each.wins_per_week + 1e-9 <= each.high + 2e-9 for each in found)
    assert len(found) <= 41


def test_a_curve_of_a_hundred_thousand_leads_has_round_steps() -> None:
    draw = np.random.default_rng(5)
    came = Supply(np.sort(draw.beta(1, 6, 100_000))[::-1], NOW - timedelta(weeks=52), NOW)
    found = reaches(came)
    assert [each.capacity for each in found[:3]] == [50.0, 100.0, 150.0]
    assert found[9].threshold == pytest.approx(tried_threshold(AGREED, Handover(capacity_per_week=500), came))


def test_nothing_came_so_there_is_nothing_to_draw() -> None:
    assert reaches(supply([])) == []


def test_days_before_the_first_lead_and_days_to_come_are_not_counted() -> None:
    query = Query(NOW.date() - timedelta(days=90), NOW.date() + timedelta(days=30))
    chosen = selection(query, AGREED, NOW)
    found = read_supply(lambda _: [0.2, 0.1], chosen, NOW, NOW - timedelta(days=7))
    assert (found.start, found.end, found.weeks) == (NOW - timedelta(days=7), NOW, 1.0)
    assert read_supply(lambda _: [], chosen, NOW, None).start == chosen.start
    tomorrow = read_supply(lambda _: [], chosen, NOW, NOW + timedelta(days=1))
    assert tomorrow.weeks == pytest.approx(1 / 7), "never less than a day"


def test_a_supply_is_kept_for_a_minute_and_then_read_again(store: Store, bundle: Bundle) -> None:
    supplies = Supplies(store)
    query = Query(NOW.date() - timedelta(days=90), NOW.date() + timedelta(days=1))
    store_leads(store, bundle, leads_that_came(seed=3)[:20], NOW)
    first = supplies.of(query, AGREED, NOW)
    store_leads(store, bundle, leads_that_came(seed=4)[:30], NOW)
    assert supplies.of(query, AGREED, NOW + FRESH / 2) is first
    again = supplies.of(query, AGREED, NOW + FRESH)
    assert (len(first.probabilities), len(again.probabilities)) == (20, 50)
    assert (np.diff(again.probabilities) <= 0).all()
