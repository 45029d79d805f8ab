"""What is read from LightGBM's text, and what is refused, by name."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import BundleError
from features.model.trees import Forest
from tests.features.model.model_texts import AGE_THEN_SOURCE, MISSING_NAN, stump, text_of


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
