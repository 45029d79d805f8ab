"""From a large quadratic form to what a lead can be read by: short vectors per field, and variances of single values.

The form has a row for every column of the regression. Its strongest directions, as the leads of training weigh them,
become the vectors; what they leave out is spread over the values of the fields, so that it adds up lead by lead as
nearly as variances of single values can (non-negative least squares).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from features.encode import MISSING_CODE
from features.model.linear import SplineTerm
from features.model.sureness import Doubt, LevelDoubt, SplineDoubt
from training.recipe.linear_columns import Columns, LevelColumns
from training.recipe.sample import FloatArray

WEIGHT_OF_UNSEEN = 0.01  # columns count as if one lead in a hundred had them: later ones may
STEPS = 300


def factor_of(rows: FloatArray, moment: FloatArray, rank: int) -> FloatArray:
    """L, shape (n, rank), with |x L|² closest to x `moment` x over `rows`, shape (n_leads, n)."""
    spread = rows.T @ rows / len(rows) + WEIGHT_OF_UNSEEN * np.eye(len(moment))
    root = np.linalg.cholesky(spread)
    values, directions = np.linalg.eigh(root.T @ moment @ root)
    strongest = np.argsort(values)[::-1][:rank]
    scaled = directions[:, strongest] * np.sqrt(np.maximum(values[strongest], 0.0))
    return np.asarray(np.linalg.solve(root.T, scaled))


def quadratic(rows: FloatArray, moment: FloatArray) -> FloatArray:
    """The form's value for each row, shape (n_leads,)."""
    return np.asarray(((rows @ moment) * rows).sum(axis=1))


def spread_over_values(matrix: FloatArray, columns: Sequence[Columns], rest: FloatArray) -> list[FloatArray]:
    """Per field the variance of each of its values, at least 0, that add up to `rest`, shape (n_leads,), best.

    A category has one value per code; a number has two, missing and any other. Multiplicative steps keep all of them
    at or above 0 (Daube-Witherspoon and Muehllehner 1986). Values that no row has get 0.
    """
    sizes = [_n_values(column) for column in columns]
    starts = np.cumsum([0, *sizes])
    places = np.column_stack([_value(matrix[:, f], column) + starts[f] for f, column in enumerate(columns)])
    shape = (len(matrix), int(starts[-1]))
    leads = np.repeat(np.arange(len(matrix)), len(columns))
    has = sparse.csr_array((np.ones(places.size), (leads, places.ravel())), shape)
    wanted = has.T @ np.maximum(rest, 0.0)
    own = np.full(shape[1], float(np.maximum(rest, 0.0).mean()) / len(columns))
    for _ in range(STEPS):
        found = has.T @ (has @ own)
        own = own * np.divide(wanted, found, out=np.zeros_like(own), where=found > 0)
    return np.split(own, starts[1:-1])


def doubt_of(column: Columns, rows: FloatArray, own: FloatArray, hidden: float) -> Doubt:
    """The doubt of one field from its columns' vectors, shape (n_columns, rank), and its values' own variances.

    Parameters
    ----------
    hidden : float
        The variance that a missing value adds.
    """
    own = own.copy()
    own[MISSING_CODE] += hidden
    if isinstance(column, LevelColumns):
        return LevelDoubt(column.name, rows, own)
    terms = [column.fold(rows[:, place]) for place in range(rows.shape[1])]
    return SplineDoubt(column.name, terms[0].breaks, np.column_stack([_values(term) for term in terms]), own)


def _values(term: SplineTerm) -> FloatArray:
    return np.concatenate(([term.missing], term.coefficients.ravel()))


def _n_values(column: Columns) -> int:
    return column.n_columns if isinstance(column, LevelColumns) else 2


def _value(values: FloatArray, column: Columns) -> NDArray[np.int64]:
    if isinstance(column, LevelColumns):
        return values.astype(np.int64)
    return (~np.isnan(values)).astype(np.int64)
