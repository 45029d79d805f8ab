"""How far the recipe misses a world that is not of its own shape: a factor on standard errors, from the data at hand.

Standard errors assume that the truth lies among what linear part and trees can say. It does not. So a model of another
kind, trees alone, is fitted to the leads and taken for the truth; outcomes are drawn from it, the recipe is fitted to
them, and its errors, which are known exactly now, are held against the standard errors. No outcome of any later lead
and no simulator's truth goes in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from features.encode import EncodedField
from features.model.calibrator import probabilities_of
from features.model.sureness import LEVEL, Z_OF_LEVEL
from training.recipe.boost import BoostSettings, new_booster, tree_margins
from training.recipe.parts import PartSettings, start_parts
from training.recipe.sample import FloatArray, Sample

STAND_IN = BoostSettings(
    learning_rate=0.05,
    n_leaves=8,
    min_leads_per_leaf=30,
    field_share=0.6,
    category_smooth=30.0,
    category_l2=10.0,
    min_leads_per_group=50,
)


@dataclass(frozen=True, slots=True)
class MisfitSettings:
    """How the stand-in for the truth is made.

    Attributes
    ----------
    boost : BoostSettings
        Of the stand-in: bolder than the recipe's trees, for it has to say everything alone.
    most_rounds, rounds_per_look : int
        Its rounds are those that did best on the newest `looked_at_share` of the leads.
    """

    boost: BoostSettings = STAND_IN
    most_rounds: int = 300
    rounds_per_look: int = 20
    looked_at_share: float = 0.25


def misfit_factor(
    sample: Sample,
    fields: Sequence[EncodedField],
    n_rounds: int,
    parts: PartSettings,
    *,
    standard_errors: FloatArray,
    settings: MisfitSettings | None = None,
) -> float:
    """The factor, at least 1, with which standard errors would have covered the stand-in as often as they say.

    Parameters
    ----------
    n_rounds : int
        Trees of the recipe's model.
    standard_errors : ndarray of float, shape (n_leads,)
        Of the leads of `sample`, from the estimation of its model alone.
    """
    truth = _stand_in(sample, fields, parts, settings or MisfitSettings())
    drawn = np.random.default_rng(parts.seed).random(len(sample)) < probabilities_of(truth)
    again = Sample(sample.matrix, drawn.astype(np.float64), sample.account, sample.order)
    linear, booster = start_parts(again, fields, parts)
    _grow(booster, n_rounds)
    missed = np.abs(linear.margins(sample.matrix) + tree_margins(booster, sample.matrix) - truth)
    return max(1.0, float(np.quantile(missed / standard_errors, LEVEL)) / Z_OF_LEVEL)


def _stand_in(
    sample: Sample, fields: Sequence[EncodedField], parts: PartSettings, settings: MisfitSettings
) -> FloatArray:
    """Log-odds of the stand-in for the truth, shape (n_leads,)."""
    is_later = np.argsort(np.argsort(sample.order, kind="stable")) >= (1 - settings.looked_at_share) * len(sample)
    start = _trees_alone(sample.take(~is_later), fields, parts, settings)
    later = sample.take(is_later)
    n_rounds = _best_rounds(*start, later, settings)
    booster, log_odds = _trees_alone(sample, fields, parts, settings)
    _grow(booster, n_rounds)
    return log_odds + tree_margins(booster, sample.matrix)


def _trees_alone(
    sample: Sample, fields: Sequence[EncodedField], parts: PartSettings, settings: MisfitSettings
) -> tuple[lgb.Booster, float]:
    """A booster without trees, and the log-odds of the base rate that it starts from."""
    log_odds = float(np.log((sample.n_won + 0.5) / (sample.n_lost + 0.5)))
    start = np.full(len(sample), log_odds)
    booster = new_booster(
        sample, fields, start, settings.boost, weights=None, seed=parts.seed, n_threads=parts.n_threads
    )
    return booster, log_odds


def _best_rounds(booster: lgb.Booster, log_odds: float, later: Sample, settings: MisfitSettings) -> int:
    margins = np.full(len(later), log_odds)
    best = (_log_loss(margins, later.target), settings.rounds_per_look)
    for first in range(0, settings.most_rounds, settings.rounds_per_look):
        _grow(booster, settings.rounds_per_look)
        margins = margins + tree_margins(booster, later.matrix, first, settings.rounds_per_look)
        best = min(best, (_log_loss(margins, later.target), first + settings.rounds_per_look))
    return best[1]


def _grow(booster: lgb.Booster, n_rounds: int) -> None:
    update: Callable[[], bool] = booster.update
    for _ in range(n_rounds):
        if update():
            return


def _log_loss(margins: FloatArray, target: FloatArray) -> float:
    return float(np.mean(np.logaddexp(0, margins) - target * margins))
