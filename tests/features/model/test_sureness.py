"""Reading how sure a model is: worked by hand, and refused where the data is not what it should be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from features.errors import BundleError, InternalError
from features.model.sureness import Interval, LevelDoubt, SplineDoubt, Sureness, interval_of


def two_fields() -> Sureness:
    """A category of one level and a number from 0 to 10, vectors of two numbers."""
    source = LevelDoubt("source", np.array([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0]]), np.array([0.5, 0.0, 0.25]))
    pieces = np.array([[0.0, 5.0], [0.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    return Sureness(
        np.array([0.0, 1.0]), (source, SplineDoubt("age", np.array([0.0, 10.0]), pieces, np.array([4.0, 0.0])))
    )


def test_vectors_add_up_before_they_are_squared_and_own_variances_after() -> None:
    # level: vector (1, 0), own .25. age 5: t = .5, vector (0, 2 * .5). With the constant (0, 1): (1, 2), 1 + 4 + .25.
    assert two_fields().standard_errors(np.array([[2.0, 5.0]]))[0] == math.sqrt(5.25)


def test_missing_values_bring_their_own_variance() -> None:
    # source missing: (0, 0) and .5; age missing: (0, 5) and 4. With the constant: (0, 6), 36 + 4.5.
    assert two_fields().standard_errors(np.array([[0.0, np.nan]]))[0] == math.sqrt(40.5)


def test_beyond_the_range_a_number_counts_as_its_end() -> None:
    errors = two_fields().standard_errors(np.array([[2.0, 10.0], [2.0, 1e9], [2.0, 0.0], [2.0, -1.0]]))
    assert errors[0] == errors[1]
    assert errors[2] == errors[3]


@pytest.mark.parametrize("code", [-1.0, 3.0, np.nan])
def test_a_code_that_the_field_does_not_have_is_our_fault(code: float) -> None:
    with pytest.raises(InternalError, match="outside its field's levels"):
        two_fields().standard_errors(np.array([[code, 1.0]]))


def test_the_interval_holds_the_probability_and_stays_between_0_and_1() -> None:
    low, high, level = interval_of(math.log(3.0), 0.5)
    assert 0 < low < 0.75 < high < 1
    assert level == 0.9
    assert low == pytest.approx(1 / (1 + math.exp(-(math.log(3.0) - 0.5 * 1.6448536))))
    assert interval_of(0.0, 1e6) == Interval(0.0, 1.0, 0.9)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("constant", [0.0]),
        ("constant", ["0"]),
        ("fields", "none"),
        ("own", [0.5, -0.1, 0.25]),
        ("own", [0.5, 0.1]),
        ("vectors", [[0.0, 0.0], [1.0]]),
        ("vectors", [[0.0, 0.0], [float("nan"), 0.0], [1.0, 0.0]]),
        ("name", 3),
    ],
)
def test_data_that_does_not_fit_is_refused(place: str, value: Any) -> None:
    plain = two_fields().to_dict()
    (plain if place in plain else plain["fields"][0])[place] = value
    with pytest.raises(BundleError):
        Sureness.from_dict(plain)


def test_breaks_that_do_not_rise_are_refused() -> None:
    plain = two_fields().to_dict()
    plain["fields"][1]["breaks"] = [10.0, 0.0]
    with pytest.raises(BundleError, match="strictly increasing"):
        Sureness.from_dict(plain)
