"""Promises over whole models: contributions add up, points add up, and one lead alone is the lead in a batch."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.encode import EncodedField, Matrix
from features.model.additive import LeadModel, points_of
from features.model.bundle import open_bundle, open_judged
from features.model.calibrator import probability_of
from tests.conftest import SmallModel
from training.examples import sample_of

TOLERANCE = 1e-9
FIXTURE_IS_READ_ONLY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def model(small_model: SmallModel) -> LeadModel:
    return open_bundle(small_model.bundle).model


@cache
def code(field: EncodedField) -> st.SearchStrategy[float]:
    if field.kind == "category":
        return st.integers(0, 1 + len(field.levels)).map(float)
    return st.one_of(st.just(math.nan), st.floats(-1e12, 1e12), st.sampled_from([0.0, -0.0, 1.0, 1e300, -1e300]))


def leads(model: LeadModel, data: st.DataObject, most: int = 8) -> Matrix:
    row = st.tuples(*(code(field) for field in model.encoder.fields))
    return np.array(data.draw(st.lists(row, min_size=1, max_size=most)))


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_base_plus_contributions_is_the_log_odds_of_any_lead(model: LeadModel, data: st.DataObject) -> None:
    matrix = leads(model, data)
    explained = model.explain(matrix)
    for row in range(len(matrix)):
        total = model.base_log_odds + math.fsum(explained.contributions[row])
        assert abs(total - explained.log_odds[row]) <= TOLERANCE
        assert explained.probability[row] == probability_of(explained.log_odds[row])
    assert np.abs(model.log_odds_unexplained(matrix) - explained.log_odds).max() <= TOLERANCE


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_one_lead_alone_equals_the_lead_in_a_batch_bit_for_bit(model: LeadModel, data: st.DataObject) -> None:
    matrix = leads(model, data)
    together = model.explain(matrix)
    for row in range(len(matrix)):
        alone = model.explain(matrix[row : row + 1])
        assert alone.contributions[0].tobytes() == together.contributions[row].tobytes()
        assert alone.log_odds[0].tobytes() == together.log_odds[row].tobytes()
        assert alone.probability[0].tobytes() == together.probability[row].tobytes()


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_points_add_up_to_the_way_from_the_base_to_the_probability(model: LeadModel, data: st.DataObject) -> None:
    matrix = leads(model, data)
    explained = model.explain(matrix)
    points = points_of(explained.contributions, explained.probability, model.base_probability)
    way = 100 * (explained.probability - model.base_probability)
    assert np.abs(points.sum(axis=1) - way).max() <= 1e-7
    assert (np.sign(points) * np.sign(explained.contributions) >= 0).all()


def test_every_lead_of_the_history_adds_up_in_both_models_and_in_any_memory_layout(small_model: SmallModel) -> None:
    for model in (open_bundle(small_model.bundle).model, open_judged(small_model.bundle)):
        matrix = sample_of(small_model.labelled, model.encoder).matrix
        explained = model.explain(matrix)
        total = model.base_log_odds + np.array([math.fsum(row) for row in explained.contributions])
        assert np.abs(total - explained.log_odds).max() <= TOLERANCE
        turned = model.explain(np.asfortranarray(matrix))
        assert turned.contributions.tobytes() == explained.contributions.tobytes()


def test_points_of_contributions_that_cancel_out_follow_the_slope_at_the_base() -> None:
    # +1 and -1 cancel: the lead stands at the base of .2, where a log-odds is worth .2 * .8 = 16 points.
    points = points_of(np.array([[1.0, -1.0, 0.0]]), np.array([0.2]), 0.2)
    assert points[0] == pytest.approx([16.0, -16.0, 0.0])
