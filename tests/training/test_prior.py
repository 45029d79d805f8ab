"""How far levels are drawn to 0: as far as the levels of their field turn out to differ."""

from __future__ import annotations

import numpy as np
import pytest

from features.encode import POOLED_CODE, EncodedField
from features.model.calibrator import probabilities_of
from features.model.linear import LevelTerm, LinearPart
from training.recipe.linear_fit import LinearSettings, fit_linear, learn_design
from training.recipe.prior import EM_STEPS, LEAST_VARIANCE, empirical_variances
from training.recipe.sample import Sample

N_LEVELS = 30
CAMPAIGN = EncodedField("campaign", "category", tuple(f"campaign {number}" for number in range(N_LEVELS)))
SOURCE = EncodedField("source", "category", tuple(f"source {number}" for number in range(N_LEVELS)))
SIZE = EncodedField("size", "number")
FIELDS = (CAMPAIGN, SOURCE, SIZE)
ONE_PENALTY = LinearSettings(usual_levels=1e9)  # so sure of the usual that no field can say otherwise


def world(seed: int, n_leads: int = 12_000, campaigns: float = 0.1, sources: float = 1.0) -> Sample:
    """Log-odds of winning: -2, half the size, and effects of campaigns and sources with these standard deviations."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, campaigns, N_LEVELS), rng.normal(0, sources, N_LEVELS)
    codes = rng.integers(0, N_LEVELS, (n_leads, 2))
    size = rng.normal(size=n_leads)
    log_odds = -2 + effects[0][codes[:, 0]] + effects[1][codes[:, 1]] + 0.5 * size
    target = (rng.random(n_leads) < probabilities_of(log_odds)).astype(float)
    return Sample(np.column_stack([codes + 2.0, size]), target, np.arange(n_leads), np.arange(n_leads))


def with_lucky_pool(sample: Sample, n_leads: int = 14, n_won: int = 6) -> Sample:
    """The sample, in which so many leads came by campaigns too rare to be told apart, and many of them won."""
    matrix, target = sample.matrix.copy(), sample.target.copy()
    matrix[:n_leads, 0] = POOLED_CODE
    target[:n_leads] = np.arange(n_leads) < n_won
    return Sample(matrix, target, sample.account, sample.order)


def pool_of(part: LinearPart) -> float:
    """What the pool says, against the mean of the levels."""
    term = part.terms[0]
    assert isinstance(term, LevelTerm)
    return float(term.log_odds[POOLED_CODE] - term.log_odds[2:].mean())


def test_a_field_gets_the_variance_that_its_levels_have() -> None:
    variances = np.array([learn_design(world(seed, 40_000), FIELDS, LinearSettings()).variances for seed in (0, 1, 2)])
    campaigns, sources = variances[:, 2 : 2 + N_LEVELS].mean(), variances[:, 4 + N_LEVELS : 4 + 2 * N_LEVELS].mean()
    assert 0.1**2 / 2 < campaigns < 0.03  # one more level of .3 among 30 adds .01
    assert sources == pytest.approx(1.0, rel=0.4)  # the variance of 3 times 30 draws


def test_curves_of_numbers_keep_the_usual_variance() -> None:
    settings = LinearSettings()
    design = learn_design(world(1), FIELDS, settings)
    n_level_columns = 2 * (N_LEVELS + 2)
    assert (design.variances[n_level_columns:] == settings.inverse_penalty).all()
    assert (design.variances[:n_level_columns] != settings.inverse_penalty).all()


def test_a_lucky_pool_of_fourteen_leads_says_little_where_campaigns_hardly_differ() -> None:
    sample = with_lucky_pool(world(2))
    assert 0.0 < pool_of(fit_linear(sample, FIELDS, LinearSettings())) < 0.25
    assert pool_of(fit_linear(sample, FIELDS, ONE_PENALTY)) > 0.5


def test_the_same_pool_says_more_where_campaigns_differ_much() -> None:
    calm, wild = (with_lucky_pool(world(3, campaigns=spread)) for spread in (0.1, 1.0))
    of_calm, of_wild = (pool_of(fit_linear(sample, FIELDS, LinearSettings())) for sample in (calm, wild))
    assert of_wild > 2 * of_calm


def test_on_later_leads_it_loses_less_against_the_truth_than_one_penalty_for_all() -> None:
    gains = []
    for seed in range(8):
        sample = world(seed, 3_000, campaigns=0.15)
        later = world(seed, 6_000, campaigns=0.15)  # the same effects: they are drawn first
        losses = []
        for settings in (ONE_PENALTY, LinearSettings()):
            margins = fit_linear(sample, FIELDS, settings).margins(later.matrix[3_000:])
            losses.append(np.mean(np.logaddexp(0, margins) - later.target[3_000:] * margins))
        gains.append(losses[0] - losses[1])
    assert np.mean(gains) > 0
    assert np.sum(np.array(gains) > 0) >= 6


def test_weights_that_are_known_exactly_have_the_variance_of_their_squares() -> None:
    weights = np.array([1.0, -2.0, 3.0, 0.5])
    fisher = np.full(4, 1e9)
    found = empirical_variances(fisher, fisher * weights, np.array([0, 0, 0, 1]), np.ones(4), np.full(4, 0.3))
    np.testing.assert_allclose(found, [14 / 3, 14 / 3, 14 / 3, 0.25], rtol=1e-6)


def test_one_more_usual_level_counts_as_one_level() -> None:
    weights, fisher = np.array([1.0, -2.0, 3.0]), np.full(3, 1e9)
    found = empirical_variances(
        fisher, fisher * weights, np.zeros(3, dtype=np.int64), np.ones(3), np.full(3, 0.3), usual_columns=1.0
    )
    np.testing.assert_allclose(found, (14 + 0.3) / 4, rtol=1e-6)


def test_a_diagonal_says_the_same_as_its_matrix() -> None:
    rng = np.random.default_rng(4)
    fisher, score, owner = rng.uniform(1, 50, 12), rng.normal(0, 5, 12), np.arange(12) % 3
    apart = empirical_variances(fisher, score, owner, np.ones(12), np.full(12, 0.3))
    together = empirical_variances(np.diag(fisher), score, owner, np.ones(12), np.full(12, 0.3))
    np.testing.assert_allclose(apart, together, rtol=1e-9)


def test_columns_that_never_occur_teach_nothing_and_share_what_the_others_teach() -> None:
    fisher, score = np.array([1e9, 0.0, 0.0]), np.array([2e9, 0.0, 0.0])
    found = empirical_variances(fisher, score, np.array([0, 0, 1]), np.array([1.0, 0.0, 0.0]), np.full(3, 0.3))
    np.testing.assert_allclose(found, [4.0, 4.0, 0.3], rtol=1e-6)


def test_levels_that_are_all_alike_end_near_the_least_variance() -> None:
    fisher = np.full(40, 1e6)
    found = empirical_variances(fisher, np.zeros(40), np.zeros(40, dtype=np.int64), np.ones(40), np.full(40, 0.3))
    assert (found == LEAST_VARIANCE).all()
    assert EM_STEPS >= 10  # the variance shrinks step by step
