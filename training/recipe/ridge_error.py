"""What a ridge-penalised logistic regression leaves open: the expected squared error of its weights, as a matrix.

With F the Fisher information (intercept profiled out), penalty 1/C and true weights w ~ N(0, T), the fitted weights
miss w by an error with second moment

    S = H⁻¹ (F + T / C²) H⁻¹,    H = F + I / C:

sampling and shrinkage together. T has one variance per field, found by empirical Bayes (EM on the fitted weights;
Morris 1983, "Parametric empirical Bayes inference"): a field that says little gets little doubt, though the penalty
would allow it more, and a level never seen gets what the field's levels usually differ by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from training.recipe.linear_columns import Columns
from training.recipe.sample import FloatArray, IntArray

EM_STEPS = 30
LEAST_VARIANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class RidgeError:
    """The error of the weights, and where it is centred.

    Attributes
    ----------
    second_moment : ndarray of float, shape (n_columns, n_columns)
        S.
    means : ndarray of float, shape (n_columns,)
        The columns' means by information: a lead there has no error but that of the intercept.
    intercept_variance : float
        One over the whole information.
    """

    second_moment: FloatArray
    means: FloatArray
    intercept_variance: float


def owners(columns: Sequence[Columns]) -> IntArray:
    """The field's position for each column of the design, shape (n_columns,)."""
    return np.repeat(np.arange(len(columns)), [block.n_columns for block in columns])


def ridge_error(
    design: sparse.csr_array, information: FloatArray, weights: FloatArray, owner: IntArray, inverse_penalty: float
) -> RidgeError:
    """The error of the fitted `weights`, shape (n_columns,).

    Parameters
    ----------
    information : ndarray of float, shape (n_leads,)
        Of each lead: its weight times p (1 - p).
    owner : ndarray of int, shape (n_columns,)
        Columns with the same number share a variance.
    """
    total = float(information.sum())
    means = (design.T @ information) / total
    fisher = (design.T @ (design * information[:, None])).toarray() - total * np.outer(means, means)
    seen = np.asarray((design != 0).sum(axis=0) > 0).ravel()
    prior = _prior(fisher, weights, owner, seen, inverse_penalty)
    inverse = np.linalg.inv(fisher + np.eye(owner.size) / inverse_penalty)
    error = inverse @ (fisher + np.diag(prior) / inverse_penalty**2) @ inverse
    return RidgeError(error, means, 1.0 / total)


def _prior(
    fisher: FloatArray, weights: FloatArray, owner: IntArray, seen: FloatArray, inverse_penalty: float
) -> FloatArray:
    """T's diagonal, shape (n_columns,), by EM from the penalty's own variance."""
    score = fisher @ weights + weights / inverse_penalty
    counts = np.bincount(owner, weights=seen)
    prior = np.full(owner.size, inverse_penalty)
    for _ in range(EM_STEPS):
        posterior = np.linalg.inv(fisher + np.diag(1.0 / prior))
        squares = (posterior @ score) ** 2 + np.diag(posterior)
        sums = np.bincount(owner, weights=squares * seen)
        per_field = np.divide(sums, counts, out=np.full(counts.size, inverse_penalty), where=counts > 0)
        prior = np.maximum(per_field, LEAST_VARIANCE)[owner]
    return prior
