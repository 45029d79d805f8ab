"""A field as a few levels: code 0 is missing, the others are values, or ranges of values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import FieldType
from features.encode import MINIMUM_LEVEL_COUNT

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

MISSING, POOL = 0, 1
_HEAVY_SHARE = 0.01  # a number that so many leads share is a value of its own (0, -1, 999), not a point in a range
_MOST_RANGES = 20
_FEWEST_PER_RANGE = 50
_MICROSECONDS_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One field over all leads.

    Attributes
    ----------
    code : ndarray of int, shape (n_leads,)
        0 missing, 1 the pool of values with fewer than `MINIMUM_LEVEL_COUNT` leads, then `names`.
    names : tuple of str
        Of code i + 2, as a person reads it.
    """

    code: Codes
    names: tuple[str, ...]

    @property
    def n_codes(self) -> int:
        """How many codes there may be, missing and the pool included."""
        return len(self.names) + 2

    @property
    def filled(self) -> Flags:
        """Which leads have a value, shape (n_leads,)."""
        return np.asarray(self.code != MISSING, dtype=np.bool_)

    def name(self, code: int) -> str:
        """The level as a person reads it; empty for missing values and the pool."""
        return self.names[code - 2] if code >= 2 else ""


def cells_of(column: pd.Series, kind: FieldType, as_of: pd.Series | None) -> Cells:
    """The column as levels; a date counts by its days before the as-of date."""
    if kind in ("category", "boolean"):
        return _named(column)
    return _ranged(_numbers(column, kind, as_of))


def _numbers(column: pd.Series, kind: FieldType, as_of: pd.Series | None) -> Floats:
    if kind != "date":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    moments = column.to_numpy(dtype="datetime64[us]")
    start = as_of.to_numpy(dtype="datetime64[us]") if as_of is not None else np.datetime64("1970-01-01", "us")
    gap = start - moments
    days = gap.astype(np.int64) / _MICROSECONDS_PER_DAY
    return np.asarray(np.where(np.isnat(gap), np.nan, np.floor(days)), dtype=np.float64)


def _named(column: pd.Series) -> Cells:
    raw, distinct = pd.factorize(column)
    counts = np.bincount(raw[raw >= 0], minlength=len(distinct))
    kept = np.flatnonzero(counts >= MINIMUM_LEVEL_COUNT)
    code_of = np.full(len(distinct) + 1, POOL, dtype=np.int64)
    code_of[kept] = np.arange(2, len(kept) + 2)
    code_of[-1] = MISSING  # what factorize writes as -1
    return Cells(code_of[raw], tuple(str(value) for value in distinct.take(kept)))


def _ranged(values: Floats) -> Cells:
    code = np.zeros(len(values), dtype=np.int64)
    filled = np.flatnonzero(~np.isnan(values))
    distinct, inverse, counts = np.unique(values[filled], return_inverse=True, return_counts=True)
    heavy = counts >= max(MINIMUM_LEVEL_COUNT, _HEAVY_SHARE * len(filled))
    names = [f"{value:g}" for value in distinct[heavy]]
    code_of = np.full(len(distinct), POOL, dtype=np.int64)
    code_of[heavy] = np.arange(2, len(names) + 2)
    code[filled] = code_of[inverse]
    rest = filled[~heavy[inverse]]
    n_ranges = min(_MOST_RANGES, len(rest) // _FEWEST_PER_RANGE)
    if n_ranges:
        edges = np.unique(np.quantile(values[rest], np.linspace(0, 1, n_ranges + 1)[1:-1]))
        code[rest] = len(names) + 2 + np.searchsorted(edges, values[rest], side="right")
        names += _ranges(edges)
    return Cells(code, tuple(names))


def _ranges(edges: Floats) -> list[str]:
    bounds = [f"{edge:g}" for edge in edges]
    return [f"{low} … {high}".strip() for low, high in zip(["", *bounds], [*bounds, ""], strict=True)]
