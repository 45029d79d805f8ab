"""How sure the model is of one lead's log-odds: their standard error, from the encoded lead alone.

The variance of the log-odds of a lead `x` is a sum of two things that training has settled:

    variance(x) = |v0 + v1(x1) + v2(x2) + ...|²  +  own1(x1) + own2(x2) + ...

Each field contributes a short vector, read from a table or a curve just as its log-odds are. The squared length of
the vectors' sum is a quadratic form in the columns of the regression: what estimating their weights, the slopes and
the shift leaves open. `own` is what a value brings along by itself: a missing value hides what would have been known.

It costs a lead some microseconds, adds in one fixed order, and so gives a lead alone the same bits as in a batch.
docs/decisions/0011-how-sure.md has what it was measured against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError, InternalError
from features.model.calibrator import probability_of
from features.model.compiled import call, compiled, inlined

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

LEVEL = 0.9
Z_OF_LEVEL = 1.6448536269514722
COEFFICIENTS_PER_PIECE = 4


class Interval(NamedTuple):
    """Where the probability itself lies, with the chance `level`; between 0 and 1."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class LevelDoubt:
    """The vectors and own variances of a category, by code as in `LevelTerm`.

    Attributes
    ----------
    vectors : ndarray of float, shape (n_levels + 2, rank)
        In log-odds.
    own : ndarray of float, shape (n_levels + 2,)
        In squared log-odds, at least 0.
    """

    name: str
    vectors: FloatArray
    own: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SplineDoubt:
    """The vectors and own variances of a number, pieces as in `SplineTerm`.

    Attributes
    ----------
    breaks : ndarray of float, shape (k,)
        Strictly increasing, k at least 2; constant beyond the ends.
    vectors : ndarray of float, shape (1 + 4 (k - 1), rank)
        For a missing number, then for each piece the coefficients of t⁰ to t³, t from 0 to 1 within the piece.
    own : ndarray of float, shape (2,)
        For a missing number, and for any other.
    """

    name: str
    breaks: FloatArray
    vectors: FloatArray
    own: FloatArray


Doubt: TypeAlias = LevelDoubt | SplineDoubt


class SurenessArrays(NamedTuple):
    """A `Sureness` laid flat for compiled code; field `f` owns `starts[f]` to `starts[f + 1]` of each store."""

    constant: FloatArray
    vectors: FloatArray
    vector_starts: IntArray
    own: FloatArray
    own_starts: IntArray
    breaks: FloatArray
    break_starts: IntArray


def _no_starts() -> IntArray:
    return np.zeros(1, dtype=np.int64)


NOT_SAID = SurenessArrays(
    np.zeros(0), np.zeros((0, 0)), _no_starts(), np.zeros(0), _no_starts(), np.zeros(0), _no_starts()
)
"""The arrays of a model that does not say how sure it is: of no field."""


@inlined
def _add_level(code: float, field: int, arrays: SurenessArrays, total: FloatArray) -> float:
    start = arrays.vector_starts[field]
    if not 0.0 <= code < arrays.vector_starts[field + 1] - start:
        return np.nan
    for place in range(total.size):
        total[place] += arrays.vectors[start + int(code), place]
    return float(arrays.own[arrays.own_starts[field] + int(code)])


@inlined
def _add_number(number: float, field: int, arrays: SurenessArrays, total: FloatArray) -> float:
    vectors, breaks = arrays.vectors, arrays.breaks
    start, own = arrays.vector_starts[field], arrays.own_starts[field]
    first, last = arrays.break_starts[field], arrays.break_starts[field + 1] - 1
    if np.isnan(number):
        for place in range(total.size):
            total[place] += vectors[start, place]
        return float(arrays.own[own])
    inside = min(max(number, breaks[first]), breaks[last])
    piece = first
    while piece < last - 1 and inside >= breaks[piece + 1]:
        piece += 1
    t = (inside - breaks[piece]) / (breaks[piece + 1] - breaks[piece])
    c = start + 1 + COEFFICIENTS_PER_PIECE * (piece - first)
    for place in range(total.size):
        bend = t * (vectors[c + 1, place] + t * (vectors[c + 2, place] + t * vectors[c + 3, place]))
        total[place] += vectors[c, place] + bend
    return float(arrays.own[own + 1])


@inlined
def variance_of(row: FloatArray, arrays: SurenessArrays) -> float:
    """The variance of one lead's log-odds; NaN if it holds a code that its field does not have."""
    total = arrays.constant.copy()
    variance = 0.0
    for field in range(row.size):
        if arrays.break_starts[field] == arrays.break_starts[field + 1]:
            variance += _add_level(row[field], field, arrays, total)
        else:
            variance += _add_number(row[field], field, arrays, total)
    for place in range(total.size):
        variance += total[place] * total[place]
    return variance


@compiled
def _standard_errors(matrix: FloatArray, arrays: SurenessArrays, out: FloatArray) -> None:
    for lead in range(matrix.shape[0]):
        out[lead] = math.sqrt(variance_of(matrix[lead], arrays))


@dataclass(frozen=True)
class Sureness:
    """The standard error of a model's log-odds, lead by lead.

    Attributes
    ----------
    constant : ndarray of float, shape (rank,)
        The vector before any field speaks.
    fields : tuple of LevelDoubt and SplineDoubt
        One per field, in the order of the encoded matrix's columns.
    """

    constant: FloatArray
    fields: tuple[Doubt, ...]

    @cached_property
    def arrays(self) -> SurenessArrays:
        """The same laid flat, for compiled code."""
        vectors = [field.vectors for field in self.fields]
        own = [field.own for field in self.fields]
        breaks = [field.breaks if isinstance(field, SplineDoubt) else np.empty(0) for field in self.fields]
        joined = np.concatenate([np.empty((0, self.constant.size)), *vectors])
        return SurenessArrays(
            np.ascontiguousarray(self.constant),
            np.ascontiguousarray(joined),
            _starts(vectors),
            np.concatenate([np.empty(0), *own]),
            _starts(own),
            np.concatenate([np.empty(0), *breaks]),
            _starts(breaks),
        )

    def standard_errors(self, matrix: FloatArray) -> FloatArray:
        """The standard errors of the calibrated log-odds, shape (n_leads,).

        Parameters
        ----------
        matrix : ndarray of float, shape (n_leads, n_fields)
            Encoded leads.

        Raises
        ------
        InternalError
            The matrix has another number of fields, or holds a code outside a field's levels.
        """
        if matrix.ndim != 2 or matrix.shape[1] != len(self.fields):
            raise InternalError(f"matrix of shape {matrix.shape} for the doubts of {len(self.fields)} fields")
        errors = np.empty(matrix.shape[0])
        call(_standard_errors, np.ascontiguousarray(matrix, dtype=np.float64), self.arrays, errors)
        if np.isnan(errors).any():
            raise InternalError(
                f"row {int(np.flatnonzero(np.isnan(errors))[0])} holds a code outside its field's levels"
            )
        return errors

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, every float exact; `from_dict` is the way back."""
        return {"constant": self.constant.tolist(), "fields": [_field_as_dict(field) for field in self.fields]}

    @classmethod
    def from_dict(cls, plain: object) -> Sureness:
        """What `to_dict` wrote, each number checked.

        Raises
        ------
        BundleError
            A key is missing or unknown, a number is not finite, or shapes do not fit.
        """
        values = _only_keys(plain, {"constant", "fields"}, "sureness")
        if not isinstance(values["fields"], list):
            raise BundleError("sureness: fields is not a list")
        constant = _numbers(values["constant"], 1, "sureness: constant")
        return cls(constant, tuple(_field_from_dict(field, constant.size) for field in values["fields"]))


def interval_of(log_odds: float, standard_error: float) -> Interval:
    """The interval of one probability: `Z_OF_LEVEL` standard errors of log-odds to either side.

    >>> low, high, level = interval_of(0.0, 0.0)
    >>> low, high, level
    (0.5, 0.5, 0.9)
    """
    reach = Z_OF_LEVEL * standard_error
    return Interval(probability_of(log_odds - reach), probability_of(log_odds + reach), LEVEL)


def _starts(parts: list[FloatArray]) -> IntArray:
    return np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)


def _field_as_dict(field: Doubt) -> dict[str, Any]:
    plain = {"name": field.name, "vectors": field.vectors.tolist(), "own": field.own.tolist()}
    return plain | ({"breaks": field.breaks.tolist()} if isinstance(field, SplineDoubt) else {})


def _field_from_dict(plain: object, rank: int) -> Doubt:
    is_spline = isinstance(plain, dict) and "breaks" in plain
    values = _only_keys(plain, {"name", "vectors", "own"} | ({"breaks"} if is_spline else set()), "sureness")
    name = values["name"]
    if not isinstance(name, str):
        raise BundleError(f"sureness: name is {name!r}, expected text")
    vectors = _numbers(values["vectors"], 2, f"sureness of {name}: vectors")
    own = _numbers(values["own"], 1, f"sureness of {name}: own")
    if vectors.shape[1] != rank or (own < 0).any():
        raise BundleError(f"sureness of {name}: expected vectors of {rank} numbers and no negative variance")
    return _spline(name, values["breaks"], vectors, own) if is_spline else _levels(name, vectors, own)


def _levels(name: str, vectors: FloatArray, own: FloatArray) -> LevelDoubt:
    if len(vectors) < 2 or len(own) != len(vectors):
        raise BundleError(f"sureness of {name}: {len(vectors)} vectors and {len(own)} variances do not fit a category")
    return LevelDoubt(name, vectors, own)


def _spline(name: str, plain: object, vectors: FloatArray, own: FloatArray) -> SplineDoubt:
    breaks = _numbers(plain, 1, f"sureness of {name}: breaks")
    if breaks.size < 2 or not (np.diff(breaks) > 0).all():
        raise BundleError(f"sureness of {name}: breaks must be at least two, strictly increasing")
    if len(vectors) != 1 + COEFFICIENTS_PER_PIECE * (breaks.size - 1) or len(own) != 2:
        raise BundleError(f"sureness of {name}: {len(vectors)} vectors and {len(own)} variances do not fit its breaks")
    return SplineDoubt(name, breaks, vectors, own)


def _only_keys(plain: object, keys: set[str], place: str) -> dict[str, Any]:
    if not isinstance(plain, dict) or set(plain) != keys:
        seen = sorted(map(str, plain)) if isinstance(plain, dict) else type(plain).__name__
        raise BundleError(f"{place}: seen {seen}, expected the keys {sorted(keys)}")
    return plain


def _numbers(plain: object, n_dimensions: int, place: str) -> FloatArray:
    try:
        numbers = np.array(plain)
    except ValueError as ragged:
        raise BundleError(f"{place}: rows of different length") from ragged
    if numbers.ndim != n_dimensions or numbers.dtype.kind not in "fi" or not np.isfinite(numbers).all():
        raise BundleError(f"{place}: expected finite numbers in {n_dimensions} dimension(s)")
    return numbers.astype(np.float64)
