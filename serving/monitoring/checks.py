"""All checks of one evaluation, with one promise about false alarms.

While nothing has changed by more than is tolerated, one evaluation finds anything *over* its limit with at most the
probability `FALSE_ALARMS`, all checks taken together: each gets an equal part of it (Bonferroni). What is tolerated
stands below, and is why a quiet service stays quiet with any number of leads: no reference is exactly right, and with
enough leads every test would notice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from features.encode import FIRST_LEVEL_CODE, MISSING_CODE, POOLED_CODE, EncodedField, Matrix
from features.model.bundle import Bundle
from features.profile import MISSING_BIN, FieldProfile, bin_indices
from features.rates import Pair
from serving.monitoring.calibration import calibration_of
from serving.monitoring.drift import Integers, shift_of
from serving.monitoring.performance import expected_performance
from serving.monitoring.reading import Kind, Lacking, Reading
from serving.monitoring.shares import difference, share_interval
from serving.monitoring.volume import RECENT_DAYS, volume_of

FALSE_ALARMS: Final = 0.01
FEWEST_LEADS: Final = 100

SHIFT: Final[Pair] = (-math.inf, 0.05)
"""Of a distribution, on the scale of PSI, which many call small below 0.1."""
MISSING: Final[Pair] = (-0.05, 0.05)
UNKNOWN: Final[Pair] = (-math.inf, 0.05)
UNLIKE: Final[Pair] = (-math.inf, 0.06)
"""About 1 in 100 later leads is flagged where nothing changed (features/familiar.py); 5 points more are tolerated."""
VOLUME: Final[Pair] = (0.5, 2.0)
CALIBRATION: Final[Pair] = (1 / 1.1, 1.1)
"""As the offline monitor has it, `python -m training due`."""
SKILL_KEPT: Final = 0.6
"""The least part of the evaluation's skill that the probabilities of recent leads must promise."""
LEAST_SKILL: Final = 0.01


@dataclass(frozen=True)
class Recent:
    """The leads of the window, as the model in service reads them.

    Attributes
    ----------
    matrix : ndarray of shape (n_leads, n_fields)
    account : ndarray of shape (n_leads,)
        The account of each as a number; a lead without one is an account of its own.
    probability : ndarray of shape (n_leads,)
    unlike : ndarray of shape (n_leads,), or None
        Whether each is unlike any lead of training; None if the bundle cannot say.
    """

    matrix: Matrix
    account: Integers
    probability: npt.NDArray[np.float64]
    unlike: npt.NDArray[np.bool_] | None


@dataclass(frozen=True)
class Matured:
    """Matured leads that the model had not seen; each array (n_leads,), and their as-of dates where known."""

    won: npt.NDArray[np.bool_]
    probability: npt.NDArray[np.float64]
    account: Integers
    as_of: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Seen:
    """Everything that one evaluation looks at.

    Attributes
    ----------
    matured : Matured or None
        None without a horizon, or if no outcome was ever sent.
    lacks_outcomes : bool
        Which of the two it is.
    counts : sequence of int
        Leads of each whole day, the oldest first.
    """

    recent: Recent
    matured: Matured | None
    lacks_outcomes: bool
    counts: Sequence[int]


def readings(bundle: Bundle, seen: Seen) -> list[Reading]:
    """What every check finds; the same checks for the same bundle, whatever there is to look at."""
    encoded, chance = bundle.model.encoder.fields, FALSE_ALARMS / n_checks(bundle)
    columns = [_Column(bundle, place, seen.recent) for place in range(len(encoded))]
    found = [column.shift(chance) for column in columns]
    found += [column.missing(chance) for column in columns]
    found += [column.unknown(chance) for column in columns if column.has_levels]
    found += [
        _score(bundle, seen.recent, chance),
        _unlike(seen.recent, chance),
        _volume(seen.counts, chance),
        _calibration(seen, chance),
        _performance(bundle, seen.recent, chance),
    ]
    return found


def n_checks(bundle: Bundle) -> int:
    """How many checks there are for this bundle."""
    fields = bundle.definition.fields.values()
    return 2 * len(fields) + sum(field.type == "category" for field in fields) + 5


class _Column:
    """One field of the recent leads beside its profile."""

    def __init__(self, bundle: Bundle, place: int, recent: Recent) -> None:
        self._encoded: EncodedField = bundle.model.encoder.fields[place]
        self._profile: FieldProfile = bundle.profile.fields[place]
        self._account = recent.account
        category = self._encoded.kind == "category"
        self._bins = bin_indices(recent.matrix[:, place], self._profile.edges, category=category)
        self._first_known = FIRST_LEVEL_CODE if category else MISSING_BIN + 1
        self._n_before = np.array(self._profile.n, dtype=np.int64)
        self.has_levels = bundle.definition.fields[self._encoded.name].type == "category"

    def shift(self, chance: float) -> Reading:
        """How the known values are distributed; gaps and new values have checks of their own."""
        known = self._bins >= self._first_known
        bins, reference = self._bins[known] - self._first_known, self._n_before[self._first_known :]
        return _shift("field", self._encoded.name, (bins, self._account[known], reference), chance)

    def missing(self, chance: float) -> Reading:
        return self._share("missing", MISSING_CODE, MISSING, chance)

    def unknown(self, chance: float) -> Reading:
        return self._share("unknown", POOLED_CODE, UNKNOWN, chance)

    def _share(self, kind: Kind, code: int, tolerated: Pair, chance: float) -> Reading:
        there, of_before = self._bins == code, int(self._n_before.sum())
        lacking: Lacking = "leads" if len(there) < FEWEST_LEADS else "" if of_before else "reference"
        if lacking:
            return Reading.untold(kind, self._encoded.name, tolerated, len(there), lacking)
        n_before = int(self._n_before[code])
        value, (low, high) = difference(there, self._account, n_before, of_before, chance)
        figures = {"share": float(there.mean()), "share_before": n_before / of_before}
        return Reading(kind, self._encoded.name, value, low, high, tolerated, len(there), figures=figures)


def _shift(kind: Kind, name: str, compared: tuple[Integers, Integers, Integers], chance: float) -> Reading:
    bins, account, reference = compared
    if len(bins) < FEWEST_LEADS:
        return Reading.untold(kind, name, SHIFT, len(bins), "leads")
    shift = shift_of(bins, account, reference, chance)
    if shift is None:
        return Reading.untold(kind, name, SHIFT, len(bins), "reference")
    figures = {"psi": shift.psi, "psi_by_chance": shift.psi_by_chance, "design_effect": shift.design_effect}
    return Reading(kind, name, shift.size, shift.low, math.inf, SHIFT, shift.n, figures=figures)


def _score(bundle: Bundle, recent: Recent, chance: float) -> Reading:
    profile = bundle.profile
    bins = bin_indices(recent.probability, profile.score_edges, category=False) - 1  # no probability is missing
    return _shift("score", "", (bins, recent.account, np.array(profile.score_n, dtype=np.int64)), chance)


def _unlike(recent: Recent, chance: float) -> Reading:
    n = len(recent.probability)
    if recent.unlike is None or n < FEWEST_LEADS:
        return Reading.untold("unlike", "", UNLIKE, n, "reference" if recent.unlike is None else "leads")
    ends = share_interval(recent.unlike, recent.account, chance)
    return Reading("unlike", "", float(recent.unlike.mean()), *ends, UNLIKE, n)


def _volume(counts: Sequence[int], chance: float) -> Reading:
    found = volume_of(counts, chance)
    n = sum(counts[-RECENT_DAYS:])
    if found is None:
        return Reading.untold("volume", "", VOLUME, n, "days")
    figures = {"observed": float(found.observed), "expected": found.expected, "spread": found.spread}
    return Reading("volume", "", found.ratio, *found.interval, VOLUME, n, figures=figures)


def _calibration(seen: Seen, chance: float) -> Reading:
    matured = seen.matured
    if matured is None:
        return Reading.untold("calibration", "", CALIBRATION, 0, "outcomes" if seen.lacks_outcomes else "reference")
    n = len(matured.won)
    found = calibration_of(matured.won, matured.probability, matured.account, chance)
    if found is None:
        return Reading.untold("calibration", "", CALIBRATION, n, "outcomes")
    figures = {"observed": float(found.observed), "expected": found.expected}
    return Reading("calibration", "", found.ratio, *found.interval, CALIBRATION, n, figures=figures)


def _performance(bundle: Bundle, recent: Recent, chance: float) -> Reading:
    n, evaluated = len(recent.probability), _skill(bundle)
    tolerated = (SKILL_KEPT * (evaluated or 0.0), math.inf)
    if n < FEWEST_LEADS or evaluated is None:
        lacking: Lacking = "reference" if evaluated is None else "leads"
        return Reading.untold("performance", "", tolerated, n, lacking)
    found = expected_performance(recent.probability, recent.account, chance)
    if found is None:
        return Reading.untold("performance", "", tolerated, n, "reference")
    figures = {"evaluated_skill": evaluated, "expected_log_loss": found.log_loss, "expected_auc": found.auc}
    return Reading("performance", "", found.skill, *found.interval, tolerated, n, figures=figures)


def _skill(bundle: Bundle) -> float | None:
    """The skill that the evaluation on later leads found; None if it found none to speak of."""
    metric = bundle.manifest.metrics.get("log_loss_skill")
    value = metric.get("value") if isinstance(metric, dict) else None
    return float(value) if isinstance(value, int | float) and value >= LEAST_SKILL else None
