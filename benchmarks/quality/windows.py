"""Ours against the best of four peers, chosen in hindsight per window, at several moments of several histories.

Per window everyone is given the same rows, encoded alike: ours settles trees and calibration on the older and the newer
of them and is then fitted anew on all, as it would be shipped; logistic regression, LightGBM, XGBoost and CatBoost are
fitted on all of them with their defaults. The best peer of a window is the one with the lowest log loss on the very
leads that judge it: nobody could have picked it. On the bank calibration alone beats them all, so the mean is also
given without it. Real sets are cut by shares, without gaps; simulated ones as a
training run cuts them. Windows of one history overlap in what they learn from, and partly in what judges them, so the
standard error of a mean is somewhat too small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.environment import outsiders_said, python_of
from benchmarks.quality.contest import PEERS, Judge, loss, quick_settings, said
from benchmarks.quality.histories import (
    REAL_SETS,
    MissingDataError,
    cut_by_shares,
    cut_with_gaps,
    real,
    simulated,
)
from benchmarks.report import Bar, Cell, Column, Part, Table
from features.encode import Encoder
from training.examples import sample_of
from training.labels import Labelled
from training.learn import Settings, learn
from training.recipe.sample import FloatArray
from training.simulate import Simulation
from training.splits import Split

ENVIRONMENT = Path(".state") / "bench-env"
N_THREADS_OF_PEERS = 2
UNTIL: Mapping[str, Sequence[float]] = {
    "bank": (0.55, 0.7, 0.85, 1.0),
    "x_education": (0.6, 0.7, 0.8, 0.9, 1.0),
    "x_education_later": (0.6, 0.7, 0.8, 0.9, 1.0),
    "olist": (0.7, 0.8, 0.9, 1.0),
}
SIMULATED: Mapping[int, tuple[Sequence[int], Sequence[float]]] = {
    1_000: ((21, 22, 23), (0.85, 1.0)),
    10_000: ((31, 32), (0.7, 0.85, 1.0)),
    100_000: ((41,), (0.85, 1.0)),
}
MOST_MEAN, MOST_WORST = 0.005, 0.02
NAMES = ("logistic_regression", "lightgbm", "xgboost", "catboost")
COLUMNS = (
    Column("set", "set"),
    Column("until", "up to", "{:.0%}"),
    Column("n_known", "leads given", "{:,}"),
    Column("n", "judged on", "{:,}"),
    Column("won", "won", "{:,}"),
    Column("trees", "trees"),
    Column("ours", "ours", "{:.4f}"),
    *(Column(name, name, "{:.4f}") for name in NAMES),
    Column("best", "best peer"),
    Column("behind", "ours against it", "{:+.1%}"),
    Column("error", "standard error", "{:.1%}"),
)
MEANS = (
    Column("set", "set"),
    Column("windows", "windows"),
    Column("mean", "mean, against the best peer", "{:+.2%}"),
    Column("error", "standard error", "{:.2%}"),
    Column("worst", "worst", "{:+.1%}"),
    *(Column(name, f"mean, {name}", "{:+.1%}") for name in NAMES),
)


@dataclass(frozen=True)
class _Window:
    """One moment of one history: what is known, and the leads after."""

    set: str
    until: float
    labelled: Labelled
    cut: Split


def windows(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Every window, the mean by set and over all, and the bars."""
    tell("the peers' environment", 0.0)
    python = python_of(ENVIRONMENT)
    notes: list[str] = []
    rows = []
    settings = quick_settings(Settings()) if quick else Settings()
    for number, window in enumerate(_windows(quick, notes)):
        tell(f"{window.set}, up to {window.until:.0%}", number / _n_windows(quick))
        rows.append(_contest(window, settings, python))
    sets = list(dict.fromkeys(str(row["set"]) for row in rows))
    means = [_mean(name, [row for row in rows if row["set"] == name]) for name in sets]
    means.append(_mean("all but the bank", [row for row in rows if not str(row["set"]).startswith("bank")]))
    means.append(_mean("all", rows))
    tables = [Table("Means", MEANS, means), Table("Windows, log loss", COLUMNS, rows)]
    title = "The best peer in hindsight, window by window"
    return Part("windows", title, (__doc__ or "").strip(), tables, [_mean_bar(means[-1]), _worst_bar(rows)], notes)


def _n_windows(quick: bool) -> int:
    n_real = sum(len(_moments(untils, quick)) for untils in UNTIL.values())
    return n_real + sum(len(seeds) * len(untils) for seeds, untils in _simulations(quick).values())


def _moments(untils: Sequence[float], quick: bool) -> Sequence[float]:
    return untils[-1:] if quick else untils


def _simulations(quick: bool) -> Mapping[int, tuple[Sequence[int], Sequence[float]]]:
    return {1_000: ((21,), (1.0,))} if quick else SIMULATED


def _windows(quick: bool, notes: list[str]) -> Iterator[_Window]:
    for name, untils in UNTIL.items():
        try:
            labelled = real(name)
        except MissingDataError as missing:
            notes.append(f"Not measured: {missing}.")
            continue
        for until in _moments(untils, quick):
            yield _Window(
                REAL_SETS[name].split(",")[0] + _suffix(name), until, labelled, cut_by_shares(labelled, until)
            )
    for n_leads, (seeds, untils) in _simulations(quick).items():
        for seed in seeds:
            leads = simulated(Simulation(n_leads=n_leads, seed=seed, days_after_last_lead=90)).labelled
            for until in untils:
                yield _Window(f"simulated, {n_leads:,}", until, *cut_with_gaps(leads, until))


def _suffix(name: str) -> str:
    return {"x_education": ", at capture", "x_education_later": ", 20 fields"}.get(name, "")


def _contest(window: _Window, settings: Settings, python: Path) -> dict[str, Cell]:
    """Everyone on one window."""
    labelled, cut = window.labelled, window.cut
    learnt = learn(labelled, cut, settings)
    judge = Judge.of(labelled, cut)
    ours = said(learnt.fit.model, labelled, cut.test)
    theirs = _peers(labelled, cut, python)
    losses = {name: loss(judge.target, theirs[name]) for name in NAMES}
    best = min(losses, key=losses.__getitem__)
    gap = judge.difference(ours, theirs[best])
    return {
        "set": window.set,
        "until": window.until,
        "n_known": len(cut.seen),
        "n": gap.n,
        "won": gap.n_wins,
        "trees": learnt.fitted.n_rounds,
        "ours": loss(judge.target, ours),
        **losses,
        "best": best,
        "behind": gap.value / losses[best],
        "error": (gap.standard_error or 0.0) / losses[best],
    }


def _peers(labelled: Labelled, cut: Split, python: Path) -> dict[str, FloatArray]:
    """Each peer's probabilities of the test leads, fitted on all leads known before them."""
    encoder = Encoder.learn(labelled.history.definition, labelled.frame.iloc[cut.seen])
    known, asked = sample_of(labelled, encoder, cut.seen), sample_of(labelled, encoder, cut.test).matrix
    inside = {peer.name: peer.fit(known, encoder.fields)(asked) for peer in PEERS}
    return {**inside, **outsiders_said(python, known, encoder.fields, asked, N_THREADS_OF_PEERS)}


def _mean(name: str, rows: Sequence[Mapping[str, Cell]]) -> dict[str, Cell]:
    behind, errors, ours = (_numbers(rows, key) for key in ("behind", "error", "ours"))
    return {
        "set": name,
        "windows": len(rows),
        "mean": float(behind.mean()),
        "error": math.sqrt(float((errors**2).sum())) / len(rows),
        "worst": float(behind.max()),
        **{peer: float((ours / _numbers(rows, peer) - 1).mean()) for peer in NAMES},
    }


def _numbers(rows: Sequence[Mapping[str, Cell]], key: str) -> FloatArray:
    return np.array([row[key] for row in rows], dtype=np.float64)


def _mean_bar(mean: Mapping[str, Cell]) -> Bar:
    value, error = float(str(mean["mean"])), float(str(mean["error"]))
    what = f"log loss against the best peer in hindsight, mean over {mean['windows']} windows"
    return Bar(what, f"{value:+.2%} (standard error {error:.2%})", f"at most {MOST_MEAN:+.1%}", value <= MOST_MEAN)


def _worst_bar(rows: Sequence[Mapping[str, Cell]]) -> Bar:
    behind, errors = _numbers(rows, "behind"), _numbers(rows, "error")
    broken = [
        f"{rows[place]['set']} up to {rows[place]['until']:.0%}: {behind[place]:+.1%} (error {errors[place]:.1%})"
        for place in np.flatnonzero(behind > np.maximum(MOST_WORST, 2 * errors)).tolist()
    ]
    measured = "; ".join(broken) or f"worst {behind.max():+.1%}"
    limit = "2 %, or two standard errors where that is more"
    return Bar("no window worse than the best peer in hindsight beyond", measured, limit, not broken)
