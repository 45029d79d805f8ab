"""Ranking figures: by hand, against scikit-learn, and against drawing lots for ties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from training.judging.metrics import Floats
from training.judging.ranking import (
    average_precision,
    precision_at_capacity,
    ranked,
    roc_auc,
    share_of_wins,
    weeks,
)

LEADS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(1, 3)), min_size=2, max_size=40)


def columns(leads: list[tuple[int, int, int]]) -> tuple[Floats, Floats, Floats]:
    """Target, probability with many ties, weight; a win and a loss are appended so that every figure exists."""
    rows = np.array([*leads, (1, 3, 1), (0, 3, 1)], dtype=float)
    return rows[:, 0], rows[:, 1] / 6, rows[:, 2]


@given(LEADS)
def test_auc_and_average_precision_equal_scikit_learn_under_ties_and_weights(leads: list[tuple[int, int, int]]) -> None:
    target, probability, weight = columns(leads)
    found = ranked(target, probability, weight)
    assert float(roc_auc(found)) == pytest.approx(roc_auc_score(target, probability, sample_weight=weight))
    reference = average_precision_score(target, probability, sample_weight=weight)
    assert float(average_precision(found)) == pytest.approx(reference)


@given(LEADS, st.randoms(use_true_random=False))
def test_no_ranking_figure_depends_on_the_order_of_rows(leads: list[tuple[int, int, int]], random: object) -> None:
    target, probability, weight = columns(leads)
    mixed = np.arange(len(target))
    random.shuffle(mixed)  # type: ignore[attr-defined]
    here, there = ranked(target, probability, weight), ranked(target[mixed], probability[mixed], weight[mixed])
    for figure in (roc_auc, average_precision, lambda found: share_of_wins(found, (0.1, 0.35))):
        np.testing.assert_allclose(figure(here), figure(there), rtol=1e-12)


def test_the_share_of_wins_by_hand_with_a_tie_at_the_cut() -> None:
    # Ten leads. The best (.9) won, then three at .5 of which one won, then six at .1 of which one won.
    target = np.array([1.0, 1, 0, 0, 1, 0, 0, 0, 0, 0])
    probability = np.array([0.9, 0.5, 0.5, 0.5, *[0.1] * 6])
    # Top 10 %: the first, 1 of 3 wins. Top 20 %: one of the three by lot, 1 + 1/3 wins. Top 40 %: 2 wins.
    found = share_of_wins(ranked(target, probability), (0.1, 0.2, 0.4, 1.0))
    np.testing.assert_allclose(found, [1 / 3, (1 + 1 / 3) / 3, 2 / 3, 1.0])


def test_ties_are_worth_what_drawing_lots_gives_on_average() -> None:
    rng = np.random.default_rng(0)
    probability = rng.integers(0, 5, 60) / 5
    target = (rng.random(60) < 0.2 + probability / 2).astype(float)
    lots = []
    for _ in range(4000):
        order = np.lexsort((rng.random(60), -probability))
        lots.append(target[order][:13].sum() / target.sum())  # 13 of 60 leads
    expected = share_of_wins(ranked(target, probability), (13 / 60,))[0]
    assert float(np.mean(lots)) == pytest.approx(expected, abs=4 * float(np.std(lots)) / math.sqrt(4000))


def test_weighted_shares_equal_those_of_copied_rows() -> None:
    rng = np.random.default_rng(1)
    target, probability = (rng.random(50) < 0.3).astype(float), rng.random(50)
    weight = rng.integers(0, 3, (4, 50))
    together = share_of_wins(ranked(target, probability, weight.astype(float)), (0.1, 0.2, 0.35))
    for row in range(4):
        copied = np.repeat(np.arange(50), weight[row])
        alone = share_of_wins(ranked(target[copied], probability[copied]), (0.1, 0.2, 0.35))
        np.testing.assert_allclose(together[row], alone)


def test_without_wins_the_ranking_figures_do_not_exist() -> None:
    found = ranked(np.zeros(3), np.array([0.1, 0.2, 0.3]))
    assert math.isnan(float(roc_auc(found)))
    assert math.isnan(float(average_precision(found)))
    assert np.isnan(share_of_wins(found, (0.1,))).all()


def test_weeks_begin_on_monday() -> None:
    days = np.array(
        ["2024-03-03", "2024-03-04", "2024-03-10", "2024-03-11"], dtype="datetime64[D]"
    )  # Sunday, Monday...
    assert np.diff(weeks(days)).tolist() == [1, 0, 1]


def test_precision_at_capacity_by_hand() -> None:
    # Capacity 2 a week. Week 1: .9 won, .8 lost, .7 won: takes the first two. Week 2: one lead only, won.
    # Week 3: three at .5, one of them won: two by lot, 2/3 of a win. In all 1 + 1 + 2/3 wins among 2 + 1 + 2 leads.
    week = np.array([1, 1, 1, 2, 3, 3, 3])
    probability = np.array([0.9, 0.8, 0.7, 0.1, 0.5, 0.5, 0.5])
    target = np.array([1.0, 0, 1, 1, 0, 1, 0])
    assert float(precision_at_capacity(target, probability, week, 2)) == pytest.approx((2 + 2 / 3) / 5)


def test_precision_at_capacity_under_weights_equals_copied_rows() -> None:
    rng = np.random.default_rng(2)
    week, probability = rng.integers(0, 4, 80), rng.integers(0, 9, 80) / 10
    target = (rng.random(80) < 0.3).astype(float)
    weight = rng.integers(0, 3, (5, 80))
    together = precision_at_capacity(target, probability, week, 6, weight.astype(float))
    for row in range(5):
        copied = np.repeat(np.arange(80), weight[row])
        alone = precision_at_capacity(target[copied], probability[copied], week[copied], 6)
        assert together[row] == pytest.approx(float(alone))
