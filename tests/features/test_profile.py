"""The reference profile: bins, evidence, and ranges that people can read."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.encode import EncodedField
from features.errors import BundleError
from features.profile import Profile, bin_index, bin_indices, learn_profile, rounded, wilson


def profile(values: list[float], target: list[float], field: EncodedField) -> Profile:
    n = len(values)
    return learn_profile(np.array(values)[:, None], np.array(target), np.ones((n, 1)), np.full(n, 0.5), [field])


def test_a_category_has_a_bin_per_code_with_its_leads_and_wins() -> None:
    learnt = profile([0, 2, 2, 3, 1], [0, 1, 0, 1, 0], EncodedField("source", "category", ("fair", "web")))
    (source,) = learnt.fields
    assert (source.n, source.won, source.points) == ((1, 1, 2, 1), (0, 0, 1, 1), (1.0, 1.0, 1.0, 1.0))
    assert (learnt.n, learnt.won, learnt.overall().rate) == (5, 2, 0.4)


def test_a_number_has_a_bin_for_missing_and_ranges_closed_on_the_left() -> None:
    assert [bin_index(x, (2.0, 5.0), category=False) for x in (np.nan, 1.9, 2.0, 4.9, 5.0)] == [0, 1, 2, 2, 3]
    assert bin_indices(np.array([np.nan, 1.9, 2.0, 5.0]), (2.0, 5.0), category=False).tolist() == [0, 1, 2, 3]


def test_a_field_that_is_never_filled_or_always_the_same_has_one_range() -> None:
    for values in ([np.nan] * 4, [7.0] * 4):
        (field,) = profile(values, [0, 1, 0, 1], EncodedField("x", "number")).fields
        assert field.edges == ()
        assert sum(field.n) == 4


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=80))
def test_every_lead_is_in_the_bin_that_a_single_lead_is_told_to_be_in(given_values: list[float | None]) -> None:
    values = [np.nan if value is None else value for value in given_values]
    (field,) = profile(values, [1.0] * len(values), EncodedField("x", "number")).fields
    assert list(field.edges) == sorted(set(field.edges))
    counted = np.zeros(len(field.n), dtype=int)
    for value in values:
        counted[bin_index(value, field.edges, category=False)] += 1
    assert tuple(counted.tolist()) == field.n == field.won


@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 3)), min_size=2, max_size=9, unique=True))
def test_rounding_moves_no_edge_by_more_than_a_twentieth_of_its_distance_to_the_next(edges: list[float]) -> None:
    edges = sorted(edges)
    near = np.minimum(np.append(np.inf, np.diff(edges)), np.append(np.diff(edges), np.inf))
    assert (np.abs(np.array(rounded(edges)) - edges) <= 0.0501 * near + 1e-9).all()


def test_wilson_against_the_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263, 95 %: .2553 to .3662.
    assert wilson(81, 263, z=1.959964) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0


def test_a_profile_survives_json_and_damage_is_refused() -> None:
    learnt = profile([1.0, 2.0, np.nan], [0, 1, 0], EncodedField("x", "number"))
    plain = json.loads(json.dumps(learnt.to_dict(), allow_nan=False))
    assert Profile.from_dict(plain) == learnt
    del plain["fields"][0]["won"]
    with pytest.raises(BundleError, match="profile cannot be read"):
        Profile.from_dict(plain)
