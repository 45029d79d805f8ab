"""LightGBM's model text, read and checked; LightGBM itself is not needed.

The text is a head of `key=value` lines, then a block `Tree=0`, `Tree=1`, ... per tree, then `end of trees`. Inner
nodes of a tree count from 0, the root; a child below 0 is the leaf `-child - 1`. `decision_type` holds three things
(LightGBM 4.7, include/LightGBM/tree.h): bit 0 says that the split is by category, bit 1 that missing values go left,
bits 2 and 3 what counts as missing: 0 nothing, 1 zero and NaN, 2 NaN. The threshold of a split by category is the
number of its bitset: word w of bitset b is `cat_threshold[cat_boundaries[b] + w]`, and a category whose
bit is set goes left.

Refused by name: whatever this system would explain wrongly, and texts that do not hold together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Number = TypeVar("Number", np.int64, np.float64)

MISSING_NONE, MISSING_ZERO, MISSING_NAN = range(3)
_OBJECTIVES = ("binary sigmoid:1", "cross_entropy")
_VERSION = "v4"


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as its text gives it; `n` inner nodes, `n + 1` leaves.

    Attributes
    ----------
    field, left, right, decision_type, count : (n,) integers
        Per inner node: the field it splits on, its children, the bits above, and the training rows that reached it.
    threshold : (n,) floats
        Per inner node: numbers up to it go left; for a split by category the number of the bitset.
    leaf_value : (n + 1,) floats
        Log-odds.
    leaf_count : (n + 1,) integers
        The training rows that reached each leaf.
    bit_starts : (number of bitsets + 1,) integers
        Where in `bits` each bitset begins, and where the last one ends.
    bits : integers
        Words of 32 bits.
    """

    field: Integers
    threshold: Floats
    decision_type: Integers
    left: Integers
    right: Integers
    count: Integers
    leaf_value: Floats
    leaf_count: Integers
    bit_starts: Integers
    bits: Integers

    @property
    def by_category(self) -> NDArray[np.bool_]:
        """`(n,)`: which inner nodes split by category."""
        return (self.decision_type & 1).astype(np.bool_)

    @property
    def missing_goes_left(self) -> NDArray[np.bool_]:
        """`(n,)`: which inner nodes send missing numbers left."""
        return (self.decision_type & 2).astype(np.bool_)

    @property
    def missing_type(self) -> Integers:
        """`(n,)`: what each inner node takes for missing."""
        return self.decision_type >> 2 & 3


def read(text: str) -> tuple[int, list[Tree]]:
    """The number of fields and the trees of a model text.

    Raises
    ------
    BundleError
        If the text is cut off or contradicts itself, or if the model is of a kind that is refused: linear trees,
        several classes, averaged forests, an objective whose raw margin is not log-odds.
    """
    head, blocks = _blocks(text)
    n_fields = _check_head(head)
    if "end of trees" not in blocks[-1]:
        raise BundleError("model text: cut off, the line 'end of trees' is missing")
    expected = len(head.get("tree_sizes", "").split())
    if len(blocks) - 1 != expected:
        raise BundleError(f"model text: {len(blocks) - 1} trees, but its head announces {expected}")
    return n_fields, [_Block(number, block).tree(n_fields) for number, block in enumerate(blocks[:-1])]


def _blocks(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The head, and one dictionary per tree, and last what follows: `end of trees` or nothing."""
    current: dict[str, str] = {}
    blocks = [current]
    for line in text.splitlines():
        key, _, value = line.strip().partition("=")
        if key in ("Tree", "end of trees"):
            current = {}
            blocks.append(current)
        if key:
            current[key] = value
        if key == "end of trees":
            break
    else:
        blocks.append({})
    return blocks[0], blocks[1:]


def _check_head(head: dict[str, str]) -> int:
    if "tree" not in head or head.get("version") != _VERSION:
        found = head.get("version", "no version")
        raise BundleError(f"model text: not LightGBM's text of version {_VERSION} ({found})")
    if head.get("num_class") != "1" or head.get("num_tree_per_iteration") != "1":
        raise BundleError("model text: a model of several classes; one margin per lead is needed")
    if "average_output" in head:
        raise BundleError("model text: an averaged forest (boosting=rf); its output is a mean, not a sum of trees")
    objective = head.get("objective", "none")
    if objective not in _OBJECTIVES:
        known = " or ".join(_OBJECTIVES)
        raise BundleError(f"model text: objective '{objective}'; only with {known} is the raw margin log-odds")
    try:
        return int(head["max_feature_idx"]) + 1
    except (KeyError, ValueError):
        raise BundleError("model text: max_feature_idx is missing or no number") from None


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one tree, and the checks that they hold together."""

    number: int
    lines: dict[str, str]

    def tree(self, n_fields: int) -> Tree:
        if self.lines["Tree"] != str(self.number):
            raise self._error(f"is numbered {self.lines['Tree']}")
        if self.lines.get("is_linear", "0") != "0":
            raise self._error("is a linear tree (linear_tree=true), whose leaves have no single value")
        n_leaves, n_bitsets = (int(self._integers(key, 1)[0]) for key in ("num_leaves", "num_cat"))
        if n_leaves < 1 or n_bitsets < 0:
            raise self._error(f"has {n_leaves} leaves and {n_bitsets} bitsets")
        tree = self._inner(n_leaves, n_bitsets) if n_leaves > 1 else self._single_leaf()
        if n_leaves > 1:
            self._check(tree, n_fields)
        if not np.isfinite(tree.leaf_value).all():
            raise self._error("has a leaf value that is not finite")
        return tree

    def _inner(self, n_leaves: int, n_bitsets: int) -> Tree:
        starts = self._integers("cat_boundaries", n_bitsets + 1) if n_bitsets else np.zeros(1, np.int64)
        n = n_leaves - 1
        return Tree(
            field=self._integers("split_feature", n),
            threshold=self._floats("threshold", n),
            decision_type=self._integers("decision_type", n),
            left=self._integers("left_child", n),
            right=self._integers("right_child", n),
            count=self._integers("internal_count", n),
            leaf_value=self._floats("leaf_value", n_leaves),
            leaf_count=self._integers("leaf_count", n_leaves),
            bit_starts=starts,
            bits=self._integers("cat_threshold", int(starts[-1])) if n_bitsets else np.zeros(0, np.int64),
        )

    def _single_leaf(self) -> Tree:
        none = np.zeros(0, np.int64)
        zero = np.zeros(1, np.int64)
        value = self._floats("leaf_value", 1)
        return Tree(none, none.astype(np.float64), none, none, none, none, value, zero, zero, none)

    def _check(self, tree: Tree, n_fields: int) -> None:
        for wrong, what in self._faults(tree, n_fields):
            if wrong:
                raise self._error(what)

    def _faults(self, tree: Tree, n_fields: int) -> Iterator[tuple[bool, str]]:
        """Each rule a tree can break; a rule may rely on those before it."""
        yield bool(((tree.field < 0) | (tree.field >= n_fields)).any()), f"splits on a field beyond the {n_fields}"
        yield bool(((tree.decision_type < 0) | (tree.decision_type > 11)).any()), "has an unknown decision_type"
        yield bool(np.isnan(tree.threshold).any()), "has a threshold that is no number"
        yield not _is_one_tree(tree), "has children that do not form a tree"
        yield bool((tree.count < 0).any() or (tree.leaf_count < 0).any() or tree.count[0] == 0), "has impossible counts"
        yield _leads_out_of_nowhere(tree), "has a node without training rows above one with some"
        bitset = tree.threshold[tree.by_category]
        n_bitsets = len(tree.bit_starts) - 1
        yield bool(((bitset < 0) | (bitset >= n_bitsets) | (bitset % 1 != 0)).any()), "names a bitset it does not have"
        yield bool(tree.bit_starts[0] != 0 or (np.diff(tree.bit_starts) < 0).any()), "has disordered cat_boundaries"
        yield bool(((tree.bits < 0) | (tree.bits >= 2**32)).any()), "has a bitset word beyond 32 bits"

    def _integers(self, key: str, n: int) -> Integers:
        return self._numbers(key, n, int, np.int64)

    def _floats(self, key: str, n: int) -> Floats:
        return self._numbers(key, n, float, np.float64)

    def _numbers(self, key: str, n: int, kind: Callable[[str], float], dtype: type[Number]) -> NDArray[Number]:
        words = self.lines.get(key, "").split()
        if len(words) != n:
            raise self._error(f"has {len(words)} values of {key} where {n} are due")
        try:
            return np.array([kind(word) for word in words], dtype)
        except (ValueError, OverflowError):
            raise self._error(f"has a value of {key} that is no number of 64 bits") from None

    def _error(self, what: str) -> BundleError:
        return BundleError(f"model text: tree {self.number} {what}")


def _is_one_tree(tree: Tree) -> bool:
    """Whether every node but the root, and every leaf, is the child of exactly one node that the root leads to."""
    n = len(tree.field)
    children = np.sort(np.concatenate([tree.left, tree.right]))
    due = np.concatenate([np.arange(-n - 1, 0), np.arange(1, n)])
    if not np.array_equal(children, due):
        return False
    reached = [0]
    for node in reached:  # each node but the root has one parent: what the root does not lead to is a circle
        reached += [int(child) for child in (tree.left[node], tree.right[node]) if child >= 0]
    return len(reached) == n


def child_counts(tree: Tree, child: Integers) -> Integers:
    """`(n,)`: the training rows that reached each of `child`, nodes or leaves."""
    nodes, leaves = np.maximum(child, 0), np.maximum(-child - 1, 0)
    return np.where(child >= 0, tree.count[nodes], tree.leaf_count[leaves])


def _leads_out_of_nowhere(tree: Tree) -> bool:
    below = child_counts(tree, tree.left) + child_counts(tree, tree.right)
    return bool(((tree.count == 0) & (below > 0)).any())
