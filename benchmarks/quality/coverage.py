"""How sure: the share of later leads whose true probability lies in its 90 % interval, on simulated histories.

Each set is a history of two years, learnt from by the whole of a training run; the model as shipped, with its
intervals, is then asked about 6,000 leads of the 60 days after the history. Sets of one size differ in their leads, in
their campaigns and in the season in which they begin. Half of them drift as the simulator does by default, half do not.
A single model can miss as a whole, since its leads share one miss of the level: the bars hold for the mean over sets,
and the range over single sets stands beside it. Grades are those of the definition, pooled over sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.contest import quick_settings
from benchmarks.quality.histories import demo_definition, simulated
from benchmarks.report import Bar, Cell, Column, Part, Table
from features.definition import GRADES
from features.grades import grades
from features.model.calibrator import probabilities_of
from features.model.sureness import Z_OF_LEVEL
from training.examples import sample_of
from training.learn import Settings, learn, ship
from training.recipe.sample import FloatArray
from training.recipe.sureness import fit_sureness
from training.simulate import NO_DRIFT, Drift, Simulation
from training.splits import split

SETS: Mapping[int, int] = {1_500: 6, 5_000: 6, 20_000: 4, 50_000: 3}
QUICK_SETS: Mapping[int, int] = {1_500: 2}
SEASONS = (date(2024, 1, 1), date(2024, 4, 1), date(2024, 7, 1), date(2024, 10, 1))
N_LATER, DAYS_LATER = 6_000, 60
LOWEST, HIGHEST, LOWEST_OF_A_GRADE = 0.85, 0.95, 0.80
COLUMNS = (
    Column("leads", "leads", "{:,}"),
    Column("drift", "drift"),
    Column("sets", "sets"),
    Column("all", "all", "{:.3f}"),
    Column("range", "single sets", "{:.2f}"),
    *(Column(grade, grade, "{:.3f}") for grade in GRADES),
    Column("width", "mean width", "{:.3f}"),
)


@dataclass(frozen=True, slots=True)
class Covered:
    """Later leads of one set: whether each one's interval holds its true probability, its grade, its width."""

    inside: NDArray[np.bool_]
    grade: NDArray[np.str_]
    width: FloatArray


def coverage(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Coverage over all leads and by grade, by size of the history, with and without drift."""
    sizes = QUICK_SETS if quick else SETS
    rows: list[dict[str, Cell]] = []
    kinds = [(n_leads, drift) for n_leads in sizes for drift in ("off", "on")]
    for place, (n_leads, drift) in enumerate(kinds):
        tell(f"{n_leads:,} leads, drift {drift}", place / len(kinds))
        found = [covered(history(n_leads, drift, number), quick) for number in range(sizes[n_leads])]
        rows.append({"leads": n_leads, "drift": drift, **_row(found)})
    title = "How sure: coverage of 90 % intervals on simulated histories"
    about = (__doc__ or "").strip()
    return Part("coverage", title, about, [Table("Share of true probabilities inside", COLUMNS, rows)], [*_bars(rows)])


def history(n_leads: int, drift: str, number: int) -> Simulation:
    """The parameters of one set."""
    start = SEASONS[number % len(SEASONS)]
    changes = Drift(origin=start) if drift == "on" else NO_DRIFT
    return Simulation(n_leads=n_leads, seed=7_000 + number, world=70 + number, start=start, drift=changes)


def covered(parameters: Simulation, quick: bool = False) -> Covered:
    """What the model of this history says of the leads after it, held against the truth."""
    settings = quick_settings(Settings()) if quick else Settings()
    labelled = simulated(parameters).labelled
    cut = split(labelled, settings.shares)
    learnt = learn(labelled, cut, settings)
    model = ship(labelled, cut, learnt, settings).model
    sureness = fit_sureness(sample_of(labelled, model.encoder), model, learnt.calibration, settings.fit.parts)
    later = simulated(_later(parameters))
    matrix = sample_of(later.labelled, model.encoder).matrix
    log_odds = model.explain(matrix).log_odds
    reach = Z_OF_LEVEL * sureness.standard_errors(matrix)
    low, high = probabilities_of(log_odds - reach), probabilities_of(log_odds + reach)
    inside = (low <= later.true_probability) & (later.true_probability <= high)
    return Covered(inside, grades(probabilities_of(log_odds), demo_definition()), high - low)


def _later(parameters: Simulation) -> Simulation:
    """The leads of the days after the last lead of the history, in the same world, every one matured."""
    begin = parameters.start + timedelta(days=parameters.days)
    after = parameters.horizon_days
    return replace(
        parameters,
        n_leads=N_LATER,
        start=begin,
        days=DAYS_LATER,
        days_after_last_lead=after,
        seed=parameters.seed + 500,
    )


def _row(found: Sequence[Covered]) -> dict[str, Cell]:
    single = [float(each.inside.mean()) for each in found]
    inside, grade = (np.concatenate([getattr(each, name) for each in found]) for name in ("inside", "grade"))
    return {
        "sets": len(found),
        "all": float(np.mean(single)),
        "range": (min(single), max(single)),
        **{name: float(inside[grade == name].mean()) for name in GRADES if (grade == name).any()},
        "width": float(np.mean([each.width.mean() for each in found])),
    }


def _bars(rows: Sequence[Mapping[str, Cell]]) -> Iterator[Bar]:
    for row in rows:
        what, all_leads = f"{row['leads']:,} leads, drift {row['drift']}", float(str(row["all"]))
        limit = f"{LOWEST:.2f} to {HIGHEST:.2f}"
        yield Bar(f"{what}: coverage, all leads", f"{all_leads:.3f}", limit, LOWEST <= all_leads <= HIGHEST)
        worst = min((float(str(row[name])), name) for name in GRADES if name in row)
        shown = f"{worst[0]:.3f} ({worst[1]})"
        yield Bar(f"{what}: lowest grade", shown, f"at least {LOWEST_OF_A_GRADE}", worst[0] >= LOWEST_OF_A_GRADE)
