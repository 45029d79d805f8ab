"""Fitting the linear part: the folded terms say exactly what the regression on many columns said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from features.encode import MISSING_CODE, POOLED_CODE, EncodedField
from features.errors import TooFewOutcomesError
from features.model.linear import LinearPart, SplineTerm
from training.recipe.linear_fit import (
    LinearSettings,
    account_folds,
    build_design,
    fit_linear,
    learn_design,
    out_of_fold_margins,
)
from training.recipe.sample import Sample

SETTINGS = LinearSettings()


def random_numbers(rng: np.random.Generator, n_leads: int) -> np.ndarray:
    """A column of one of the kinds that exports hold: smooth, skewed, few values, mostly zero, constant, empty."""
    kinds = [
        rng.normal(1e4, 3e3, n_leads),
        rng.lognormal(3, 2, n_leads),
        rng.integers(0, 3, n_leads).astype(float),
        np.where(rng.random(n_leads) < 0.9, 0.0, rng.exponential(5, n_leads)),
        np.full(n_leads, 7.0),
        1e6 + rng.random(n_leads) * 1e-3,
        np.full(n_leads, np.nan),
    ]
    numbers: np.ndarray = kinds[rng.integers(len(kinds))]
    return np.where(rng.random(n_leads) < rng.choice([0.0, 0.3]), np.nan, numbers)


def random_sample(seed: int, n_leads: int = 300) -> tuple[Sample, tuple[EncodedField, ...]]:
    rng = np.random.default_rng(seed)
    fields, columns = [], []
    for place in range(rng.integers(1, 6)):
        if rng.random() < 0.4:
            levels = tuple(f"level {i}" for i in range(rng.integers(0, 6)))
            # The last level never occurs: an encoder that was learnt on more leads than this fold holds.
            columns.append(rng.integers(0, max(2, len(levels) + 1), n_leads).astype(float))
            fields.append(EncodedField(f"f{place}", "category", levels))
        else:
            columns.append(random_numbers(rng, n_leads))
            fields.append(EncodedField(f"f{place}", "number"))
    target = (rng.random(n_leads) < 0.3).astype(float)
    order = rng.integers(0, 50, n_leads)
    return Sample(np.column_stack(columns), target, rng.integers(0, 200, n_leads), order), tuple(fields)


def new_leads(sample: Sample, fields: Sequence[EncodedField], seed: int) -> np.ndarray:
    """Leads as they come after training: numbers beyond the range, missing ones, every code."""
    rng = np.random.default_rng(seed)
    matrix = np.empty((200, len(fields)))
    for place, field in enumerate(fields):
        if field.kind == "category":
            matrix[:, place] = rng.integers(0, len(field.levels) + 2, 200)
        else:
            known = sample.matrix[~np.isnan(sample.matrix[:, place]), place]
            low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
            matrix[:, place] = rng.uniform(low - (high - low), high + (high - low) + 1e-9, 200)
            matrix[rng.random(200) < 0.2, place] = np.nan
    return matrix


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_the_terms_add_up_to_the_decision_function_of_the_regression(seed: int) -> None:
    sample, fields = random_sample(seed)
    design = learn_design(sample, fields, SETTINGS)
    scales = np.sqrt(design.variances / SETTINGS.inverse_penalty)  # a column twice as large is penalised a quarter
    model = LogisticRegression(C=SETTINGS.inverse_penalty, solver="newton-cholesky", tol=1e-6)
    model.fit(design.matrix.toarray() * scales, sample.target)
    part = fit_linear(sample, fields, SETTINGS)
    for matrix in (sample.matrix, new_leads(sample, fields, seed)):
        expected = model.decision_function(build_design(design.columns, matrix).toarray() * scales)
        np.testing.assert_allclose(part.margins(matrix), expected, rtol=0, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000))
def test_contributions_are_centred_over_training(seed: int) -> None:
    sample, fields = random_sample(seed)
    part = fit_linear(sample, fields, SETTINGS)
    np.testing.assert_allclose(part.contributions(sample.matrix).mean(axis=0), 0, atol=1e-10)
    assert part.intercept == pytest.approx(part.margins(sample.matrix).mean(), abs=1e-10)


def one_number(numbers: np.ndarray, target: np.ndarray, direction: int = 0) -> tuple[LinearPart, SplineTerm]:
    n_leads = numbers.size
    sample = Sample(numbers[:, None], target, np.arange(n_leads), np.arange(n_leads))
    part = fit_linear(sample, (EncodedField("x", "number", direction=direction),), SETTINGS)
    term = part.terms[0]
    assert isinstance(term, SplineTerm)
    return part, term


def test_a_number_that_was_never_missing_in_training_says_as_on_average_when_it_is() -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=2000)
    part, _ = one_number(numbers, (rng.random(2000) < 1 / (1 + np.exp(-numbers))).astype(float))
    assert part.contributions(np.array([[np.nan]]))[0, 0] == pytest.approx(0, abs=1e-12)


def test_a_curve_of_the_log_odds_is_recovered() -> None:
    # log-odds = x² - 1: no straight line can show it. With 20,000 leads the curve is known to about .1.
    rng = np.random.default_rng(2)
    numbers = rng.uniform(-2, 2, 20_000)
    part, _ = one_number(numbers, (rng.random(20_000) < 1 / (1 + np.exp(1 - numbers**2))).astype(float))
    at = np.linspace(-1.9, 1.9, 20)
    np.testing.assert_allclose(part.margins(at[:, None]), at**2 - 1, atol=0.25)


def test_an_outlier_counts_as_the_winsorised_end() -> None:
    numbers = np.append(np.arange(1000.0), 1e12)
    _, term = one_number(numbers, (np.arange(1001) % 3 == 0).astype(float))
    assert term.breaks[-1] < 1000


def test_quantiles_that_coincide_are_one_knot() -> None:
    numbers = np.repeat([0.0, 0.0, 0.0, 0.0, 1.0], 200)
    _, term = one_number(numbers, np.tile([0.0, 1.0, 1.0, 0.0, 1.0], 200))
    assert term.breaks.tolist() == [0.0, 1.0]


def test_a_field_with_an_agreed_direction_never_moves_against_it() -> None:
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=3000)
    target = (rng.random(3000) < 1 / (1 + np.exp(-numbers))).astype(float)
    at = np.linspace(-4, 4, 50)[:, None]
    with_it, _ = one_number(numbers, target, direction=1)
    against_it, _ = one_number(numbers, target, direction=-1)
    assert (np.diff(with_it.margins(at)) >= 0).all()
    assert with_it.margins(at)[-1] - with_it.margins(at)[0] > 2
    assert np.ptp(against_it.margins(at)) == 0


def test_pooled_levels_without_cases_say_nothing_of_their_own() -> None:
    codes = np.tile([2.0, 3.0], 500)
    target = np.tile([1.0, 0.0, 0.0, 0.0], 250)
    sample = Sample(codes[:, None], target, np.arange(1000), np.arange(1000))
    part = fit_linear(sample, (EncodedField("x", "category", ("a", "b")),), SETTINGS)
    unseen = part.margins(np.array([[float(POOLED_CODE)], [float(MISSING_CODE)]]))
    a, b = part.margins(np.array([[2.0], [3.0]]))
    assert unseen[0] == unseen[1]
    assert min(a, b) < unseen[0] < max(a, b)


def test_a_sample_of_one_outcome_is_refused() -> None:
    sample = Sample(np.zeros((30, 1)), np.zeros(30), np.arange(30), np.arange(30))
    with pytest.raises(TooFewOutcomesError):
        fit_linear(sample, (EncodedField("x", "number"),), SETTINGS)


def test_a_lead_weighs_as_often_as_its_weight_says() -> None:
    rng = np.random.default_rng(4)
    codes, target = rng.integers(0, 5, 400).astype(float), (rng.random(400) < 0.3).astype(float)
    fields = (EncodedField("x", "category", ("a", "b", "c")),)
    sample = Sample(codes[:, None], target, np.arange(400), np.arange(400))
    weights = np.where(codes < 3, 2.0, 1.0)
    repeated = fit_linear(sample.take(np.repeat(np.arange(400), weights.astype(int))), fields, SETTINGS)
    weighted = fit_linear(sample, fields, SETTINGS, weights)
    np.testing.assert_allclose(weighted.margins(sample.matrix), repeated.margins(sample.matrix), atol=1e-5)


@pytest.mark.parametrize("sparse", [LinearSettings(max_dense_columns=0), LinearSettings(max_dense_cells=0)])
def test_the_sparse_road_leads_to_the_same_model_as_the_dense_one(sparse: LinearSettings) -> None:
    sample, fields = random_sample(12)
    one, other = fit_linear(sample, fields, SETTINGS), fit_linear(sample, fields, sparse)
    np.testing.assert_allclose(one.margins(sample.matrix), other.margins(sample.matrix), atol=1e-3)


def test_folds_keep_accounts_whole_and_spread_the_wins() -> None:
    rng = np.random.default_rng(5)
    account = rng.integers(0, 400, 1000)
    target = (rng.random(1000) < 0.1).astype(float)
    sample = Sample(np.zeros((1000, 1)), target, account, np.arange(1000))
    fold = account_folds(sample, 5, seed=1)
    assert all(np.unique(fold[account == a]).size == 1 for a in np.unique(account))
    wins = np.bincount(fold, weights=target)
    assert wins.max() - wins.min() <= 3
    assert np.bincount(fold).min() > 150


def test_out_of_fold_margins_do_not_know_their_own_account() -> None:
    # Ten leads an account, outcome by account at random, one level per account: in sample the levels give it away.
    rng = np.random.default_rng(6)
    account = np.repeat(np.arange(200), 10)
    target = np.repeat((rng.random(200) < 0.5).astype(float), 10)
    fields = (EncodedField("x", "category", tuple(f"account {i}" for i in range(200))),)
    sample = Sample((account + np.float64(2))[:, None], target, account, np.arange(2000))
    in_sample = fit_linear(sample, fields, SETTINGS).margins(sample.matrix)
    out_of_fold = out_of_fold_margins(sample, fields, SETTINGS, seed=1)
    assert np.corrcoef(in_sample, target)[0, 1] > 0.99
    assert np.ptp(out_of_fold) < 0.2
