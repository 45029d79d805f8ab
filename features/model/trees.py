"""The booster of a model: LightGBM's trees, walked and explained without LightGBM.

`Forest` is read from LightGBM's text (lightgbm_text.py), laid out once (layout.py) and explained by compiled code
(quadrature.py, where the method and its sources stand). `Forest.margins` is a second, plain walk over the trees as the
text has them: it shares nothing with the explanation but the text, so that the two can be held against each other.

**In a kernel of one's own**, one lead costs one call of compiled code:

    @compiled
    def explain(forest: ForestArrays, row: Floats, out: Floats) -> None:
        ...
        add_contributions(forest, row, out)     # from features.model.quadrature; adds to out, log-odds

    call(explain, forest.arrays, row, out)      # row and out: (n_fields,) float64

What becomes of the compiled code on disk stands in compiled.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from features.model import lightgbm_text
from features.model.compiled import call, compiled, inlined
from features.model.layout import ForestArrays, lay_out
from features.model.lightgbm_text import MISSING_NAN, MISSING_ZERO, Floats, Integers, Tree
from features.model.quadrature import UNSEEN, ZERO, add_contributions_of_rows


class _TextArrays(NamedTuple):
    """All trees as the text has them, one behind the other; a child below 0 is the leaf `-child - 1`."""

    roots: Integers
    field: Integers
    threshold: Floats
    decision_type: Integers
    left: Integers
    right: Integers
    leaf_value: Floats
    bit_starts: Integers
    bits: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A sum of trees whose output is log-odds; immutable.

    Attributes
    ----------
    n_fields : int
        Columns of a matrix of leads.
    n_trees : int
        Zero is legitimate: the linear part was enough.
    expected_value : float
        The mean margin, weighted by the training rows at each split, log-odds: what a lead has before any field speaks.
    arrays : ForestArrays
        For compiled functions, see the top of this file.
    """

    n_fields: int
    n_trees: int
    expected_value: float
    arrays: ForestArrays
    _text_arrays: _TextArrays

    @classmethod
    def from_text(cls, text: str) -> Forest:
        """The forest of a LightGBM model text (`Booster.model_to_string`, version v4).

        Raises
        ------
        BundleError
            If the text is cut off or contradicts itself, or if it is of a kind that is refused: linear trees, several
            classes, averaged forests, objectives whose raw margin is not log-odds, more than 64 fields on a path.
        """
        n_fields, trees = lightgbm_text.read(text)
        arrays, expected_value = lay_out(trees)
        return cls(n_fields, len(trees), expected_value, arrays, _text_arrays(trees))

    def contributions(self, matrix: ArrayLike) -> Floats:
        """Each field's share of each lead's margin, `(n_leads, n_fields)`, log-odds.

        With `expected_value` a lead's contributions add up to its margin. Each row is computed on its own by the same
        compiled code: a lead alone has the same bits as the lead in a batch.

        Parameters
        ----------
        matrix : (n_leads, n_fields) floats
            NaN where a number is missing; categories as their codes.

        Raises
        ------
        ValueError
            If `matrix` is not of this shape.
        """
        rows = self._rows(matrix)
        out = np.zeros(rows.shape)
        call(add_contributions_of_rows, self.arrays, rows, out)
        return out

    def margins(self, matrix: ArrayLike) -> Floats:
        """Each lead's output, `(n_leads,)`, log-odds: the bits of LightGBM's `predict(raw_score=True)`."""
        rows = self._rows(matrix)
        out = np.zeros(len(rows))
        call(_add_margins, self._text_arrays, rows, out)
        return out

    def _rows(self, matrix: ArrayLike) -> Floats:
        """`matrix` as read-only C-ordered float64, the one kind that the compiled code is compiled for."""
        rows = np.ascontiguousarray(matrix, np.float64).view()
        if rows.ndim != 2 or rows.shape[1] != self.n_fields:
            raise ValueError(f"a matrix of shape (n_leads, {self.n_fields}) is due, got {rows.shape}")
        rows.flags.writeable = False
        return rows


def warm(forest: Forest) -> None:
    """Compiles what `forest` needs, or loads it from numba's cache: seconds once, instead of at the first lead."""
    row = np.zeros((1, forest.n_fields))
    forest.contributions(row)
    forest.margins(row)


def _text_arrays(trees: Sequence[Tree]) -> _TextArrays:
    """The trees one behind the other, their children, leaves and bitsets counted through."""
    nodes, leaves, bitsets, words = (
        _starts([len(getattr(tree, name)) - more for tree in trees])
        for name, more in (("field", 0), ("leaf_value", 0), ("bit_starts", 1), ("bits", 0))
    )
    each = range(len(trees))
    arrays = _TextArrays(
        roots=np.array([nodes[i] if len(trees[i].field) else -leaves[i] - 1 for i in each], np.int64),
        field=_joined([tree.field for tree in trees]),
        threshold=np.concatenate(
            [np.zeros(0), *(trees[i].threshold + np.where(trees[i].by_category, bitsets[i], 0) for i in each)]
        ),
        decision_type=_joined([tree.decision_type for tree in trees]),
        left=_joined([_moved(trees[i].left, nodes[i], leaves[i]) for i in each]),
        right=_joined([_moved(trees[i].right, nodes[i], leaves[i]) for i in each]),
        leaf_value=np.concatenate([np.zeros(0), *(tree.leaf_value for tree in trees)]),
        bit_starts=_joined([*(trees[i].bit_starts[:-1] + words[i] for i in each), words[-1:]]),
        bits=_joined([tree.bits for tree in trees]),
    )
    for array in arrays:
        array.flags.writeable = False
    return arrays


def _starts(lengths: Sequence[int]) -> Integers:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _joined(parts: Sequence[Integers]) -> Integers:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _moved(children: Integers, n_nodes: np.int64, n_leaves: np.int64) -> Integers:
    """Children of a tree that has `n_nodes` inner nodes and `n_leaves` leaves of other trees before it."""
    return np.where(children >= 0, children + n_nodes, children - n_leaves)


@compiled
def _add_margins(trees: _TextArrays, matrix: Floats, out: Floats) -> None:
    """Adds each row's leaf values to `out`, tree by tree in the text's order, as LightGBM does."""
    for i in range(len(matrix)):
        for root in trees.roots:
            child = root
            while child >= 0:
                x, threshold = matrix[i, trees.field[child]], trees.threshold[child]
                decision = trees.decision_type[child]
                if decision & 1:
                    bitset = np.int64(threshold)
                    goes_left = _in_bitset(trees.bits, trees.bit_starts[bitset], trees.bit_starts[bitset + 1], x)
                else:
                    goes_left = _number_goes_left(x, decision, threshold)
                child = trees.left[child] if goes_left else trees.right[child]
            out[i] += trees.leaf_value[-child - 1]


@inlined
def _number_goes_left(x: float, decision: int, threshold: float) -> bool:
    """Whether a number goes left, decided as LightGBM's own code says it (NumericalDecision in tree.h, 4.7)."""
    missing_type = decision >> 2 & 3
    if abs(x) <= ZERO or (np.isnan(x) and missing_type != MISSING_NAN):
        x = 0.0
    if (missing_type == MISSING_ZERO and x == 0.0) or (missing_type == MISSING_NAN and np.isnan(x)):
        return decision & 2 != 0
    return x <= threshold


@inlined
def _in_bitset(bits: Integers, start: int, end: int, x: float) -> bool:
    """Whether the category `x`, cut to an integer, stands in a bitset; missing, negative and unseen ones do not."""
    if not -1.0 < x < UNSEEN:
        return False
    code = np.int64(x)
    word = start + (code >> 5)
    return bool(word < end and (bits[word] >> (code & 31)) & 1)
