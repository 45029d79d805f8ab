"""How much the levels of a field differ: a variance per field, by empirical Bayes.

A penalty on a level's weight says how far levels are expected to lie from 0. One penalty for all fields is wrong for
most: with variance .3, a campaign of 14 leads of which 3 won counts for .4 in log-odds, though campaigns may differ by
.03 only. What the field's levels tell together settles it (Morris 1983, "Parametric empirical Bayes inference"; the
same idea as a random effect per level): with Fisher information F of the fitted weights w (intercept profiled out),

    weights given variances T:   mean m = (F + 1/T)⁻¹ (F w + w / T₀),   covariance V = (F + 1/T)⁻¹
    a field's variance given m and V:   the mean of m² + V over its columns

in turns (EM). So a level with few leads is drawn towards 0 as far as levels of this field usually lie from it, and a
level never seen, whose weight is 0, is the best guess from them.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from features.model.calibrator import probabilities_of
from training.recipe.sample import FloatArray, IntArray

EM_STEPS = 30
LEAST_VARIANCE = 1e-3


def empirical_variances(
    fisher: FloatArray,
    score: FloatArray,
    owner: IntArray,
    counted: FloatArray,
    start: FloatArray,
    *,
    usual_columns: float = 0.0,
) -> FloatArray:
    """The prior variance of each column's weight, shape (n_columns,), the same for all columns of an owner.

    Parameters
    ----------
    fisher : ndarray of float, shape (n_columns, n_columns) or (n_columns,)
        The information about the weights; its diagonal alone where columns are too many for a matrix.
    score : ndarray of float, shape (n_columns,)
        What the data pull with: `F w + w / T₀` at weights that were fitted with variances T₀.
    owner : ndarray of int, shape (n_columns,)
        Columns with the same number share a variance.
    counted : ndarray of float, shape (n_columns,)
        1 for columns to learn from; an owner without any keeps `start`.
    usual_columns : float
        Added in thought to each owner's columns, with the variance of `start`: how much weight the usual has.
    """
    sums = np.bincount(owner, weights=usual_columns * start / np.bincount(owner)[owner])
    counts = np.bincount(owner, weights=counted)
    prior = start
    for _ in range(EM_STEPS):
        means, variances = _posterior(fisher, score, prior)
        squares = sums + np.bincount(owner, weights=(means**2 + variances) * counted)
        learnt = np.maximum(squares / np.maximum(usual_columns + counts, 1e-300), LEAST_VARIANCE)
        prior = np.where(counts[owner] > 0, learnt[owner], start)
    return prior


def level_variances(
    matrix: sparse.csr_array,
    information: FloatArray,
    found: FloatArray,
    *,
    owner: IntArray,
    is_level: FloatArray,
    start: FloatArray,
    usual_levels: float,
    as_matrix: bool,
) -> FloatArray:
    """The prior variances for a regression, shape (n_columns,): learnt for levels that occur, `start` for all else.

    Parameters
    ----------
    matrix : sparse array, shape (n_leads, n_columns)
        The regression's input.
    information : ndarray of float, shape (n_leads,)
        Of each lead: its weight times p (1 - p).
    found, start : ndarray of float, shape (n_columns,)
        Weights that were fitted with the prior variances `start`.
    as_matrix : bool
        False takes columns for independent of one another, where they are too many.
    """
    occurs = np.asarray((matrix != 0).sum(axis=0) > 0).ravel()
    fisher = profiled_information(matrix, information) if as_matrix else matrix.power(2).T @ information
    pulled = fisher @ found if as_matrix else fisher * found
    return empirical_variances(
        fisher, pulled + found / start, owner, is_level * occurs, start, usual_columns=usual_levels
    )


def profiled_information(matrix: sparse.csr_array, information: FloatArray) -> FloatArray:
    """The Fisher information about the columns' weights with a free intercept, shape (n_columns, n_columns)."""
    total = float(information.sum())
    means = (matrix.T @ information) / total
    weighted = matrix.multiply(information[:, None]).tocsr()
    return np.asarray((matrix.T @ weighted).toarray() - total * np.outer(means, means))


def information_of(log_odds: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Each lead's information about its log-odds, shape (n_leads,)."""
    rate = probabilities_of(log_odds)
    return rate * (1 - rate) * (1.0 if weights is None else weights)


def _posterior(fisher: FloatArray, score: FloatArray, prior: FloatArray) -> tuple[FloatArray, FloatArray]:
    if fisher.ndim == 1:
        variances = 1 / (fisher + 1 / prior)
        return variances * score, variances
    covariance = np.linalg.inv(fisher + np.diag(1 / prior))
    return covariance @ score, np.diag(covariance)
