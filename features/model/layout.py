"""Trees laid out for the compiled walk: one record per inner node, parents before children, decided without branches.

What is known without a lead is settled here, once, when a model is opened:

- **Slots.** A field is looked at in up to four ways: as a number with nothing, zero or NaN taken for missing, or as a
  category. Each way that the trees use is a slot; a lead's row is turned into slots once, then a split is one
  comparison.
- **Links.** Where a field stands more than once on a path, each later node links to its nearest earlier one and holds
  `weight`, the share of training rows that the field's earlier splits let through. `inverse` points to
  `1 / (t + weight (1 - t))` at the quadrature points (see quadrature.py), so that nothing is divided later.
- **Groups.** Quadrature with n points is exact for 2n distinct fields on a path. Trees are grouped by what they need:
  4, 8, 16 or 32 points, so that 64 fields on one path are the limit.
- **Covers.** Only the left child's share of the rows is kept; the right child has the rest (see covers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError
from features.model.covers import Covered, with_covers_that_add_up
from features.model.lightgbm_text import Floats, Integers, Tree

LANES = (4, 8, 16, 32)
AS_CATEGORY = 3  # the slot kinds 0, 1 and 2 are the missing types of a number

NODE = np.dtype(
    [
        ("threshold", np.float64),  # numbers up to it go left; -inf for a split by category
        ("share", np.float64),  # of the node's training rows that went left
        ("weight", np.float64),  # share that the field's earlier splits on this path let through; 1 if there are none
        ("left_value", np.float64),  # log-odds if the left child is a leaf, else 0
        ("right_value", np.float64),
        ("left", np.uint32),  # place of the left child in its tree, counted from 1; 0 for a leaf
        ("right", np.uint32),
        ("slot", np.uint32),
        ("link", np.uint32),  # 2 * place of the field's earlier node + 1 if this path goes left there; 0 if none
        ("inverse", np.uint32),  # start of 1 / (t + weight (1 - t)) in `inverses`; 0, a row of ones, if no link
        ("bits", np.uint32),  # start of the bitset in `bits`; 0, an empty one, for a number
        ("n_words", np.uint32),
        ("missing_goes_left", np.uint32),
    ],
    align=True,
)


class ForestArrays(NamedTuple):
    """What the compiled functions read; made by `lay_out`, never written again.

    Attributes
    ----------
    nodes : (n_nodes,) of NODE
        All inner nodes, tree by tree, the trees by group.
    first_nodes : (n_trees + 1,) integers
        Where each tree begins in `nodes`.
    groups : (5,) integers
        Where each group begins in `first_nodes`.
    largest : (4,) integers
        Inner nodes of each group's largest tree.
    slot_field, slot_kind : (n_slots,) integers
        The field of each slot, and what it takes for missing, or AS_CATEGORY.
    bits : unsigned integers of 32 bits
        All bitsets, each followed by an empty word, to which a category beyond the bitset is referred.
    inverses, rules : floats
        See `inverse` above; points, then weights, of each group's quadrature.
    """

    nodes: NDArray[np.void]
    first_nodes: Integers
    groups: Integers
    largest: Integers
    slot_field: Integers
    slot_kind: Integers
    bits: NDArray[np.uint32]
    inverses: Floats
    rules: Floats


def lay_out(trees: Sequence[Tree]) -> tuple[ForestArrays, float]:
    """The arrays of a forest, and its expected value: the mean margin, weighted by covers.

    Raises
    ------
    BundleError
        If a path holds more distinct fields than the largest group has room for.
    """
    plans = [_Plan(with_covers_that_add_up(tree)) for tree in trees if len(tree.field)]
    expected = sum(float(tree.leaf_value[0]) for tree in trees if not len(tree.field))
    tables = _Tables()
    by_group: list[list[NDArray[np.void]]] = [[] for _ in LANES]
    for plan in plans:
        group = _group(plan.most_fields)
        by_group[group].append(tables.nodes(plan, LANES[group]))
        expected += plan.expected_value()
    ordered = [nodes for group in by_group for nodes in group]
    arrays = ForestArrays(
        nodes=np.concatenate(ordered) if ordered else np.zeros(0, NODE),
        first_nodes=_starts([len(nodes) for nodes in ordered]),
        groups=_starts([len(group) for group in by_group]),
        largest=np.array([max(map(len, group), default=0) for group in by_group], np.int64),
        slot_field=np.array([field for field, _ in tables.slots], np.int64),
        slot_kind=np.array([kind for _, kind in tables.slots], np.int64),
        bits=np.concatenate(tables.bits),
        inverses=np.concatenate(tables.inverses),
        rules=np.concatenate([part for lanes in LANES for part in quadrature_rule(lanes)]),
    )
    for array in arrays:
        array.flags.writeable = False
    return arrays, expected


@cache
def quadrature_rule(lanes: int) -> tuple[Floats, Floats]:
    """Points and weights of Gauss-Legendre quadrature between 0 and 1, `(lanes,)` each."""
    points, weights = np.polynomial.legendre.leggauss(lanes)
    return (points + 1) / 2, weights / 2


def _group(n_fields: int) -> int:
    for group, lanes in enumerate(LANES):
        if n_fields <= 2 * lanes:
            return group
    raise BundleError(
        f"model text: a tree asks {n_fields} different fields on one path; "
        f"up to {2 * LANES[-1]} can be explained exactly"
    )


def _starts(lengths: Sequence[int]) -> Integers:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


class _Plan:
    """One tree level by level: `order`, and per place in it the link, the weight and what leads there."""

    def __init__(self, covered: Covered) -> None:
        self.tree, share, sends_all_left = covered
        self.order: list[int] = [0]
        self.parents = [-1]  # 2 * place + 1 if the path goes left there
        left, right = self.tree.left.tolist(), self.tree.right.tolist()
        for place, node in enumerate(self.order, start=1):
            for goes_left, child in ((1, left[node]), (0, right[node])):
                if child >= 0:
                    self.order.append(child)
                    self.parents.append(2 * place + goes_left)
        self.share, self.sends_all_left = share[self.order], sends_all_left[self.order]
        self.links, self.weights, self.most_fields = self._linked()

    def _linked(self) -> tuple[list[int], list[float], int]:
        """Per place: the link and the weight; and the largest number of distinct fields on a path."""
        fields = self.tree.field[self.order].tolist()
        links, weights, distinct = [0], [1.0], [1]
        for parent, field in zip(self.parents[1:], fields[1:], strict=True):
            link = parent
            while link > 1 and fields[link // 2 - 1] != field:
                link = self.parents[link // 2 - 1]
            found = link > 1
            links.append(link if found else 0)
            weights.append(weights[link // 2 - 1] * self.side_share(link) if found else 1.0)
            distinct.append(distinct[parent // 2 - 1] + (not found))
        return links, weights, max(distinct)

    def side_share(self, way: int) -> float:
        """The share of rows that goes the way `2 * place + 1 if left`."""
        share = float(self.share[way // 2 - 1])
        return share if way % 2 else 1.0 - share

    def expected_value(self) -> float:
        """The tree's mean output, weighted by covers, log-odds."""
        reach = [1.0]
        for parent in self.parents[1:]:
            reach.append(reach[parent // 2 - 1] * self.side_share(parent))
        to_left, to_right = self.leaf_values()
        return float(np.dot(reach, self.share * to_left + (1.0 - self.share) * to_right))

    def leaf_values(self) -> tuple[Floats, Floats]:
        """Per place: the left and the right child's value, log-odds; 0 if the child is no leaf."""
        tree = self.tree
        children = (tree.left[self.order], tree.right[self.order])
        left, right = (np.where(child < 0, tree.leaf_value[np.maximum(-child - 1, 0)], 0.0) for child in children)
        return left, right


class _Tables:
    """What grows while trees are laid out: slots, bitsets and inverses, each with its place."""

    def __init__(self) -> None:
        self.slots: dict[tuple[int, int], int] = {}
        self.bits = [np.zeros(1, np.uint32)]
        self.n_words = 1
        self.inverses = [np.ones(LANES[-1])]
        self.n_inverses = LANES[-1]

    def nodes(self, plan: _Plan, lanes: int) -> NDArray[np.void]:
        """The records of one tree."""
        tree, order = plan.tree, plan.order
        place = np.zeros(len(order) + 1, np.int64)  # the last entry stands for every leaf
        place[order] = np.arange(1, len(order) + 1)
        nodes = np.zeros(len(order), NODE)
        nodes["left"], nodes["right"] = (place[np.maximum(c[order], -1)] for c in (tree.left, tree.right))
        nodes["left_value"], nodes["right_value"] = plan.leaf_values()
        nodes["share"], nodes["weight"], nodes["link"] = plan.share, plan.weights, plan.links
        self._set_inverses(nodes, lanes)
        by_category = tree.by_category[order]
        kinds = np.where(by_category, AS_CATEGORY, tree.missing_type[order])
        nodes["slot"] = [self._slot(*key) for key in zip(tree.field[order].tolist(), kinds.tolist(), strict=True)]
        nodes["threshold"] = np.where(
            plan.sends_all_left, np.inf, np.where(by_category, -np.inf, tree.threshold[order])
        )
        nodes["missing_goes_left"] = plan.sends_all_left | (tree.missing_goes_left[order] & ~by_category)
        self._set_bits(nodes, tree, np.where(by_category & ~plan.sends_all_left, tree.threshold[order], -1.0))
        return nodes

    def _slot(self, field: int, kind: int) -> int:
        return self.slots.setdefault((field, kind), len(self.slots))

    def _set_inverses(self, nodes: NDArray[np.void], lanes: int) -> None:
        """Appends 1 / (t + weight (1 - t)) of each node that has a link, and writes where it begins."""
        points, _ = quadrature_rule(lanes)
        linked = np.flatnonzero(nodes["link"])
        weights = nodes["weight"][linked, None]
        self.inverses.append((1.0 / (points + weights * (1.0 - points))).ravel())
        nodes["inverse"][linked] = self.n_inverses + lanes * np.arange(len(linked))
        self.n_inverses += lanes * len(linked)

    def _set_bits(self, nodes: NDArray[np.void], tree: Tree, bitset: Floats) -> None:
        """Writes where the bitset of each node begins and its number of words; `bitset` is -1 where there is none."""
        starts = []
        for begin, end in zip(tree.bit_starts[:-1], tree.bit_starts[1:], strict=True):
            starts.append(self.n_words)
            self.bits += [tree.bits[begin:end].astype(np.uint32), np.zeros(1, np.uint32)]
            self.n_words += int(end - begin) + 1
        used = bitset >= 0
        which = bitset[used].astype(np.int64)
        nodes["bits"][used] = np.array(starts, np.int64)[which] if starts else 0
        nodes["n_words"][used] = np.diff(tree.bit_starts)[which] if starts else 0
