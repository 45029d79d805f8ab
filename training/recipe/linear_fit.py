"""Fitting the linear part: a regularised logistic regression, folded back into one term per raw field.

Curves are drawn towards flat by one penalty; levels towards 0 as far as the levels of their field turn out to differ
(`training.recipe.prior`).

A field with an agreed direction enters as a straight line only, which is left out if the leads point the other way:
the trees, which can be held to a direction, then shape it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from features.encode import FIRST_LEVEL_CODE, EncodedField
from features.errors import Problem, TooFewOutcomesError
from features.model.linear import FloatArray, LevelTerm, LinearPart, SplineTerm, Term
from features.text import Text
from training.recipe.linear_columns import Columns, LevelColumns, learn_number_columns, owners
from training.recipe.prior import information_of, level_variances
from training.recipe.sample import IntArray, Sample


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """How the linear part is fitted; the defaults are the recipe that was measured best on average.

    Attributes
    ----------
    inverse_penalty : float
        scikit-learn's C, the prior variance of a weight: of a curve's columns, and where the estimate for a field's
        levels begins.
    usual_levels : float
        As if so many more levels of each field were known, which differ by `inverse_penalty`: keeps the estimate from
        few levels sane.
    winsorised_share : float
        Cut off at either end of a number: one lead with ten million employees must not bend the curve.
    n_knots : int
        Most knots of a spline, its ends included. With 6, cubic tails run away where a later rate of wins meets
        values that were rare; 4 did as well on x_education and better on bank_marketing.
    n_folds : int
        Folds of the out-of-fold margins that the trees start from.
    max_steps : int
        Of the solver, which needs some 10.
    max_dense_columns, max_dense_cells : int
        Up to so many columns, and leads times columns, are fitted as a dense matrix; 30 million cells are 240 MB.
    """

    inverse_penalty: float = 0.3
    usual_levels: float = 1.0
    winsorised_share: float = 0.005
    n_knots: int = 4
    n_folds: int = 5
    max_steps: int = 500
    max_dense_columns: int = 300
    max_dense_cells: int = 30_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The regression's input for one sample, and how far its weights are expected to lie from 0.

    Attributes
    ----------
    columns : sequence of Columns
        Per field, in order.
    matrix : sparse array, shape (n_leads, total of all columns)
        Field after field.
    directions : ndarray of int, shape (n_columns,)
        The agreed direction of each column, 0 for none.
    variances : ndarray of float, shape (n_columns,)
        The prior variance of each column's weight.
    """

    columns: Sequence[Columns]
    matrix: sparse.csr_array
    directions: IntArray
    variances: FloatArray


def learn_design(
    sample: Sample, fields: Sequence[EncodedField], settings: LinearSettings, weights: FloatArray | None = None
) -> Design:
    """The regression's input for `sample`, with the variances that its levels suggest.

    Raises
    ------
    TooFewOutcomesError
        All leads of the sample have the same outcome.
    """
    columns = learn_columns(sample.matrix, fields, settings)
    matrix = build_design(columns, sample.matrix)
    usual = np.full(matrix.shape[1], settings.inverse_penalty)
    design = Design(columns, matrix, _directions(columns, fields), usual)
    widths = [block.n_columns for block in columns]
    is_level = np.repeat([float(isinstance(block, LevelColumns)) for block in columns], widths)
    if not is_level.any():
        return design
    found, intercept = _regression(design, sample.target, settings, weights)
    variances = level_variances(
        matrix,
        information_of(matrix @ found + intercept, weights),
        found,
        owner=owners(columns),
        is_level=is_level,
        start=usual,
        usual_levels=settings.usual_levels,
        as_matrix=matrix.shape[1] <= settings.max_dense_columns,
    )
    return replace(design, variances=variances)


def fit_linear(
    sample: Sample,
    fields: Sequence[EncodedField],
    settings: LinearSettings,
    weights: FloatArray | None = None,
    design: Design | None = None,
) -> LinearPart:
    """The linear part fitted on `sample`, its terms centred over it.

    Parameters
    ----------
    fields : sequence of EncodedField
        The matrix's columns, in order.
    weights : ndarray of float, shape (n_leads,), optional
        By time only, see `training.recipe.sample.recency_weights`.
    design : Design, optional
        Of this sample and these weights, if it is known already.

    Raises
    ------
    TooFewOutcomesError
        All leads of the sample have the same outcome.
    """
    design = design or learn_design(sample, fields, settings, weights)
    weights_found, intercept = _regression(design, sample.target, settings, weights)
    return _centred(intercept, fold_terms(design.columns, weights_found), sample.matrix)


def out_of_fold_margins(
    sample: Sample,
    fields: Sequence[EncodedField],
    settings: LinearSettings,
    weights: FloatArray | None = None,
    design: Design | None = None,
    *,
    seed: int,
) -> FloatArray:
    """Margins of linear parts that never saw the outcomes of the lead's account, shape (n_leads,).

    Knots and means come from all leads: they do not look at outcomes. So do the variances of levels: one number per
    field, found on all of its levels together.
    """
    design = design or learn_design(sample, fields, settings, weights)
    fold = account_folds(sample, settings.n_folds, seed)
    margins = np.empty(len(sample))
    for number in range(settings.n_folds):
        seen, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        part = replace(design, matrix=design.matrix[seen])
        own_weights = None if weights is None else weights[seen]
        found, intercept = _regression(part, sample.target[seen], settings, own_weights)
        margins[held_out] = design.matrix[held_out] @ found + intercept
    return margins


def account_folds(sample: Sample, n_folds: int, seed: int) -> IntArray:
    """Fold numbers from 0, shape (n_leads,): accounts whole, wins and leads spread evenly.

    Accounts are dealt out like cards, those with most wins first and at random among equals.
    """
    _, account = np.unique(sample.account, return_inverse=True)
    n_won = np.bincount(account, weights=sample.target)
    n_leads = np.bincount(account)
    shuffled = np.random.default_rng(seed).permutation(n_leads.size)
    dealt = shuffled[np.lexsort((-n_leads[shuffled], -n_won[shuffled]))]
    fold_of_account = np.empty(n_leads.size, dtype=np.int64)
    fold_of_account[dealt] = np.arange(n_leads.size) % n_folds
    return fold_of_account[account]


def learn_columns(matrix: FloatArray, fields: Sequence[EncodedField], settings: LinearSettings) -> list[Columns]:
    """The regression's columns per field, as the training matrix, shape (n_leads, n_fields), suggests them."""
    return [_learn(field, matrix[:, place], settings) for place, field in enumerate(fields)]


def _learn(field: EncodedField, values: FloatArray, settings: LinearSettings) -> Columns:
    if field.kind == "category":
        return LevelColumns(field.name, FIRST_LEVEL_CODE + len(field.levels))
    return learn_number_columns(
        field.name,
        values,
        winsorised_share=settings.winsorised_share,
        n_knots=settings.n_knots,
        has_spline=field.direction == 0,
    )


def build_design(columns: Sequence[Columns], matrix: FloatArray) -> sparse.csr_array:
    """The regression's input, shape (n_leads, total of all columns), field after field."""
    blocks = [field.build(matrix[:, place]) for place, field in enumerate(columns)]
    return sparse.csr_array(sparse.hstack(blocks, format="csr"))


def fold_terms(columns: Sequence[Columns], weights: FloatArray) -> list[Term]:
    """One term per field, not yet centred, from the regression's weights, shape (total of all columns,)."""
    ends = np.cumsum([field.n_columns for field in columns])
    return [field.fold(own) for field, own in zip(columns, np.split(weights, ends[:-1]), strict=True)]


def _directions(columns: Sequence[Columns], fields: Sequence[EncodedField]) -> IntArray:
    """The agreed direction of each column of the design: that of its field for curves, 0 for all else."""
    own = [np.zeros(block.n_columns, dtype=np.int64) for block in columns]
    for directions, field in zip(own, fields, strict=True):
        directions[1:] = field.direction
    return np.concatenate(own)


def _regression(
    design: Design, target: FloatArray, settings: LinearSettings, weights: FloatArray | None
) -> tuple[FloatArray, float]:
    """Weights per column and the intercept; a column that would go against its direction is left out."""
    _refuse_one_class(target)
    # scikit-learn knows one penalty: a column that is scaled up is penalised less.
    scales = np.sqrt(design.variances / settings.inverse_penalty)
    scaled = design.matrix if (scales == 1).all() else (design.matrix @ sparse.diags_array(scales)).tocsr()
    kept = np.arange(scales.size)
    while True:
        model = _fit(scaled[:, kept], target, settings, weights)
        found = np.zeros(scales.size)
        found[kept] = model.coef_[0] * scales[kept]
        wrong = found * design.directions < 0
        if not wrong.any():
            return found, float(model.intercept_[0])
        kept = kept[~wrong[kept]]


def _fit(
    design: sparse.csr_array, target: FloatArray, settings: LinearSettings, weights: FloatArray | None
) -> LogisticRegression:
    # Both are Newton's method to the same optimum. Some hundred columns are fastest as a dense matrix; thousands,
    # as many levels make, and millions of leads must stay sparse.
    n_leads, n_columns = design.shape
    is_dense = n_columns <= settings.max_dense_columns and n_leads * n_columns <= settings.max_dense_cells
    model = LogisticRegression(
        C=settings.inverse_penalty,
        solver="newton-cholesky" if is_dense else "newton-cg",
        tol=1e-6,
        max_iter=settings.max_steps,
    )
    return model.fit(design.toarray() if is_dense else design, target, sample_weight=weights)


def _centred(intercept: float, terms: Sequence[Term], matrix: FloatArray) -> LinearPart:
    means = LinearPart(0.0, tuple(terms)).contributions(matrix).mean(axis=0)
    shifted = tuple(_shifted(term, float(mean)) for term, mean in zip(terms, means, strict=True))
    return LinearPart(intercept + float(means.sum()), shifted)


def _shifted(term: Term, mean: float) -> Term:
    if isinstance(term, LevelTerm):
        return LevelTerm(term.name, term.log_odds - mean)
    coefficients = term.coefficients - np.array([mean, 0.0, 0.0, 0.0])
    return SplineTerm(term.name, term.breaks, coefficients, term.missing - mean)


def _refuse_one_class(target: FloatArray) -> None:
    n_won, n_leads = int(target.sum()), target.size
    if 0 < n_won < n_leads:
        return
    what = Text(
        en="all leads of one part of the history have the same outcome, or belong to one account",
        de="alle Leads eines Teils der Historie haben dasselbe Ergebnis oder gehören zu einem Account",
    )
    expected = Text(en="won and lost leads of several accounts", de="gewonnene und verlorene Leads mehrerer Accounts")
    raise TooFewOutcomesError([Problem("training", what, expected, f"{n_won} / {n_leads}", "one_class")])
