"""Shifts of distributions: the stated rate of false alarms, whatever the number of leads, and what is seen through."""

from __future__ import annotations

import numpy as np
import pytest

from serving.monitoring.drift import Shift, shift_of

REFERENCE = np.array([0.4, 0.3, 0.2, 0.1])
CHANCE = 0.05


def moved(share: float) -> np.ndarray:
    """The reference with a share moved from the first to the last bin."""
    return REFERENCE + share * np.array([-1, 0, 0, 1])


def size_of(now: np.ndarray) -> float:
    """w² as the module defines it."""
    return float(((now - REFERENCE) ** 2 / ((now + REFERENCE) / 2)).sum())


def found(draw: np.random.Generator, now: np.ndarray, n: int, m: int = 20_000) -> Shift:
    bins = draw.choice(4, n, p=now)
    shift = shift_of(bins, np.arange(n), draw.multinomial(m, REFERENCE), CHANCE)
    assert shift is not None
    return shift


@pytest.mark.parametrize("n", [200, 1_000, 10_000])
@pytest.mark.parametrize("share", [0.0, 0.08])
def test_the_lower_end_lies_above_the_true_size_as_often_as_stated(n: int, share: float) -> None:
    draw, now = np.random.default_rng(n), moved(share)
    true = size_of(now)
    above = np.mean([found(draw, now, n).low > true for _ in range(600)])
    # Three standard errors of 600 draws at 5 % are 2.7 points; for large shifts the statistic varies a little less.
    assert above <= CHANCE + 0.027


def test_a_trifle_stays_a_trifle_with_any_number_of_leads() -> None:
    draw, now = np.random.default_rng(1), moved(0.02)
    many = found(draw, now, 200_000, 1_000_000)
    assert many.low > 0  # it is there, beyond doubt
    assert many.size == pytest.approx(size_of(now), rel=0.2)
    assert many.size < 0.01


def test_a_shift_is_estimated_without_what_chance_adds() -> None:
    draw, now = np.random.default_rng(2), moved(0.1)
    sizes = [found(draw, now, 300).size for _ in range(400)]
    assert np.mean(sizes) == pytest.approx(size_of(now), rel=0.05)


def test_psi_by_chance_is_its_mean_without_a_shift() -> None:
    draw = np.random.default_rng(3)
    shifts = [found(draw, REFERENCE, 500) for _ in range(400)]
    assert np.mean([shift.psi for shift in shifts]) == pytest.approx(
        np.mean([s.psi_by_chance for s in shifts]), rel=0.1
    )


def test_leads_that_come_in_fours_of_one_account_alarm_no_more_often() -> None:
    draw = np.random.default_rng(4)
    account = np.arange(1_000) // 4
    shifts = []
    for _ in range(400):
        bins = draw.choice(4, 250, p=REFERENCE)[account]
        shifts.append(shift_of(bins, account, draw.multinomial(200_000, REFERENCE), CHANCE))
    assert all(shift is not None for shift in shifts)
    assert np.mean([shift.low > 0 for shift in shifts if shift]) <= CHANCE + 0.033
    assert np.mean([shift.design_effect for shift in shifts if shift]) == pytest.approx(4, rel=0.05)


def test_bins_too_rare_to_compare_are_compared_together() -> None:
    reference = np.array([5_000, 4_990, 4, 3, 3])
    bins = np.repeat([0, 1, 2, 3, 4], [50, 50, 8, 6, 6])
    shift = shift_of(bins, np.arange(len(bins)), reference, 1e-4)
    assert shift is not None
    assert shift.low > 0  # twenty leads in bins that hold one in a thousand
    alike = shift_of(np.repeat([0, 1], [50, 50]), np.arange(100), reference, 1e-4)
    assert alike is not None
    assert alike.size == 0


@pytest.mark.parametrize(("bins", "reference"), [([], [5, 5]), ([0, 1], [0, 0]), ([0, 0, 0], [9, 0]), ([0] * 90, [99])])
def test_without_two_bins_to_compare_nothing_is_said(bins: list[int], reference: list[int]) -> None:
    places = np.array(bins, dtype=np.int64)
    assert shift_of(places, np.arange(len(places)), np.array(reference), 0.01) is None
