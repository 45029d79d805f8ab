"""Shapley values of trees by their definition: slow, independent of the product's method, never dividing by zero."""

from __future__ import annotations

import math

import numpy as np

from features.model.lightgbm_text import Floats, Tree, read


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
