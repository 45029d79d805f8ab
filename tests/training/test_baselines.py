"""Baselines: each is what its name says, and all answer the same way."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from features.encode import EncodedField
from tests.training.fit_worlds import FIELDS, leads
from training.recipe.baselines import Baseline, BaseRate, OneFieldRule, PlainLogisticRegression, default_baselines
from training.recipe.sample import Sample

BASELINES = default_baselines(n_threads=1)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
def test_every_baseline_gives_one_probability_per_lead_and_learns_the_rate(baseline: Baseline) -> None:
    train, later = leads(3000, 1), leads(2000, 2)
    probability = baseline.fit(train, FIELDS)(later.matrix)
    assert probability.shape == (2000,)
    assert ((probability > 0) & (probability < 1)).all()
    assert probability.mean() == pytest.approx(train.target.mean(), abs=0.03)


@pytest.mark.parametrize("baseline", BASELINES[1:], ids=lambda b: b.name)
def test_every_baseline_with_fields_beats_the_base_rate_where_fields_matter_much(baseline: Baseline) -> None:
    # Where they matter less, an untuned LightGBM loses to the base rate: it learns the noise.
    train, later = leads(3000, 1, effect=2.0), leads(3000, 2, effect=2.0)
    rate = log_loss(later.target, BaseRate().fit(train, FIELDS)(later.matrix))
    assert log_loss(later.target, baseline.fit(train, FIELDS)(later.matrix)) < rate - 0.01


def test_the_base_rate_is_the_share_of_wins() -> None:
    train = leads(500, 3)
    assert set(BaseRate().fit(train, FIELDS)(train.matrix)) == {train.n_won / 500}


def test_the_rule_of_one_field_is_the_smoothed_rate_of_its_level() -> None:
    # 100 leads of a: 60 won. 100 of b: 20 won. Rate (80 + 1) / 202; a: (60 + 20 * rate) / 120.
    codes = np.repeat([2.0, 3.0], 100)
    target = np.concatenate([np.repeat([1.0, 0.0], [60, 40]), np.repeat([1.0, 0.0], [20, 80])])
    sample = Sample(codes[:, None], target, np.arange(200), np.arange(200))
    predict = OneFieldRule().fit(sample, (EncodedField("x", "category", ("a", "b", "c")),))
    rate = 81 / 202
    expected = [(60 + 20 * rate) / 120, (20 + 20 * rate) / 120, rate, rate]
    np.testing.assert_allclose(predict(np.array([[2.0], [3.0], [4.0], [0.0]])), expected, rtol=1e-12)


def test_the_rule_finds_the_field_that_matters_and_not_the_one_with_most_levels() -> None:
    rng = np.random.default_rng(4)
    n_leads = 2000
    good = rng.normal(size=n_leads)
    many = rng.integers(2, 402, n_leads).astype(float)
    target = (rng.random(n_leads) < 1 / (1 + np.exp(-0.5 * good))).astype(float)
    sample = Sample(np.column_stack([many, good]), target, np.arange(n_leads), np.arange(n_leads))
    fields = (EncodedField("many", "category", tuple(map(str, range(400)))), EncodedField("good", "number"))
    assert OneFieldRule().best_field(sample, fields) == 1


def test_a_missing_number_is_a_bin_of_its_own() -> None:
    numbers = np.where(np.arange(1000) % 4 == 0, np.nan, np.arange(1000.0))
    target = np.isnan(numbers).astype(float)
    sample = Sample(numbers[:, None], target, np.arange(1000), np.arange(1000))
    probability = OneFieldRule().fit(sample, (EncodedField("x", "number"),))(np.array([[np.nan], [500.0], [1e9]]))
    assert probability[0] > 0.9
    assert (probability[1:] < 0.1).all()


def test_logistic_regression_equals_one_written_by_hand() -> None:
    train, later = leads(2000, 5), leads(500, 6)
    median = np.nanmedian(train.matrix[:, 0])

    def columns(matrix: np.ndarray) -> np.ndarray:
        size = np.where(np.isnan(matrix[:, 0]), median, matrix[:, 0])
        known = np.where(np.isnan(train.matrix[:, 0]), median, train.matrix[:, 0])
        visits = train.matrix[:, 1]
        one_hot = matrix[:, 2][:, None] == np.arange(5)
        numbers = [(size - known.mean()) / known.std(), (matrix[:, 1] - visits.mean()) / visits.std()]
        return np.column_stack([one_hot, *numbers])

    by_hand = LogisticRegression(max_iter=1000).fit(columns(train.matrix), train.target)
    expected = by_hand.predict_proba(columns(later.matrix))[:, 1]
    np.testing.assert_allclose(PlainLogisticRegression().fit(train, FIELDS)(later.matrix), expected, atol=1e-6)


def test_a_number_that_is_always_missing_and_unseen_codes_are_no_obstacle() -> None:
    rng = np.random.default_rng(7)
    matrix = np.column_stack([np.full(300, np.nan), rng.integers(2, 4, 300).astype(float)])
    fields = (EncodedField("empty", "number"), EncodedField("x", "category", ("a", "b", "c")))
    sample = Sample(matrix, (rng.random(300) < 0.4).astype(float), np.arange(300), np.arange(300))
    new = np.array([[np.nan, 1.0], [3.0, 4.0]])
    for baseline in BASELINES:
        assert np.isfinite(baseline.fit(sample, fields)(new)).all()


def test_names_are_distinct() -> None:
    names = [baseline.name for baseline in BASELINES]
    assert names == ["base_rate", "one_field_rule", "logistic_regression", "lightgbm"]
