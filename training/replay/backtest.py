"""The past replayed: at each origin the model is refitted and recalibrated as it would have been, and then judged.

At every origin (`origins` says what is known at it) these give each lead of the coming period a probability:

    refitted             the recipe: both parts fitted on the older known leads, calibrated on the newest, then fitted
                         anew on all known ones at the level of the newest, as `training.learn.ship` does
    frozen               the model of the first origin, never touched again
    frozen_recalibrated  the same fields and trees, with slopes and shift from the newest known outcomes that it was
                         not fitted on (`OriginSettings.calibrate_on`, 1,000 by default); as shipped while those hold
                         fewer than 20 wins or 20 others
    base_rate, one_field_rule, logistic_regression    fitted on all known leads at every origin

The number of trees is chosen at the first origin and again after every `choose_every` origins; in between it is kept,
as choosing takes most of the time of a fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from features.encode import Encoder
from features.model.additive import LeadModel
from features.model.calibrator import Calibrator
from features.model.trees import Forest
from features.text import Text
from training.examples import sample_of
from training.judging.bootstrap import Resampling
from training.judging.compare import Paired, compare
from training.judging.evaluate import Evaluation, evaluate
from training.judging.metrics import Floats
from training.judging.tables import FEWEST_WINS, Leads, RateRow, rates
from training.labels import Labelled
from training.learn import BASELINES
from training.recipe.calibrate import Calibration, CalibrationSettings, calibrate
from training.recipe.fit import FitSettings, Fitted, Progress, fit, refit, silent
from training.recipe.importance import importance_weights
from training.recipe.level import at_level
from training.recipe.sample import Sample, recency_weights
from training.recipe.slope_history import Margins
from training.replay.backtest_result import FROZEN, RECALIBRATED, REFITTED, Backtest, Calibrators, Period
from training.replay.origins import Origin, OriginSettings, origins
from training.splits import Rows

REPLAYING = Text(en="Replaying the past, origin by origin", de="Vergangenheit nachspielen, Zeitpunkt für Zeitpunkt")
JUDGING = Text(en="Judging every period, with intervals", de="Jeden Zeitraum prüfen, mit Intervallen")


@dataclass(frozen=True, slots=True)
class BacktestSettings:
    """What a backtest may be told.

    Attributes
    ----------
    choose_every : int
        Origins from one choice of the number of trees to the next.
    n_resamples, n_resamples_period : int
        Of the bootstraps over all leads, and over those of one period.
    """

    origins: OriginSettings = field(default_factory=OriginSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    choose_every: int = 12
    n_resamples: int = 500
    n_resamples_period: int = 200
    seed: int = 20260101


def run_backtest(
    labelled: Labelled, settings: BacktestSettings = BacktestSettings(), progress: Progress = silent
) -> Backtest:
    """The replay of a dated history, judged by period and over all.

    Raises
    ------
    DefinitionError
        If the definition has no dates.
    HistoryError
        If too few outcomes are known at every origin.
    """
    plan = origins(labelled, settings.origins)
    replay = _Replay(labelled, settings, plan[0])
    scores = []
    for number, step in enumerate(plan):
        progress(REPLAYING, 0.9 * number / len(plan))
        scores.append(replay.scores(number, step))
    progress(JUDGING, 0.9)
    judge = _Judge(labelled, settings, _rate_of(labelled, plan[0].known))
    periods = tuple(judge.period(step, found) for step, found in zip(plan, scores, strict=True))
    everything = np.concatenate([step.scored for step in plan])
    pooled = {name: np.concatenate([found.probability[name] for found in scores]) for name in scores[0].probability}
    progress(JUDGING, 1.0)
    return Backtest(
        name=labelled.history.definition.name,
        horizon_days=labelled.history.definition.target.horizon_days or 0,
        settings=settings.origins,
        periods=periods,
        evaluations=judge.evaluations(everything, pooled, settings.n_resamples),
        against=judge.against(everything, pooled, settings.n_resamples),
        predictions=_predictions(labelled, plan, pooled),
    )


@dataclass(frozen=True, eq=False)
class _Scores:
    """What everyone said about the leads of one period, and by which model."""

    probability: Mapping[str, Floats]
    calibrators: Calibrators
    n_trees: int


@dataclass(frozen=True, eq=False)
class _Model:
    model: LeadModel
    fitted: Fitted


class _Replay:
    """Fits models in the order of time; keeps the frozen one and the last choice of the number of trees."""

    def __init__(self, labelled: Labelled, settings: BacktestSettings, first: Origin) -> None:
        self.labelled = labelled
        self.settings = settings
        self.frozen = self._last = self._learn(first, None)

    def scores(self, number: int, step: Origin) -> _Scores:
        """Everyone's probabilities of the leads that are scored at `step`."""
        if number:
            choose = number % self.settings.choose_every == 0
            self._last = self._learn(step, None if choose else self._last.fitted)
        refitted, frozen = self._last.model, self.frozen.model
        recalibrated = self._recalibrated(frozen, step)
        scored = sample_of(self.labelled, frozen.encoder, step.scored)
        probability = {
            REFITTED: refitted.explain(sample_of(self.labelled, refitted.encoder, step.scored).matrix).probability,
            FROZEN: frozen.explain(scored.matrix).probability,
            RECALIBRATED: recalibrated.explain(scored.matrix).probability,
            **self._baselines(step, refitted.encoder),
        }
        calibrators = Calibrators(refitted.calibrator, frozen.calibrator, recalibrated.calibrator)
        return _Scores(probability, calibrators, self._last.fitted.n_rounds)

    def _learn(self, step: Origin, chosen: Fitted | None) -> _Model:
        """The model that would have been shipped at `step`; `chosen` has the number of trees, None chooses it."""
        encoder = self._encoder(step.train)
        sample, settings = sample_of(self.labelled, encoder, step.train), self.settings.fit
        fitted = (
            fit(sample, encoder.fields, settings) if chosen is None else refit(sample, encoder.fields, chosen, settings)
        )
        slopes = self._calibrated(encoder, fitted, step.calibrate).calibrator
        encoder = self._encoder(step.known)
        known = sample_of(self.labelled, encoder, step.known)
        shipped = refit(known, encoder.fields, fitted, settings)
        forest = Forest.from_text(shipped.model_text)
        parts = (shipped.linear.margins(known.matrix), forest.margins(known.matrix))
        weights = recency_weights(known.order, settings.parts.half_life(len(known)))
        calibrator = at_level(slopes, parts, known, np.isin(step.known, step.calibrate), weights)
        # The rounds asked for are handed on: a booster that found no further split once may find one later.
        return _Model(
            LeadModel(encoder, shipped.linear, forest, calibrator), replace(shipped, n_rounds=fitted.n_rounds)
        )

    def _encoder(self, rows: Rows) -> Encoder:
        return Encoder.learn(self.labelled.history.definition, self.labelled.frame.iloc[rows])

    def _calibrated(self, encoder: Encoder, fitted: Fitted, rows: Rows) -> Calibration:
        leads, forest = sample_of(self.labelled, encoder, rows), Forest.from_text(fitted.model_text)
        return self._slopes(leads, fitted.linear.margins(leads.matrix), forest, fitted.earlier)

    def _recalibrated(self, model: LeadModel, step: Origin) -> LeadModel:
        leads = sample_of(self.labelled, model.encoder, step.newer)
        if min(leads.n_won, leads.n_lost) < FEWEST_WINS:
            return model
        found: Calibrator = self._slopes(leads, model.linear.margins(leads.matrix), model.forest).calibrator
        return replace(model, calibrator=found)

    def _slopes(self, leads: Sample, linear: Floats, forest: Forest, earlier: Sequence[Margins] = ()) -> Calibration:
        trees = forest.margins(leads.matrix) if forest.n_trees else np.zeros(len(leads))
        settings = self.settings.calibration
        weights = recency_weights(leads.order, settings.half_life_leads)
        stands_for = importance_weights(leads.worked_chance)
        return calibrate(
            linear, trees, leads.target, weights=weights, stands_for=stands_for, earlier=earlier, settings=settings
        )

    def _baselines(self, step: Origin, encoder: Encoder) -> dict[str, Floats]:
        known = sample_of(self.labelled, encoder, step.known)
        scored = sample_of(self.labelled, encoder, step.scored)
        return {each.name: each.fit(known, encoder.fields)(scored.matrix) for each in BASELINES}


@dataclass(frozen=True, eq=False)
class _Judge:
    """Figures and differences of probabilities that were given to leads of the labelled frame."""

    labelled: Labelled
    settings: BacktestSettings
    base_rate: float

    def period(self, step: Origin, found: _Scores) -> Period:
        known_rate = _rate_of(self.labelled, step.known)
        n_resamples = self.settings.n_resamples_period
        zone = self.labelled.history.definition.read.timezone
        start, end = (pd.Timestamp(day).tz_convert(zone).date().isoformat() for day in (step.moment, step.until))
        return Period(
            start=start,
            end=end,
            n_known=len(step.known),
            n_account=step.n_account,
            known_rate=known_rate,
            n_newer=len(step.newer),
            n_trees=found.n_trees,
            calibrators=found.calibrators,
            evaluations=self.evaluations(step.scored, found.probability, n_resamples, known_rate),
            rates={name: self._rate(step.scored, said, start) for name, said in found.probability.items()},
            against=self.against(step.scored, found.probability, n_resamples),
        )

    def evaluations(
        self, rows: Rows, probability: Mapping[str, Floats], n_resamples: int, base_rate: float | None = None
    ) -> dict[str, Evaluation]:
        """Everyone on the leads at `rows`; skills against the rate known at the first origin unless told another."""
        leads = self.labelled.frame.iloc[rows]
        when, stands_for = leads["as_of"].dt.tz_localize(None).to_numpy(), _stands_for(self.labelled, rows)
        return {
            name: evaluate(
                leads["target"].to_numpy(),
                said,
                leads["account"].to_numpy(dtype=str),
                when,
                base_rate=self.base_rate if base_rate is None else base_rate,
                stands_for=stands_for,
                seed=self.settings.seed,
                n_resamples=n_resamples,
            )
            for name, said in probability.items()
        }

    def _rate(self, rows: Rows, said: Floats, start: str) -> RateRow:
        leads = self.labelled.frame.iloc[rows]
        target, account = leads["target"].to_numpy(dtype=float), leads["account"].to_numpy(dtype=str)
        all_in_one = np.zeros(len(rows), dtype=np.int64)
        resampling = Resampling(seed=self.settings.seed)
        return rates(
            Leads.of(target, said, account, resampling, _stands_for(self.labelled, rows)), all_in_one, [start]
        )[0]

    def against(self, rows: Rows, probability: Mapping[str, Floats], n_resamples: int) -> dict[str, Paired]:
        """The refitted model (a) held against everyone else (b)."""
        leads = self.labelled.frame.iloc[rows]
        target, account = leads["target"].to_numpy(), leads["account"].to_numpy(dtype=str)
        ours, seed = probability[REFITTED], self.settings.seed
        return {
            name: compare(
                target,
                ours,
                said,
                account,
                stands_for=_stands_for(self.labelled, rows),
                seed=seed,
                n_resamples=n_resamples,
            )
            for name, said in probability.items()
            if name != REFITTED
        }


def _stands_for(labelled: Labelled, rows: Rows) -> Floats:
    return importance_weights(labelled.frame["worked_chance"].to_numpy(dtype=float)[rows])


def _rate_of(labelled: Labelled, rows: Rows) -> float:
    """The share of wins that the leads at `rows` stand for."""
    return float(np.average(labelled.frame["target"].to_numpy(dtype=float)[rows], weights=_stands_for(labelled, rows)))


def _predictions(labelled: Labelled, plan: Sequence[Origin], pooled: Mapping[str, Floats]) -> pd.DataFrame:
    """One row per lead scored: what everyone said, and what became of it."""
    zone = labelled.history.definition.read.timezone
    leads = labelled.frame.iloc[np.concatenate([step.scored for step in plan])]
    starts = [f"{pd.Timestamp(s.moment).tz_convert(zone):%Y-%m-%d}" for s in plan for _ in s.scored]
    given = {"origin": starts, "lead_id": leads["lead_id"].to_numpy(), "as_of": leads["as_of"].to_numpy()}
    return pd.DataFrame({**given, "target": leads["target"].to_numpy(), **pooled})
