"""Calibration: the minimum it promises, found by another road, and when it falls back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from features.errors import TooFewOutcomesError
from training.recipe.calibrate import Calibration, CalibrationSettings, calibrate
from training.recipe.slopes import fit_slopes


def leads(seed: int, n_leads: int, a1: float, a2: float, b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    linear, trees = rng.normal(size=n_leads), rng.normal(0, 0.5, size=n_leads)
    probability = 1 / (1 + np.exp(-(a1 * linear + a2 * trees + b)))
    return linear, trees, (rng.random(n_leads) < probability).astype(float)


def penalised(parameters: np.ndarray, inputs: np.ndarray, target: np.ndarray, ridge: float) -> float:
    margins = inputs @ parameters[:-1] + parameters[-1]
    loss = (np.logaddexp(0, margins) - target * margins).sum()
    return float(loss + ridge / 2 * ((parameters[:-1] - 1) ** 2).sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(-2, 3), st.floats(-2, 3), st.floats(-3, 3), st.floats(0.01, 20))
def test_the_fit_is_the_bounded_minimum_that_another_solver_finds(
    seed: int, a1: float, a2: float, b: float, ridge: float
) -> None:
    linear, trees, target = leads(seed, 200, a1, a2, b)
    target[:2] = 0, 1
    inputs = np.column_stack([linear, trees])
    found, _ = fit_slopes(inputs, target, np.ones(200), ridge)
    other = minimize(
        penalised,
        np.array([1.0, 1.0, 0.0]),
        args=(inputs, target, ridge),
        bounds=[(0, None), (0, None), (None, None)],
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000},
    )
    assert (found[:2] >= 0).all()
    assert penalised(found, inputs, target, ridge) <= other.fun + 1e-9
    np.testing.assert_allclose(found, other.x, atol=1e-3)


def test_slopes_and_shift_are_recovered_with_many_leads() -> None:
    # Standard errors of about .01, .02 and .01 with 50,000 leads.
    calibration = calibrate(*leads(1, 50_000, 0.7, 1.4, -1.0))
    assert calibration.method == "two slopes"
    assert calibration.calibrator.linear_slope == pytest.approx(0.7, abs=0.05)
    assert calibration.calibrator.tree_slope == pytest.approx(1.4, abs=0.1)
    assert calibration.calibrator.intercept == pytest.approx(-1.0, abs=0.05)


def test_the_covariance_is_that_of_repeated_samples() -> None:
    found = []
    for seed in range(200):
        calibrator = calibrate(*leads(seed, 2000, 1.0, 1.0, -1.0)).calibrator
        found.append([calibrator.linear_slope, calibrator.tree_slope, calibrator.intercept])
    claimed = np.sqrt(np.diag(calibrate(*leads(0, 2000, 1.0, 1.0, -1.0)).covariance))
    # 200 repeats know a standard deviation to 5 %; the ridge takes a little more off the slopes.
    np.testing.assert_allclose(np.std(found, axis=0), claimed, rtol=0.2)


def test_a_part_that_points_the_wrong_way_is_switched_off_and_not_turned_around() -> None:
    calibration = calibrate(*leads(2, 20_000, 1.0, -0.8, 0.0))
    assert calibration.calibrator.tree_slope == 0
    assert calibration.calibrator.linear_slope > 0.8
    assert calibration.covariance[1].tolist() == [0, 0, 0]


def over_confident(scale: float) -> Calibration:
    rng = np.random.default_rng(3)
    true_log_odds = rng.normal(size=4000)
    target = (rng.random(4000) < 1 / (1 + np.exp(-true_log_odds))).astype(float)
    return calibrate(scale * true_log_odds, np.zeros(4000), target)


@pytest.mark.parametrize("scale", [50.0, 1_000.0, 19_000.0])
def test_over_confident_margins_do_not_make_the_fit_diverge(scale: float) -> None:
    # The right slope is 1 / scale: about .0001 for margins of -19,000, as a default LightGBM has produced.
    assert over_confident(scale).calibrator.linear_slope * scale == pytest.approx(1, abs=0.15)


def test_separable_data_has_a_finite_answer() -> None:
    linear = np.append(np.linspace(-2, -1, 60), np.linspace(1, 2, 60))
    calibration = calibrate(linear, np.zeros(120), (linear > 0).astype(float))
    assert 1 < calibration.calibrator.linear_slope < 10


def test_without_evidence_slopes_stay_near_one_and_only_the_shift_moves() -> None:
    # Margins that hardly vary cannot tell their slope; the rate can be told.
    rng = np.random.default_rng(4)
    linear, trees = 0.01 * rng.normal(size=1000), 0.01 * rng.normal(size=1000)
    calibrator = calibrate(linear, trees, np.tile([1.0, 0.0, 0.0, 0.0], 250)).calibrator
    assert calibrator.linear_slope == pytest.approx(1, abs=0.1)
    assert calibrator.tree_slope == pytest.approx(1, abs=0.1)
    assert calibrator.intercept == pytest.approx(np.log(1 / 3), abs=0.01)


def test_few_outcomes_get_one_slope_and_are_told_why() -> None:
    linear, trees, target = leads(5, 300, 1.0, 1.0, -3.0)
    assert target.sum() < 50
    calibration = calibrate(linear, trees, target)
    assert calibration.method == "one slope"
    assert calibration.calibrator.linear_slope == calibration.calibrator.tree_slope
    assert f"only {target.sum():.0f} leads" in calibration.reason.en
    assert f"nur {target.sum():.0f} Leads" in calibration.reason.de


def test_wild_slopes_on_little_data_give_way_to_one_and_on_much_data_stand() -> None:
    few = calibrate(*leads(6, 250, 1.0, -2.0, 0.0))
    many = calibrate(*leads(6, 5000, 1.0, -2.0, 0.0))
    assert (few.method, many.method) == ("one slope", "two slopes")
    assert "implausible" in few.reason.en
    assert many.calibrator.tree_slope == 0


def test_a_model_without_trees_has_one_slope() -> None:
    linear, _, target = leads(7, 2000, 0.8, 0.0, -1.0)
    calibration = calibrate(linear, np.zeros(2000), target)
    assert calibration.method == "one slope"
    assert "no trees" in calibration.reason.en


def test_one_slope_is_platt_up_to_the_ridge() -> None:
    linear, trees, target = leads(8, 4000, 1.2, 1.2, -0.5)
    one = calibrate(linear, trees, target, settings=CalibrationSettings(ridge=1e-9, min_outcomes_two_slopes=10**9))
    inputs = (linear + trees)[:, None]
    other = minimize(penalised, np.array([1.0, 0.0]), args=(inputs, target, 0.0), method="BFGS")
    np.testing.assert_allclose([one.calibrator.linear_slope, one.calibrator.intercept], other.x, atol=1e-4)


def test_a_weight_of_two_counts_a_lead_twice() -> None:
    linear, trees, target = leads(9, 800, 1.0, 0.5, -1.0)
    weights = np.where(np.arange(800) % 3 == 0, 2.0, 1.0)
    rows = np.repeat(np.arange(800), weights.astype(int))
    weighted = calibrate(linear, trees, target, weights=weights).calibrator
    repeated = calibrate(linear[rows], trees[rows], target[rows]).calibrator
    assert weighted.linear_slope == pytest.approx(repeated.linear_slope, abs=1e-6)
    assert weighted.tree_slope == pytest.approx(repeated.tree_slope, abs=1e-6)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-6)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_outcome_only_cannot_be_calibrated_on(outcome: float) -> None:
    with pytest.raises(TooFewOutcomesError, match="same outcome"):
        calibrate(np.linspace(-1, 1, 50), np.zeros(50), np.full(50, outcome))
