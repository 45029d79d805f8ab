"""What a model must beat, fitted and judged through the same code as the model itself.

Base rate, the rule of the best single field, logistic regression and LightGBM, the last two with the defaults that
anyone would start from. On a few thousand leads an untuned LightGBM overfits and logistic regression is a serious
rival, so none of them is a straw man.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import lightgbm as lgb
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from features.encode import FIRST_LEVEL_CODE, EncodedField
from training.recipe.importance import importance_weights
from training.recipe.linear_fit import account_folds
from training.recipe.sample import FloatArray, IntArray, Sample

Predict: TypeAlias = Callable[[FloatArray], FloatArray]


class Baseline(Protocol):
    """Something simple that predicts from the same encoded leads."""

    @property
    def name(self) -> str:
        """A stable name for programs."""
        ...

    def fit(self, sample: Sample, fields: Sequence[EncodedField]) -> Predict:
        """What maps a matrix, shape (n_leads, n_fields), to probabilities, shape (n_leads,)."""
        ...


@dataclass(frozen=True, slots=True)
class BaseRate:
    """Always the share of wins in training."""

    name: str = "base_rate"

    def fit(self, sample: Sample, fields: Sequence[EncodedField]) -> Predict:  # noqa: ARG002 the protocol has it
        """A constant."""
        rate = float(np.average(sample.target, weights=importance_weights(sample.worked_chance)))
        return lambda matrix: np.full(matrix.shape[0], rate)


@dataclass(frozen=True, slots=True)
class OneFieldRule:
    """The smoothed rate of wins by the one field that says most: what a team would do with a pivot table.

    The field is the one with the lowest log loss on held-out accounts of the training leads; without holding out,
    the field with most levels would win by knowing its own leads.

    Attributes
    ----------
    n_bins : int
        Bins of a number, by quantiles; missing is a bin of its own.
    smoothing_leads : float
        Leads of average rate added to every bin.
    """

    name: str = "one_field_rule"
    n_bins: int = 10
    smoothing_leads: float = 20.0
    n_folds: int = 5
    seed: int = 20260101

    def fit(self, sample: Sample, fields: Sequence[EncodedField]) -> Predict:
        """The rule of the best field."""
        best = self.best_field(sample, fields)
        rates = self._learn(sample.matrix[:, best], sample.target, fields[best])
        return lambda matrix: rates(matrix[:, best])

    def best_field(self, sample: Sample, fields: Sequence[EncodedField]) -> int:
        """The column whose rule does best on held-out accounts; the first of equals."""
        fold = account_folds(sample, self.n_folds, self.seed)
        losses = [self._held_out_loss(sample, place, field, fold) for place, field in enumerate(fields)]
        return int(np.argmin(losses))

    def _held_out_loss(self, sample: Sample, place: int, field: EncodedField, fold: IntArray) -> float:
        probability = np.empty(len(sample))
        for number in range(self.n_folds):
            held_out = fold == number
            rates = self._learn(sample.matrix[~held_out, place], sample.target[~held_out], field)
            probability[held_out] = rates(sample.matrix[held_out, place])
        right = np.where(sample.target == 1, probability, 1 - probability)
        return float(-np.log(right).mean())

    def _learn(self, values: FloatArray, target: FloatArray, field: EncodedField) -> Predict:
        bin_of, n_bins = self._bins(values, field)
        n_leads = np.bincount(bin_of(values), minlength=n_bins)
        n_won = np.bincount(bin_of(values), weights=target, minlength=n_bins)
        # One win and one loss beyond those seen keep the rate inside (0, 1) where a fold has a single outcome.
        rate = (target.sum() + 1) / (target.size + 2)
        rates = (n_won + self.smoothing_leads * rate) / (n_leads + self.smoothing_leads)
        return lambda new: np.asarray(rates[bin_of(new)], dtype=np.float64)

    def _bins(self, values: FloatArray, field: EncodedField) -> tuple[Callable[[FloatArray], IntArray], int]:
        if field.kind == "category":
            return lambda codes: codes.astype(np.int64), FIRST_LEVEL_CODE + len(field.levels)
        known = values[~np.isnan(values)]
        inner = np.linspace(0, 1, self.n_bins + 1)[1:-1]
        edges = np.unique(np.quantile(known, inner)) if known.size else np.empty(0)
        # NaN sorts last, behind infinity, and so has the last bin to itself.
        ends = np.append(edges, np.inf)
        return lambda numbers: np.searchsorted(ends, numbers, side="left"), ends.size + 1


@dataclass(frozen=True, slots=True)
class PlainLogisticRegression:
    """scikit-learn's logistic regression with its defaults, on one-hot, imputed and standardised columns."""

    name: str = "logistic_regression"
    max_steps: int = 1000

    def fit(self, sample: Sample, fields: Sequence[EncodedField]) -> Predict:
        """The regression's probabilities."""
        categories = [place for place, field in enumerate(fields) if field.kind == "category"]
        numbers = [place for place, field in enumerate(fields) if field.kind == "number"]
        fill = SimpleImputer(strategy="median", keep_empty_features=True)
        columns = ColumnTransformer(
            [
                ("category", OneHotEncoder(handle_unknown="ignore"), categories),
                ("number", make_pipeline(fill, StandardScaler()), numbers),
            ]
        )
        model = make_pipeline(columns, LogisticRegression(max_iter=self.max_steps))
        model.fit(sample.matrix, sample.target)
        return lambda matrix: np.asarray(model.predict_proba(matrix)[:, 1], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class PlainLightGBM:
    """LightGBM with its defaults: 100 rounds of 31 leaves, native categories."""

    name: str = "lightgbm"
    n_rounds: int = 100
    n_threads: int = 1

    def fit(self, sample: Sample, fields: Sequence[EncodedField]) -> Predict:
        """The forest's probabilities."""
        categories = [place for place, field in enumerate(fields) if field.kind == "category"]
        params = {"objective": "binary", "verbosity": -1, "num_threads": self.n_threads, "deterministic": True}
        params |= {"force_row_wise": True, "seed": 0}
        data = lgb.Dataset(sample.matrix, label=sample.target, categorical_feature=categories, params=params)
        booster = lgb.train(params, data, num_boost_round=self.n_rounds)
        return lambda matrix: np.asarray(booster.predict(matrix), dtype=np.float64)


def default_baselines(n_threads: int = 1) -> tuple[Baseline, ...]:
    """The baselines that every model is compared with, simplest first."""
    return BaseRate(), OneFieldRule(), PlainLogisticRegression(), PlainLightGBM(n_threads=n_threads)
