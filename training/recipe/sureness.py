"""Fitting how sure a model is: from what estimation leaves open to the short vectors that `features` reads.

Four things make a probability uncertain, and each is estimated from the leads at hand:

1. The weights of the linear part, the slopes and the shift (`ridge_error`, `Calibration.covariance`).
2. A value that is missing: with it the lead would stand elsewhere. Known values are hidden, one field at a time, and
   the variance of what that does to the log-odds is what the missing value brings along.
3. That the truth is no sum of curves and a few small trees: a factor on 1 and 2 (`misfit`).
4. The level: by how much the model misses the rate of its own leads, and how the rate wanders over time.

Not in it: the spread of the trees' margins by sampling (they are small and heavily damped; the factor carries it), and
what the future does that no stretch of the past did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from features.encode import FIRST_LEVEL_CODE, MISSING_CODE, EncodedField
from features.model.additive import LeadModel
from features.model.calibrator import probabilities_of
from features.model.sureness import Sureness
from training.recipe.calibrate import Calibration
from training.recipe.doubts import doubt_of, factor_of, quadratic, spread_over_values
from training.recipe.importance import importance_weights, scaled_to_effective
from training.recipe.level import shift_to_rate
from training.recipe.linear_columns import Columns, LevelColumns, owners
from training.recipe.linear_fit import build_design, learn_design
from training.recipe.misfit import MisfitSettings, misfit_factor
from training.recipe.parts import PartSettings
from training.recipe.ridge_error import RidgeError, ridge_error
from training.recipe.sample import FloatArray, Sample, recency_weights


@dataclass(frozen=True, slots=True)
class SurenessSettings:
    """How sureness is fitted.

    Attributes
    ----------
    rank : int
        Most numbers in a vector. What vectors leave out is kept as variances of single values.
    most_leads : int
        The newest so many are used; a longer history gets the interval of these, which is a little too wide.
    varied_leads : int
        Drawn, and as many again with one category changed, to share out what the vectors leave out.
    most_columns : int
        Beyond so many columns, the fields with most levels are left out of the matrix: their levels are then taken
        for independent of everything else.
    hidden_leads : int
        Drawn to measure what a missing value hides.
    wins_per_stretch, fewest_stretches, most_stretches : int
        Of the time over which the rate may wander.
    """

    rank: int = 64
    most_leads: int = 100_000
    varied_leads: int = 5_000
    most_columns: int = 1_000
    hidden_leads: int = 1_500
    wins_per_stretch: int = 25
    fewest_stretches: int = 4
    most_stretches: int = 24
    misfit: MisfitSettings = field(default_factory=MisfitSettings)


def fit_sureness(
    sample: Sample,
    model: LeadModel,
    calibration: Calibration,
    parts: PartSettings,
    settings: SurenessSettings | None = None,
) -> Sureness:
    """How sure `model` is of its log-odds.

    Parameters
    ----------
    sample : Sample
        The leads that both parts of the model were fitted on, encoded by its encoder.
    calibration : Calibration
        Of its calibrator.
    parts : PartSettings
        What the model was fitted with.
    """
    settings = settings or SurenessSettings()
    sample = _newest(sample, settings.most_leads)
    view = _View.of(sample, model, parts, settings.most_columns)
    fitting_errors = np.sqrt(quadratic(view.design, view.fitting()) + _of_levels(view, sample.matrix))
    factor = misfit_factor(
        sample,
        model.encoder.fields,
        model.forest.n_trees,
        parts,
        standard_errors=fitting_errors,
        settings=settings.misfit,
    )
    everything = factor**2 * view.estimation(calibration)
    everything[-1, -1] += level_variance(sample, view.log_odds, view.weights, settings)
    hidden = hidden_variances(model, sample.matrix, settings.hidden_leads, parts.seed)
    return _collapsed(view.scaled(factor**2), sample.matrix, everything, factor**2 * hidden, settings)


def hidden_variances(model: LeadModel, matrix: FloatArray, n_leads: int, seed: int) -> FloatArray:
    """What not knowing a field leaves open, squared log-odds, shape (n_fields,): known values hidden, one at a time."""
    drawn = matrix[np.random.default_rng(seed).permutation(len(matrix))[:n_leads]]
    log_odds = model.log_odds_unexplained(drawn)
    variances = np.zeros(matrix.shape[1])
    for place, encoded in enumerate(model.encoder.fields):
        is_category = encoded.kind == "category"
        known = drawn[:, place] >= FIRST_LEVEL_CODE if is_category else ~np.isnan(drawn[:, place])
        if known.any():
            hidden = drawn[known].copy()
            hidden[:, place] = MISSING_CODE if is_category else np.nan
            variances[place] = np.var(model.log_odds_unexplained(hidden) - log_odds[known])
    return variances


def level_variance(sample: Sample, log_odds: FloatArray, weights: FloatArray, settings: SurenessSettings) -> float:
    """The variance of the level, squared log-odds: the model's own miss, and how the rate wanders over time."""
    importance = scaled_to_effective(importance_weights(sample.worked_chance))
    missed = shift_to_rate(log_odds, sample.target, weights * importance)
    rate = probabilities_of(log_odds + missed)
    few, many = settings.fewest_stretches, settings.most_stretches
    n_stretches = int(np.clip(sample.n_won // settings.wins_per_stretch, few, many))
    stretch = np.argsort(np.argsort(sample.order, kind="stable")) * n_stretches // len(sample)
    information = np.bincount(stretch, weights=importance * (rate * (1 - rate)))
    shifts = np.bincount(stretch, weights=importance * (sample.target - rate)) / information
    shifts = shifts - np.average(shifts, weights=information)
    beyond_chance = (information @ shifts**2 - (n_stretches - 1)) / information.sum()
    return float(missed**2 + max(0.0, beyond_chance))


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A model and its leads as the matrices of its linear part.

    `design` has the columns of the fields that share a matrix, and `level_errors` the error of each level of a field
    that is too wide for it, by the field's position.
    """

    columns: Sequence[Columns]
    shared: Sequence[int]
    design: FloatArray
    found: FloatArray
    error: RidgeError
    level_errors: dict[int, FloatArray]
    linear: FloatArray
    trees: FloatArray
    log_odds: FloatArray
    weights: FloatArray
    information: FloatArray
    linear_slope: float

    @classmethod
    def of(cls, sample: Sample, model: LeadModel, parts: PartSettings, most_columns: int) -> _View:
        weights = recency_weights(sample.order, parts.half_life(len(sample)))
        learnt = learn_design(sample, model.encoder.fields, parts.linear, weights)
        columns = learnt.columns
        variances = np.split(learnt.variances, np.cumsum([block.n_columns for block in columns])[:-1])
        linear = model.linear.margins(sample.matrix)
        trees = model.forest.margins(sample.matrix) if model.forest.n_trees else np.zeros(len(sample))
        log_odds = model.calibrator.log_odds(linear, trees)
        rate = probabilities_of(log_odds)
        information = weights * rate * (1 - rate)
        shared = _fitting(columns, min(most_columns, parts.linear.max_dense_cells // len(sample)))
        pulls = weights * (sample.target - probabilities_of(linear))
        slope = model.calibrator.linear_slope
        own = {
            place: slope**2
            * _independent(columns[place], sample.matrix[:, place], information, pulls, variances[place])
            for place in range(len(columns))
            if place not in shared
        }
        blocks = [columns[place] for place in shared]
        design = build_design(blocks, np.ascontiguousarray(sample.matrix[:, shared]))
        own_variances = np.concatenate([variances[place] for place in shared])
        found = _weights_found(design, pulls, [model.encoder.fields[place] for place in shared], blocks, own_variances)
        error = ridge_error(design, information, found, owners(blocks), own_variances)
        centred = _with_constant(design, error.means)
        return cls(columns, shared, centred, found, error, own, linear, trees, log_odds, weights, information, slope)

    def rows(self, matrix: FloatArray) -> FloatArray:
        """The columns of other leads and the constant, as `design` has them."""
        blocks = [self.columns[place] for place in self.shared]
        return _with_constant(build_design(blocks, np.ascontiguousarray(matrix[:, self.shared])), self.error.means)

    def fitting(self) -> FloatArray:
        """The second moment of the fit's error, in the columns and a constant: weights and intercept."""
        moment = self._of_weights()
        moment[-1, -1] = self.error.intercept_variance
        return moment

    def estimation(self, calibration: Calibration) -> FloatArray:
        """The second moment of the log-odds' error: weights, and slopes and shift in place of the intercept.

        Slopes act on margins. The linear one is itself a sum over the columns, that of the trees is taken at its mean.
        """
        inputs = np.zeros((self.found.size + 1, 3))
        inputs[:-1, 0] = self.found
        centre = np.average(self.linear, weights=self.information)
        inputs[-1] = centre, np.average(self.trees, weights=self.information), 1.0
        return self._of_weights() + np.asarray(inputs @ calibration.covariance @ inputs.T)

    def scaled(self, scale: float) -> _View:
        """The same with larger errors of the levels of wide fields."""
        return replace(self, level_errors={place: scale * own for place, own in self.level_errors.items()})

    def _of_weights(self) -> FloatArray:
        moment = np.zeros((self.found.size + 1, self.found.size + 1))
        moment[:-1, :-1] = self.linear_slope**2 * self.error.second_moment
        return moment


def _with_constant(design: sparse.csr_array, means: FloatArray) -> FloatArray:
    return np.column_stack([design.toarray() - means, np.ones(design.shape[0])])


def _newest(sample: Sample, n_leads: int) -> Sample:
    if len(sample) <= n_leads:
        return sample
    return sample.take(np.sort(np.argsort(sample.order, kind="stable")[-n_leads:]))


def _fitting(columns: Sequence[Columns], most_columns: int) -> list[int]:
    """Positions of the fields that share a matrix, in order: all numbers, and categories while columns are few enough.

    The narrowest categories come first.
    """

    def width(place: int) -> int:
        return columns[place].n_columns if isinstance(columns[place], LevelColumns) else 0

    order = sorted(range(len(columns)), key=width)
    ends = np.cumsum([columns[place].n_columns for place in order])
    return sorted(place for place, end in zip(order, ends, strict=True) if end <= most_columns or not width(place))


def _weights_found(
    design: sparse.csr_array,
    pulls: FloatArray,
    fields: Sequence[EncodedField],
    blocks: Sequence[Columns],
    variances: FloatArray,
) -> FloatArray:
    """The regression's weights: at the optimum each is its column's pull times its variance, or 0."""
    found = variances * np.asarray(design.T @ pulls)
    directions = np.concatenate(
        [np.r_[0, np.full(block.n_columns - 1, own.direction)] for own, block in zip(fields, blocks, strict=True)]
    )
    return np.where(found * directions < 0, 0.0, found)


def _independent(
    column: Columns, codes: FloatArray, information: FloatArray, pulls: FloatArray, variances: FloatArray
) -> FloatArray:
    """The error of each level of a wide field, shape (n_columns,), as if nothing else was in the model."""
    places = codes.astype(np.int64)
    fisher = np.bincount(places, weights=information, minlength=column.n_columns)
    found = variances * np.bincount(places, weights=pulls, minlength=column.n_columns)
    seen = fisher > 0
    prior = float(np.mean(found[seen] ** 2 + 1 / (fisher[seen] + 1 / variances[seen])))
    return np.asarray((fisher + prior / variances**2) / (fisher + 1 / variances) ** 2)


def _of_levels(view: _View, matrix: FloatArray) -> FloatArray:
    """The variance that the levels of wide fields add, shape (n_leads,)."""
    total = np.zeros(len(matrix))
    for place, errors in view.level_errors.items():
        total += errors[matrix[:, place].astype(np.int64)]
    return total


def _collapsed(
    view: _View, matrix: FloatArray, moment: FloatArray, hidden: FloatArray, settings: SurenessSettings
) -> Sureness:
    factor = factor_of(view.design, moment, settings.rank)
    rows = _varied(matrix, view.columns, settings.varied_leads)
    design = view.rows(rows)
    rest = quadratic(design, moment) - ((design @ factor) ** 2).sum(axis=1)
    shared = [view.columns[place] for place in view.shared]
    own = dict(zip(view.shared, spread_over_values(rows[:, view.shared], shared, rest), strict=True))
    own |= view.level_errors
    ends = np.cumsum([column.n_columns for column in shared])
    vectors = dict(zip(view.shared, np.split(factor[:-1], ends[:-1]), strict=True))
    doubts = [
        doubt_of(
            column,
            vectors.get(place, np.zeros((column.n_columns, factor.shape[1]))),
            own[place],
            float(hidden[place]),
        )
        for place, column in enumerate(view.columns)
    ]
    return Sureness(factor[-1] - view.error.means @ factor[:-1], tuple(doubts))


def _varied(matrix: FloatArray, columns: Sequence[Columns], n_leads: int) -> FloatArray:
    """Leads of training, and as many with one category changed to any of its codes, so that rare codes are there."""
    rng = np.random.default_rng(0)
    drawn = matrix[rng.integers(0, len(matrix), 2 * n_leads)]
    categories = [place for place, column in enumerate(columns) if isinstance(column, LevelColumns)]
    if categories:
        changed = rng.choice(categories, n_leads)
        n_codes = np.array([columns[place].n_columns for place in changed])
        drawn[np.arange(n_leads), changed] = rng.integers(0, n_codes)
    return np.ascontiguousarray(drawn)
