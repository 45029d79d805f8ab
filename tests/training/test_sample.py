"""Samples and recency: weights count leads, not days, and never look at the outcome."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import InternalError
from training.recipe.sample import Sample, recency_weights


def test_a_weight_halves_for_every_half_life_of_later_leads() -> None:
    weights = recency_weights(np.arange(7), half_life_leads=2.0)
    np.testing.assert_allclose(weights, [1 / 8, 2**-2.5, 1 / 4, 2**-1.5, 1 / 2, 2**-0.5, 1], rtol=1e-12)


def test_the_order_of_rows_does_not_matter_and_simultaneous_leads_weigh_the_same() -> None:
    order = np.array([3, 1, 2, 1])
    assert recency_weights(order, 1.0).tolist() == [1.0, 0.25, 0.5, 0.25]


def test_without_a_half_life_all_leads_weigh_one() -> None:
    assert recency_weights(np.array([2, 1]), None).tolist() == [1.0, 1.0]


def test_taking_rows_keeps_everything_of_a_lead_together() -> None:
    sample = Sample(np.arange(8.0).reshape(4, 2), np.array([0.0, 1, 0, 1]), np.arange(4), np.arange(4) * 10)
    taken = sample.take(np.array([3, 1]))
    assert taken.matrix.tolist() == [[6, 7], [2, 3]]
    assert (taken.target.tolist(), taken.account.tolist(), taken.order.tolist()) == ([1, 1], [3, 1], [30, 10])
    assert (taken.n_won, taken.n_lost, len(taken)) == (2, 0, 2)


def test_columns_of_different_length_are_our_error() -> None:
    with pytest.raises(InternalError):
        Sample(np.zeros((3, 1)), np.zeros(3), np.arange(3), np.arange(2))
