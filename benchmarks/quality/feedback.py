"""The feedback loop: six retrains of a model whose scores decide which leads sales works at all.

The first model learns from a year and a half in which sales worked every lead. From then on, period by period (180
days, then 90 until every outcome is known), the best 30 % by the model's score are worked, and of the rest an
exploring share at random. A model learns from the newest three periods, so that the first one is forgotten by the
third retrain. The last model is judged on the next period, in which every lead is worked: on the 70 % that it scores
lowest, which the loop would have left alone. "If worked" is the question that a score answers; a model that learns
from leads that nobody worked answers another one.

One world says little: a period explores some 280 leads, of which 14 are won. So the loop with exploration runs in
several worlds, each with other campaigns and other leads, and the bar holds for the mean slope with the interval
between worlds; what happens without exploration is shown in the first.

Two runs beside it tell what the loop does and what it does not. The same loop without the column that says with which
chance a lead came to be worked: each lead then counts once. And a model that learns from the same three periods with
every lead worked: no way of weighting the worked ones can be expected to do better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.quality.contest import LEVEL, auc, quick_settings
from benchmarks.quality.histories import demo_definition, simulated, with_chances
from benchmarks.quality.simulated import ece_against, slope_against
from benchmarks.report import Bar, Cell, Column, Part, Table
from features.history import History, files_of, read_history, read_leads
from features.model.additive import LeadModel
from training.examples import sample_of
from training.judging.evaluate import evaluate
from training.labels import label
from training.learn import Settings, learn, ship
from training.recipe.sample import FloatArray
from training.simulate import Drift, Feedback, Simulated, Simulation, simulate, write
from training.splits import split

N_RETRAINS, PERIODS_KEPT = 6, 3
FIRST_DAYS, PERIOD_DAYS, HORIZON_DAYS = 540, 180, 90
WORKED_SHARE = 0.3
N_LEADS, N_JUDGED, N_QUICK = 8_000, 20_000, 3_000
WORLDS = (1, 2, 3, 4)
COLUMNS = (
    Column("loop", "loop"),
    Column("world", "world"),
    Column("n", "low scores", "{:,}"),
    Column("said", "mean probability", "{:.2%}"),
    Column("won", "won", "{:.2%}"),
    Column("truth", "true mean", "{:.2%}"),
    Column("slope", "slope", "{:.2f}"),
    Column("interval", "90 % interval", "{:.2f}"),
    Column("slope_truth", "slope against the truth", "{:.2f}"),
    Column("ece", "ECE against the truth", "{:.4f}"),
    Column("auc", "AUC, all leads", "{:.3f}"),
)


@dataclass(frozen=True, slots=True)
class Loop:
    """One way to run it.

    Attributes
    ----------
    exploration_share : float or None
        None has every lead worked, whatever its score.
    knows_chances : bool
        Whether training is told with which chance each lead came to be worked. Leads that nobody worked then stay out.
    learns_from_unworked : bool
        Whether they are learnt from as lost ones.
    """

    name: str
    exploration_share: float | None
    knows_chances: bool = False
    learns_from_unworked: bool = False


LOOPS = (
    Loop("5 % explored, chances known", 0.05, knows_chances=True),
    Loop("5 % explored, chances unknown", 0.05),
    Loop("every lead worked", None),
    Loop("none explored, learns from worked leads", 0.0),
    Loop("none explored, learns from all leads", 0.0, learns_from_unworked=True),
)
IN_ALL_WORLDS = LOOPS[:3]


def feedback(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Calibration among low scores after the last retrain, loop by loop and world by world."""
    rows = []
    runs = list(_runs(quick))
    for place, (loop, number) in enumerate(runs):
        tell(f"{loop.name}, world {number}", place / len(runs))
        world = _World(number, quick)
        rows.append({"world": number, **_row(loop, *world.judged(world.after_retrains(loop)))})
    bar = _bar([row for row in rows if row["loop"] == LOOPS[0].name], 2 if quick else N_RETRAINS)
    title = "The feedback loop: calibration among low scores"
    return Part(
        "feedback", title, (__doc__ or "").strip(), [Table("Judged with every lead worked", COLUMNS, rows)], [bar]
    )


def _runs(quick: bool) -> Iterator[tuple[Loop, int]]:
    """The loop with exploration and what it is held against in every world, the others in the first."""
    for loop in LOOPS:
        worlds = WORLDS if loop in IN_ALL_WORLDS else WORLDS[:1]
        for number in worlds[:2] if quick else worlds:
            yield loop, number


class _World:
    """Periods of one world, one after the other."""

    def __init__(self, number: int, quick: bool) -> None:
        first = Simulation(days=PERIOD_DAYS, days_after_last_lead=HORIZON_DAYS, horizon_days=HORIZON_DAYS)
        first = replace(first, seed=400 + 100 * number, world=first.world + number - 1)
        self.first = replace(first, n_leads=N_QUICK if quick else N_LEADS, drift=Drift(origin=first.start))
        self.n_retrains = 2 if quick else N_RETRAINS
        self.n_judged = N_QUICK if quick else N_JUDGED
        self.settings = quick_settings(Settings()) if quick else Settings()
        self.definition = demo_definition()

    def period(self, number: int) -> Simulation:
        """The parameters of a period; the next one begins when all of its outcomes are known."""
        if number == 0:
            return replace(self.first, days=FIRST_DAYS)
        days = FIRST_DAYS + HORIZON_DAYS + (number - 1) * (PERIOD_DAYS + HORIZON_DAYS)
        return replace(self.first, start=self.first.start + timedelta(days=days), seed=self.first.seed + number)

    def after_retrains(self, loop: Loop) -> LeadModel:
        """The model after the last retrain; the first one learns from a period in which every lead was worked."""
        if loop.exploration_share is None:  # no model decides anything: only the last has to be learnt
            newest = range(self.n_retrains + 1)[-PERIODS_KEPT:]
            return self._learnt([self._history(number, simulate(self.period(number)), loop) for number in newest])
        kept = [self._history(0, simulate(self.period(0)), loop)]
        model = self._learnt(kept)
        for number in range(1, self.n_retrains + 1):
            score = _Score(self, model)
            asked = Feedback(score=score, worked_share=WORKED_SHARE, exploration_share=loop.exploration_share)
            made = simulate(replace(self.period(number), feedback=asked))
            kept = [*kept, self._history(number, made, loop)][-PERIODS_KEPT:]
            model = self._learnt(kept)
        return model

    def judged(self, model: LeadModel) -> tuple[pd.DataFrame, FloatArray, FloatArray]:
        """Leads of the period after the last, every one worked: the leads, their probabilities, and the truth."""
        parameters = replace(self.period(self.n_retrains + 1), n_leads=self.n_judged)
        leads = simulated(parameters, self.definition)
        probability = model.explain(sample_of(leads.labelled, model.encoder).matrix).probability
        return leads.labelled.frame, probability, leads.true_probability

    def _history(self, number: int, made: Simulated, loop: Loop) -> History:
        """What is exported for training; ids are told apart by period, as accounts of two periods are not the same."""
        definition = with_chances(self.definition) if loop.knows_chances else self.definition
        kept = made.truth["worked"].to_numpy(dtype=bool) | loop.learns_from_unworked | loop.knows_chances
        with TemporaryDirectory() as folder:
            path = write(replace(made, export=made.export[kept]), Path(folder), format="parquet").leads
            history = read_history(definition, files_of(definition, str(path)))
        frame = history.frame.assign(**{name: f"{number}/" + history.frame[name] for name in ("lead_id", "account")})
        end = pd.Timestamp(made.exported_at, tz="UTC").to_pydatetime()
        return replace(history, frame=frame, data_end=end)

    def _learnt(self, kept: list[History]) -> LeadModel:
        frame = pd.concat([history.frame for history in kept], ignore_index=True)
        labelled = label(replace(kept[-1], frame=frame))
        cut = split(labelled, self.settings.shares)
        learnt = learn(labelled, cut, self.settings)
        return ship(labelled, cut, learnt, self.settings).model

    def scored(self, model: LeadModel, known_at_creation: pd.DataFrame) -> FloatArray:
        """The model's probabilities of leads as the simulator hands them over."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "leads.parquet"
            known_at_creation.to_parquet(path, index=False)
            leads = read_leads(self.definition, files_of(self.definition, str(path)))
        return model.explain(model.encoder.frame(leads, leads["as_of"])).probability


@dataclass(frozen=True)
class _Score:
    """What the simulator asks for a score."""

    world: _World
    model: LeadModel

    def __call__(self, known_at_creation: pd.DataFrame) -> FloatArray:
        return self.world.scored(self.model, known_at_creation)


def _bar(explored: Sequence[Mapping[str, Cell]], n_retrains: int) -> Bar:
    """The mean slope over worlds, with Student's interval from how worlds differ."""
    slopes = np.array([row["slope"] for row in explored], dtype=np.float64)
    error = slopes.std(ddof=1) / np.sqrt(len(slopes)) * stats.t.ppf((1 + LEVEL) / 2, len(slopes) - 1)
    low, high = slopes.mean() - error, slopes.mean() + error
    return Bar(
        what=f"after {n_retrains} retrains with 5 % explored: slope among low scores, mean of {len(slopes)} worlds",
        measured=f"{slopes.mean():.2f}, {low:.2f} to {high:.2f}",
        limit="interval includes 1",
        met=bool(low <= 1 <= high),
    )


def _row(loop: Loop, leads: pd.DataFrame, probability: FloatArray, truth: FloatArray) -> dict[str, Cell]:
    low = probability <= np.quantile(probability, 1 - WORKED_SHARE)
    target, account = leads["target"].to_numpy(dtype=np.float64), leads["account"].to_numpy(dtype=str)
    rate = float(target[low].mean())
    found = evaluate(target[low], probability[low], account[low], None, base_rate=rate, level=LEVEL)
    slope = found.metrics["calibration_slope"]
    return {
        "loop": loop.name,
        "n": int(low.sum()),
        "said": float(probability[low].mean()),
        "won": rate,
        "truth": float(truth[low].mean()),
        "slope": slope.value,
        "slope_truth": slope_against(truth[low], probability[low]),
        "interval": slope.interval,
        "ece": ece_against(truth[low], probability[low]),
        "auc": auc(target, probability),
    }
