"""Which bin of the profile each value of a lead falls in, and what about the lead training never saw; compiled.

The rules stand in features/familiar.py, whose plain walk over one lead says the same in words: the two share nothing
but the bundle's numbers, so that they can be held against each other.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.model.compiled import inlined

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

MISSING = 0  # the bin of a missing value, of numbers and categories alike


class BinArrays(NamedTuple):
    """The profile's bins laid flat: field `f` owns `edges[starts[f] : starts[f + 1]]`; made by `Profile.arrays`."""

    is_number: Flags
    edges: FloatArray
    starts: IntArray


class SeenArrays(NamedTuple):
    """What training saw of each field, `(n_fields,)` each, and the pairs of values that it never saw together.

    Attributes
    ----------
    low, high : floats
        Of a number; infinite where there is no range.
    always_given : booleans
    pairs : (n_pairs, 4) integers
        Field, bin, other field, other bin.
    """

    low: FloatArray
    high: FloatArray
    always_given: Flags
    pairs: IntArray


NO_BINS = BinArrays(np.zeros(0, np.bool_), np.zeros(0), np.zeros(1, np.int64))
NOTHING_SEEN = SeenArrays(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_), np.zeros((0, 4), np.int64))


@inlined
def write_bins(row: FloatArray, arrays: BinArrays, bins: IntArray) -> None:
    """Writes the bin of each value of one encoded lead: a category's code, 0 for a missing number, else its range."""
    for field in range(row.size):
        value = row[field]
        if not arrays.is_number[field]:
            bins[field] = np.int64(value)
        elif np.isnan(value):
            bins[field] = MISSING
        else:
            first, last = arrays.starts[field], arrays.starts[field + 1]
            place = first
            while place < last and arrays.edges[place] <= value:
                place += 1
            bins[field] = 1 + place - first


@inlined
def write_strange(row: FloatArray, bins: IntArray, seen: SeenArrays, strange: Flags) -> None:
    """Writes for each field whether training never saw such a value, such a gap, or such a pair of values."""
    for field in range(row.size):
        if bins[field] == MISSING:
            strange[field] = seen.always_given[field]
        else:
            strange[field] = row[field] < seen.low[field] or row[field] > seen.high[field]
    for pair in range(len(seen.pairs)):
        one, other = seen.pairs[pair, 0], seen.pairs[pair, 2]
        if bins[one] == seen.pairs[pair, 1] and bins[other] == seen.pairs[pair, 3]:
            strange[one] = True
            strange[other] = True
