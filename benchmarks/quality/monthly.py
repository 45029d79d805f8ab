"""A bank whose rate of wins goes from 3 % to 50 %: refitted monthly from June 2009 on, each month judged as it came.

How fast to forget is chosen by rolling origins (`training.recipe.recency`): at first those before 2009-06-01, and
each month is one more once it is over. Each month both parts are fitted on the leads before the newest outcomes, with
the half-life chosen, and calibrated on those: so nothing of a month is known when its leads are scored. The number of
trees is chosen in the first month, in every sixth after it, and whenever the answer on forgetting changes. Logistic
regression is refitted monthly too, with Platt on the last 1,000 outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from benchmarks.quality.contest import LEVEL, N_RESAMPLES, auc, loss, quick_settings
from benchmarks.quality.histories import real
from benchmarks.report import Bar, Cell, Column, Part, Table
from features.encode import Encoder
from features.model.additive import LeadModel
from features.model.trees import Forest
from training.examples import sample_of
from training.judging.compare import compare
from training.judging.evaluate import evaluate
from training.judging.metrics import log_odds
from training.labels import Labelled
from training.learn import Settings
from training.recipe.baselines import PlainLogisticRegression
from training.recipe.calibrate import calibrate
from training.recipe.fit import FitSettings, Fitted, fit, refit
from training.recipe.recency import OriginSettings, Recency, RecencyChoice, choose_recency
from training.recipe.sample import FloatArray, recency_weights
from training.splits import Rows

FIRST = pd.Timestamp("2009-06-01", tz="UTC")
CHOOSE_EVERY = 6
REFERENCE_WINDOW = 1000
LIMITS = {"log loss": 0.657, "log loss (target)": 0.652, "ECE": 0.036}
COLUMNS = (
    Column("month", "month"),
    Column("n", "leads", "{:,}"),
    Column("rate", "won", "{:.1%}"),
    Column("trees", "trees"),
    Column("ours", "ours, log loss", "{:.4f}"),
    Column("logistic", "logistic regression", "{:.4f}"),
    Column("mean", "ours, mean probability", "{:.1%}"),
)
TOTALS = (
    Column("model", "model"),
    Column("log_loss", "log loss", "{:.4f}"),
    Column("log_loss_interval", "90 % interval", "{:.4f}"),
    Column("auc", "AUC", "{:.3f}"),
    Column("ece", "ECE", "{:.4f}"),
    Column("ece_interval", "90 % interval", "{:.4f}"),
    Column("chance", "ECE by chance alone", "{:.4f}"),
)


@dataclass(frozen=True)
class _Month:
    """What is known at its beginning, and its leads."""

    name: str
    known: Rows
    scored: Rows


def monthly(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Log loss and ECE over all months together, and month by month."""
    labelled = real("bank")
    months = list(_months(labelled))[:3] if quick else list(_months(labelled))
    tell("choosing how fast to forget, on what was known in June 2009", 0.0)
    origins = OriginSettings(n_origins=3) if quick else OriginSettings()
    encoder = _encoder(labelled, months[0].known)
    choice = choose_recency(sample_of(labelled, encoder, months[0].known), encoder.fields, settings=origins)
    replay = _Replay(labelled, quick)
    scores, rows, chosen = [], [], []
    for number, month in enumerate(months):
        tell(month.name, 0.2 + 0.8 * number / len(months))
        chosen.append(choice.best)
        ours, theirs = replay.ours(number, month, choice.best), _logistic(labelled, month)
        scores.append((ours, theirs))
        rows.append(_row(labelled, month, ours, theirs, replay.n_trees))
        choice = _after(choice, labelled, month)
    ours, theirs = (np.concatenate(column) for column in zip(*scores, strict=True))
    everything = np.concatenate([month.scored for month in months])
    totals, bars, notes = _totals(labelled, everything, ours, theirs)
    notes = [*_chosen([month.name for month in months], chosen, choice.n_origins - len(months)), *notes]
    tables = [Table("All months together", TOTALS, totals), Table("Month by month", COLUMNS, rows)]
    return Part(
        "monthly", "bank_marketing, refitted monthly, June 2009 on", (__doc__ or "").strip(), tables, bars, notes
    )


def _months(labelled: Labelled) -> Iterator[_Month]:
    as_of = labelled.frame["as_of"].dt.tz_convert(labelled.history.definition.read.timezone)
    knowable = labelled.frame["knowable"]
    names = as_of.dt.strftime("%Y-%m").to_numpy(dtype=str)
    for name in sorted(set(names[(as_of >= FIRST).to_numpy()])):
        begin = pd.Timestamp(name, tz=labelled.history.definition.read.timezone)
        known = np.flatnonzero((knowable <= begin).to_numpy())
        yield _Month(name, known, np.flatnonzero(names == name))


def _after(choice: RecencyChoice, labelled: Labelled, month: _Month) -> RecencyChoice:
    """The choice once the month's outcomes are known."""
    encoder = _encoder(labelled, month.known)
    before, ahead = (sample_of(labelled, encoder, rows) for rows in (month.known, month.scored))
    return choice.after(before, ahead, encoder.fields)


class _Replay:
    """Refits month by month; keeps the number of trees between two choices of it."""

    def __init__(self, labelled: Labelled, quick: bool) -> None:
        self.labelled = labelled
        self.settings: FitSettings = (quick_settings(Settings()) if quick else Settings()).fit
        self.chosen: Fitted | None = None
        self.chosen_for: Recency | None = None
        self.n_trees = 0

    def ours(self, number: int, month: _Month, recency: Recency) -> FloatArray:
        """Probabilities of the month's leads, with the parts forgetting as `recency` says."""
        train, newest = month.known[: -recency.window_leads], month.known[-recency.window_leads :]
        encoder = _encoder(self.labelled, train)
        fitted = self._fitted(number, encoder, train, recency)
        forest = Forest.from_text(fitted.model_text)
        later = sample_of(self.labelled, encoder, newest)
        calibration = calibrate(
            fitted.linear.margins(later.matrix),
            forest.margins(later.matrix),
            later.target,
            weights=recency_weights(later.order, recency.calibration_half_life_leads),
        )
        model = LeadModel(encoder, fitted.linear, forest, calibration.calibrator)
        self.n_trees = forest.n_trees
        return model.explain(sample_of(self.labelled, encoder, month.scored).matrix).probability

    def _fitted(self, number: int, encoder: Encoder, train: Rows, recency: Recency) -> Fitted:
        sample = sample_of(self.labelled, encoder, train)
        parts = replace(self.settings.parts, half_life_leads=recency.half_life_leads, half_life_share=None)
        settings = replace(self.settings, parts=parts)
        if self.chosen is None or recency != self.chosen_for or number % CHOOSE_EVERY == 0:
            self.chosen, self.chosen_for = fit(sample, encoder.fields, settings), recency
            return self.chosen
        return refit(sample, encoder.fields, self.chosen, settings)


def _logistic(labelled: Labelled, month: _Month) -> FloatArray:
    train, newest = month.known[:-REFERENCE_WINDOW], month.known[-REFERENCE_WINDOW:]
    encoder = _encoder(labelled, train)
    predict = PlainLogisticRegression().fit(sample_of(labelled, encoder, train), encoder.fields)
    later = sample_of(labelled, encoder, newest)
    none = np.zeros(len(later))
    calibrator = calibrate(log_odds(predict(later.matrix)), none, later.target).calibrator
    margins = log_odds(predict(sample_of(labelled, encoder, month.scored).matrix))
    return calibrator.probabilities(margins, np.zeros(len(margins)))


def _encoder(labelled: Labelled, rows: Rows) -> Encoder:
    return Encoder.learn(labelled.history.definition, labelled.frame.iloc[rows])


def _row(labelled: Labelled, month: _Month, ours: FloatArray, theirs: FloatArray, n_trees: int) -> dict[str, Cell]:
    target = labelled.frame["target"].to_numpy(dtype=np.float64)[month.scored]
    return {
        "month": month.name,
        "n": len(target),
        "rate": float(target.mean()),
        "trees": n_trees,
        "ours": loss(target, ours),
        "logistic": loss(target, theirs),
        "mean": float(ours.mean()),
    }


def _totals(
    labelled: Labelled, rows: Rows, ours: FloatArray, theirs: FloatArray
) -> tuple[list[dict[str, Cell]], list[Bar], list[str]]:
    leads = labelled.frame.iloc[rows]
    target, account = leads["target"].to_numpy(dtype=np.float64), leads["account"].to_numpy(dtype=str)
    totals: list[dict[str, Cell]] = []
    for name, probability in (("ours", ours), ("logistic regression, Platt on the last 1,000", theirs)):
        found = evaluate(target, probability, account, None, base_rate=float(target.mean()), level=LEVEL)
        metrics = found.metrics
        totals.append(
            {
                "model": name,
                "log_loss": metrics["log_loss"].value,
                "log_loss_interval": metrics["log_loss"].interval,
                "auc": auc(target, probability),
                "ece": metrics["ece"].value,
                "ece_interval": metrics["ece"].interval,
                "chance": found.ece_by_chance,
            }
        )
    gap = compare(target, ours, theirs, account, n_resamples=N_RESAMPLES, level=LEVEL).log_loss
    low, high = gap.interval or (gap.value, gap.value)
    values = {"log loss": totals[0]["log_loss"], "ECE": totals[0]["ece"]}
    values["log loss (target)"] = values["log loss"]
    bars = [
        Bar(f"bank, refitted monthly: {name}", f"{value:.4f}", f"at most {LIMITS[name]}", value <= LIMITS[name])
        for name, value in values.items()
        if isinstance(value, float)
    ]
    return totals, bars, [f"Ours minus logistic regression, log loss: {gap.value:+.4f}, {low:+.4f} to {high:+.4f}."]


def _chosen(months: Sequence[str], chosen: Sequence[Recency], n_origins: int) -> Iterator[str]:
    """What was chosen for the first month, and every change after it."""
    yield f"Chosen over {n_origins} origins before {months[0]}, then one more each month: {_said(chosen[0])}."
    for month, (before, best) in zip(months[1:], pairwise(chosen), strict=True):
        if best != before:
            yield f"From {month} on: {_said(best)}."


def _said(recency: Recency) -> str:
    half, window, newest = recency.half_life_leads, recency.window_leads, recency.calibration_half_life_leads
    return (
        f"half-life of training {_leads(half)}, calibrated on the newest {window:,} outcomes, "
        f"their half-life {_leads(newest)}"
    )


def _leads(n: float | None) -> str:
    return "none" if n is None else f"{n:,.0f} leads"
