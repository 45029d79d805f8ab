"""The columns that the logistic regression sees for one raw field, and how their weights fold into one term.

A category has one column per code, missing and pooled included. A number has a missing flag, a straight line and a
cubic spline over its winsorised range; line and spline columns have mean 0 over training and are 0 for a missing
number, so a number that was never missing in training and is missing later says "as on average".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse
from scipy.interpolate import BSpline

from features.model.linear import FloatArray, LevelTerm, SplineTerm
from training.recipe.sample import IntArray

DEGREE = 3
MIN_KNOT_GAP = 1e-6  # of the winsorised range; quantiles closer than this are one knot
POINTS = np.arange(DEGREE + 1) / DEGREE  # four values settle a cubic
FROM_POINTS = np.linalg.inv(np.vander(POINTS, increasing=True))


@dataclass(frozen=True, slots=True)
class LevelColumns:
    """One column per code of a category."""

    name: str
    n_columns: int

    def build(self, codes: FloatArray) -> sparse.csr_array:
        """The columns of the leads with these codes, shape (n_leads, n_columns)."""
        places = (np.arange(codes.size), codes.astype(np.int64))
        return sparse.csr_array((np.ones(codes.size), places), shape=(codes.size, self.n_columns))

    def fold(self, weights: FloatArray) -> LevelTerm:
        """The term that the columns make with these weights, shape (n_columns,)."""
        return LevelTerm(self.name, weights.copy())


@dataclass(frozen=True, slots=True, eq=False)
class NumberColumns:
    """A missing flag, then a straight line and a spline over the winsorised range; a constant has only the flag.

    Attributes
    ----------
    breaks : ndarray of float, shape (k,)
        Where pieces meet, in the field's unit, winsorised ends included: 2 for a line, 1 for a constant. All are
        values that occurred in training, so that the folded term has exactly these breaks.
    has_spline : bool
        False for a straight line only.
    means, scales : ndarray of float, shape (n_columns - 1,)
        What centres line and spline over training, and what they are divided by.
    """

    name: str
    breaks: FloatArray
    has_spline: bool
    means: FloatArray
    scales: FloatArray

    @property
    def n_columns(self) -> int:
        """How many columns the field has."""
        return 1 + self.means.size

    def build(self, numbers: FloatArray) -> sparse.csr_array:
        """The columns of the leads with these numbers, shape (n_leads, n_columns)."""
        missing = np.isnan(numbers)
        columns = np.zeros((numbers.size, self.n_columns))
        columns[missing, 0] = 1.0
        columns[~missing, 1:] = self._curves(_positions(numbers[~missing], self.breaks))
        return sparse.csr_array(columns)

    def fold(self, weights: FloatArray) -> SplineTerm:
        """The term that the columns make with these weights: each piece's cubic from its values at four points."""
        missing = float(weights[0])
        if not self.means.size:
            return _flat(self.name, float(self.breaks[0]), missing)
        knots = _positions(self.breaks, self.breaks)
        positions = knots[:-1, None] + np.diff(knots)[:, None] * POINTS
        values = (self._curves(positions.ravel()) @ weights[1:]).reshape(positions.shape)
        return SplineTerm(self.name, self.breaks, values @ FROM_POINTS.T, missing)

    def _curves(self, positions: FloatArray) -> FloatArray:
        if not self.means.size:
            return np.empty((positions.size, 0))
        knots = _positions(self.breaks, self.breaks) if self.has_spline else np.empty(0)
        return (_raw_curves(positions, knots) - self.means) / self.scales


Columns: TypeAlias = LevelColumns | NumberColumns


def owners(columns: Sequence[Columns]) -> IntArray:
    """The field's position for each column of the design, shape (n_columns,)."""
    return np.repeat(np.arange(len(columns)), [block.n_columns for block in columns])


def learn_number_columns(
    name: str, numbers: FloatArray, *, winsorised_share: float, n_knots: int, has_spline: bool
) -> NumberColumns:
    """The columns of a number as its training values, shape (n_leads,) with NaN where missing, suggest them.

    Knots stand at quantiles, ends included; quantiles that coincide count once, so a number of few distinct
    values gets fewer pieces. `has_spline` False leaves the straight line only.
    """
    known = numbers[~np.isnan(numbers)]
    if not known.size:
        return _constant(name, 0.0)
    low, high = _quantiles(known, np.array([winsorised_share, 1 - winsorised_share]))
    if not low < high:
        return _constant(name, float(low))
    ends = np.array([low, high])
    inner = _quantiles(np.clip(known, low, high), np.linspace(0, 1, n_knots)[1:-1] if has_spline else np.empty(0))
    breaks = _distinct(inner, ends)
    raw = _raw_curves(_positions(known, breaks), _positions(breaks, breaks) if has_spline else np.empty(0))
    scales = np.ones(raw.shape[1])
    scales[0] = raw[:, 0].std()
    return NumberColumns(name, breaks, has_spline, raw.mean(axis=0), scales)


def _constant(name: str, value: float) -> NumberColumns:
    return NumberColumns(name, np.array([value]), False, np.empty(0), np.empty(0))


def _flat(name: str, value: float, missing: float) -> SplineTerm:
    """A term that is 0 for every number; its two breaks stand for nothing."""
    return SplineTerm(name, np.array([value, value + max(1.0, abs(value))]), np.zeros((1, DEGREE + 1)), missing)


def _positions(numbers: FloatArray, breaks: FloatArray) -> FloatArray:
    """Places within the winsorised range, from 0 to 1; numbers beyond count as its ends. A constant stands at 0."""
    low, high = breaks[0], breaks[-1]
    return np.asarray((np.clip(numbers, low, high) - low) / ((high - low) or 1.0), dtype=np.float64)


def _quantiles(values: FloatArray, shares: FloatArray) -> FloatArray:
    """Quantiles that occur: between two values that are common there is nothing to put a knot at."""
    return np.asarray(np.quantile(values, shares, method="inverted_cdf"), dtype=np.float64)


def _distinct(inner: FloatArray, ends: FloatArray) -> FloatArray:
    """The ends and what lies between them, increasing, none closer than `MIN_KNOT_GAP` of the range to the next."""
    breaks = [ends[0]]
    gap = MIN_KNOT_GAP * (ends[1] - ends[0])
    for value in inner:
        if value - breaks[-1] > gap and ends[1] - value > gap:
            breaks.append(value)
    return np.array([*breaks, ends[1]])


def _raw_curves(positions: FloatArray, knots: FloatArray) -> FloatArray:
    if not knots.size:
        return positions[:, None]
    clamped = np.concatenate([np.zeros(DEGREE), knots, np.ones(DEGREE)])
    basis = BSpline.design_matrix(positions, clamped, DEGREE).toarray()
    return np.column_stack([positions, basis])
