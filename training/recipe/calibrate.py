"""Calibration on later leads: two slopes and a shift over the margins of both parts.

`log_odds = a1 * linear + a2 * trees + b` is a logistic regression with two inputs, with slopes at or above 0 and
drawn towards 1 by a ridge: without evidence a part keeps the size that training gave it. Platt (1999, "Probabilistic
outputs for support vector machines") is the case of one slope, and what is used where the window is too small to
tell the two parts apart. His smoothed targets are not used: the ridge already keeps separable data finite.

Where earlier windows of later leads are at hand, as after `fit`, the slopes are those that all windows together speak
for (`training.recipe.slope_history`), and this window alone settles the shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from features.errors import Problem, TooFewOutcomesError
from features.model.calibrator import Calibrator
from features.text import Text, decimal, whole
from training.recipe.level import shift_to_rate
from training.recipe.sample import FloatArray
from training.recipe.slope_history import Margins, slope_evidence, usual_slopes
from training.recipe.slopes import fit_slopes

Method: TypeAlias = Literal["two slopes", "one slope"]

METHOD_NAMES: dict[Method, Text] = {
    "two slopes": Text(en="two slopes, one per part", de="zwei Steigungen, eine je Modellteil"),
    "one slope": Text(en="one slope for both parts (Platt)", de="eine Steigung für beide Modellteile (Platt)"),
}


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """How calibration is fitted.

    Attributes
    ----------
    ridge : float
        Pull of each slope towards 1, as in `ridge / 2 * (slope - 1)²` beside the summed log loss. With 20, 75 wins
        decide some three quarters of their slope, a dozen a third. A window's slope strays from the next window's
        by more than sampling: over 20 windows of four field sets, 20 to 100 did better than 5 by .05 % in log loss.
    min_outcomes_two_slopes : int
        Below so many won or lost leads, one slope.
    min_outcomes_wild_slopes : int
        Below so many won or lost leads, two slopes of which one is 0 or above `max_slope` give way to one.
    max_slope : float
        Above this a slope is wild: the part would be far too timid, which no fit with a ridge is.
    usual_error, usual_wander : float
        With earlier windows: how far usual slopes lie from 1 before anything is seen, and how far a window's may
        stray from the usual (`training.recipe.slope_history.usual_slopes`).
    half_life_leads : float or None
        Halves a lead's weight for every so many later leads; None weighs all alike. Whoever calls `calibrate` makes
        the weights of it with `training.recipe.sample.recency_weights`.
    """

    ridge: float = 20.0
    min_outcomes_two_slopes: int = 50
    min_outcomes_wild_slopes: int = 200
    max_slope: float = 2.5
    usual_error: float = 0.15
    usual_wander: float = 0.5
    half_life_leads: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A calibrator and how it came about.

    Attributes
    ----------
    calibrator : Calibrator
        Both slopes and the shift.
    method : {"two slopes", "one slope"}
        Which of the two was used.
    reason : Text
        Why this method, for the model card.
    covariance : ndarray of float, shape (3, 3)
        Of (linear slope, tree slope, intercept): the inverse of the penalised curvature at the fit. With one
        slope both slopes move together. For intervals; a slope that stands at 0 has variance 0. With earlier windows
        it holds how far windows stray as well.
    n_leads, n_won : int
        What it was fitted on.
    """

    calibrator: Calibrator
    method: Method
    reason: Text
    covariance: FloatArray
    n_leads: int
    n_won: int


def calibrate(
    linear: FloatArray,
    trees: FloatArray,
    target: FloatArray,
    *,
    weights: FloatArray | None = None,
    stands_for: FloatArray | None = None,
    earlier: Sequence[Margins] = (),
    settings: CalibrationSettings | None = None,
) -> Calibration:
    """Both slopes and the shift that fit later leads best, or one slope where two cannot be told apart.

    Not for leads that the parts were fitted on: their margins are over-confident there, and no slope would show it.

    Parameters
    ----------
    linear, trees : ndarray of float, shape (n_leads,)
        Margins in log-odds of the two parts; trees without the linear part's share.
    target : ndarray of float, shape (n_leads,)
        1 won, 0 not.
    weights : ndarray of float, shape (n_leads,), optional
        By time only, see `training.recipe.sample.recency_weights`.
    stands_for : ndarray of float, shape (n_leads,), optional
        How many leads each one stands for, see `training.recipe.importance`.
    earlier : sequence of Margins
        Of earlier windows, by fits of the same recipe that had not seen them; they speak for slopes, not for the shift.

    Raises
    ------
    TooFewOutcomesError
        All of these leads won, or none did.
    """
    settings = settings or CalibrationSettings()
    leads = _Leads(Margins(linear, trees, target, stands_for), weights)
    n_fewer = _effective_outcomes(target, leads.weights)
    if earlier:
        return _over_windows(leads, earlier, settings)
    if not trees.any():
        reason = Text(en="there are no trees to scale apart", de="es gibt keine Bäume, die eigens zu skalieren wären")
        return _one_slope(leads, settings, reason)
    if n_fewer < settings.min_outcomes_two_slopes:
        return _one_slope(leads, settings, _few(n_fewer, settings.min_outcomes_two_slopes))
    both = _two_slopes(leads, settings)
    if n_fewer < settings.min_outcomes_wild_slopes and _is_wild(both.calibrator, settings):
        return _one_slope(leads, settings, _wild(both.calibrator))
    return both


def _effective_outcomes(target: FloatArray, weights: FloatArray) -> float:
    n_won, n_lost = float(weights @ target), float(weights @ (1 - target))
    if min(n_won, n_lost) == 0:
        raise TooFewOutcomesError([_one_class(target)])
    return min(n_won, n_lost)


def _one_class(target: FloatArray) -> Problem:
    return Problem(
        where="calibration window",
        what=Text(
            en="all leads have the same outcome, so nothing can be calibrated on them",
            de="alle Leads haben dasselbe Ergebnis, daran lässt sich nichts kalibrieren",
        ),
        seen=f"{int(target.sum())} / {target.size}",
        expected=Text(en="won and lost leads", de="gewonnene und verlorene Leads"),
        code="one_class",
    )


def _is_wild(calibrator: Calibrator, settings: CalibrationSettings) -> bool:
    slopes = (calibrator.linear_slope, calibrator.tree_slope)
    return min(slopes) == 0 or max(slopes) > settings.max_slope


def _few(n_fewer: float, needed: int) -> Text:
    seen = round(n_fewer)
    return Text(
        en=f"the rarer outcome has only {whole(seen, 'en')} leads here, two slopes need {needed}",
        de=f"das seltenere Ergebnis hat hier nur {whole(seen, 'de')} Leads, zwei Steigungen brauchen {needed}",
    )


def _wild(seen: Calibrator) -> Text:
    en, de = (
        [decimal(slope, 2, language) for slope in (seen.linear_slope, seen.tree_slope)] for language in ("en", "de")
    )
    return Text(
        en=f"two slopes came out implausible on little data ({en[0]} and {en[1]})",
        de=f"zwei Steigungen fielen auf wenigen Daten unplausibel aus ({de[0]} und {de[1]})",
    )


def _two_slopes(leads: _Leads, settings: CalibrationSettings) -> Calibration:
    inputs = np.column_stack([leads.linear, leads.trees])
    (a1, a2, b), covariance = fit_slopes(inputs, leads.target, leads.weights, settings.ridge)
    reason = Text(en="enough later leads to tell the parts apart", de="genug spätere Leads, um die Teile zu trennen")
    return leads.calibration(Calibrator(float(a1), float(a2), float(b)), "two slopes", reason, covariance)


def _one_slope(leads: _Leads, settings: CalibrationSettings, reason: Text) -> Calibration:
    inputs = (leads.linear + leads.trees)[:, None]
    (a, b), covariance = fit_slopes(inputs, leads.target, leads.weights, settings.ridge)
    both = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return leads.calibration(Calibrator(float(a), float(a), float(b)), "one slope", reason, both @ covariance @ both.T)


def _over_windows(leads: _Leads, earlier: Sequence[Margins], settings: CalibrationSettings) -> Calibration:
    here = slope_evidence(leads.margins, leads.by_time)
    windows = [*(slope_evidence(window) for window in earlier), here]
    slopes, spread = usual_slopes(windows, usual_error=settings.usual_error, usual_wander=settings.usual_wander)
    has_trees = leads.trees.any() or any(window.trees.any() for window in earlier)
    a1, a2 = np.maximum(slopes, 0.0) if has_trees else np.repeat(max(slopes[0], 0.0), 2)
    b = shift_to_rate(a1 * leads.linear + a2 * leads.trees, leads.target, leads.weights)
    # The shift is known best at the leads' centre; elsewhere it moves against the slopes.
    moved = np.vstack([np.eye(2), -here.centre])
    covariance = moved @ spread @ moved.T
    covariance[2, 2] += 1 / here.information
    method: Method = "two slopes" if has_trees else "one slope"
    return leads.calibration(Calibrator(float(a1), float(a2), float(b)), method, _windows(len(windows)), covariance)


def _windows(n_windows: int) -> Text:
    return Text(
        en=f"from what {whole(n_windows, 'en')} windows of later leads say together",
        de=f"aus dem, was {whole(n_windows, 'de')} Fenster späterer Leads gemeinsam sagen",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Leads:
    margins: Margins
    by_time: FloatArray | None

    @property
    def linear(self) -> FloatArray:
        return self.margins.linear

    @property
    def trees(self) -> FloatArray:
        return self.margins.trees

    @property
    def target(self) -> FloatArray:
        return self.margins.target

    @property
    def weights(self) -> FloatArray:
        return self.margins.weights if self.by_time is None else self.by_time * self.margins.weights

    def calibration(self, calibrator: Calibrator, method: Method, reason: Text, covariance: FloatArray) -> Calibration:
        return Calibration(calibrator, method, reason, covariance, self.target.size, int(self.target.sum()))
