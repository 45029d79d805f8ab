"""What reading the cells of one column gave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.text import Text

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parsed:
    """Values, and the cells that gave none.

    Attributes
    ----------
    values : pandas.Series
        As long as the column, with its index and name; missing where the cell is empty, bad or ambiguous.
    bad : numpy.ndarray of bool
        `(n_rows,)`, cells that hold something which cannot be read.
    ambiguous : numpy.ndarray of bool
        `(n_rows,)`, cells with two readings between which nothing in the column decides. Never also `bad`.
    note : Text or None
        What was decided for the whole column, such as the decimal comma; None if there was nothing to decide.
    """

    values: pd.Series
    bad: Mask
    ambiguous: Mask
    note: Text | None = None


def as_text(values: pd.Series) -> pa.Array:
    """The cells as Arrow strings, null where missing; cells of other types as Python writes them."""
    text = values.astype("str") if values.dtype != "str" else values
    array = pa.array(text, type=pa.large_string(), from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def mask(array: pa.Array) -> Mask:
    """An Arrow boolean array as a mask; null is False."""
    return np.asarray(array.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def nothing(values: pd.Series) -> Mask:
    """A mask of the column's length in which no cell stands out."""
    return np.zeros(len(values), dtype=bool)
