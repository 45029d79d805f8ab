"""How sure the model is: covers the truth as often as it says, and knows where it knows little."""

from __future__ import annotations

import json

import numpy as np
import pytest

from features.model.sureness import Z_OF_LEVEL, Sureness
from tests.training.fit_worlds import leads
from tests.training.sure_worlds import fitted, later_leads, sure
from training.recipe.parts import PartSettings
from training.recipe.sureness import SurenessSettings, fit_sureness, hidden_variances, level_variance

AVERAGE = np.array([0.0, 0.0, 3.0])


@pytest.fixture(scope="module")
def small() -> Sureness:
    return sure(1_500, seed=1)[1]


@pytest.fixture(scope="module")
def large() -> Sureness:
    return sure(15_000, seed=1)[1]


def _coverage(interaction: float) -> float:
    covered = []
    for seed in range(6):
        model, sureness = sure(2_000, seed, interaction)
        matrix, truth = later_leads(2_000, 100 + seed, interaction)
        missed = np.abs(model.log_odds_unexplained(matrix) - truth)
        covered.append(np.mean(missed <= Z_OF_LEVEL * sureness.standard_errors(matrix)))
    return float(np.mean(covered))


def test_nine_in_ten_true_probabilities_lie_within_their_interval() -> None:
    assert 0.85 <= _coverage(interaction=0.5) <= 0.97  # six worlds: their mean strays by some .03


def test_in_a_world_of_the_models_own_shape_intervals_are_too_wide_and_never_too_narrow() -> None:
    assert _coverage(interaction=0.0) >= 0.9


def test_ten_times_the_leads_make_a_narrower_interval(small: Sureness, large: Sureness) -> None:
    matrix, _ = later_leads(500, 9)
    known = matrix[~np.isnan(matrix[:, 0])]
    assert np.mean(large.standard_errors(known)) < 0.6 * np.mean(small.standard_errors(known))


def test_a_missing_value_that_matters_makes_less_sure_even_on_much_data(large: Sureness) -> None:
    missing = AVERAGE.copy()
    missing[0] = np.nan  # size decides: its log-odds have a standard deviation of 1
    usual, doubtful = large.standard_errors(np.array([AVERAGE, missing]))
    assert doubtful > 0.7 > 3 * usual


def test_a_level_that_training_never_saw_makes_less_sure() -> None:
    sample = leads(6_000, seed=4)
    seen = sample.take(sample.matrix[:, 2] != 1)
    model, calibration = fitted(seen)
    sureness = fit_sureness(seen, model, calibration, PartSettings())
    pooled = AVERAGE.copy()
    pooled[2] = 1.0
    usual, new = sureness.standard_errors(np.array([AVERAGE, pooled]))
    assert new > 1.2 * usual


def test_far_from_the_crowd_is_less_sure_than_in_it(large: Sureness) -> None:
    far = np.array([[2.5, 2.5, 3.0], AVERAGE])
    edge, middle = large.standard_errors(far)
    assert edge > middle


def test_one_lead_alone_has_the_same_bits_as_in_a_batch(small: Sureness) -> None:
    matrix, _ = later_leads(300, 3)
    batch = small.standard_errors(matrix)
    alone = np.concatenate([small.standard_errors(matrix[place : place + 1]) for place in range(len(matrix))])
    assert np.array_equal(batch, alone)


def test_stored_and_read_again_it_says_exactly_the_same(small: Sureness) -> None:
    again = Sureness.from_dict(json.loads(json.dumps(small.to_dict())))
    matrix, _ = later_leads(300, 3)
    assert np.array_equal(again.standard_errors(matrix), small.standard_errors(matrix))


def test_a_category_too_wide_for_the_matrix_still_makes_about_as_unsure() -> None:
    sample = leads(3_000, seed=2)
    model, calibration = fitted(sample)
    whole = fit_sureness(sample, model, calibration, PartSettings())
    apart = fit_sureness(sample, model, calibration, PartSettings(), SurenessSettings(most_columns=16))
    matrix, _ = later_leads(500, 3)
    ratio = apart.standard_errors(matrix).mean() / whole.standard_errors(matrix).mean()
    assert [bool(field.vectors.any()) for field in apart.fields] == [True, True, False]
    assert ratio == pytest.approx(1.0, abs=0.25)


def test_few_numbers_in_a_vector_say_nearly_what_many_say() -> None:
    sample = leads(3_000, seed=2)
    model, calibration = fitted(sample)
    many = fit_sureness(sample, model, calibration, PartSettings())
    few = fit_sureness(sample, model, calibration, PartSettings(), SurenessSettings(rank=4))
    matrix, _ = later_leads(1_000, 3)
    ratio = few.standard_errors(matrix).mean() / many.standard_errors(matrix).mean()
    assert few.constant.size == 4
    assert ratio == pytest.approx(1.0, abs=0.05)


def test_hiding_a_field_that_says_nothing_hides_nothing() -> None:
    sample = leads(8_000, seed=3)
    model, _ = fitted(sample)
    size, visits, _ = hidden_variances(model, sample.matrix, 1_500, seed=0)
    assert size > 0.5
    assert visits < 0.05


def test_a_model_that_misses_its_own_rate_says_so_in_the_level() -> None:
    sample = leads(8_000, seed=3)
    model, _ = fitted(sample)
    log_odds, weights = model.log_odds_unexplained(sample.matrix), np.ones(len(sample))
    right = level_variance(sample, log_odds, weights, SurenessSettings())
    wrong = level_variance(sample, log_odds + 0.3, weights, SurenessSettings())
    assert right < 0.02
    assert wrong - right == pytest.approx(0.09, abs=0.05)


def test_a_rate_that_wanders_over_time_widens_the_level() -> None:
    sample = leads(8_000, seed=3)
    model, _ = fitted(sample)
    log_odds, weights = model.log_odds_unexplained(sample.matrix), np.ones(len(sample))
    season = 0.6 * np.sin(np.arange(len(sample)) / len(sample) * 4 * np.pi)
    drawn = np.random.default_rng(1).random(len(sample)) < 1 / (1 + np.exp(-(log_odds + season)))
    wandering = type(sample)(sample.matrix, drawn.astype(float), sample.account, sample.order)
    found = level_variance(wandering, log_odds, weights, SurenessSettings())
    assert found == pytest.approx(0.18, abs=0.09)  # the variance of a sine of .6 is .6² / 2
