"""How fast to forget: half-life of training, size and half-life of the calibration window, by rolling origins.

For a history whose rate or meaning drifts, and a model that is refitted often. At each origin a model is fitted and
calibrated as it would have been that day, and judged on the next leads; the candidate with the lowest mean log loss
over all origins wins, until the next origin has had its say: a history that drifts faster than it used to asks for
another answer (`RecencyChoice.after`). Origins are spaced and look-aheads measured in leads, not in months: a
look-ahead of a busy month would ask how a model ages over thousands of leads, and favour settings that are slow to
forget.

Only the linear part is fitted: drift moves rates and main effects, and hundreds of fits must stay affordable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from features.encode import EncodedField
from features.errors import Problem, TooFewOutcomesError
from features.model.calibrator import Calibrator
from features.text import Text
from training.recipe.calibrate import CalibrationSettings, calibrate
from training.recipe.importance import importance_weights
from training.recipe.linear_fit import LinearSettings, fit_linear
from training.recipe.sample import FloatArray, IntArray, Sample, recency_weights


@dataclass(frozen=True, slots=True)
class Recency:
    """One way to forget.

    Attributes
    ----------
    half_life_leads : float or None
        Of the weights in training.
    window_leads : int
        Newest leads that are kept for calibration.
    calibration_half_life_leads : float or None
        Of the weights in that window.
    """

    half_life_leads: float | None
    window_leads: int
    calibration_half_life_leads: float | None


CANDIDATES = tuple(
    Recency(*values) for values in product((None, 4000, 2000, 1000), (500, 1000, 2000), (None, 500, 250))
)


@dataclass(frozen=True, slots=True)
class OriginSettings:
    """Where the origins stand: the newest so that its look-ahead ends the history, the others before it.

    Attributes
    ----------
    n_origins, spacing_leads, look_ahead_leads : int
        How many, how far apart, and how many leads each is judged on.
    min_outcomes : int
        An origin counts only if window and training hold so many of both outcomes.
    """

    n_origins: int = 20
    spacing_leads: int = 750
    look_ahead_leads: int = 500
    min_outcomes: int = 10
    linear: LinearSettings = field(default_factory=LinearSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)


@dataclass(frozen=True, slots=True)
class RecencyChoice:
    """What every candidate lost at every origin so far, mean log loss by origin, oldest first."""

    by_origin: Mapping[Recency, tuple[float, ...]]

    @property
    def log_losses(self) -> Mapping[Recency, float]:
        """Every candidate's mean over the origins."""
        return {candidate: float(np.mean(losses)) for candidate, losses in self.by_origin.items()}

    @property
    def best(self) -> Recency:
        """The candidate that would have done best so far."""
        means = self.log_losses
        return min(means, key=means.__getitem__)

    @property
    def n_origins(self) -> int:
        """How many origins have been judged."""
        return len(next(iter(self.by_origin.values())))

    def after(
        self,
        before: Sample,
        ahead: Sample,
        fields: Sequence[EncodedField],
        settings: OriginSettings | None = None,
    ) -> RecencyChoice:
        """The choice once the outcomes of `ahead` are known as well: one more origin, between the two samples.

        Parameters
        ----------
        before, ahead : Sample
            All matured leads of the day of that origin, in order of time, and those that came next.
        """
        settings = settings or OriginSettings()
        found = dict(_judged(before, ahead, fields, tuple(self.by_origin), settings))
        return RecencyChoice({each: (*losses, found[each]) for each, losses in self.by_origin.items()})


def choose_recency(
    sample: Sample,
    fields: Sequence[EncodedField],
    candidates: Sequence[Recency] = CANDIDATES,
    settings: OriginSettings | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> RecencyChoice:
    """The candidate that would have done best so far, for the time after `sample`.

    Parameters
    ----------
    sample : Sample
        Matured leads up to the moment of the choice, in any order.
    progress : callable
        Told a share from 0 to 1 after every origin.

    Raises
    ------
    TooFewOutcomesError
        No origin has enough outcomes before it for every candidate.
    """
    settings = settings or OriginSettings()
    in_time = sample.take(np.argsort(sample.order, kind="stable"))
    origins = list(_origins(in_time, max(c.window_leads for c in candidates), settings))
    if not origins:
        raise TooFewOutcomesError([_too_short(len(sample), settings)])
    choice = RecencyChoice(dict.fromkeys(candidates, ()))
    for number, (before, ahead) in enumerate(origins, start=1):
        choice = choice.after(before, ahead, fields, settings)
        progress(number / len(origins))
    return choice


def _origins(in_time: Sample, widest: int, settings: OriginSettings) -> Iterator[tuple[Sample, Sample]]:
    """Leads before each origin, and those just after it; leads of one moment and of one account stay together."""
    newest = len(in_time) - settings.look_ahead_leads
    for place in newest - settings.spacing_leads * np.arange(settings.n_origins - 1, -1, -1):
        start = int(np.searchsorted(in_time.order, in_time.order[place])) if place > 0 else 0
        ahead = in_time.take(np.arange(start, start + settings.look_ahead_leads))
        earlier = np.arange(start)
        before = in_time.take(earlier[~np.isin(in_time.account[:start], ahead.account)])
        if _has_enough(before, widest, settings):
            yield before, ahead


def _has_enough(before: Sample, widest: int, settings: OriginSettings) -> bool:
    n_fitted_on = len(before) - widest
    if n_fitted_on <= 0:
        return False
    newest = before.take(np.arange(len(before) - min(widest, 500), len(before)))
    oldest = before.take(np.arange(n_fitted_on))
    return min(newest.n_won, newest.n_lost, oldest.n_won, oldest.n_lost) >= settings.min_outcomes


def _judged(
    before: Sample,
    ahead: Sample,
    fields: Sequence[EncodedField],
    candidates: Sequence[Recency],
    settings: OriginSettings,
) -> Iterator[tuple[Recency, float]]:
    """Each candidate's mean log loss on the leads ahead; what candidates share is fitted once."""
    for half_life, window in sorted({(c.half_life_leads, c.window_leads) for c in candidates}, key=str):
        fitted_on = before.take(_rows(0, len(before) - window))
        newest = before.take(_rows(len(before) - window, len(before)))
        part = fit_linear(fitted_on, fields, settings.linear, recency_weights(fitted_on.order, half_life))
        known, asked = part.margins(newest.matrix), part.margins(ahead.matrix)
        for candidate in candidates:
            if (candidate.half_life_leads, candidate.window_leads) == (half_life, window):
                fitted = calibrate(
                    known,
                    np.zeros(window),
                    newest.target,
                    weights=recency_weights(newest.order, candidate.calibration_half_life_leads),
                    stands_for=importance_weights(newest.worked_chance),
                    settings=settings.calibration,
                )
                yield candidate, _loss(fitted.calibrator, asked, ahead)


def _loss(calibrator: Calibrator, margins: FloatArray, ahead: Sample) -> float:
    log_odds = calibrator.log_odds(margins, np.zeros(margins.size))
    losses = np.logaddexp(0, log_odds) - ahead.target * log_odds
    return float(np.average(losses, weights=importance_weights(ahead.worked_chance)))


def _rows(first: int, end: int) -> IntArray:
    return np.arange(first, end, dtype=np.int64)


def _too_short(n_leads: int, settings: OriginSettings) -> Problem:
    return Problem(
        where="recency",
        what=Text(
            en="the history is too short to choose by rolling origins how fast to forget",
            de="die Historie ist zu kurz, um an rollierenden Zeitpunkten zu wählen, wie schnell vergessen wird",
        ),
        seen=str(n_leads),
        expected=Text(
            en=f"more leads, with at least {settings.min_outcomes} of both outcomes before an origin",
            de=f"mehr Leads, mit mindestens {settings.min_outcomes} von beiden Ergebnissen vor einem Zeitpunkt",
        ),
        code="too_few",
    )
