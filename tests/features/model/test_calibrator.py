"""The calibrator: its formula, its probabilities, and its data."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import BundleError
from features.model.calibrator import Calibrator, probabilities_of, probability_of

finite = st.floats(-1e6, 1e6)


def test_each_part_has_its_slope_and_the_shift_comes_once() -> None:
    # 2 * 1 + .5 * 4 - 3 = 1
    log_odds = Calibrator(2.0, 0.5, -3.0).log_odds(np.array([1.0]), np.array([4.0]))
    assert log_odds.tolist() == [1.0]


def test_the_default_calibrator_adds_the_parts_and_changes_nothing() -> None:
    assert Calibrator().log_odds(np.array([0.3]), np.array([-0.1]))[0] == 0.3 - 0.1


@given(st.floats(-700, 700))
def test_the_log_odds_of_a_probability_are_the_log_odds_it_came_from(log_odds: float) -> None:
    probability = probability_of(-abs(log_odds))
    assert np.log(probability) - np.log1p(-probability) == pytest.approx(-abs(log_odds), abs=1e-9)
    assert probability_of(abs(log_odds)) == pytest.approx(1 - probability, abs=1e-15)


@pytest.mark.parametrize(("log_odds", "expected"), [(-1e308, 0.0), (1e308, 1.0), (-np.inf, 0.0), (np.inf, 1.0)])
def test_extreme_log_odds_do_not_overflow(log_odds: float, expected: float) -> None:
    assert probability_of(log_odds) == expected


@given(st.lists(finite, min_size=1, max_size=40))
def test_one_probability_alone_equals_the_same_in_a_batch_bit_for_bit(log_odds: list[float]) -> None:
    assert probabilities_of(np.array(log_odds)).tolist() == [probability_of(value) for value in log_odds]


@given(st.floats(0, 1e6), st.floats(0, 1e6), finite)
def test_a_calibrator_read_back_from_json_is_the_same(linear_slope: float, tree_slope: float, shift: float) -> None:
    calibrator = Calibrator(linear_slope, tree_slope, shift)
    assert Calibrator.from_dict(json.loads(json.dumps(calibrator.to_dict()))) == calibrator


GOOD = Calibrator().to_dict()


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {**GOOD, "more": 1.0},
        {**GOOD, "linear_slope": -0.1},
        {**GOOD, "tree_slope": -1e-9},
        {**GOOD, "intercept": float("nan")},
        {**GOOD, "intercept": "0"},
        {**GOOD, "intercept": True},
        {**GOOD, "tree_slope": None},
    ],
)
def test_a_file_that_is_not_a_calibrator_is_refused(plain: Any) -> None:
    with pytest.raises(BundleError):
        Calibrator.from_dict(plain)
