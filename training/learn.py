"""The recipe on a split: learn on the oldest leads, calibrate on newer ones, judge on the newest, ship a refit on all.

What is judged and what is shipped are two models, made in the same way on different days. The number of trees and the
slopes are settled on train and calibrate; then both parts are fitted anew on all leads knowable by the day, and their
level is set for the newest of them: the judged model on those knowable when test begins, the shipped one on all matured
leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from features.encode import Encoder, Matrix
from features.errors import Problem, TooFewOutcomesError
from features.grades import grade
from features.model.additive import LeadModel
from features.model.bundle import Fit
from features.model.trees import Forest
from features.text import Text
from training.examples import sample_of, segments_of
from training.judging.compare import GradeChanges, Paired, compare, grade_changes
from training.judging.evaluate import Evaluation, evaluate
from training.labels import Labelled
from training.recipe.baselines import Baseline, BaseRate, OneFieldRule, PlainLogisticRegression
from training.recipe.calibrate import Calibration, CalibrationSettings, calibrate
from training.recipe.fit import FitSettings, Fitted, Progress, fit, refit, silent
from training.recipe.importance import importance_weights
from training.recipe.level import at_level
from training.recipe.sample import Sample, recency_weights
from training.splits import Rows, Shares, Split

FEWEST_OF_A_KIND = 40
BASELINES: tuple[Baseline, ...] = (BaseRate(), OneFieldRule(), PlainLogisticRegression())

CALIBRATING = Text(en="Calibrating on later leads", de="An späteren Leads kalibrieren")
JUDGING = Text(en="Judging on the newest leads, with intervals", de="An den neuesten Leads prüfen, mit Intervallen")
REFITTING = Text(en="Fitting anew on all leads", de="Auf allen Leads neu anpassen")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run may be told; the defaults are the recipe.

    Attributes
    ----------
    n_resamples : int
        Of every bootstrap.
    """

    shares: Shares = field(default_factory=Shares)
    fit: FitSettings = field(default_factory=FitSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    n_resamples: int = 500
    seed: int = 20260101


@dataclass(frozen=True)
class Learnt:
    """A calibrated model that has seen nothing of the test window."""

    fit: Fit
    fitted: Fitted
    calibration: Calibration


@dataclass(frozen=True)
class Judgement:
    """What the learnt model is worth on the test window.

    Attributes
    ----------
    probability : ndarray of shape (n_test,)
    baselines : mapping of str to Evaluation
        By the baseline's name, fitted on the same leads as the model.
    against : mapping of str to Paired
        The model (a) held against each baseline (b) on the same leads.
    """

    probability: Matrix
    evaluation: Evaluation
    baselines: Mapping[str, Evaluation]
    against: Mapping[str, Paired]


def require_enough(labelled: Labelled) -> None:
    """Refuse to learn from fewer wins or losses than can carry a probability.

    Raises
    ------
    TooFewOutcomesError
        Says how many are missing of which kind.
    """
    if problems := too_few(labelled, np.arange(len(labelled.frame)), FEWEST_OF_A_KIND, Text("", "")):
        raise TooFewOutcomesError(problems)


def too_few(labelled: Labelled, rows: Rows, needed: int, purpose: Text) -> list[Problem]:
    """What is missing for `needed` won and `needed` other leads at `rows`; `purpose` follows "too few won leads"."""
    n_won = int(labelled.frame["target"].to_numpy()[rows].sum())
    counts = ((n_won, Text("won leads", "gewonnene Leads")), (len(rows) - n_won, Text("other leads", "andere Leads")))
    return [
        Problem(
            where=labelled.history.definition.name,
            what=Text(
                f"too few {kind.en}{purpose.en}: {_missing(needed - n).en}",
                f"zu wenige {kind.de}{purpose.de}: {_missing(needed - n).de}",
            ),
            seen=str(n),
            expected=Text(f"at least {needed} that have matured", f"mindestens {needed} ausgereifte"),
            code="too_few",
        )
        for n, kind in counts
        if n < needed
    ]


def _missing(n: int) -> Text:
    return Text(f"{n} {'is' if n == 1 else 'are'} missing", f"es {'fehlt' if n == 1 else 'fehlen'} noch {n}")


def learn(labelled: Labelled, cut: Split, settings: Settings, progress: Progress = silent) -> Learnt:
    """The model as it would have been shipped on the day when the test window of `cut` begins."""
    encoder = Encoder.learn(labelled.history.definition, labelled.frame.iloc[cut.train])
    fitted = fit(sample_of(labelled, encoder, cut.train), encoder.fields, settings.fit, progress)
    progress(CALIBRATING, 1.0)
    later = sample_of(labelled, encoder, cut.calibrate)
    calibration = calibrate(
        fitted.linear.margins(later.matrix),
        Forest.from_text(fitted.model_text).margins(later.matrix),
        later.target,
        weights=recency_weights(later.order, settings.calibration.half_life_leads),
        stands_for=importance_weights(later.worked_chance),
        earlier=fitted.earlier,
        settings=settings.calibration,
    )
    return Learnt(_refitted(labelled, cut.seen, cut.calibrate, (fitted, calibration), settings), fitted, calibration)


def judge(labelled: Labelled, cut: Split, learnt: Learnt, settings: Settings, progress: Progress = silent) -> Judgement:
    """The learnt model and the baselines on the test window of `cut`."""
    return judge_model(labelled, cut, learnt.fit.model, settings, progress)


def judge_model(
    labelled: Labelled, cut: Split, model: LeadModel, settings: Settings, progress: Progress = silent
) -> Judgement:
    """Any model that knows nothing of the test window of `cut`, and the baselines, on that window."""
    progress(JUDGING, 0.0)
    encoder, test = model.encoder, sample_of(labelled, model.encoder, cut.test)
    seen = sample_of(labelled, encoder, cut.seen)
    probability = model.explain(test.matrix).probability
    context = _Context.of(labelled, cut, test, seen, settings)
    evaluation = context.evaluate(probability)
    baselines, against = {}, {}
    for number, baseline in enumerate(BASELINES, start=1):
        progress(JUDGING, number / (len(BASELINES) + 1))
        predicted = baseline.fit(seen, encoder.fields)(test.matrix)
        baselines[baseline.name] = context.evaluate(predicted)
        against[baseline.name] = context.compare(probability, predicted)
    progress(JUDGING, 1.0)
    return Judgement(probability, evaluation, baselines, against)


def ship(labelled: Labelled, cut: Split, learnt: Learnt, settings: Settings, progress: Progress = silent) -> Fit:
    """The model to use: both parts fitted anew on all matured leads, slopes kept, its level that of the newest."""
    progress(REFITTING, 0.0)
    everything = np.arange(len(labelled.frame))
    shipped = _refitted(labelled, everything, cut.test, (learnt.fitted, learnt.calibration), settings)
    progress(REFITTING, 1.0)
    return shipped


def against_champion(
    labelled: Labelled, rows: npt.NDArray[np.int64], probability: Matrix, champion: LeadModel, settings: Settings
) -> tuple[Paired, GradeChanges]:
    """The candidate's probabilities of the leads at `rows` held against the champion's, which saw none of them."""
    test = sample_of(labelled, champion.encoder, rows)
    theirs = champion.explain(test.matrix).probability
    definition = labelled.history.definition
    paired = compare(
        test.target,
        probability,
        theirs,
        test.account,
        segments=segments_of(definition, labelled.frame.iloc[rows]),
        stands_for=importance_weights(test.worked_chance),
        seed=settings.seed,
        n_resamples=settings.n_resamples,
    )
    ours = [grade(p, definition) for p in probability]
    return paired, grade_changes(ours, [grade(p, champion.encoder.definition) for p in theirs])


@dataclass(frozen=True)
class _Context:
    """What every judgement on one test window shares."""

    test: Sample
    when: npt.NDArray[Any] | None
    segments: Mapping[str, npt.NDArray[np.str_]]
    base_rate: float
    capacity_per_week: int | None
    settings: Settings

    @classmethod
    def of(cls, labelled: Labelled, cut: Split, test: Sample, seen: Sample, settings: Settings) -> _Context:
        definition, leads = labelled.history.definition, labelled.frame.iloc[cut.test]
        dated = leads["as_of"].notna().all()
        capacity = definition.handover.capacity_per_week
        return cls(
            test=test,
            when=leads["as_of"].dt.tz_localize(None).to_numpy() if dated else None,
            segments=segments_of(definition, leads),
            base_rate=float(np.average(seen.target, weights=importance_weights(seen.worked_chance))),
            capacity_per_week=round(capacity) if capacity and dated else None,
            settings=settings,
        )

    def evaluate(self, probability: Matrix) -> Evaluation:
        return evaluate(
            self.test.target,
            probability,
            self.test.account,
            self.when,
            base_rate=self.base_rate,
            capacity_per_week=self.capacity_per_week,
            segments=self.segments,
            stands_for=importance_weights(self.test.worked_chance),
            seed=self.settings.seed,
            n_resamples=self.settings.n_resamples,
        )

    def compare(self, probability: Matrix, other: Matrix) -> Paired:
        return compare(
            self.test.target,
            probability,
            other,
            self.test.account,
            segments=self.segments,
            stands_for=importance_weights(self.test.worked_chance),
            seed=self.settings.seed,
            n_resamples=self.settings.n_resamples,
        )


def _refitted(
    labelled: Labelled, rows: Rows, newest: Rows, settled: tuple[Fitted, Calibration], settings: Settings
) -> Fit:
    """Both parts fitted anew on the leads at `rows`, with the number of trees and the slopes that were settled.

    The shift is found anew, for the level of the `newest` of these leads: see `training.recipe.level`.
    """
    fitted, slopes = settled[0], settled[1].calibrator
    encoder = Encoder.learn(labelled.history.definition, labelled.frame.iloc[rows])
    sample = sample_of(labelled, encoder, rows)
    anew = refit(sample, encoder.fields, fitted, settings.fit)
    forest = Forest.from_text(anew.model_text)
    parts = (anew.linear.margins(sample.matrix), forest.margins(sample.matrix))
    weights = recency_weights(sample.order, settings.fit.parts.half_life(len(sample)))
    calibrator = at_level(slopes, parts, sample, np.isin(rows, newest), weights)
    return Fit(LeadModel(encoder, anew.linear, forest, calibrator), anew.model_text)
