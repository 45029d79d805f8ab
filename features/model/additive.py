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
from features.errors import BundleError
from features.model.calibrator import Calibrator, probabilities_of, probability_of
from features.model.linear import LevelTerm, LinearPart, Term
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

    def explain(self, matrix: Matrix) -> Explained:
        """Probabilities and contributions of the leads in `matrix`, shape (n_leads, n_fields)."""
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        contributions = self.calibrator.linear_slope * self.linear.contributions(matrix)
        if self.forest.n_trees:
            contributions += self.calibrator.tree_slope * self.forest.contributions(matrix)
        log_odds = self.base_log_odds + row_totals(contributions)
        return Explained(contributions, log_odds, probabilities_of(log_odds))

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


def row_totals(contributions: Matrix) -> Matrix:
    """Each row's sum, shape (n_leads,), added field by field: numpy's own sum may round a row by its batch."""
    total = np.zeros(len(contributions))
    for field in range(contributions.shape[1]):
        total += contributions[:, field]
    return total


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
    total = row_totals(contributions)
    cancelled = np.abs(total) < 1e-9
    rise = probability - base_probability
    slope = np.divide(rise, total, out=np.full(len(total), base_probability * (1 - base_probability)), where=~cancelled)
    points: Matrix = 100 * contributions * slope[:, None]
    return points
