"""LightGBM model texts by hand and at random, and leads of strange values to send through them."""

from __future__ import annotations

import numpy as np

from features.model.lightgbm_text import Floats

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
