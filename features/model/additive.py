"""The whole model as both sides use it: two parts and a calibrator, added up per field in log-odds.

For each lead and field: the linear term times its slope plus the trees' Shapley value times theirs. The base is what
remains before any field speaks. Base plus contributions is the log-odds by construction, summed field by field in the
same order for one lead and for a million, so one lead alone equals the same lead in a batch, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.encode import FIRST_LEVEL_CODE, EncodedField, Encoder, Matrix
from features.errors import BundleError, InternalError
from features.model.calibrator import Calibrator, probability_of
from features.model.compiled import call, compiled
from features.model.kernel import Computed, Kernel, LeadArrays, write_points
from features.model.linear import LevelTerm, LinearPart, Term
from features.model.strangeness import NO_BINS, NOTHING_SEEN
from features.model.sureness import NOT_SAID
from features.model.trees import Forest


@dataclass(frozen=True, slots=True)
class Explained:
    """Scores of leads and what each field adds to them.

    Attributes
    ----------
    contributions : ndarray of shape (n_leads, n_fields)
        In log-odds.
    log_odds, probability : ndarray of shape (n_leads,)
    """

    contributions: Matrix
    log_odds: Matrix
    probability: Matrix


@dataclass(frozen=True)
class LeadModel:
    """Encoder, linear part, trees and calibrator, fitted to each other.

    Raises
    ------
    BundleError
        If the parts do not have the same fields and levels.
    """

    encoder: Encoder
    linear: LinearPart
    forest: Forest
    calibrator: Calibrator

    def __post_init__(self) -> None:
        names = tuple(term.name for term in self.linear.terms)
        if names != self.encoder.names:
            raise BundleError(f"The linear part has the fields {names}, the encoder {self.encoder.names}.")
        for field, term in zip(self.encoder.fields, self.linear.terms, strict=True):
            _require_fit(field, term)
        if self.forest.n_trees and self.forest.n_fields != len(names):
            raise BundleError(f"The trees were fitted on {self.forest.n_fields} fields, the encoder has {len(names)}.")

    @cached_property
    def base_log_odds(self) -> float:
        """The log-odds before any field speaks."""
        linear, trees = np.array([self.linear.intercept]), np.array([self.forest.expected_value])
        return float(self.calibrator.log_odds(linear, trees)[0])

    @property
    def base_probability(self) -> float:
        """The probability before any field speaks."""
        return probability_of(self.base_log_odds)

    @cached_property
    def arrays(self) -> LeadArrays:
        """The model as compiled functions read it; a bundle adds what it knows beside it."""
        return LeadArrays(
            linear=self.linear.arrays,
            forest=self.forest.arrays,
            linear_slope=self.calibrator.linear_slope,
            tree_slope=self.calibrator.tree_slope,
            base_log_odds=self.base_log_odds,
            base_probability=self.base_probability,
            sureness=NOT_SAID,
            bins=NO_BINS,
            seen=NOTHING_SEEN,
        )

    @cached_property
    def kernel(self) -> Kernel:
        """The compiled computation of the model alone."""
        return Kernel(self.arrays)

    def explain(self, matrix: Matrix) -> Explained:
        """Probabilities and contributions of the leads in `matrix`, shape (n_leads, n_fields).

        Raises
        ------
        InternalError
            As `compute`.
        """
        computed = self.compute(matrix, self.kernel)
        return Explained(computed.contributions, computed.log_odds, computed.probability)

    def compute(self, matrix: Matrix, kernel: Kernel) -> Computed:
        """All that `kernel`, the model's own or that of its bundle, computes of the leads in `matrix`.

        Raises
        ------
        InternalError
            The matrix has other columns than the model has fields, or holds a code outside a field's levels.
        """
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        if not matrix.flags.writeable:  # numba takes that for another type, and would compile the kernel once more
            matrix = matrix.copy()
        if matrix.ndim != 2 or matrix.shape[1] != len(self.linear.terms):
            raise InternalError(f"matrix of shape {matrix.shape} for a model of {len(self.linear.terms)} fields")
        computed = kernel.compute(matrix)
        if np.isnan(computed.log_odds).any():
            self.linear.contributions(matrix)  # names the code and its field
            raise InternalError("the log-odds of a lead are not a number")
        return computed

    def log_odds_unexplained(self, matrix: Matrix) -> Matrix:
        """The log-odds by walking the trees, without contributions: the independent check on `explain`."""
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        trees = self.forest.margins(matrix) if self.forest.n_trees else np.zeros(len(matrix))
        return self.calibrator.log_odds(self.linear.margins(matrix), trees)


def _require_fit(field: EncodedField, term: Term) -> None:
    """Refuse a term that has no value for some code of its field: only some later lead would show it."""
    n_codes = FIRST_LEVEL_CODE + len(field.levels) if field.kind == "category" else 0
    n_values = term.log_odds.size if isinstance(term, LevelTerm) else 0
    if n_codes != n_values:
        raise BundleError(f"The linear part has {n_values} levels for the field {field.name!r}, the encoder {n_codes}.")


def points_of(contributions: Matrix, probability: Matrix, base_probability: float) -> Matrix:
    """Contributions in percentage points: each field's share of the way from the base to the lead's probability.

    Every contribution of a lead is scaled by the same factor, the slope of the line from base to lead, so that the
    points add up to the difference of the probabilities and keep their order. Where the contributions cancel out,
    the factor is the limit of that slope, p (1 - p).

    Parameters
    ----------
    contributions : ndarray of shape (n_leads, n_fields)
    probability : ndarray of shape (n_leads,)
    """
    points = np.empty(contributions.shape)
    arguments = (np.ascontiguousarray(each, dtype=np.float64) for each in (contributions, probability))
    call(_write_all_points, *arguments, base_probability, points)
    return points


@compiled
def _write_all_points(contributions: Matrix, probability: Matrix, base_probability: float, points: Matrix) -> None:
    for i in range(contributions.shape[0]):
        write_points(contributions[i], probability[i], base_probability, points[i])
