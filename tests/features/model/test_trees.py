"""The trees' walk and exact contributions, held against LightGBM itself and against numbers counted by hand.

LightGBM reads hand-written and random texts as well as trained ones, so that it is the reference for all of them.
"""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import BundleError
from features.model.compiled import call, compiled
from features.model.layout import ForestArrays
from features.model.lightgbm_text import Floats
from features.model.quadrature import add_contributions, add_contributions_of_rows
from features.model.trees import Forest, warm
from tests.features.model.model_texts import (
    AGE_THEN_SOURCE,
    BY_CATEGORY,
    MISSING_GOES_LEFT,
    MISSING_NAN,
    MISSING_NONE,
    MISSING_ZERO,
    NAN,
    RandomTree,
    chain,
    odd_leads,
    stump,
    text_of,
    tree_of,
)
from tests.features.model.shapley import contributions_by_definition


def reference_contributions(text: str, matrix: Floats) -> Floats:
    """LightGBM's own contributions, its base in the last column."""
    return np.asarray(lgb.Booster(model_str=text).predict(matrix, pred_contrib=True, num_threads=1))


def assert_like_lightgbm(text: str, matrix: Floats) -> None:
    """Contributions, base and margins are LightGBM's; base plus contributions is the margin."""
    forest, reference = Forest.from_text(text), reference_contributions(text, matrix)
    margins = np.asarray(lgb.Booster(model_str=text).predict(matrix, raw_score=True, num_threads=1))
    contributions = forest.contributions(matrix)
    tolerance = 1e-9 * float(np.abs(reference).max()) + 1e-15
    np.testing.assert_allclose(contributions, reference[:, :-1], rtol=0, atol=tolerance)
    np.testing.assert_allclose(forest.expected_value, reference[0, -1], rtol=0, atol=tolerance)
    np.testing.assert_array_equal(forest.margins(matrix), margins)
    np.testing.assert_allclose(contributions.sum(axis=1) + forest.expected_value, margins, rtol=0, atol=tolerance)


def test_the_tree_of_two_splits_gives_the_numbers_counted_by_hand() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    leads = [[30.0, 1.0], [30.0, 5.0], [50.0, 5.0]]
    # Lead 2, young and from a fair: none 1, age 1, source .6 * 3 + .4 = 2.2, both 3;
    # age ((1 - 1) + (3 - 2.2)) / 2 = .4, source ((2.2 - 1) + (3 - 1)) / 2 = 1.6.
    # Lead 3, older, from a fair: none 1, age 1, source 2.2, both 1; age (0 - 1.2) / 2, source (1.2 + 0) / 2.
    assert forest.expected_value == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(forest.contributions(leads), [[-0.2, -0.8], [0.4, 1.6], [-0.6, 0.6]], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(forest.margins(leads), [0.0, 3.0, 1.0])


@settings(max_examples=250, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), n_trees=st.integers(1, 4), n_leaves=st.integers(2, 60), n_fields=st.integers(1, 16)
)
def test_random_trees_are_explained_as_lightgbm_explains_them(
    seed: int, n_trees: int, n_leaves: int, n_fields: int
) -> None:
    rng = np.random.default_rng(seed)
    trees = [RandomTree(rng, n_leaves, n_fields).text() for _ in range(n_trees)]
    assert_like_lightgbm(text_of(*trees, n_fields=n_fields), odd_leads(rng, 12, n_fields))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_fields=st.integers(1, 12),
    params=st.fixed_dictionaries(
        {
            "num_leaves": st.integers(2, 40),
            "learning_rate": st.sampled_from([0.05, 0.3]),
            "use_missing": st.booleans(),
            "zero_as_missing": st.booleans(),
            "bagging_fraction": st.sampled_from([0.5, 1.0]),
            "boosting": st.sampled_from(["gbdt", "dart"]),
            "objective": st.sampled_from(["binary", "cross_entropy"]),
            "max_cat_to_onehot": st.sampled_from([1, 40]),
        }
    ),
    monotone=st.booleans(),
    with_start=st.booleans(),
)
def test_trained_models_are_explained_as_lightgbm_explains_them(
    seed: int, n_fields: int, params: dict[str, object], monotone: bool, with_start: bool
) -> None:
    rng = np.random.default_rng(seed)
    matrix = odd_leads(rng, 300, n_fields)
    categories = list(range(2, n_fields, 3))
    matrix[:, categories] = np.abs(np.nan_to_num(np.trunc(matrix[:, categories]), posinf=7, neginf=7)) % 50
    won = rng.random(300) < np.where(np.nan_to_num(matrix[:, 0]) > 0, 0.7, 0.2)
    settings_: dict[str, object] = {
        "verbose": -1,
        "min_data_in_leaf": 3,
        "min_data_per_group": 3,
        "cat_smooth": 1,
        "bagging_freq": 1,
    }
    if monotone:
        settings_["monotone_constraints"] = [int(i % 3 == 0) for i in range(n_fields)]
    start = rng.normal(size=300) if with_start else None
    leads = lgb.Dataset(matrix, won.astype(float), categorical_feature=categories, init_score=start)
    booster = lgb.train({**settings_, **params, "num_threads": 1, "seed": 1}, leads, num_boost_round=6)
    assert_like_lightgbm(booster.model_to_string(), np.vstack([matrix[:20], odd_leads(rng, 10, n_fields)]))


@pytest.mark.parametrize("n_fields", [1, 8, 9, 16, 17, 32, 33, 64])
def test_a_path_of_as_many_fields_as_a_group_has_room_for_is_exact(n_fields: int) -> None:
    # Not held against LightGBM: its recursion loses digits on long paths, 2e-3 of 6 at 48 fields in this very test.
    rng = np.random.default_rng(n_fields)
    fields = [*range(n_fields), *rng.integers(0, n_fields, 12).tolist()]  # the last twelve splits ask a field again
    text = text_of(chain(fields), n_fields=n_fields)
    matrix = rng.normal(size=(2, n_fields)) + rng.normal(3, 3, size=(2, 1))
    exact = [contributions_by_definition(text, row) for row in matrix]
    np.testing.assert_allclose(Forest.from_text(text).contributions(matrix), exact, rtol=0, atol=1e-12)


def test_a_path_of_more_fields_than_can_be_explained_exactly_is_refused() -> None:
    with pytest.raises(BundleError, match="65 different fields on one path; up to 64"):
        Forest.from_text(text_of(chain(list(range(65))), n_fields=65))


@pytest.mark.parametrize(
    ("decision_type", "value", "left"),
    [
        (MISSING_NONE, NAN, True),  # without missing values NaN is 0, and 0 <= 0.5
        (MISSING_NONE, 0.5, True),
        (MISSING_NONE, 0.75, False),
        (MISSING_NONE | MISSING_GOES_LEFT, 0.75, False),
        (MISSING_ZERO, NAN, False),
        (MISSING_ZERO, 0.0, False),
        (MISSING_ZERO, 1e-36, False),
        (MISSING_ZERO, 1e-34, True),
        (MISSING_ZERO | MISSING_GOES_LEFT, NAN, True),
        (MISSING_NAN, NAN, False),
        (MISSING_NAN, 0.0, True),
        (MISSING_NAN | MISSING_GOES_LEFT, NAN, True),
        (MISSING_NAN | MISSING_GOES_LEFT, np.inf, False),
        (MISSING_NAN, -np.inf, True),
    ],
)
def test_a_number_goes_the_way_that_its_decision_type_says(decision_type: int, value: float, left: bool) -> None:
    text = text_of(stump(0.5, decision_type))
    assert Forest.from_text(text).margins([[value, 0.0]]) == [-1.0 if left else 1.0]
    assert_like_lightgbm(text, np.array([[value, 0.0]]))


@pytest.mark.parametrize(
    ("value", "left"),
    [
        *((seen, True) for seen in (0.0, 0.9, -0.9, 40.0, 40.7)),
        *((other, False) for other in (-1.0, 3.0, 41.0, 64.0, 95.0, 1e6, 3e9, -np.inf, np.inf, NAN)),
    ],
)
def test_a_category_goes_left_only_if_its_bit_is_set(value: float, left: bool) -> None:
    text = text_of(stump(0, BY_CATEGORY | MISSING_NAN, words=(0b1, 1 << 8)))  # categories 0 and 40
    assert Forest.from_text(text).margins([[value, 0.0]]) == [-1.0 if left else 1.0]
    assert_like_lightgbm(text, np.array([[value, 0.0]]))


def test_a_bitset_of_a_thousand_words_is_read_to_its_end() -> None:
    words = (*[0] * 1000, 1 << 31)
    matrix = np.array([[1000 * 32 + 31.0, 0.0], [1000 * 32 + 30.0, 0.0], [1001 * 32.0, 0.0]])
    text = text_of(stump(0, BY_CATEGORY, words), stump(0, BY_CATEGORY, (1,)))
    np.testing.assert_array_equal(Forest.from_text(text).margins(matrix), [0.0, 2.0, 2.0])
    assert_like_lightgbm(text, matrix)


def test_covers_that_do_not_add_up_are_taken_as_they_stand() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        tree = RandomTree(rng, 12, 5)
        for node in tree.nodes:
            node["count"] = max(1, node["count"] + int(rng.integers(-3, 4)))
        text, matrix = text_of(tree.text(), n_fields=5), odd_leads(rng, 20, 5)
        forest, reference = Forest.from_text(text), reference_contributions(text, matrix)[:, :-1]
        contributions = forest.contributions(matrix)
        np.testing.assert_allclose(contributions, reference, rtol=0, atol=1e-12)
        # LightGBM's own base weighs leaves by their counts alone, and then misses the margin; ours does not.
        np.testing.assert_allclose(
            contributions.sum(axis=1) + forest.expected_value, forest.margins(matrix), atol=1e-12
        )


@pytest.mark.parametrize("left_counts", [[5, 0, 0, 7, 2], [0, 3, 0, 3, 3], [3, 3, 3, 3, 0]])
def test_a_way_that_no_training_row_went_is_explained_where_lightgbm_divides_by_zero(left_counts: list[int]) -> None:
    text, matrix = text_of(chain([0, 1, 0, 1, 0], left_counts)), np.random.default_rng(4).normal(0.5, 1, size=(30, 2))
    assert np.isnan(reference_contributions(text, matrix)).any()
    exact = [contributions_by_definition(text, row) for row in matrix]
    np.testing.assert_allclose(Forest.from_text(text).contributions(matrix), exact, rtol=0, atol=1e-14)


def test_what_lies_below_a_node_without_training_rows_still_adds_up_to_the_margin() -> None:
    text = text_of(AGE_THEN_SOURCE.replace("leaf_count=4 4 2", "leaf_count=0 4 0").replace("count=10 6", "count=4 0"))
    forest, matrix = Forest.from_text(text), [[30.0, 5.0], [30.0, 1.0], [50.0, 5.0]]
    assert forest.expected_value == 1.0
    np.testing.assert_allclose(forest.contributions(matrix).sum(axis=1) + 1.0, forest.margins(matrix), atol=1e-15)


def test_no_trees_are_a_forest_whose_margin_is_zero() -> None:
    forest = Forest.from_text(text_of())
    assert (forest.n_trees, forest.n_fields, forest.expected_value) == (0, 2, 0.0)
    np.testing.assert_array_equal(forest.contributions([[1.0, NAN]]), [[0.0, 0.0]])
    np.testing.assert_array_equal(forest.margins([[1.0, NAN]]), [0.0])


def test_a_tree_of_one_leaf_moves_only_the_base() -> None:
    leaf = tree_of(num_leaves=1, leaf_value=[0.25])
    assert Forest.from_text(text_of(leaf)).expected_value == 0.25
    assert_like_lightgbm(text_of(leaf, AGE_THEN_SOURCE, leaf), np.array([[30.0, 5.0], [NAN, NAN]]))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_leads=st.integers(2, 9))
def test_one_lead_alone_equals_the_lead_in_a_batch_bit_for_bit(seed: int, n_leads: int) -> None:
    rng = np.random.default_rng(seed)
    forest = Forest.from_text(text_of(*(RandomTree(rng, 30, 20).text() for _ in range(3)), n_fields=20))
    matrix = odd_leads(rng, n_leads, 20)
    batch = forest.contributions(matrix)
    for i in range(n_leads):
        assert forest.contributions(matrix[i : i + 1]).tobytes() == batch[i : i + 1].tobytes()


@compiled
def _of_first_row(forest: ForestArrays, matrix: Floats, out: Floats) -> None:
    add_contributions(forest, matrix[0], out)


def test_another_compiled_function_adds_contributions_to_what_it_has() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    out = np.array([10.0, 20.0])
    call(_of_first_row, forest.arrays, np.array([[30.0, 1.0]]), out)
    np.testing.assert_allclose(out, [9.8, 19.2], rtol=0, atol=1e-14)


def test_a_matrix_of_any_memory_order_gives_the_same_answer_and_stays_writable() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    matrix = np.array([[30.0, 1.0], [50.0, 5.0], [NAN, 5.0]])
    expected = forest.contributions(matrix)
    read_only = matrix.copy()
    read_only.flags.writeable = False
    for same in (np.asfortranarray(matrix), np.repeat(matrix, 2, axis=0)[::2], read_only, matrix.tolist()):
        np.testing.assert_array_equal(forest.contributions(same), expected)
    assert matrix.flags.writeable


def test_a_matrix_with_another_number_of_fields_is_refused() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    for wrong in (np.zeros((1, 3)), np.zeros(2)):
        with pytest.raises(ValueError, match=r"\(n_leads, 2\) is due"):
            forest.contributions(wrong)
        with pytest.raises(ValueError, match=r"\(n_leads, 2\) is due"):
            forest.margins(wrong)


def test_a_forest_cannot_be_changed() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    with pytest.raises(AttributeError):
        forest.expected_value = 2.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        forest.arrays.nodes["share"][0] = 1.0


def test_a_warm_forest_compiles_nothing_more() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    warm(forest)
    before = len(add_contributions_of_rows.signatures)  # type: ignore[attr-defined]
    forest.contributions(np.zeros((3, 2), np.float32))
    assert before == len(add_contributions_of_rows.signatures) == 1  # type: ignore[attr-defined]
