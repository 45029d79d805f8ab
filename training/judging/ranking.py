"""How well probabilities sort leads: what a team that works the list from the top gets.

Leads with equal probability form one tie group. A list that is cut inside a group takes its members by lot, and every
figure here is the expected value over that lot, so that none depends on the order of rows. Weights as in
`training.judging.metrics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.judging.metrics import Floats, ratio, weights


@dataclass(frozen=True, slots=True)
class Ranked:
    """Weight and wins of each tie group, (..., n_groups), from the highest probability to the lowest."""

    wins: Floats
    weight: Floats


def ranked(target: Floats, probability: Floats, weight: Floats | None = None) -> Ranked:
    """The leads as tie groups, highest probability first."""
    order = np.argsort(-probability, kind="stable")
    return _grouped(target, order, _changes(probability[order]), weights(len(target), weight))


def _changes(*keys: NDArray[np.generic]) -> NDArray[np.intp]:
    """Where a new group starts in sorted keys, (n_groups,)."""
    new = np.zeros(len(keys[0]), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def _grouped(target: Floats, order: NDArray[np.intp], starts: NDArray[np.intp], w: Floats) -> Ranked:
    """Sums of weight and wins over runs of `order` that begin at `starts`."""
    w = w[..., order]
    wins = w * target[order]
    if len(starts) == len(order):  # no ties: nothing to add up
        return Ranked(wins=wins, weight=w)
    return Ranked(wins=np.add.reduceat(wins, starts, axis=-1), weight=np.add.reduceat(w, starts, axis=-1))


def roc_auc(leads: Ranked) -> Floats:
    """The chance that a win stands above a loss, ties counting half; .5 is no order at all. NaN with one class only."""
    losses = leads.weight - leads.wins
    n_wins, n_losses = leads.wins.sum(-1), losses.sum(-1)
    below = n_losses[..., None] - np.cumsum(losses, axis=-1)
    return ratio((leads.wins * (below + losses / 2)).sum(-1), n_wins * n_losses)


def average_precision(leads: Ranked) -> Floats:
    """Mean share of wins above (and level with) each win; the rate of wins is no order at all. NaN without wins.

    The step-wise sum over tie groups, as `sklearn.metrics.average_precision_score` defines it.
    """
    precision = ratio(np.cumsum(leads.wins, axis=-1), np.cumsum(leads.weight, axis=-1))
    return ratio((leads.wins * np.nan_to_num(precision)).sum(-1), leads.wins.sum(-1))


def share_of_wins(leads: Ranked, shares: Sequence[float]) -> Floats:
    """Share of all wins among the best `shares` of the leads, (..., n_shares); NaN without wins.

    >>> leads = ranked(np.array([1.0, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1]))
    >>> share_of_wins(leads, (0.25, 0.5)).tolist()
    [0.5, 0.75]
    """
    wins, weight = np.atleast_2d(leads.wins), np.atleast_2d(leads.weight)
    caught = np.stack([_caught(row, w, np.asarray(shares)) for row, w in zip(wins, weight, strict=True)])
    return ratio(caught, wins.sum(-1, keepdims=True)).reshape(*leads.wins.shape[:-1], len(shares))


def _caught(wins: Floats, weight: Floats, shares: Floats) -> Floats:
    """Wins within the best `shares` of the weight, linear inside a tie group."""
    seen = np.concatenate([[0.0], np.cumsum(weight)])
    won = np.concatenate([[0.0], np.cumsum(wins)])
    return np.asarray(np.interp(shares * seen[-1], seen, won))


def weeks(when: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """The number of each date's week, Monday to Sunday, (n_leads,); consecutive weeks have consecutive numbers."""
    days = when.astype("datetime64[D]").astype(np.int64)  # day 0, 1 January 1970, was a Thursday
    return np.asarray((days + 3) // 7)


def precision_at_capacity(
    target: Floats,
    probability: Floats,
    week: NDArray[np.int64],
    capacity_per_week: float,
    weight: Floats | None = None,
) -> Floats:
    """Share of wins among the leads that sales would work: each week's best `capacity_per_week` by probability.

    A week with fewer leads than capacity is worked whole. A window that starts or ends within a week gives that
    part a full week's capacity.
    """
    order = np.lexsort((-probability, week))
    starts = _changes(week[order], probability[order])
    leads = _grouped(target, order, starts, weights(len(target), weight))
    new_week = _changes(week[order][starts])
    before = np.cumsum(leads.weight, axis=-1) - leads.weight
    first_of_week = np.repeat(new_week, np.diff(np.append(new_week, len(starts))))
    before_in_week = before - before[..., first_of_week]
    taken = np.nan_to_num(np.clip(ratio(capacity_per_week - before_in_week, leads.weight), 0, 1))
    return ratio((taken * leads.wins).sum(-1), (taken * leads.weight).sum(-1))
