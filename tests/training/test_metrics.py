"""Proper scores and calibration: by hand, and against scikit-learn and scipy as independent references."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from training.judging import metrics
from training.judging.metrics import Floats, Metric


def simulated(n: int, seed: int, slope: float = 1.0, shift: float = 0.0) -> tuple[Floats, Floats]:
    """Targets, and probabilities whose recalibration truly has the intercept `shift` and the slope `slope`."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.5, 1.2, n)
    target = (rng.random(n) < 1 / (1 + np.exp(-(shift + slope * x)))).astype(float)
    return target, 1 / (1 + np.exp(-x))


def test_log_loss_and_brier_by_hand() -> None:
    # Won at .8, lost at .4: losses -ln .8 = .22314 and -ln .6 = .51083; squared errors .04 and .16.
    target, probability = np.array([1.0, 0.0]), np.array([0.8, 0.4])
    assert float(metrics.log_loss(target, probability)) == pytest.approx((0.2231436 + 0.5108256) / 2, abs=1e-6)
    assert float(metrics.brier(target, probability)) == pytest.approx(0.10)


def test_log_loss_and_brier_equal_scikit_learn_with_and_without_weights() -> None:
    target, probability = simulated(500, 1)
    weight = np.random.default_rng(2).integers(0, 4, 500).astype(float)
    for w in (None, weight):
        loss = sklearn_log_loss(target, probability, sample_weight=w)
        squared = brier_score_loss(target, probability, sample_weight=w)
        assert float(metrics.log_loss(target, probability, w)) == pytest.approx(loss, rel=1e-12)
        assert float(metrics.brier(target, probability, w)) == pytest.approx(squared, rel=1e-12)


def test_a_certain_and_wrong_answer_costs_a_finite_loss() -> None:
    assert float(metrics.log_loss(np.array([1.0]), np.array([0.0]))) == pytest.approx(-math.log(1e-15))


def test_skill_is_1_for_no_loss_and_0_for_the_reference() -> None:
    assert float(metrics.skill(np.asarray(0.0), np.asarray(0.4))) == 1
    assert float(metrics.skill(np.asarray(0.4), np.asarray(0.4))) == 0
    assert math.isnan(float(metrics.skill(np.asarray(0.4), np.asarray(0.0))))


def test_the_recalibration_is_the_maximum_likelihood_that_two_other_solvers_find() -> None:
    target, probability = simulated(2000, 3, slope=0.7, shift=0.4)
    x = np.log(probability / (1 - probability))
    found = metrics.recalibration(target, probability)
    fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x[:, None], target)

    def loss(theta: Floats) -> float:
        return float(np.logaddexp(0, -(2 * target - 1) * (theta[0] + theta[1] * x)).sum())

    searched = minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
    assert float(found.slope) == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-6)
    assert float(found.intercept) == pytest.approx(float(fitted.intercept_[0]), abs=1e-6)
    np.testing.assert_allclose([float(found.intercept), float(found.slope)], searched, atol=1e-6)


def test_the_recalibration_of_two_groups_by_hand() -> None:
    # At log-odds -1 a quarter won, at +1 three quarters: the fit passes through both: -ln 3 = a - b, ln 3 = a + b.
    x = np.repeat([-1.0, 1.0], 4)
    target = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    found = metrics.recalibration(target, 1 / (1 + np.exp(-x)))
    assert float(found.slope) == pytest.approx(math.log(3), abs=1e-9)
    assert float(found.intercept) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("scale", [0.001, 1.0, 4.0, 20.0])
def test_the_recalibration_finds_the_inverse_of_any_exaggeration(scale: float) -> None:
    # Log-odds multiplied by `scale` need the slope divided by it; at 20, probabilities reach 1e-15 on both sides.
    rng = np.random.default_rng(4)
    x = np.clip(rng.normal(0, 0.6, 3000), -1.7, 1.7)
    target = (rng.random(3000) < 1 / (1 + np.exp(-x))).astype(float)
    plain = metrics.recalibration(target, 1 / (1 + np.exp(-x)))
    exaggerated = metrics.recalibration(target, 1 / (1 + np.exp(-scale * x)))
    # probabilities near 1 hold their log-odds to some 1e-16 / (1 - p): loose at 20
    assert float(exaggerated.slope) * scale == pytest.approx(float(plain.slope), rel=1e-9 if scale < 20 else 1e-2)
    assert bool(exaggerated.exists)


def test_certain_and_partly_wrong_probabilities_still_have_a_recalibration() -> None:
    # 0 and 1 stand for log-odds of -34.54 and +34.54; one in four is wrong on either side: slope ln 3 / 34.54.
    probability = np.repeat([0.0, 1.0], 4)
    target = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    found = metrics.recalibration(target, probability)
    assert float(found.slope) == pytest.approx(math.log(3) / -math.log(1e-15), rel=1e-2)


@pytest.mark.parametrize(
    ("target", "probability"),
    [
        ([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3]),  # no spread
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]),  # no wins
        ([1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4]),  # no losses
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]),  # separated
        ([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]),  # separated the wrong way round
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.4]),  # separated but for a tie: the likelihood still has no maximum
    ],
)
def test_where_no_recalibration_exists_it_says_so(target: list[int], probability: list[float]) -> None:
    found = metrics.recalibration(np.array(target, dtype=float), np.array(probability))
    assert not found.exists
    assert math.isnan(float(found.intercept))


def test_recalibrations_under_many_weights_equal_those_of_copied_rows() -> None:
    target, probability = simulated(300, 5)
    weight = np.random.default_rng(6).integers(0, 3, (20, 300))
    together = metrics.recalibration(target, probability, weight.astype(float))
    for row in range(20):
        copied = np.repeat(np.arange(300), weight[row])
        alone = metrics.recalibration(target[copied], probability[copied])
        assert together.slope[row] == pytest.approx(float(alone.slope), abs=1e-8)
        assert together.intercept[row] == pytest.approx(float(alone.intercept), abs=1e-8)


def test_a_resample_that_lost_all_wins_has_no_recalibration_and_spoils_no_other() -> None:
    target, probability = simulated(200, 7)
    weight = np.stack([np.ones(200), (target == 0).astype(float)])
    found = metrics.recalibration(target, probability, weight)
    assert found.exists.tolist() == [True, False]
    assert found.slope[0] == pytest.approx(float(metrics.recalibration(target, probability).slope), abs=1e-8)


def test_equal_count_bins_hold_equally_many_and_keep_equal_probabilities_together() -> None:
    spread = np.random.default_rng(8).random(1000)
    assert np.bincount(metrics.equal_count_bins(spread, 10)).tolist() == [100] * 10
    # Six leads share .5: they are one bin, whatever the order of rows.
    tied = np.array([0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9])
    bins = metrics.equal_count_bins(tied, 4)
    assert bins.tolist() == [0, 1, 1, 1, 1, 1, 1, 2]
    assert metrics.equal_count_bins(tied[::-1], 4).tolist() == bins[::-1].tolist()


def test_ece_by_hand() -> None:
    # Bins {.1, .3} with one win and {.6, .8} with one: gaps |.2 - .5| and |.7 - .5|, each for half of the leads.
    target, probability = np.array([0.0, 1, 1, 0]), np.array([0.1, 0.3, 0.6, 0.8])
    assert float(metrics.expected_calibration_error(target, probability, n_bins=2)) == pytest.approx(0.25)


def test_ece_of_one_constant_is_the_gap_to_the_rate() -> None:
    target = np.array([1.0, 0, 0, 0])
    assert float(metrics.expected_calibration_error(target, np.full(4, 0.6))) == pytest.approx(0.35)


def test_the_ece_by_chance_is_what_right_probabilities_show_on_average() -> None:
    rng = np.random.default_rng(9)
    probability = rng.beta(1, 6, 2000)
    drawn = [
        float(metrics.expected_calibration_error((rng.random(2000) < probability).astype(float), probability))
        for _ in range(300)
    ]
    assert float(np.mean(drawn)) == pytest.approx(metrics.ece_by_chance(probability), rel=0.05)


def test_a_metric_that_does_not_exist_is_null_in_json() -> None:
    metric = Metric("calibration_slope", metrics.finite(math.nan), "target_1", 10, 0, None, "none")
    assert json.loads(json.dumps(metric.to_dict(), allow_nan=False))["value"] is None
