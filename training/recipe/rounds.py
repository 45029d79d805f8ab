"""How many rounds of trees: chosen on later leads, three times over.

With 100 leads in order of time and the defaults, the folds are

    fit on leads  1 to 55, look at 56 to 70
    fit on leads  1 to 70, look at 71 to 85
    fit on leads  1 to 85, look at 86 to 100

Leads of one moment stay together, and an account that is looked at is not fitted on. All folds grow side by side; the
number of rounds with the lowest mean log loss wins, and none is a legitimate answer. The log loss is taken after a
calibration on the leads looked at, because that is how the rounds will be used: otherwise a drift of the rate,
which calibration repairs, would be held against the trees. Each lead looked at counts for as many as it stands for
(`training.recipe.importance`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from features.encode import EncodedField
from training.recipe.boost import tree_margins
from training.recipe.calibrate import CalibrationSettings
from training.recipe.importance import importance_weights, scaled_to_effective
from training.recipe.parts import PartSettings, start_parts
from training.recipe.sample import FloatArray, Sample
from training.recipe.slope_history import Margins
from training.recipe.slopes import fit_slopes


@dataclass(frozen=True, slots=True)
class RoundSettings:
    """How the number of rounds is looked for.

    Attributes
    ----------
    n_folds : int
        Rolling folds; one fold alone picks up the luck of its season.
    looked_at_share : float
        Of all leads, per fold.
    min_outcomes : int
        A fold counts only if both outcomes occur at least so often among the leads fitted on and looked at.
    max_rounds : int
        No more than these. Real sets took at most some 500 at this learning rate.
    rounds_per_look : int
        Rounds between two looks.
    patience_rounds : int
        Stop when the mean log loss has not fallen for so many rounds.
    """

    n_folds: int = 3
    looked_at_share: float = 0.15
    min_outcomes: int = 10
    max_rounds: int = 800
    rounds_per_look: int = 10
    patience_rounds: int = 120


@dataclass(frozen=True, slots=True, eq=False)
class RoundChoice:
    """The rounds chosen, and what they were chosen by.

    Attributes
    ----------
    n_rounds : int
        Best number of rounds; 0 for the linear part alone.
    n_folds : int
        Rolling folds that had enough outcomes; 0 means that nothing could be compared.
    log_losses : ndarray of float, shape (n_looks,)
        Mean over all leads looked at, after 0, 1, 2 ... times `rounds_per_look` rounds.
    gain, gain_error : float
        Log loss of the linear part alone minus that of the chosen rounds, per lead, and its standard error.
    out_of_time : bool
        The budget ended the search before it was done.
    looked_at : tuple of Margins
        Per fold, oldest first, what its fit with the chosen rounds said of the later leads: calibration learns from
        these windows too.
    """

    n_rounds: int
    n_folds: int
    log_losses: FloatArray
    gain: float = 0.0
    gain_error: float = 0.0
    out_of_time: bool = False
    looked_at: tuple[Margins, ...] = ()

    def margins(self, n_rounds: int) -> tuple[Margins, ...]:
        """What the folds said of later leads with `n_rounds` rounds: those chosen, or none."""
        if n_rounds:
            return self.looked_at
        return tuple(replace(fold, trees=np.zeros_like(fold.trees)) for fold in self.looked_at)

    @property
    def is_proven(self) -> bool:
        """Whether the trees' gain is beyond the noise: more than twice its standard error."""
        return self.n_rounds > 0 and self.gain > 2 * self.gain_error


class _Racer:
    """One fold: its booster, and the margins of the leads looked at as the rounds go by."""

    def __init__(
        self, fitted_on: Sample, looked_at: Sample, fields: Sequence[EncodedField], parts: PartSettings
    ) -> None:
        linear, self._booster = start_parts(fitted_on, fields, parts)
        self._looked_at = looked_at
        self._linear = linear.margins(looked_at.matrix)
        self._trees = np.zeros(len(looked_at))
        self._stands_for = importance_weights(looked_at.worked_chance)

    def advance(self, n_rounds: int) -> None:
        """Grow `n_rounds` more trees."""
        first = self._booster.num_trees()
        for _ in range(n_rounds):
            self._booster.update()
        self._trees += tree_margins(self._booster, self._looked_at.matrix, first, n_rounds)

    def margins(self) -> Margins:
        """What the parts say of the leads looked at, as of now."""
        return Margins(self._linear, self._trees.copy(), self._looked_at.target, self._stands_for)

    def losses(self) -> FloatArray:
        """Log loss of each lead looked at, shape (n_leads,), after calibration on them, times its relative weight."""
        inputs, target = (self._linear + self._trees)[:, None], self._looked_at.target
        weights = scaled_to_effective(self._stands_for)
        parameters, _ = fit_slopes(inputs, target, weights, CalibrationSettings().ridge)
        margins = inputs[:, 0] * parameters[0] + parameters[1]
        losses: FloatArray = (np.logaddexp(0, margins) - target * margins) * (weights / weights.mean())
        return losses


def rolling_folds(sample: Sample, settings: RoundSettings) -> Iterator[tuple[Sample, Sample]]:
    """Pairs of leads to fit on and later leads to look at, oldest first; pairs with too few outcomes left out."""
    n_earlier = np.searchsorted(np.sort(sample.order), sample.order)
    ends = 1 - settings.looked_at_share * np.arange(settings.n_folds, -1, -1)
    places = np.append(np.sort(n_earlier), len(sample))[np.round(ends * len(sample)).astype(np.int64)]
    for start, end in pairwise(places):
        looked_at = (start <= n_earlier) & (n_earlier < end)
        fitted_on = (n_earlier < start) & ~np.isin(sample.account, sample.account[looked_at])
        fold = sample.take(fitted_on), sample.take(looked_at)
        if all(min(part.n_won, part.n_lost) >= settings.min_outcomes for part in fold):
            yield fold


def choose_rounds(
    sample: Sample,
    fields: Sequence[EncodedField],
    settings: RoundSettings,
    parts: PartSettings,
    *,
    has_time: Callable[[], bool],
    progress: Callable[[float], None],
) -> RoundChoice:
    """The number of rounds with the lowest log loss on later leads.

    Parameters
    ----------
    has_time : callable
        Asked before every look; once it says no, the best so far is taken.
    progress : callable
        Told a share from 0 to 1 at every look: at most so much of the search is done.
    """
    racers = [_Racer(*fold, fields, parts) for fold in rolling_folds(sample, settings)]
    if not racers:
        return RoundChoice(0, 0, np.empty(0))
    looks = [_look(racers)]
    best = [racer.margins() for racer in racers]
    out_of_time, share_done = False, 0.0
    while not _is_done(looks, settings):
        if out_of_time := not has_time():
            break
        for racer in racers:
            racer.advance(settings.rounds_per_look)
        looks.append(_look(racers))
        if _best(looks) == len(looks) - 1:
            best = [racer.margins() for racer in racers]
        share_done = max(share_done, _share_done(looks, settings))  # a late new best moves the end away
        progress(share_done)
    return _choice(looks, settings, best, out_of_time)


def _look(racers: Sequence[_Racer]) -> FloatArray:
    return np.concatenate([racer.losses() for racer in racers])


def _best(looks: Sequence[FloatArray]) -> int:
    return int(np.argmin([look.mean() for look in looks]))


def _is_done(looks: Sequence[FloatArray], settings: RoundSettings) -> bool:
    n_rounds = (len(looks) - 1) * settings.rounds_per_look
    since_best = n_rounds - _best(looks) * settings.rounds_per_look
    return n_rounds >= settings.max_rounds or since_best >= settings.patience_rounds


def _share_done(looks: Sequence[FloatArray], settings: RoundSettings) -> float:
    n_rounds = (len(looks) - 1) * settings.rounds_per_look
    expected = min(settings.max_rounds, _best(looks) * settings.rounds_per_look + settings.patience_rounds)
    return min(1.0, n_rounds / expected)


def _choice(
    looks: Sequence[FloatArray], settings: RoundSettings, looked_at: Sequence[Margins], out_of_time: bool
) -> RoundChoice:
    best = _best(looks)
    gains = looks[0] - looks[best]
    return RoundChoice(
        n_rounds=best * settings.rounds_per_look,
        n_folds=len(looked_at),
        log_losses=np.array([look.mean() for look in looks]),
        gain=float(gains.mean()),
        gain_error=float(gains.std() / np.sqrt(gains.size)),
        out_of_time=out_of_time,
        looked_at=tuple(looked_at),
    )
