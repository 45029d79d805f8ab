"""What the model's own probabilities promise about the leads of today, long before their outcomes are known.

If the probabilities are calibrated, a lead with the probability p costs the log loss
h(p) = -p ln p - (1 - p) ln(1 - p) on average. Its mean over recent leads is the expected log loss, and
1 - mean h(p) / h(mean p) the expected skill against the base rate: comparable with the skill that the evaluation on
later leads found. The expected AUC follows from the same assumption.

It notices that recent leads can be told apart less well, such as when the fields that matter go missing. It cannot
notice that the probabilities have become wrong: that is what calibration on matured leads is for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from features.rates import Pair

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the probabilities promise.

    Attributes
    ----------
    log_loss, skill, auc : float
        Expected values; skill is the share of the base rate's log loss that the probabilities save.
    interval : tuple of float
        Of the skill.
    """

    log_loss: float
    skill: float
    auc: float
    interval: Pair


def expected_performance(probability: Floats, account: npt.NDArray[np.int64], chance: float) -> Expected | None:
    """What the probabilities of recent leads promise; None if all are 0 or all are 1.

    Parameters
    ----------
    probability, account : ndarray of shape (n_leads,)
    chance : float
        The probability with which each end of the interval may err.
    """
    n, mean = len(probability), float(probability.mean())
    if not 0 < mean < 1:
        return None
    each, base = _entropy(probability), float(_entropy(np.array([mean]))[0])
    log_loss = float(each.mean())
    slope = math.log((1 - mean) / mean)  # of h at the mean
    # How much each lead moves the skill (the delta method), added up by account: leads of one resemble each other.
    influence = -(each - log_loss) / base + log_loss * slope * (probability - mean) / base**2
    error = math.sqrt(float((np.bincount(account, weights=influence) ** 2).sum())) / n
    half, skill = NormalDist().inv_cdf(1 - chance) * error, 1 - log_loss / base
    return Expected(log_loss, skill, _auc(probability), (skill - half, skill + half))


def _entropy(p: Floats) -> Floats:
    inner = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-inner * np.log(inner) - (1 - inner) * np.log1p(-inner))


def _auc(probability: Floats) -> float:
    """The chance that a winner drawn by the probabilities stands above a loser drawn by them; ties count half."""
    values, place = np.unique(probability, return_inverse=True)
    wins, losses = np.bincount(place, weights=probability), np.bincount(place, weights=1 - probability)
    below = np.cumsum(losses) - losses
    return float((wins * (below + losses / 2)).sum() / (wins.sum() * losses.sum())) if len(values) else math.nan
