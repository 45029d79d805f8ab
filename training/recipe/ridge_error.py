"""What a ridge-penalised logistic regression leaves open: the expected squared error of its weights, as a matrix.

With F the Fisher information (intercept profiled out), weights that were fitted with prior variances C and true weights
w ~ N(0, T), the fitted weights miss w by an error with second moment

    S = H⁻¹ (F + C⁻¹ T C⁻¹) H⁻¹,    H = F + C⁻¹:

sampling and shrinkage together. T has one variance per field, found by empirical Bayes (`training.recipe.prior`): a
field that says little gets little doubt, though the penalty would allow it more, and a level never seen gets what the
field's levels usually differ by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from training.recipe.prior import empirical_variances, profiled_information
from training.recipe.sample import FloatArray, IntArray


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


def ridge_error(
    design: sparse.csr_array, information: FloatArray, weights: FloatArray, owner: IntArray, fitted_with: FloatArray
) -> RidgeError:
    """The error of the fitted `weights`, shape (n_columns,).

    Parameters
    ----------
    information : ndarray of float, shape (n_leads,)
        Of each lead: its weight times p (1 - p).
    owner : ndarray of int, shape (n_columns,)
        Columns with the same number share a variance.
    fitted_with : ndarray of float, shape (n_columns,)
        The prior variances that the weights were fitted with, C.
    """
    total = float(information.sum())
    means = (design.T @ information) / total
    fisher = profiled_information(design, information)
    seen = np.asarray((design != 0).sum(axis=0) > 0).ravel().astype(np.float64)
    prior = empirical_variances(fisher, fisher @ weights + weights / fitted_with, owner, seen, fitted_with)
    inverse = np.linalg.inv(fisher + np.diag(1 / fitted_with))
    error = inverse @ (fisher + np.diag(prior / fitted_with**2)) @ inverse
    return RidgeError(error, means, 1.0 / total)
