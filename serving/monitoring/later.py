"""How the model in service does on leads that came after all that it learnt from, and whose outcomes are known by now.

Both tables are about the probabilities that the model in service gives these leads as they were when first scored, and
not about what an earlier model may have said then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from features.model.bundle import Bundle
from features.rates import Pair, design_effect, rate_interval
from serving.monitoring.checks import Matured
from serving.monitoring.watch import matured_leads
from serving.store import Watching

LEVEL: Final = 0.90
"""Of every interval here, as in the evaluation on later leads."""

MOST_BINS: Final = 8
FEWEST_IN_A_BIN: Final = 20
TINY: Final = 1e-12

Places = npt.NDArray[np.int64]


MOST_LEADS: Final = 1_000
KEPT: Final = timedelta(minutes=1)


class Later:
    """The newest matured leads, at most 1,000, and kept for a minute: reading them costs a page some 70 ms.

    Methods block on the database, and may be called from any thread.
    """

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._kept: tuple[str, datetime, Matured | None] | None = None

    def at(self, bundle: Bundle, now: datetime) -> Matured | None:
        """The leads as they were known at most a minute before `now`; None if the agreement has no horizon."""
        kept, name = self._kept, f"{bundle.bundle_id} {bundle.definition.fingerprint}"
        if kept is not None and kept[0] == name and timedelta(0) <= now - kept[1] < KEPT:
            return kept[2]
        found = matured_leads(bundle, self._watching, MOST_LEADS, now)
        self._kept = (name, now, found)
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """Some matured leads: what the model said on average, and how many of them won.

    Attributes
    ----------
    name : str
        The month, such as 2026-02; empty for a range of probabilities.
    said, rate : float
        Mean probability, and share won.
    interval : tuple of float
        Of the share, wider where the leads of an account go together.
    """

    name: str
    n: int
    won: int
    said: float
    rate: float
    interval: Pair


@dataclass(frozen=True, slots=True)
class Skill:
    """The share of the base rate's log loss that the model saves, with its interval; n leads, of whom some won."""

    value: float
    interval: Pair
    n: int
    won: int


def by_probability(matured: Matured) -> tuple[Group, ...]:
    """Leads in up to eight groups of equal size, from the least to the most probable; () for fewer than twenty."""
    n_bins = min(MOST_BINS, len(matured.won) // FEWEST_IN_A_BIN)
    order = np.argsort(matured.probability, kind="stable")
    return tuple(_group(matured, places, "") for places in (np.array_split(order, n_bins) if n_bins else []))


def by_month(matured: Matured, month_of: Callable[[datetime], str]) -> tuple[Group, ...]:
    """Leads by the month of their as-of date, the oldest first; `month_of` tells it by the agreement's clocks."""
    months = np.array([month_of(moment) for moment in matured.as_of], dtype=str)
    return tuple(_group(matured, np.flatnonzero(months == month), str(month)) for month in np.unique(months))


def skill_of(matured: Matured, base_rate: float) -> Skill | None:
    """How much better than always saying the base rate; None without a win or without a loss.

    The interval is that of a ratio of means (the delta method), added up by account.
    """
    n, won = len(matured.won), int(matured.won.sum())
    if not 0 < won < n:
        return None
    model = _log_loss(matured.probability, matured.won)
    base = _log_loss(np.full(n, base_rate), matured.won)
    ratio = float(model.mean() / base.mean())
    influence = (model - ratio * base) / float(base.mean())
    error = math.sqrt(float((np.bincount(matured.account, weights=influence) ** 2).sum())) / n
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * error
    return Skill(1 - ratio, (1 - ratio - half, 1 - ratio + half), n, won)


def _group(matured: Matured, places: Places, name: str) -> Group:
    won, said = matured.won[places], matured.probability[places]
    n, rate = len(places), float(won.mean())
    _, account = np.unique(matured.account[places], return_inverse=True)
    effect = design_effect(account.astype(np.int64), won.astype(np.float64) - rate)
    interval = rate_interval(float(won.sum()), n, LEVEL, effect)
    return Group(name, n, int(won.sum()), float(said.mean()), rate, interval or (0.0, 1.0))


def _log_loss(probability: npt.NDArray[np.float64], won: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    said = np.clip(np.where(won, probability, 1 - probability), TINY, 1)
    return np.asarray(-np.log(said))
