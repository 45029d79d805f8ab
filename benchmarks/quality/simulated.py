"""Probabilities against the truth: 50,000 simulated leads, drift off.

The whole of a training run on one history of two years: leads cut in time with a gap of one horizon, the model judged
on the newest of them, then the shipped refit judged on 50,000 later leads that nobody trained on (another seed of the
same world, the half year after the export). The true probability is that of a perfect model that sees one lead and no
gaps: what gaps hide cannot be had back. The bars hold for the second: it is the model that 50,000 leads give, and only
some 5,000 leads judge the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np

from benchmarks.quality.contest import Judge, loss, quick_settings, said
from benchmarks.quality.histories import simulated
from benchmarks.report import Bar, Cell, Column, Part, Table
from training.judging.evaluate import Evaluation
from training.judging.metrics import equal_count_bins, recalibration
from training.learn import Settings, learn, ship
from training.recipe.sample import FloatArray
from training.simulate import NO_DRIFT, Simulation
from training.splits import split

N_LEADS, N_QUICK = 50_000, 4_000
LATER = "later leads, model fitted on all"
SLOPE, MOST_ECE, MOST_EXCESS = (0.95, 1.05), 0.01, 0.02
N_RESAMPLES = 300
COLUMNS = (
    Column("leads", "judged on"),
    Column("n", "leads", "{:,}"),
    Column("log_loss", "log loss", "{:.4f}"),
    Column("truth", "the truth's", "{:.4f}"),
    Column("excess", "above it", "{:+.2%}"),
    Column("slope", "slope", "{:.3f}"),
    Column("slope_interval", "90 % interval", "{:.3f}"),
    Column("slope_truth", "slope against the truth", "{:.3f}"),
    Column("ece", "ECE against the truth", "{:.4f}"),
    Column("rmse", "distance from the truth (root mean square)", "{:.4f}"),
)


def simulated_truth(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Calibration slope, ECE against the true probability, and log loss against the truth's own."""
    parameters = Simulation(n_leads=N_QUICK if quick else N_LEADS, seed=11, drift=NO_DRIFT)
    settings = quick_settings(Settings()) if quick else Settings()
    tell("learning on the first two years", 0.0)
    past = simulated(parameters)
    cut = split(past.labelled, settings.shares)
    learnt = learn(past.labelled, cut, settings)
    tell("refitting, and judging on later leads", 0.6)
    shipped = ship(past.labelled, cut, learnt, settings)
    later = simulated(_later(parameters))
    everything = np.arange(len(later.labelled.frame))
    whole = replace(cut, seen=everything, test=everything)
    judged = {
        "newest leads of the history": (past, Judge.of(past.labelled, cut, N_RESAMPLES), cut.test, learnt.fit.model),
        LATER: (later, Judge.of(later.labelled, whole, N_RESAMPLES), everything, shipped.model),
    }
    rows: list[dict[str, Cell]] = []
    for name, (leads, judge, places, model) in judged.items():
        probability = said(model, leads.labelled, places)
        rows.append(_row(name, leads.true_probability[places], judge, probability))
    bars = list(_bars(LATER, rows[1]))
    note = f"{learnt.fitted.n_rounds} trees; calibrated with {learnt.calibration.method}."
    title = f"Simulated, {parameters.n_leads:,} leads, drift off: against the true probabilities"
    return Part("simulated", title, (__doc__ or "").strip(), [Table("Figures", COLUMNS, rows)], bars, [note])


def _later(parameters: Simulation) -> Simulation:
    """As many leads of the half year after the export, every one of them matured."""
    begin = parameters.start + timedelta(days=parameters.days + parameters.days_after_last_lead)
    after = parameters.horizon_days
    return replace(parameters, start=begin, days=180, days_after_last_lead=after, seed=parameters.seed + 1)


def _row(name: str, truth: FloatArray, judge: Judge, probability: FloatArray) -> dict[str, Cell]:
    found: Evaluation = judge.evaluation(probability)
    slope = found.metrics["calibration_slope"]
    best = loss(judge.target, truth)
    return {
        "leads": name,
        "n": len(truth),
        "log_loss": loss(judge.target, probability),
        "truth": best,
        "excess": loss(judge.target, probability) / best - 1,
        "slope": slope.value,
        "slope_interval": slope.interval,
        "slope_truth": slope_against(truth, probability),
        "ece": ece_against(truth, probability),
        "rmse": float(np.sqrt(((probability - truth) ** 2).mean())),
    }


def slope_against(truth: FloatArray, probability: FloatArray) -> float:
    """The calibration slope without the noise of outcomes: each lead is won with the weight of its true probability."""
    both, weight = np.concatenate([probability, probability]), np.concatenate([truth, 1 - truth])
    return float(recalibration(np.repeat([1.0, 0.0], len(truth)), both, weight).slope)


def ece_against(truth: FloatArray, probability: FloatArray, n_bins: int = 10) -> float:
    """Mean gap between mean probability and mean true probability over equal-count bins."""
    bins = equal_count_bins(probability, n_bins)
    gaps = np.bincount(bins, weights=probability - truth)
    return float(np.abs(gaps).sum() / len(truth))


def _bars(name: str, row: dict[str, Cell]) -> Iterator[Bar]:
    slope, ece, excess = (float(str(row[key])) for key in ("slope", "ece", "excess"))
    low, high = SLOPE
    yield Bar(f"{name}: calibration slope", f"{slope:.3f}", f"{low} to {high}", low <= slope <= high)
    yield Bar(f"{name}: ECE against the truth", f"{ece:.4f}", f"at most {MOST_ECE}", ece <= MOST_ECE)
    yield Bar(
        f"{name}: log loss above the truth's", f"{excess:.2%}", f"at most {MOST_EXCESS:.0%}", excess <= MOST_EXCESS
    )
