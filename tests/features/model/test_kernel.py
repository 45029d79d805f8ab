"""The one call that computes all of a lead, held against each part computed on its own."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.encode import EncodedField, Matrix
from features.errors import InternalError
from features.familiar import fields_of
from features.model.additive import points_of
from features.model.bundle import Bundle, open_bundle
from features.model.calibrator import probability_of
from features.model.kernel import _compute
from features.model.sureness import interval_of
from features.profile import bin_index
from tests.conftest import SmallModel

FIXTURE_IS_READ_ONLY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def bundle(small_model: SmallModel) -> Bundle:
    return open_bundle(small_model.bundle)


@cache
def code(field: EncodedField) -> st.SearchStrategy[float]:
    if field.kind == "category":
        return st.integers(0, 1 + len(field.levels)).map(float)
    return st.one_of(st.just(math.nan), st.floats(-1e6, 1e6), st.integers(0, 40).map(float))


def leads(bundle: Bundle, data: st.DataObject) -> Matrix:
    row = st.tuples(*(code(field) for field in bundle.model.encoder.fields))
    return np.array(data.draw(st.lists(row, min_size=1, max_size=6)))


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_contributions_are_both_parts_times_their_slopes_bit_for_bit(bundle: Bundle, data: st.DataObject) -> None:
    matrix, model = leads(bundle, data), bundle.model
    linear = model.calibrator.linear_slope * model.linear.contributions(matrix)
    trees = model.calibrator.tree_slope * model.forest.contributions(matrix)
    computed = bundle.compute(matrix)
    assert np.array_equal(computed.contributions, linear + trees)
    assert np.array_equal(computed.contributions, model.explain(matrix).contributions)
    for log_odds, probability in zip(computed.log_odds, computed.probability, strict=True):
        assert probability == probability_of(log_odds)
    assert np.array_equal(
        computed.points, points_of(computed.contributions, computed.probability, model.base_probability)
    )


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_the_interval_is_that_of_the_standard_error(bundle: Bundle, data: st.DataObject) -> None:
    matrix = leads(bundle, data)
    computed = bundle.compute(matrix)
    errors = bundle.sureness.standard_errors(matrix)
    for low, high, log_odds, error in zip(computed.low, computed.high, computed.log_odds, errors, strict=True):
        assert (low, high) == interval_of(log_odds, error)[:2]


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_bins_and_strange_fields_are_those_of_the_plain_walk(bundle: Bundle, data: st.DataObject) -> None:
    matrix, fields = leads(bundle, data), bundle.model.encoder.fields
    computed = bundle.compute(matrix)
    for row, bins, strange in zip(matrix, computed.bins, computed.strange, strict=True):
        expected = [
            bin_index(value, known.edges, category=field.kind == "category")
            for value, known, field in zip(row, bundle.profile.fields, fields, strict=True)
        ]
        assert bins.tolist() == expected
        strangers = bundle.familiar.strangers(row, bundle.profile, fields)
        assert tuple(np.flatnonzero(strange)) == fields_of(strangers)


@FIXTURE_IS_READ_ONLY
@given(st.data())
def test_a_lead_alone_has_the_bits_of_the_lead_in_a_batch(bundle: Bundle, data: st.DataObject) -> None:
    matrix = leads(bundle, data)
    together = bundle.compute(matrix)
    for place in range(len(matrix)):
        alone = bundle.compute(matrix[place : place + 1])
        for one, many in zip(alone, together, strict=True):
            assert one[0].tobytes() == many[place].tobytes()


def test_every_pair_that_training_never_saw_is_flagged(bundle: Bundle) -> None:
    usual = np.array([2.0 if field.kind == "category" else 1.0 for field in bundle.model.encoder.fields])
    is_category = [field.kind == "category" for field in bundle.model.encoder.fields]
    pairs = [pair for pair in bundle.familiar.never_together if is_category[pair[0]] and is_category[pair[2]]]
    assert pairs
    for one, its, other, others in pairs:
        row = usual.copy()
        row[one], row[other] = its, others
        assert bundle.compute(row[None]).strange[0, [one, other]].all()


def test_a_model_without_its_bundle_computes_no_interval_and_no_bins(bundle: Bundle) -> None:
    matrix = np.full((2, len(bundle.model.encoder.fields)), 1.0)
    computed = bundle.model.compute(matrix, bundle.model.kernel)
    assert [len(part) for part in computed] == [2, 2, 2, 2, 0, 0, 0, 0]


def test_a_code_that_its_field_does_not_have_is_refused_with_the_field(bundle: Bundle) -> None:
    fields = bundle.model.encoder.fields
    place = next(place for place, field in enumerate(fields) if field.kind == "category")
    matrix = np.full((3, len(fields)), 1.0)
    matrix[1, place] = 999
    with pytest.raises(InternalError, match=f"row 1, field {fields[place].name}: code 999"):
        bundle.compute(matrix)


def test_a_matrix_that_may_not_be_written_to_is_computed_by_the_code_that_is_there(bundle: Bundle) -> None:
    matrix = np.full((2, len(bundle.model.encoder.fields)), 1.0)
    usual = bundle.compute(matrix).log_odds
    n_compiled = len(_compute.signatures)
    matrix.flags.writeable = False
    assert np.array_equal(bundle.compute(matrix).log_odds, usual)
    assert np.array_equal(bundle.compute(np.asfortranarray(matrix)).log_odds, usual)
    assert len(_compute.signatures) == n_compiled
