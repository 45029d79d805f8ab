"""The truth is true: outcomes follow it, and it is what its formula says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from training.simulate import Simulated, Simulation, simulate
from training.simulate.truth import draw_facts, tell_truth


def calibration_line(probability: np.ndarray, won: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of the outcome on the log-odds, by Newton's method."""
    design = np.column_stack([np.ones(probability.size), logit(probability)])
    beta = np.array([0.0, 1.0])
    for _ in range(20):
        fitted = expit(design @ beta)
        weighted = design * (fitted * (1 - fitted))[:, None]
        beta += np.linalg.solve(weighted.T @ design, design.T @ (won - fitted))
    return float(beta[0]), float(beta[1])


@pytest.mark.parametrize("column", ["true_probability", "true_probability_latent"])
def test_outcomes_follow_the_true_probability_in_every_tenth(large: Simulated, column: str) -> None:
    # 10,000 leads a bin: the standard error is at most 0.5 points, and 4 of them are allowed in ten bins.
    truth = large.truth
    bins = truth.groupby(pd.qcut(truth[column], 10, labels=False))
    expected, observed, n = bins[column].mean(), bins["won_within_horizon"].mean(), bins.size()
    assert (abs(observed - expected) < 4 * np.sqrt(expected * (1 - expected) / n)).all()


@pytest.mark.parametrize("column", ["true_probability", "true_probability_latent"])
def test_the_true_probability_has_a_calibration_slope_of_one(large: Simulated, column: str) -> None:
    # About 11,600 wins: standard errors of some 0.012 for both.
    intercept, slope = calibration_line(large.truth[column].to_numpy(), large.truth["won_within_horizon"].to_numpy())
    assert slope == pytest.approx(1.0, abs=0.05)
    assert intercept == pytest.approx(0.0, abs=0.1)


def test_wins_follow_the_true_probability_in_every_source_and_quarter(large: Simulated) -> None:
    truth, export = large.truth, large.export
    excess = truth["won_within_horizon"] - truth["true_probability"]
    variance = truth["true_probability"] * (1 - truth["true_probability"])
    for key in (export["lead_source"], export["created_at"].dt.to_period("Q").astype("str"), export["country"]):
        z = excess.groupby(key).sum() / np.sqrt(variance.groupby(key).sum())
        # Leads of one account share an effect, so sums vary somewhat more than for independent leads.
        assert z.abs().max() < 4


def test_the_integral_agrees_with_a_brute_force_draw_of_what_is_unseen(small: Simulated) -> None:
    facts = draw_facts(small.parameters)
    truth = tell_truth(small.parameters, facts)
    lead = int(np.argsort(truth.probability)[900])
    rng = np.random.default_rng(0)
    n = 1_000_000
    log_response = rng.normal(truth.response_log_mean[lead], 1.1, n)
    latent = truth.log_odds[lead] + rng.normal(0, 0.5, n) - 0.3 * (log_response - np.log(24))
    accepted = expit(0.7 + 0.8 * (latent - truth.intercept))
    ever = accepted * expit(latent + 0.3) + (1 - accepted) * expit(latent - 1.5)
    within = norm.cdf((np.log(90) - truth.delay_log_mean[lead]) / 1.0)
    assert truth.probability[lead] == pytest.approx(within * ever.mean(), abs=5 * within * ever.std() / np.sqrt(n))


def test_knowing_the_account_effect_tells_more_but_not_on_average(large: Simulated) -> None:
    truth = large.truth
    assert truth["true_probability_latent"].mean() == pytest.approx(truth["true_probability"].mean(), rel=0.02)
    assert truth["true_probability_latent"].var() > 1.1 * truth["true_probability"].var()


def test_the_share_of_wins_is_what_was_asked_for(clean: Simulated) -> None:
    for win_rate in (0.05, 0.30):
        simulated = simulate(replace(clean.parameters, win_rate=win_rate))
        assert simulated.truth["true_probability"].mean() == pytest.approx(win_rate, rel=0.05)


def test_the_two_year_demo_wins_ten_to_fourteen_per_cent() -> None:
    assert 0.10 < simulate(Simulation()).truth["won_within_horizon"].mean() < 0.14


def test_the_delay_enters_the_truth_so_a_shorter_horizon_holds_fewer_wins(clean: Simulated) -> None:
    truth = tell_truth(clean.parameters, draw_facts(clean.parameters))
    short = norm.cdf((np.log(30) - truth.delay_log_mean) / clean.parameters.win_delay_log_sd) * truth.ever
    won_in_30_days = clean.truth["win_delay_days"] < 30
    assert won_in_30_days.mean() == pytest.approx(short.mean(), rel=0.06)
    assert won_in_30_days.mean() < 0.7 * clean.truth["won_within_horizon"].mean()


def test_without_signal_every_lead_has_the_same_truth_and_no_field_tells_anything(clean: Simulated) -> None:
    simulated = simulate(replace(clean.parameters, signal=0.0))
    truth = simulated.truth
    assert np.ptp(truth["true_probability"]) < 1e-12
    assert truth["true_probability"].iloc[0] == pytest.approx(0.12)
    rates = truth.groupby(simulated.export["lead_source"])["won_within_horizon"].agg(["mean", "size"])
    z = (rates["mean"] - 0.12) / np.sqrt(0.12 * 0.88 / rates["size"])
    assert z.abs().max() < 4


def test_sales_speed_truly_matters_although_it_is_not_known_at_creation(large: Simulated) -> None:
    fast = large.export["first_response_hours"] < 8
    slow = large.export["first_response_hours"] > 72
    excess = large.truth["won_within_horizon"] - large.truth["true_probability"]
    assert excess[fast].mean() > 0.01
    assert excess[slow].mean() < -0.01
