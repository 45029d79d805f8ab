"""New slopes are drawn towards those in use, which loses less against the truth than the alternatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.model.calibrator import Calibrator, probabilities_of
from training.judging.metrics import Floats
from training.recipe.calibrate import CalibrationSettings, calibrate
from training.recipe.sample import Sample
from training.upkeep.recalibrate import drawn_towards

SETTINGS = CalibrationSettings()


def margins(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    return rng.normal(-2.2, 1.0, n), rng.normal(0, 0.45, n)


def outcomes(rng: np.random.Generator, probability: Floats) -> Sample:
    n = probability.size
    return Sample(np.zeros((n, 1)), (rng.random(n) < probability).astype(float), np.arange(n), np.arange(n))


def loss_against_truth(true: Floats, said: Floats) -> float:
    return float(np.mean(true * np.log(true / said) + (1 - true) * np.log((1 - true) / (1 - said))))


def shifted(margin: Floats, rate: float) -> float:
    """The shift at which the mean probability is `rate`, by bisection."""
    low, high = -5.0, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if probabilities_of(margin + middle).mean() < rate else (low, middle)
    return low


def losses(rng: np.random.Generator, n_wins: int, drift: float) -> list[float]:
    """Against the truth, of slopes drawn to the champion's, of slopes drawn to 1, and of a shift alone.

    The champion was right once; since then its rate has moved, and each slope by a random factor of log sd `drift`.
    """
    old = Calibrator(rng.uniform(0.8, 1), rng.uniform(0.4, 1), rng.normal(0, 0.2))
    factors = np.exp(rng.normal(-drift / 2, drift, 2))
    now = Calibrator(old.linear_slope * factors[0], old.tree_slope * factors[1], old.intercept + rng.normal(0, 0.3))
    elsewhere = margins(rng, 10_000)
    true = now.probabilities(*elsewhere)
    linear, trees = margins(rng, int(n_wins / true.mean()))
    leads = outcomes(rng, now.probabilities(linear, trees))
    level = shifted(old.linear_slope * linear + old.tree_slope * trees, leads.target.mean())
    rivals = (
        drawn_towards(old, linear, trees, leads, SETTINGS).calibrator,
        calibrate(linear, trees, leads.target).calibrator,
        replace(old, intercept=level),
    )
    return [loss_against_truth(true, each.probabilities(*elsewhere)) for each in rivals]


@pytest.mark.parametrize("n_wins", [40, 100, 200])
def test_slopes_drawn_to_the_champions_lose_less_than_slopes_drawn_to_one_or_a_shift_alone(n_wins: int) -> None:
    rng = np.random.default_rng(n_wins)
    quiet = np.mean([losses(rng, n_wins, 0.0) for _ in range(80)], axis=0)
    drifting = np.mean([losses(rng, n_wins, 0.4) for _ in range(80)], axis=0)
    assert quiet[0] < 0.9 * quiet[1]
    assert drifting[0] < drifting[1]
    # A shift alone is a little better where the slopes hold, and worse where they do not: no fallback is needed.
    assert quiet[0] < quiet[2] + 0.001
    assert drifting[0] < drifting[2]


def test_many_outcomes_decide_whatever_the_champion_says() -> None:
    rng = np.random.default_rng(1)
    linear, trees = margins(rng, 200_000)
    now = Calibrator(0.7, 0.4, -0.3)
    found = drawn_towards(
        Calibrator(1.0, 0.9, 0.2), linear, trees, outcomes(rng, now.probabilities(linear, trees)), SETTINGS
    )
    seen = found.calibrator
    errors = np.sqrt(np.diag(found.covariance))
    off = np.array([seen.linear_slope, seen.tree_slope, seen.intercept]) - [0.7, 0.4, -0.3]
    assert (np.abs(off) < 3 * errors).all()
    assert errors.max() < 0.02


def test_the_covariance_is_that_of_the_new_slopes() -> None:
    """Scaling a part and its slope the other way round changes nothing but the units of that slope."""
    rng = np.random.default_rng(2)
    linear, trees = margins(rng, 5_000)
    leads = outcomes(rng, Calibrator(0.8, 0.6, 0.0).probabilities(linear, trees))
    plain = drawn_towards(Calibrator(), linear, trees, leads, SETTINGS)
    scaled = drawn_towards(Calibrator(0.5, 2.0, 0.0), 2 * linear, trees / 2, leads, SETTINGS)
    units = np.array([0.5, 2.0, 1.0])
    assert scaled.covariance == pytest.approx(units[:, None] * plain.covariance * units, rel=1e-6)
    assert scaled.calibrator.linear_slope == pytest.approx(0.5 * plain.calibrator.linear_slope, rel=1e-6)


def test_a_part_that_was_switched_off_stays_off() -> None:
    rng = np.random.default_rng(3)
    linear, trees = margins(rng, 2_000)
    leads = outcomes(rng, Calibrator(1.0, 1.0, 0.0).probabilities(linear, trees))
    assert drawn_towards(Calibrator(0.9, 0.0, 0.1), linear, trees, leads, SETTINGS).calibrator.tree_slope == 0
