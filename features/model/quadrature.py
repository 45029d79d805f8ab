"""Exact contributions of trees to one lead's margin, by quadrature, in compiled code.

**What is computed.** The Shapley values of the game that LightGBM's `pred_contrib` plays (Lundberg, Erion and Lee 2018,
"Consistent Individualized Feature Attribution for Tree Ensembles", the path-dependent TreeSHAP): fields that are not
in the coalition S are averaged out by the training rows that went each way. A leaf of value v gives to S

    v * product over the fields j of its path of (o_j if j in S, else z_j)

where `o_j` ("one fraction") is 1 if the lead passes all of j's splits on the path, else 0, and `z_j` ("zero fraction")
is the product of the shares of training rows that those splits let through. The Shapley weight of a coalition of s of
the d - 1 other fields is a beta integral, s! (d-1-s)! / d! = integral from 0 to 1 of t^s (1-t)^(d-1-s) dt, so that

    phi_i = v (o_i - z_i) * integral of product over j != i of g_j(t) dt,    g_j(t) = o_j t + z_j (1 - t).

(Yu and others 2022, "Linear TreeShap", reach the same polynomial by its coefficients.) The integrand has
degree d - 1, so Gauss-Legendre quadrature with n points is exact for d <= 2n.

**How a tree shares the work.** One vector over the points t per node. Going down, P is the product of the factors above
a node: P_left = P f, P_right = P - P_left. Going up, R is the sum over the leaves below of v times the factors
below: R = R_right + f (R_left - R_right). For a split on a field i that is new on the path, with e = 1 if the lead
goes left, else 0, and r the share of rows that went left,

    f = e t + r (1 - t)                    phi_i += sum over t of weight(t) P (e - r) (R_left - R_right)

**A field that recurs.** Let (o, z) be the field's earlier splits on this path and g = o t + z (1 - t) their factor,
which P holds. The new factor replaces it: f = g_left / g. What the earlier split gave for the leaves below, with
(o - z) / g, is taken back and given again with (o_left - z_left) / g_left. Worked out:

    o = 0:  f = r                          phi_i += 0
    o = 1:  f = (e t + z r (1 - t)) / g    phi_i += sum over t of weight(t) P z / g^2 (e - r) (R_left - R_right)

A new field is the second line with z = 1 and g = 1. 1 / g depends on no lead: it is tabulated, and t > 0 keeps g
above 0 whatever the shares are (0 included, where LightGBM's own recursion divides 0 by 0). Since P holds g, and
z / g < 1 / (1 - t), nothing grows: on long paths this keeps the digits that the recursion loses.

**A tree of two splits** on 10 training rows, with the age asked first and then the source:

    age <= 40 (10 rows): left -> source is "fair" (6 rows): left -> leaf of 3 (2 rows); right -> leaf of 0 (4 rows)
                         right -> leaf of 1 (4 rows)

The expected value is .2 * 3 + .4 * 0 + .4 * 1 = 1. A lead of 30 years from another source has the margin 0. Coalitions:
nothing known 1; age known (2 * 3 + 4 * 0) / 6 = 1; source known .6 * 0 + .4 * 1 = .4; both 0. Hence
phi_age = ((1 - 1) + (0 - .4)) / 2 = -.2 and phi_source = ((.4 - 1) + (0 - 1)) / 2 = -.8; 1 - .2 - .8 = 0.
By the formulas: at the root e = 1, r = .6, f = t + .6 (1 - t) = .6 + .4 t. At the second node P = f, e = 0, r = 1/3,
R_left - R_right = 3, so that phi_source = integral of (.6 + .4 t) (-1/3) 3 dt = -.8. Up: R = (1 - t) / 3 * 3 = 1 - t
against 1 on the right, so that phi_age = integral of (1 - .6) (1 - t - 1) dt = -.2. The tests ask for these numbers.
"""
# ruff: noqa: PLR0917 - numba passes arrays by position

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.model.compiled import compiled, inlined
from features.model.layout import AS_CATEGORY, ForestArrays
from features.model.lightgbm_text import MISSING_NONE, MISSING_ZERO, Floats
from features.model.vectors import fused, load, ones, spread, store, total

Vector = Any  # vectors.Vector, as numba sees it
Node = Any  # one record of layout.NODE
Nodes = Any  # (n_nodes,) of them

ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold: what is as small counts as zero
UNSEEN = 2**31 - 1  # no bitset reaches as far


@compiled
def add_contributions_of_rows(forest: ForestArrays, matrix: Floats, out: Floats) -> None:
    """Adds to `out[i]` the contributions of the fields of each row `matrix[i]`, row by row."""
    for i in range(matrix.shape[0]):
        add_contributions(forest, matrix[i], out[i])


@inlined
def add_contributions(forest: ForestArrays, row: Floats, out: Floats) -> None:
    """Adds the contributions of one lead's fields to its margin, log-odds, to `out`.

    To be called from compiled functions, as the top of trees.py shows.

    Parameters
    ----------
    forest : ForestArrays
    row : (n_fields,) floats
        NaN where a number is missing.
    out : (n_fields,) floats
    """
    values = np.empty(len(forest.slot_field))
    codes = np.empty(len(forest.slot_field), np.uint32)
    _fill_slots(forest, row, values, codes)
    _add_group(forest, 0, values, codes, out, ones(4))
    _add_group(forest, 1, values, codes, out, ones(8))
    _add_group(forest, 2, values, codes, out, ones(16))
    _add_group(forest, 3, values, codes, out, ones(32))


@inlined
def _fill_slots(forest: ForestArrays, row: Floats, values: Floats, codes: NDArray[np.uint32]) -> None:
    """One lead as the splits look at it: a number (NaN if missing) and a category per slot."""
    for slot in range(len(forest.slot_field)):
        x = row[forest.slot_field[slot]]
        kind = forest.slot_kind[slot]
        if abs(x) <= ZERO:
            x = 0.0
        codes[slot] = np.uint32(UNSEEN)
        if kind == AS_CATEGORY:
            if -1.0 < x < UNSEEN:
                codes[slot] = np.uint32(x)
            x = np.nan
        elif kind == MISSING_NONE and np.isnan(x):
            x = 0.0
        elif kind == MISSING_ZERO and x == 0.0:
            x = np.nan
        values[slot] = x


@inlined
def _add_group(
    forest: ForestArrays, group: int, values: Floats, codes: NDArray[np.uint32], out: Floats, one: Vector
) -> None:
    """Adds what the trees of one group give; `one` has as many lanes as the group has points."""
    first, last = forest.groups[group], forest.groups[group + 1]
    if first == last:
        return
    lanes = 4 << group
    points = load(forest.rules, 2 * lanes - 8, one)
    weights = load(forest.rules, 3 * lanes - 8, one)
    size = (forest.largest[group] + 1) * lanes
    down, factors, up = np.empty(size), np.empty(size), np.empty(size)
    store(up, 0, one - one)  # place 0 stands for a leaf, whose value comes with its node
    passed = np.ones(2 * forest.largest[group] + 2, np.uint8)
    sums = np.zeros(len(values) * lanes)
    for tree in range(first, last):
        nodes = forest.nodes[forest.first_nodes[tree] : forest.first_nodes[tree + 1]]
        _go_down(forest.bits, forest.inverses, nodes, values, codes, passed, down, factors, points, lanes, one)
        _go_up(nodes, down, factors, up, sums, lanes, one)
    for slot in range(len(values)):
        out[forest.slot_field[slot]] += total(load(sums, slot * lanes, one) * weights)


@inlined
def _go_down(
    bits: NDArray[np.uint32],
    inverses: Floats,
    nodes: Nodes,
    values: Floats,
    codes: NDArray[np.uint32],
    passed: NDArray[np.uint8],
    down: Floats,
    factors: Floats,
    points: Vector,
    lanes: int,
    one: Vector,
) -> None:
    """Fills `factors` with f, and `down` with P (e - r) z / g^2, for each node of a tree, place by place."""
    store(down, lanes, one)
    for i in range(len(nodes)):
        node = nodes[i]
        place = i + 1
        code = codes[node.slot]
        word = bits[node.bits + min(code >> np.uint32(5), node.n_words)]
        e = _goes_left(node, values[node.slot], word >> (code & np.uint32(31)))
        o = passed[node.link]
        passed[2 * place] = o & (e ^ 1)
        passed[2 * place + 1] = o & e
        # Sums of products, not conditions: the processor cannot guess where a lead goes.
        one_if, zero_if, r = np.float64(o), np.float64(o ^ 1), node.share
        weight = one_if * node.weight
        at_one = one_if * e + zero_if * r
        at_zero = (weight + zero_if) * r
        inverse = load(inverses, node.inverse * o, one)
        f = fused(spread(at_one - at_zero, one), points, spread(at_zero, one)) * inverse
        product = load(down, place * lanes, one)
        left = product * f
        store(factors, place * lanes, f)
        store(down, node.left * lanes, left)
        store(down, node.right * lanes, product - left)
        store(down, place * lanes, product * inverse * inverse * spread(weight * (e - r), one))


@inlined
def _goes_left(node: Node, value: float, bit: np.uint32) -> np.uint8:
    """1 if the lead goes left, else 0; without a branch, a number's and a category's way are both looked up."""
    by_number = (value <= node.threshold) | (np.isnan(value) & (node.missing_goes_left != 0))
    return np.uint8(by_number) | np.uint8(bit & np.uint32(1))


@inlined
def _go_up(nodes: Nodes, down: Floats, factors: Floats, up: Floats, sums: Floats, lanes: int, one: Vector) -> None:
    """Fills `up` with R from the leaves to the root, and adds each split's part to its slot, point by point."""
    for i in range(len(nodes) - 1, -1, -1):
        node = nodes[i]
        place = i + 1
        right = load(up, node.right * lanes, one) + spread(node.right_value, one)
        difference = load(up, node.left * lanes, one) + spread(node.left_value, one) - right
        store(up, place * lanes, fused(load(factors, place * lanes, one), difference, right))
        so_far = load(sums, node.slot * lanes, one)
        store(sums, node.slot * lanes, fused(load(down, place * lanes, one), difference, so_far))
