"""The shares of training rows at the splits of a tree, made to add up to 1 at every node.

The compiled walk takes the right child's share for 1 less the left one's. Where the counts of a text do not add up
(distributed training estimates them), the node is written as two on the same field: the first sends every lead left and
leaves the missing share to a leaf of value 0 that no lead reaches, the second splits as before:

    node: 10 rows, children of 4 and 3      node: all left, share .7
                                            left -> the split: shares 4/7 and 3/7; right -> leaf of 0, share .3

Every product of shares along a path stays as the text has it, and so do the contributions. A node that no training row
reached splits half and half: LightGBM's own contributions are NaN there (0 / 0), and any share gives the same margin.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.model.lightgbm_text import Floats, Tree, child_counts

_PER_NODE = ("field", "threshold", "decision_type", "left", "right", "count")


class Covered(NamedTuple):
    """A tree, the share of rows that goes left at each inner node (the rest goes right), which nodes split nothing."""

    tree: Tree
    share: Floats
    sends_all_left: NDArray[np.bool_]


def with_covers_that_add_up(tree: Tree) -> Covered:
    """`tree`, each node whose children's shares do not add up to 1 written as two."""
    left, right = _shares(tree)
    counted = child_counts(tree, tree.left) + child_counts(tree, tree.right)
    odd = np.flatnonzero((counted != tree.count) & (tree.count > 0))
    n, kept = len(tree.field), left + right
    twins, empty = n + np.arange(len(odd)), -np.arange(len(odd)) - len(tree.leaf_value) - 1
    scale = np.where(kept[odd] > 0, kept[odd], 1.0)
    share = np.concatenate([left, left[odd] / scale])
    share[odd] = kept[odd]
    grown = _with_copies(tree, odd)
    grown.left[odd], grown.right[odd] = twins, empty
    return Covered(grown, share, np.isin(np.arange(len(share)), odd))


def _shares(tree: Tree) -> tuple[Floats, Floats]:
    """`(n,)` each: the shares of each node's training rows that its left and its right child have."""
    count = np.maximum(tree.count, 1)
    left, right = (child_counts(tree, child) / count for child in (tree.left, tree.right))
    return np.where(tree.count == 0, 0.5, left), np.where(tree.count == 0, 0.5, right)


def _with_copies(tree: Tree, odd: NDArray[np.intp]) -> Tree:
    """`tree` with a copy of each node of `odd` behind its nodes, and as many leaves of value 0 behind its leaves."""

    def grown(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.concatenate([values, values[odd]])

    none = np.zeros(len(odd))
    columns = {name: grown(getattr(tree, name)) for name in _PER_NODE}
    return Tree(
        **columns,  # type: ignore[arg-type]
        leaf_value=np.concatenate([tree.leaf_value, none]),
        leaf_count=np.concatenate([tree.leaf_count, none.astype(np.int64)]),
        bit_starts=tree.bit_starts,
        bits=tree.bits,
    )
