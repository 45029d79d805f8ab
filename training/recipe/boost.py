"""The trees: a small LightGBM that boosts what the linear part leaves over.

It starts from the linear part's out-of-fold log-odds (`init_score`), so every tree speaks to the residual as later
leads will show it, not to the smaller residual of leads that the linear part has already seen. No resampling and no
class weights: they destroy the probability. Runs are deterministic for a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from features.encode import EncodedField
from training.recipe.sample import FloatArray, Sample


@dataclass(frozen=True, slots=True)
class BoostSettings:
    """How the trees are grown; the defaults are the recipe that was measured best on average.

    Attributes
    ----------
    learning_rate : float
        Small, because few rounds are usual: the choice of rounds stays fine-grained.
    n_leaves : int
        Of a tree. The linear part carries the main effects; 12 leaves are enough for interactions.
    min_leads_per_leaf : int
        A leaf with fewer leads would learn noise at usual rates of winning.
    row_share, field_share : float
        Drawn per round and per tree; decorrelates the trees.
    l2 : float
        Penalty on leaf values.
    category_smooth, category_l2, min_leads_per_group : float, float, int
        Brakes on splits by category: many levels hurt an unregularised LightGBM badly.
    """

    learning_rate: float = 0.04
    n_leaves: int = 12
    min_leads_per_leaf: int = 50
    row_share: float = 0.8
    field_share: float = 0.8
    l2: float = 5.0
    category_smooth: float = 50.0
    category_l2: float = 20.0
    min_leads_per_group: int = 100


def new_booster(
    sample: Sample,
    fields: Sequence[EncodedField],
    start_log_odds: FloatArray,
    settings: BoostSettings,
    *,
    weights: FloatArray | None,
    seed: int,
    n_threads: int,
) -> lgb.Booster:
    """A booster without trees, ready for rounds of `update` on `sample`.

    Parameters
    ----------
    start_log_odds : ndarray of float, shape (n_leads,)
        The linear part's out-of-fold margins. The booster's own predictions leave them out.
    """
    params = _params(fields, settings, seed, n_threads)
    data = lgb.Dataset(
        sample.matrix,
        label=sample.target,
        weight=weights,
        init_score=start_log_odds,
        categorical_feature=[place for place, field in enumerate(fields) if field.kind == "category"],
        params=params,
    )
    return lgb.Booster(params, data)


def tree_margins(booster: lgb.Booster, matrix: FloatArray, first_round: int = 0, n_rounds: int = -1) -> FloatArray:
    """Log-odds of the trees alone, shape (n_leads,), over `n_rounds` rounds from `first_round`."""
    if booster.num_trees() == 0:
        return np.zeros(matrix.shape[0])
    margins = booster.predict(matrix, raw_score=True, start_iteration=first_round, num_iteration=n_rounds)
    return np.asarray(margins, dtype=np.float64)


def lightgbm_contributions(model_text: str, matrix: FloatArray) -> FloatArray | None:
    """LightGBM's own contributions of the trees, shape (n_leads, n_fields); None if there are no trees."""
    booster = lgb.Booster(model_str=model_text)
    if not booster.num_trees():
        return None
    return np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=1))[:, :-1]


def _params(fields: Sequence[EncodedField], settings: BoostSettings, seed: int, n_threads: int) -> dict[str, Any]:
    params: dict[str, Any] = {
        "objective": "binary",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.n_leaves,
        "min_data_in_leaf": settings.min_leads_per_leaf,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "feature_fraction": settings.field_share,
        "lambda_l2": settings.l2,
        "cat_smooth": settings.category_smooth,
        "cat_l2": settings.category_l2,
        "min_data_per_group": settings.min_leads_per_group,
        "seed": seed,
        "num_threads": n_threads,
        "deterministic": True,
        "force_row_wise": True,  # otherwise LightGBM times both layouts and picks one, which can change the sums
        "verbosity": -1,
    }
    directions = [field.direction for field in fields]
    return params | ({"monotone_constraints": directions} if any(directions) else {})
