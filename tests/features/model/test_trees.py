"""The trees' walk and exact contributions, held against LightGBM itself and against numbers counted by hand.

LightGBM reads hand-written and random texts as well as trained ones, so that it is the reference for all of them.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import BundleError
from features.model.compiled import call, compiled
from features.model.layout import ForestArrays
from features.model.lightgbm_text import Floats, Tree, read
from features.model.quadrature import add_contributions, add_contributions_of_rows
from features.model.trees import Forest, warm

ROOT = Path(__file__).parents[3]
BY_CATEGORY, MISSING_GOES_LEFT = 1, 2
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 4, 8  # as they stand in decision_type
NAN = float("nan")


def text_of(*trees: str, n_fields: int = 2, objective: str = "binary sigmoid:1") -> str:
    """A model text of these trees, as LightGBM writes it."""
    blocks = [f"Tree={number}\n{tree}\n\n\n" for number, tree in enumerate(trees)]
    ending = "end of trees\n\nfeature_importances:\n\nparameters:\n\nend of parameters\n\npandas_categorical:null\n"
    return (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={n_fields - 1}\nobjective={objective}\n"
        f"feature_names={' '.join(f'f{i}' for i in range(n_fields))}\n"
        f"feature_infos={' '.join(['[-1:1]'] * n_fields)}\n"
        f"tree_sizes={' '.join(str(len(block)) for block in blocks)}\n\n"
        f"{''.join(blocks)}{ending}"
    )


def tree_of(**lines: object) -> str:
    """One tree's lines; lists are written with spaces."""
    everything = {"num_cat": 0} | lines | {"is_linear": 0, "shrinkage": 1}
    return "\n".join(f"{k}={' '.join(map(str, v)) if isinstance(v, list) else v}" for k, v in everything.items())


AGE_THEN_SOURCE = tree_of(  # the tree of two splits in features/model/quadrature.py; source 5 is "fair"
    num_leaves=3,
    num_cat=1,
    split_feature=[0, 1],
    threshold=[40.0, 0],
    decision_type=[MISSING_NAN | MISSING_GOES_LEFT, BY_CATEGORY],
    left_child=[1, -3],
    right_child=[-2, -1],
    leaf_value=[0.0, 1.0, 3.0],
    leaf_count=[4, 4, 2],
    internal_count=[10, 6],
    cat_boundaries=[0, 1],
    cat_threshold=[1 << 5],
)


def stump(threshold: float, decision_type: int, words: tuple[int, ...] = ()) -> str:
    """Field 0 alone: -1 on the left, +1 on the right; `words` are the bitset of a split by category."""
    return tree_of(
        num_leaves=2,
        num_cat=int(bool(words)),
        split_feature=[0],
        threshold=[threshold],
        decision_type=[decision_type],
        left_child=[-1],
        right_child=[-2],
        leaf_value=[-1.0, 1.0],
        leaf_count=[5, 5],
        internal_count=[10],
        **({"cat_boundaries": [0, len(words)], "cat_threshold": list(words)} if words else {}),
    )


def chain(fields: list[int], left_counts: list[int] | None = None) -> str:
    """A tree whose right child is split again, field by field, at 0; leaf k has the value k + 1."""
    n = len(fields)
    counts = [*(left_counts or [3] * n), 3]
    return tree_of(
        num_leaves=n + 1,
        split_feature=fields,
        threshold=[0.0 + 0.25 * k for k in range(n)],
        decision_type=[MISSING_NAN] * n,
        left_child=[-k - 1 for k in range(n)],
        right_child=[*range(1, n), -n - 1],
        leaf_value=[float(k + 1) for k in range(n + 1)],
        leaf_count=counts,
        internal_count=[sum(counts[k:]) for k in range(n)],
    )


class RandomTree:
    """A tree of any shape, drawn node by node: every decision type, any field again, long bitsets, uneven covers."""

    def __init__(self, rng: np.random.Generator, n_leaves: int, n_fields: int) -> None:
        self.rng, self.n_fields = rng, n_fields
        self.nodes: list[dict[str, float]] = []
        self.leaf_counts: list[int] = []
        self.bits: list[list[int]] = []
        self.grow(n_leaves)

    def grow(self, n_leaves: int) -> tuple[int, int]:
        """The child's number and its training rows."""
        if n_leaves == 1:
            self.leaf_counts.append(int(self.rng.integers(1, 40)))
            return -len(self.leaf_counts), self.leaf_counts[-1]
        number, node = len(self.nodes), self.split()
        self.nodes.append(node)
        n_left = int(self.rng.integers(1, n_leaves))
        (node["left"], a), (node["right"], b) = self.grow(n_left), self.grow(n_leaves - n_left)
        node["count"] = a + b
        return number, a + b

    def split(self) -> dict[str, float]:
        field = int(self.rng.integers(self.n_fields))
        if field % 3 == 2:  # every third field is a category
            self.bits.append(self.rng.integers(0, 2**32, self.rng.integers(1, 4)).tolist())
            return {
                "field": field,
                "threshold": len(self.bits) - 1,
                "type": BY_CATEGORY | int(self.rng.choice([0, 4, 8])),
            }
        kind = self.rng.choice([MISSING_NONE, MISSING_ZERO, MISSING_NAN]) | self.rng.choice([0, MISSING_GOES_LEFT])
        return {"field": field, "threshold": float(self.rng.integers(-4, 5)) / 2, "type": int(kind)}

    def text(self) -> str:
        def column(key: str) -> list[float]:
            return [node[key] for node in self.nodes]

        starts = np.cumsum([0, *map(len, self.bits)]).tolist()
        return tree_of(
            num_leaves=len(self.leaf_counts),
            num_cat=len(self.bits),
            split_feature=column("field"),
            threshold=column("threshold"),
            decision_type=column("type"),
            left_child=column("left"),
            right_child=column("right"),
            leaf_value=np.round(self.rng.normal(size=len(self.leaf_counts)), 3).tolist(),
            leaf_count=self.leaf_counts,
            internal_count=column("count"),
            **(
                {"cat_boundaries": starts, "cat_threshold": [word for words in self.bits for word in words]}
                if self.bits
                else {}
            ),
        )


def odd_leads(rng: np.random.Generator, n_leads: int, n_fields: int) -> Floats:
    """Leads of ordinary and of strange values: missing, tiny, infinite, negative, fractional, unseen categories."""
    strange = [
        NAN,
        0.0,
        -0.0,
        1e-36,
        -1e-36,
        1e-34,
        np.inf,
        -np.inf,
        0.5,
        -0.5,
        -1.0,
        31.0,
        32.0,
        63.9,
        95.0,
        96.0,
        3e9,
    ]
    matrix = np.round(rng.normal(size=(n_leads, n_fields)) * 2) / 2
    categories = rng.integers(0, 100, matrix.shape)
    matrix[:, 2::3] = categories[:, 2::3]
    where = rng.random(matrix.shape) < 0.3
    matrix[where] = rng.choice(strange, int(where.sum()))
    return matrix


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


def contributions_by_definition(text: str, row: Floats) -> Floats:
    """Shapley values by the textbook's sum over the coalitions of each leaf's fields; for splits by number only."""
    n_fields, trees = read(text)
    contributions = np.zeros(n_fields)
    for tree in trees:
        for value, factors in leaves_below(tree, 0, {}, row):
            for field, (one, zero) in factors.items():
                others = [pair for other, pair in factors.items() if other != field]
                contributions[field] += value * (one - zero) * mean_over_orders(others)
    return contributions


Factors = dict[
    int, tuple[float, float]
]  # per field of a path: did the lead pass (1 or 0), and the share of rows that did


def leaves_below(tree: Tree, node: int, factors: Factors, row: Floats) -> list[tuple[float, Factors]]:
    """The value and the factors of every leaf below a node."""
    if node < 0:
        return [(float(tree.leaf_value[-node - 1]), factors)]
    field, found = int(tree.field[node]), []
    for children, is_left in ((tree.left, True), (tree.right, False)):
        child = int(children[node])
        count = tree.count[child] if child >= 0 else tree.leaf_count[-child - 1]
        one, zero = factors.get(field, (1.0, 1.0))
        passed = one * float((row[field] <= tree.threshold[node]) == is_left)
        share = zero * float(count) / float(tree.count[node]) if tree.count[node] else 0.0
        found += leaves_below(tree, child, {**factors, field: (passed, share)}, row)
    return found


def mean_over_orders(others: list[tuple[float, float]]) -> float:
    """The mean over all orders of the product of ones for the fields before, zeros for those after; nothing cancels."""
    by_size = np.ones(1)  # the sum of products over coalitions of 0, 1, ... of the others
    for one, zero in others:
        by_size = np.append(by_size * zero, 0.0) + np.append(0.0, by_size * one)
    n = len(others)
    return float(by_size @ [1 / (math.comb(n, k) * (n + 1)) for k in range(n + 1)])


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
def _twice(forest: ForestArrays, row: Floats, out: Floats) -> None:
    add_contributions(forest, row, out)
    add_contributions(forest, row, out)


def test_another_compiled_function_adds_contributions_to_what_it_has() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    out = np.array([10.0, 20.0])
    call(_twice, forest.arrays, np.array([30.0, 1.0]), out)
    np.testing.assert_allclose(out, [9.6, 18.4], rtol=0, atol=1e-14)


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


def _trained(**params: object) -> str:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(200, 2))
    target = rng.integers(0, 3, 200) if "num_class" in params else (matrix[:, 0] > 0).astype(float)
    return lgb.train({"verbose": -1, "num_threads": 1, **params}, lgb.Dataset(matrix, target), 2).model_to_string()


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"objective": "binary", "linear_tree": True}, "linear tree"),
        ({"objective": "multiclass", "num_class": 3}, "several classes"),
        ({"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averaged forest"),
        ({"objective": "regression"}, "objective 'regression'"),
        ({"objective": "cross_entropy_lambda"}, "objective 'cross_entropy_lambda'"),
        ({"objective": "binary", "sigmoid": 2.0}, "objective 'binary sigmoid:2'"),
    ],
)
def test_a_kind_of_model_that_would_be_explained_wrongly_is_refused_by_name(
    params: dict[str, object], named: str
) -> None:
    with pytest.raises(BundleError, match=named):
        Forest.from_text(_trained(**params))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("version=v4", "version=v9", "v9"),
        ("tree\n", "", "not LightGBM's text"),
        ("max_feature_idx=1", "max_feature_idx=", "max_feature_idx"),
        ("objective=binary sigmoid:1\n", "", "objective 'none'"),
        ("end of trees", "", "cut off"),
        ("tree_sizes=", "tree_sizes=7 ", "1 trees, but its head announces 2"),
        ("Tree=0", "Tree=1", "tree 0 is numbered 1"),
        ("num_leaves=3", "num_leaves=0", "0 leaves"),
        ("num_leaves=3", "num_leaves=4", "2 values of split_feature where 3"),
        ("num_leaves=3", "num_leaves=few", "num_leaves that is no number"),
        ("leaf_count=4 4 2", "leaf_count=4 4", "2 values of leaf_count where 3"),
        ("leaf_count=4 4 2", f"leaf_count=4 4 {2**63}", "leaf_count that is no number of 64 bits"),
        ("leaf_value=0.0 1.0", "leaf_value=0.0 inf", "leaf value that is not finite"),
        ("threshold=40.0", "threshold=nan", "threshold that is no number"),
        ("split_feature=0 1", "split_feature=0 2", "field beyond the 2"),
        ("decision_type=10 1", "decision_type=12 1", "unknown decision_type"),
        ("left_child=1 -3", "left_child=-3 -3", "children that do not form a tree"),
        (
            "left_child=1 -3\nright_child=-2 -1",
            "left_child=-3 1\nright_child=-2 -1",
            "children that do not form a tree",
        ),
        ("leaf_count=4 4 2", "leaf_count=4 -4 2", "impossible counts"),
        ("internal_count=10 6", "internal_count=0 6", "impossible counts"),
        ("internal_count=10 6", "internal_count=10 0", "node without training rows"),
        ("threshold=40.0 0", "threshold=40.0 1", "bitset it does not have"),
        ("threshold=40.0 0", "threshold=40.0 0.5", "bitset it does not have"),
        ("cat_boundaries=0 1", "cat_boundaries=1 1", "disordered cat_boundaries"),
        ("cat_threshold=32", "cat_threshold=4294967296", "beyond 32 bits"),
    ],
)
def test_a_text_that_does_not_hold_together_is_refused_by_what_is_wrong(old: str, new: str, named: str) -> None:
    text = text_of(AGE_THEN_SOURCE)
    assert old in text
    with pytest.raises(BundleError, match=named):
        Forest.from_text(text.replace(old, new, 1))


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1))
def test_a_text_cut_off_anywhere_before_its_last_tree_ends_is_refused(share: float) -> None:
    text = text_of(AGE_THEN_SOURCE, stump(0.5, MISSING_NAN))
    with pytest.raises(BundleError):
        Forest.from_text(text[: int(share * (text.index("end of trees") + len("end of tree")))])


def _run(code: str, package_root: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package_root,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _copy_of_features(to: Path) -> None:
    """The package without its caches, where nothing can be written beside the sources (not even by root)."""
    shutil.copytree(ROOT / "features", to / "features", ignore=shutil.ignore_patterns("__pycache__"))
    (to / "model.txt").write_text(text_of(AGE_THEN_SOURCE))
    (to / "features" / "model" / "__pycache__").write_text("a file where numba wants its directory")


READ = (
    "from pathlib import Path; from features.model import trees;"
    "f = trees.Forest.from_text(Path('model.txt').read_text());"
)


def test_without_a_directory_to_cache_in_leads_are_still_explained_and_lightgbm_is_not_needed(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    nowhere = str(tmp_path / "model.txt" / "below a file")
    code = (
        READ
        + "import sys; print(f.contributions([[30., 1.]]).round(9).tolist());"
        + (
            "print(sorted({'lightgbm', 'pandas', 'sklearn'} & set(sys.modules)))"  # numba itself looks for scipy's BLAS
        )
    )
    assert _run(code, tmp_path, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere) == "[[-0.2, -0.8]]\n[]"


def test_a_cache_that_cannot_be_written_any_more_costs_the_saving_not_the_answer(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));" + READ  # as a full disk does
    code += "print(f.margins([[30., 1.], [50., 5.]]).tolist())"
    assert _run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"), HOME=str(tmp_path)) == "[0.0, 1.0]"


def test_a_second_process_finds_the_compiled_code_in_the_cache(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    code = READ + "f.margins([[1., 1.]]); print(*trees._add_margins.stats.cache_hits.values())"
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    assert _run(code, tmp_path, **environment) == ""
    assert _run(code, tmp_path, **environment) == "1"


def test_a_warm_forest_compiles_nothing_more() -> None:
    forest = Forest.from_text(text_of(AGE_THEN_SOURCE))
    warm(forest)
    before = len(add_contributions_of_rows.signatures)  # type: ignore[attr-defined]
    forest.contributions(np.zeros((3, 2), np.float32))
    assert before == len(add_contributions_of_rows.signatures) == 1  # type: ignore[attr-defined]
