"""The fitted linear part: one term per raw field, each a table or a curve, added up in log-odds.

Training fits a regularised logistic regression on many columns per field (one-hot levels, a missing flag, a
straight line, a spline). Nothing of that is needed to score: all columns of one field collapse into one function
of that field, so the part is exactly additive per raw field and evaluating a lead is a few table look-ups.

Every term is stored minus its mean over training, and the means stand in the intercept. A term of 0 therefore
says "as on average", and the intercept is the margin before any field speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError, InternalError
from features.model.compiled import call, compiled, inlined

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

COEFFICIENTS_PER_PIECE = 4


@dataclass(frozen=True, slots=True, eq=False)
class LevelTerm:
    """The log-odds of a category's levels.

    Attributes
    ----------
    name : str
        The field.
    log_odds : ndarray of float, shape (n_levels + 2,)
        By code: 0 missing, 1 pooled (rare or unseen), 2 and up the levels; minus the term's mean over training.
    """

    name: str
    log_odds: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SplineTerm:
    """The log-odds of a number: cubic pieces between breaks, constant beyond the first and the last.

    In piece `i`, with `t = (x - breaks[i]) / (breaks[i + 1] - breaks[i])` from 0 to 1, the term is
    `c[i, 0] + c[i, 1] t + c[i, 2] t² + c[i, 3] t³`. The local `t` keeps the coefficients in log-odds whatever
    the field's unit is, and exact where breaks lie close together.

    Attributes
    ----------
    name : str
        The field.
    breaks : ndarray of float, shape (k,)
        Strictly increasing, k at least 2, in the field's unit; the ends are where the number is winsorised.
    coefficients : ndarray of float, shape (k - 1, 4)
        Per piece, from the constant to the cubic coefficient.
    missing : float
        The log-odds of a missing number.
    """

    name: str
    breaks: FloatArray
    coefficients: FloatArray
    missing: float


Term: TypeAlias = LevelTerm | SplineTerm


class LinearArrays(NamedTuple):
    """A `LinearPart` laid flat for compiled code; field `f` owns `starts[f]` to `starts[f + 1]` of each store.

    A category has no breaks and its table as values; a number has its breaks, and as values the log-odds of
    missing followed by the coefficients piece by piece.
    """

    intercept: float
    values: FloatArray
    value_starts: IntArray
    breaks: FloatArray
    break_starts: IntArray


@inlined
def _level_log_odds(code: float, field: int, arrays: LinearArrays) -> float:
    start = arrays.value_starts[field]
    if not 0.0 <= code < arrays.value_starts[field + 1] - start:
        return np.nan
    return float(arrays.values[start + int(code)])


@inlined
def _spline_log_odds(number: float, field: int, arrays: LinearArrays) -> float:
    values, breaks = arrays.values, arrays.breaks
    first = arrays.break_starts[field]
    last = arrays.break_starts[field + 1] - 1
    start = arrays.value_starts[field]
    if np.isnan(number):
        return float(values[start])
    inside = min(max(number, breaks[first]), breaks[last])
    piece = first
    while piece < last - 1 and inside >= breaks[piece + 1]:
        piece += 1
    t = (inside - breaks[piece]) / (breaks[piece + 1] - breaks[piece])
    c = start + 1 + COEFFICIENTS_PER_PIECE * (piece - first)
    bend: float = t * (values[c + 1] + t * (values[c + 2] + t * values[c + 3]))
    return float(values[c]) + bend


@inlined
def write_terms(row: FloatArray, arrays: LinearArrays, terms: FloatArray) -> float:
    """Write each field's log-odds into `terms` (n_fields,) and return the margin of this one lead.

    The margin is the intercept plus the terms, added in field order, so that a lead alone and the same lead in
    a batch agree bit for bit. A code that the part does not know becomes NaN in both.
    """
    margin = arrays.intercept
    for field in range(row.size):
        if arrays.break_starts[field] == arrays.break_starts[field + 1]:
            terms[field] = _level_log_odds(row[field], field, arrays)
        else:
            terms[field] = _spline_log_odds(row[field], field, arrays)
        margin += terms[field]
    return margin


@compiled
def _write_all(matrix: FloatArray, arrays: LinearArrays, terms: FloatArray, margins: FloatArray) -> None:
    for lead in range(matrix.shape[0]):
        margins[lead] = write_terms(matrix[lead], arrays, terms[lead])


@dataclass(frozen=True)
class LinearPart:
    """The linear part of a model.

    Attributes
    ----------
    intercept : float
        The margin before any field speaks: the mean margin over training, in log-odds.
    terms : tuple of LevelTerm and SplineTerm
        One per field, in the order of the encoded matrix's columns.
    """

    intercept: float
    terms: tuple[Term, ...]

    @cached_property
    def arrays(self) -> LinearArrays:
        """The same part laid flat, for compiled code that scores lead by lead."""
        values = [_term_values(term) for term in self.terms]
        breaks = [term.breaks if isinstance(term, SplineTerm) else np.empty(0) for term in self.terms]
        return LinearArrays(self.intercept, _joined(values), _starts(values), _joined(breaks), _starts(breaks))

    def margins(self, matrix: FloatArray) -> FloatArray:
        """Log-odds of the linear part, shape (n_leads,); see `contributions` for the argument and what is raised."""
        return self._evaluate(matrix)[1]

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """Log-odds per raw field, centred over training, shape (n_leads, n_fields).

        Intercept plus a row's contributions is that lead's margin.

        Parameters
        ----------
        matrix : ndarray of float, shape (n_leads, n_fields)
            Encoded leads, C order: numbers NaN where missing, categories as codes.

        Raises
        ------
        InternalError
            The matrix has other columns than the part has terms, or holds a code outside a field's levels.
        """
        return self._evaluate(matrix)[0]

    def _evaluate(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        if matrix.ndim != 2 or matrix.shape[1] != len(self.terms):
            raise InternalError(f"matrix of shape {matrix.shape} for a linear part of {len(self.terms)} fields")
        terms, margins = np.empty(matrix.shape), np.empty(matrix.shape[0])
        call(_write_all, np.ascontiguousarray(matrix, dtype=np.float64), self.arrays, terms, margins)
        if np.isnan(margins).any():
            lead, field = (int(place) for place in np.argwhere(np.isnan(terms))[0])
            name, code = self.terms[field].name, matrix[lead, field]
            raise InternalError(f"row {lead}, field {name}: code {code} is not among the field's levels")
        return terms, margins

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, every float exact; `from_dict` is the way back."""
        return {"intercept": self.intercept, "terms": [_term_as_dict(term) for term in self.terms]}

    @classmethod
    def from_dict(cls, plain: object) -> LinearPart:
        """The part that `to_dict` wrote, each number checked.

        Raises
        ------
        BundleError
            A key is missing or unknown, a number is not finite, breaks do not increase, or shapes do not fit.
        """
        values = _only_keys(plain, ("intercept", "terms"), "linear part")
        if not isinstance(values["terms"], list):
            raise BundleError(f"linear part: terms is {type(values['terms']).__name__}, expected a list")
        intercept = _number(values["intercept"], "linear part: intercept")
        return cls(intercept, tuple(_term_from_dict(term) for term in values["terms"]))


def _term_values(term: Term) -> FloatArray:
    if isinstance(term, LevelTerm):
        return term.log_odds
    return np.concatenate(([term.missing], term.coefficients.ravel()))


def _joined(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty(0), *parts])


def _starts(parts: Sequence[FloatArray]) -> IntArray:
    return np.cumsum([0, *(part.size for part in parts)], dtype=np.int64)


def _term_as_dict(term: Term) -> dict[str, Any]:
    if isinstance(term, LevelTerm):
        return {"name": term.name, "log_odds": term.log_odds.tolist()}
    return {
        "name": term.name,
        "breaks": term.breaks.tolist(),
        "coefficients": term.coefficients.tolist(),
        "missing": term.missing,
    }


def _term_from_dict(plain: object) -> Term:
    is_spline = isinstance(plain, dict) and "breaks" in plain
    keys = ("name", "breaks", "coefficients", "missing") if is_spline else ("name", "log_odds")
    values = _only_keys(plain, keys, "linear term")
    if not isinstance(values["name"], str):
        raise BundleError(f"linear term: name is {values['name']!r}, expected text")
    return _spline_from_dict(values) if is_spline else _levels_from_dict(values)


def _levels_from_dict(values: dict[str, Any]) -> LevelTerm:
    place = f"linear term {values['name']}"
    log_odds = _numbers(values["log_odds"], f"{place}: log_odds")
    if log_odds.ndim != 1 or log_odds.size < 2:
        raise BundleError(f"{place}: log_odds of shape {log_odds.shape}, expected a list of missing, pooled, levels")
    return LevelTerm(values["name"], log_odds)


def _spline_from_dict(values: dict[str, Any]) -> SplineTerm:
    place = f"linear term {values['name']}"
    breaks = _numbers(values["breaks"], f"{place}: breaks")
    coefficients = _numbers(values["coefficients"], f"{place}: coefficients")
    if breaks.ndim != 1 or breaks.size < 2 or not (np.diff(breaks) > 0).all():
        raise BundleError(f"{place}: breaks are {breaks.tolist()}, expected at least two, strictly increasing")
    if coefficients.shape != (breaks.size - 1, COEFFICIENTS_PER_PIECE):
        expected = (breaks.size - 1, COEFFICIENTS_PER_PIECE)
        raise BundleError(f"{place}: coefficients of shape {coefficients.shape}, expected {expected}")
    return SplineTerm(values["name"], breaks, coefficients, _number(values["missing"], f"{place}: missing"))


def _only_keys(plain: object, keys: tuple[str, ...], place: str) -> dict[str, Any]:
    if not isinstance(plain, dict) or set(plain) != set(keys):
        seen = sorted(map(str, plain)) if isinstance(plain, dict) else type(plain).__name__
        raise BundleError(f"{place}: seen {seen}, expected the keys {sorted(keys)}")
    return plain


def _numbers(plain: object, place: str) -> FloatArray:
    try:
        numbers = np.array(plain)
    except ValueError as ragged:
        raise BundleError(f"{place}: rows of different length") from ragged
    if numbers.dtype.kind not in "fi" or not np.isfinite(numbers).all():
        raise BundleError(f"{place}: expected finite numbers only")
    return numbers.astype(np.float64)


def _number(plain: object, place: str) -> float:
    number = _numbers(plain, place)
    if number.ndim:
        raise BundleError(f"{place}: expected one number, seen {plain!r}")
    return float(number)
