"""The level after a refit: right on stable leads, not corrected twice on a step, hardly moved by a handful of wins."""

from __future__ import annotations

import numpy as np
import pytest

from features.model.calibrator import probabilities_of
from training.recipe.level import WANDERS, Stretches, level, shift_to_rate, wander_likelihood


def leads(rates: list[float], n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins of a model that knows how leads differ but not their level, outcomes, and which period is the last."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(0, 1, n * len(rates))
    shift = np.repeat([np.log(rate / (1 - rate)) for rate in rates], n)
    target = (rng.random(len(margins)) < probabilities_of(margins + shift)).astype(float)
    newest = np.arange(len(margins)) >= n * (len(rates) - 1)
    return margins, target, newest


def level_of(margins: np.ndarray, target: np.ndarray, newest: np.ndarray) -> float:
    return level(margins, target, np.arange(len(target)), newest)


def test_without_drift_the_mean_probability_is_the_rate() -> None:
    margins, target, newest = leads([0.1, 0.1], 20_000, seed=1)
    found = level_of(margins, target, newest)
    assert probabilities_of(margins + found).mean() == pytest.approx(target.mean(), rel=0.02)


def test_after_a_step_the_newest_leads_have_their_own_rate_once() -> None:
    margins, target, newest = leads([0.1, 0.2], 20_000, seed=2)
    found = level_of(margins, target, newest)
    assert probabilities_of(margins + found)[newest].mean() == pytest.approx(target[newest].mean(), rel=0.01)


def test_a_handful_of_newest_wins_hardly_moves_the_level() -> None:
    margins, target, _ = leads([0.1], 4_000, seed=3)
    newest = np.arange(len(target)) >= len(target) - 30
    lucky = target.copy()
    lucky[newest] = np.arange(30) < 9  # 30 % of 30 leads, where 12 % are won
    everywhere = level_of(margins, target, np.zeros(len(target), dtype=bool))
    assert 0.0 < level_of(margins, lucky, newest) - everywhere < 0.35
    assert level_of(margins, lucky, newest) - everywhere < 0.4 * np.log((0.3 / 0.7) / (0.12 / 0.88))


def test_no_newest_leads_leave_the_level_of_all() -> None:
    margins, target, newest = leads([0.3], 5_000, seed=4)
    found = level_of(margins, target, np.zeros_like(newest))
    assert probabilities_of(margins + found).mean() == pytest.approx(target.mean(), abs=1e-9)


def test_a_lucky_newest_stretch_moves_a_level_that_never_wandered_less_than_one_that_always_did() -> None:
    lucky = [0.10] * 5 + [0.14]
    wandering = [0.06, 0.15, 0.08, 0.13, 0.07, 0.14]
    moves = []
    for rates in (lucky, wandering):
        margins, target, newest = leads(rates, 600, seed=5)
        everywhere = level_of(margins, target, np.zeros_like(newest))
        moves.append((level_of(margins, target, newest) - everywhere) / _own(margins, target, newest, everywhere))
    assert moves[0] < 0.75
    assert moves[1] > moves[0] + 0.1


def _own(margins: np.ndarray, target: np.ndarray, newest: np.ndarray, everywhere: float) -> float:
    """The move at which the newest leads would have exactly their own rate."""
    return shift_to_rate(margins[newest] + everywhere, target[newest], np.ones(int(newest.sum())))


def test_how_far_the_level_wanders_is_found_from_its_stretches() -> None:
    rng = np.random.default_rng(6)
    for wander in (0.1, 0.4):
        shifts = rng.normal(0, np.hypot(wander, 0.05), 12)
        likely = wander_likelihood(Stretches(shifts, np.full(12, 0.05**2)))
        assert likely.sum() == pytest.approx(1.0)
        assert likely @ WANDERS == pytest.approx(wander, rel=0.5)


def test_stretches_without_a_win_say_little_instead_of_failing() -> None:
    margins, target, newest = leads([0.1] * 6, 200, seed=7)
    target[:200] = 0.0
    assert np.isfinite(level_of(margins, target, newest))
