"""Shares, volume, calibration, expected performance: intervals that hold what they say, and shifts that are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from serving.monitoring.calibration import calibration_of
from serving.monitoring.performance import expected_performance
from serving.monitoring.shares import difference
from serving.monitoring.volume import RECENT_DAYS, _student, volume_of

WEEKDAYS = np.array([80, 75, 75, 70, 60, 8, 5])


def days(draw: np.random.Generator, n: int, factor: float = 1.0) -> list[int]:
    """Leads of so many days, the last three of them `factor` times as many; busy and slow days beyond chance."""
    rate = WEEKDAYS[np.arange(n) % 7] * draw.gamma(25, 1 / 25, n)
    rate[-RECENT_DAYS:] *= factor
    return draw.poisson(rate).tolist()


@pytest.mark.parametrize("before", [0.0, 0.1, 0.5])
def test_each_end_of_the_difference_of_shares_errs_as_often_as_stated(before: float) -> None:
    draw, now, chance = np.random.default_rng(5), before + 0.05, 0.05
    account = np.arange(400) // 2
    below = above = 0
    for _ in range(500):
        there = (draw.random(200) < now)[account]  # both leads of an account have it or not
        _, (low, high) = difference(there, account, int(draw.binomial(5_000, before)), 5_000, chance)
        below, above = below + (low > 0.05), above + (high < 0.05)
    assert max(below, above) / 500 <= chance + 0.03


def test_a_quiet_volume_is_outside_its_interval_as_often_as_stated() -> None:
    draw = np.random.default_rng(6)
    volumes = [volume_of(days(draw, 66), 0.02) for _ in range(1_000)]
    outside = [not volume.interval[0] <= 1 <= volume.interval[1] for volume in volumes if volume]
    assert len(outside) == 1_000
    assert np.mean(outside) <= 0.04 + 0.02
    assert np.mean([volume.ratio for volume in volumes if volume]) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("factor", [0.0, 0.1, 6.0])
def test_a_volume_that_breaks_in_or_explodes_is_found_within_three_days(factor: float) -> None:
    draw, chance = np.random.default_rng(7), 0.01 / 60
    found = [volume_of(days(draw, 66, factor), chance) for _ in range(50)]
    outside = [volume is not None and (volume.interval[1] < 0.5 or volume.interval[0] > 2) for volume in found]
    assert np.mean(outside) >= 0.9


def test_volume_says_nothing_without_four_weeks_before_or_with_few_leads_in_them() -> None:
    assert volume_of([9] * 37, 0.01) is None
    assert volume_of([6] * 60, 0.01) is None  # 18 expected: too few to tell half from all
    assert volume_of([0] * 60, 0.01) is None
    assert volume_of([9] * 38, 0.01) is not None


def test_where_days_vary_wildly_a_rise_is_not_called_one() -> None:
    volume = volume_of([0, 0, 0, 0, 0, 0, 900] * 9 + [900, 900, 900], 1e-4)
    assert volume is None or volume.interval[0] < 2
    bursts = [0, 0, 700, 0, 0, 0, 0, 0, 0, 0, 800, 0, 0, 0, 0, 0, 0, 0, 0, 750] * 3
    burst = volume_of([*bursts, 0, 0, 0, 300, 300, 300], 1e-4)
    assert burst is not None
    assert burst.interval == (pytest.approx(burst.interval[0]), np.inf)


@pytest.mark.parametrize("degrees", [9, 18, 40])
@pytest.mark.parametrize("chance", [1e-4, 1e-3, 0.05])
def test_students_quantile_is_scipys_to_some_percent(degrees: int, chance: float) -> None:
    assert _student(1 - chance, degrees) == pytest.approx(stats.t.isf(chance, degrees), rel=0.04)


def outcomes(draw: np.random.Generator, n: int, ratio: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    p = draw.beta(1.5, 8, n)
    return draw.random(n) < np.minimum(1, ratio * p), p, np.arange(n)


def test_right_probabilities_are_called_wrong_as_often_as_stated() -> None:
    draw = np.random.default_rng(8)
    found = [calibration_of(*outcomes(draw, 1_000, 1.0), 0.02) for _ in range(500)]
    outside = [not each.interval[0] <= 1 <= each.interval[1] for each in found if each]
    assert len(outside) == 500
    assert np.mean(outside) <= 0.04 + 0.027


def test_wins_that_fall_by_half_are_found_among_a_thousand_leads() -> None:
    draw = np.random.default_rng(9)
    found = [calibration_of(*outcomes(draw, 1_000, 0.5), 0.01 / 60) for _ in range(50)]
    assert np.mean([each is not None and each.interval[1] < 1 / 1.1 for each in found]) >= 0.95


def test_calibration_says_nothing_where_fewer_than_40_wins_are_expected() -> None:
    assert calibration_of(np.zeros(390, dtype=bool), np.full(390, 0.1), np.arange(390), 0.01) is None
    told = calibration_of(np.zeros(410, dtype=bool), np.full(410, 0.1), np.arange(410), 0.01)
    assert told is not None
    assert told.ratio == 0


def test_expected_performance_is_what_outcomes_drawn_by_the_probabilities_show() -> None:
    draw = np.random.default_rng(10)
    p = draw.beta(1, 5, 200_000)
    won = draw.random(len(p)) < p
    expected = expected_performance(p, np.arange(len(p)), 0.01)
    assert expected is not None
    log_loss = -np.where(won, np.log(p), np.log1p(-p)).mean()
    base = -(won.mean() * np.log(won.mean()) + (1 - won.mean()) * np.log1p(-won.mean()))
    ranks = stats.rankdata(p)
    auc = (ranks[won].sum() - won.sum() * (won.sum() + 1) / 2) / (won.sum() * (~won).sum())
    assert expected.log_loss == pytest.approx(log_loss, rel=0.01)
    assert expected.skill == pytest.approx(1 - log_loss / base, abs=0.01)
    assert expected.auc == pytest.approx(auc, abs=0.005)


def test_each_end_of_the_expected_skills_interval_errs_as_often_as_stated() -> None:
    draw = np.random.default_rng(11)
    account = np.arange(600) // 3
    large = expected_performance(draw.beta(1, 5, 300_000), np.arange(300_000), 0.05)
    assert large is not None
    found = [expected_performance(draw.beta(1, 5, 200)[account], account, 0.05) for _ in range(400)]
    assert np.mean([each is not None and each.interval[0] > large.skill for each in found]) <= 0.05 + 0.035
    assert np.mean([each is not None and each.interval[1] < large.skill for each in found]) <= 0.05 + 0.035


def test_probabilities_that_are_all_alike_promise_nothing() -> None:
    told = expected_performance(np.full(200, 0.2), np.arange(200), 0.01)
    assert told is not None
    assert (told.skill, told.auc) == pytest.approx((0, 0.5))
    assert expected_performance(np.zeros(200), np.arange(200), 0.01) is None
