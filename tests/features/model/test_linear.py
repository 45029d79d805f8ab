"""The linear part: what it evaluates, that one lead is a batch of one, and that its data survive a file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import BundleError, InternalError
from features.model.linear import LevelTerm, LinearPart, SplineTerm, write_terms


def small_part() -> LinearPart:
    """A category of two levels and a number with two pieces: t, then 1 + t² on twice the width."""
    source = LevelTerm("source", np.array([-0.5, -0.1, 0.3, 0.9]))
    employees = SplineTerm(
        "employees", np.array([10.0, 20.0, 40.0]), np.array([[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]]), missing=-0.7
    )
    return LinearPart(0.25, (source, employees))


def random_part(seed: int) -> tuple[LinearPart, np.ndarray]:
    rng = np.random.default_rng(seed)
    terms: list[LevelTerm | SplineTerm] = []
    columns = []
    for place in range(rng.integers(1, 8)):
        if rng.random() < 0.5:
            n_levels = int(rng.integers(0, 9))
            terms.append(LevelTerm(f"f{place}", rng.normal(size=n_levels + 2)))
            columns.append(rng.integers(0, n_levels + 2, size=50).astype(float))
        else:
            breaks = np.cumsum(rng.uniform(0.01, 5, size=rng.integers(2, 8)))
            terms.append(SplineTerm(f"f{place}", breaks, rng.normal(size=(breaks.size - 1, 4)), float(rng.normal())))
            columns.append(np.where(rng.random(50) < 0.2, np.nan, rng.uniform(-5, 30, size=50)))
    return LinearPart(float(rng.normal()), tuple(terms)), np.column_stack(columns)


def test_a_term_reads_the_table_at_the_code_and_the_cubic_at_the_place_within_its_piece() -> None:
    # 15 is halfway through the first piece: t = .5. 30 is halfway through the second: 1 + .25.
    contributions = small_part().contributions(np.array([[2.0, 15.0], [3.0, 30.0]]))
    assert contributions.tolist() == [[0.3, 0.5], [0.9, 1.25]]


def test_beyond_the_breaks_a_number_counts_as_the_nearest_break() -> None:
    numbers = [-np.inf, -1e300, 9.0, 10.0, 40.0, 41.0, 1e300, np.inf]
    contributions = small_part().contributions(np.array([[1.0, number] for number in numbers]))
    assert contributions[:, 1].tolist() == [0.0] * 4 + [2.0] * 4


def test_missing_and_pooled_have_log_odds_of_their_own() -> None:
    contributions = small_part().contributions(np.array([[0.0, np.nan], [1.0, np.nan]]))
    assert contributions.tolist() == [[-0.5, -0.7], [-0.1, -0.7]]


def test_a_break_belongs_to_the_piece_that_starts_there() -> None:
    assert small_part().contributions(np.array([[1.0, 20.0]]))[0, 1] == 1.0
    assert small_part().contributions(np.array([[1.0, np.nextafter(20.0, 0)]]))[0, 1] == pytest.approx(1.0, abs=1e-12)


@given(st.integers(0, 10_000))
def test_intercept_plus_contributions_is_the_margin(seed: int) -> None:
    part, matrix = random_part(seed)
    total = part.intercept + part.contributions(matrix).sum(axis=1)
    np.testing.assert_allclose(part.margins(matrix), total, rtol=0, atol=1e-12)


@given(st.integers(0, 10_000))
def test_one_lead_alone_equals_the_lead_in_a_batch_bit_for_bit(seed: int) -> None:
    part, matrix = random_part(seed)
    margins, contributions = part.margins(matrix), part.contributions(matrix)
    for lead in range(len(matrix)):
        assert part.margins(matrix[lead : lead + 1])[0] == margins[lead]
        terms = np.empty(matrix.shape[1])
        assert write_terms(matrix[lead], part.arrays, terms) == margins[lead]
        assert terms.tobytes() == contributions[lead].tobytes()


@given(st.integers(0, 10_000))
def test_a_part_read_back_from_json_gives_the_same_bits(seed: int) -> None:
    part, matrix = random_part(seed)
    again = LinearPart.from_dict(json.loads(json.dumps(part.to_dict(), allow_nan=False)))
    assert again.contributions(matrix).tobytes() == part.contributions(matrix).tobytes()
    assert again.to_dict() == part.to_dict()


def test_a_matrix_in_another_memory_order_gives_the_same_answer() -> None:
    part, matrix = random_part(7)
    assert part.margins(np.asfortranarray(matrix)).tobytes() == part.margins(matrix).tobytes()


@pytest.mark.parametrize("code", [-1.0, 4.0, np.nan, np.inf])
def test_a_code_outside_the_levels_is_our_error_and_names_the_field(code: float) -> None:
    with pytest.raises(InternalError, match="row 1, field source"):
        small_part().margins(np.array([[2.0, 15.0], [code, 15.0]]))


def test_a_matrix_with_other_columns_is_our_error() -> None:
    with pytest.raises(InternalError, match="2 fields"):
        small_part().margins(np.zeros((3, 1)))


def test_no_leads_give_no_margins() -> None:
    assert small_part().contributions(np.empty((0, 2))).shape == (0, 2)


SPLINE = {"name": "x", "breaks": [0.0, 1.0], "coefficients": [[0.0, 1.0, 0.0, 0.0]], "missing": 0.0}
LEVELS = {"name": "x", "log_odds": [0.0, 0.1]}


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {"intercept": 0.0},
        {"intercept": 0.0, "terms": [], "more": 1},
        {"intercept": float("nan"), "terms": []},
        {"intercept": "0", "terms": []},
        {"intercept": None, "terms": []},
        {"intercept": True, "terms": []},
        {"intercept": 0.0, "terms": {}},
        *(
            {"intercept": 0.0, "terms": [term]}
            for term in (
                "x",
                {},
                {**LEVELS, "name": 3},
                {**LEVELS, "log_odds": [0.0]},
                {**LEVELS, "log_odds": [[0.0, 1.0]]},
                {**LEVELS, "log_odds": [0.0, None]},
                {**LEVELS, "log_odds": [0.0, float("inf")]},
                {**LEVELS, "missing": 0.0},
                {**SPLINE, "breaks": [0.0]},
                {**SPLINE, "breaks": [1.0, 1.0]},
                {**SPLINE, "breaks": [1.0, 0.0]},
                {**SPLINE, "breaks": [0.0, 1.0, 2.0]},
                {**SPLINE, "coefficients": [[0.0, 1.0, 0.0]]},
                {**SPLINE, "coefficients": [[0.0], [0.0, 1.0]]},
                {**SPLINE, "missing": float("nan")},
                {**SPLINE, "missing": [0.0]},
            )
        ),
    ],
)
def test_a_file_that_is_not_a_linear_part_is_refused(plain: Any) -> None:
    with pytest.raises(BundleError):
        LinearPart.from_dict(plain)


def test_the_accepted_terms_of_the_refusals_above_are_fine_when_left_alone() -> None:
    part = LinearPart.from_dict({"intercept": 1, "terms": [LEVELS, SPLINE]})
    assert part.margins(np.array([[1.0, 0.5]])).tolist() == [1.0 + 0.1 + 0.5]
