"""Over every lead of every set: contributions add up, and one lead is encoded and scored as in a batch, bit for bit.

Training encodes a frame (`Encoder.frame`), the service a record of JSON values (`Encoder.record`); both must give the
same bits. Base plus contributions must be the log-odds that walking the trees gives, which is another code path. And a
lead explained alone must get the bits that it gets among all others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.contest import quick_settings
from benchmarks.quality.histories import REAL_SETS, MissingDataError, simulated
from benchmarks.quality.references import learnt_on
from benchmarks.report import Bar, Cell, Column, Part, Table
from features.definition import LeadDefinition
from features.encode import Matrix
from features.model.additive import LeadModel
from training.examples import sample_of
from training.labels import Labelled
from training.learn import Settings, learn
from training.simulate import Simulation
from training.splits import split

MOST_APART = 1e-9
N_LEADS, N_QUICK = 20_000, 2_000
A_MOMENT = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
COLUMNS = (
    Column("leads", "set"),
    Column("n", "leads", "{:,}"),
    Column("trees", "trees"),
    Column("apart", "largest gap of the sum, log-odds", "{:.1e}"),
    Column("encoded", "leads encoded differently"),
    Column("alone", "leads scored differently alone"),
)


@dataclass(frozen=True)
class _Checked:
    """What was found on one set."""

    name: str
    n: int
    n_trees: int
    apart: float
    encoded_differently: int
    scored_differently: int

    def row(self) -> dict[str, Cell]:
        return {
            "leads": self.name,
            "n": self.n,
            "trees": self.n_trees,
            "apart": self.apart,
            "encoded": self.encoded_differently,
            "alone": self.scored_differently,
        }


def exactness(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """The largest gap of the sum, and the leads that any path treats differently, by set."""
    notes: list[str] = []
    checked = [check(name, labelled, model) for name, labelled, model in _models(quick, tell, notes)]
    n = sum(one.n for one in checked)
    apart = max(one.apart for one in checked)
    differently = sum(one.encoded_differently + one.scored_differently for one in checked)
    bars = [
        Bar("base plus contributions is the log-odds", f"{apart:.1e} at most, {n:,} leads", f"{MOST_APART:.0e}",
            apart <= MOST_APART),
        Bar("training and serving give the same bits", f"{differently} of {n:,} leads differ", "none", not differently),
    ]  # fmt: skip
    title = "Additivity, and training and serving bit for bit, over every lead of every set"
    rows = [one.row() for one in checked]
    return Part("additivity", title, (__doc__ or "").strip(), [Table("Found", COLUMNS, rows)], bars, notes)


def _models(
    quick: bool, tell: Callable[[str, float], None], notes: list[str]
) -> Iterator[tuple[str, Labelled, LeadModel]]:
    for number, name in enumerate(REAL_SETS):
        tell(REAL_SETS[name], number / 5)
        try:
            labelled, _, learnt = learnt_on(name, quick)
        except MissingDataError as missing:
            notes.append(f"Not measured: {missing}.")
            continue
        yield REAL_SETS[name], labelled, learnt.fit.model
    tell("simulated", 0.8)
    leads = simulated(Simulation(n_leads=N_QUICK if quick else N_LEADS, seed=5)).labelled
    settings = quick_settings(Settings()) if quick else Settings()
    yield "simulated", leads, learn(leads, split(leads), settings).fit.model


def check(name: str, labelled: Labelled, model: LeadModel) -> _Checked:
    """All three questions, asked of every labelled lead."""
    matrix = sample_of(labelled, model.encoder).matrix
    explained = model.explain(matrix)
    sums = [model.base_log_odds + math.fsum(row) for row in explained.contributions.tolist()]
    apart = np.abs(np.array(sums) - model.log_odds_unexplained(matrix)).max()
    alone = [model.explain(matrix[row : row + 1]) for row in range(len(matrix))]
    contributions = np.concatenate([one.contributions for one in alone])
    probability = np.concatenate([one.probability for one in alone])
    differs = _differ(contributions, explained.contributions) | (probability != explained.probability)
    encoded = _differ(_as_served(labelled, model), matrix)
    return _Checked(name, len(matrix), model.forest.n_trees, float(apart), int(encoded.sum()), int(differs.sum()))


def _differ(one: Matrix, other: Matrix) -> np.ndarray:
    """Which rows differ in any bit."""
    bits = [np.ascontiguousarray(matrix, dtype=np.float64).view(np.int64) for matrix in (one, other)]
    return np.asarray(np.any(bits[0] != bits[1], axis=1))


def _as_served(labelled: Labelled, model: LeadModel) -> Matrix:
    """The rows of the records that a CRM would post for the same leads."""
    encoder, definition = model.encoder, labelled.history.definition
    columns = [_json_values(labelled.frame[name], definition, name) for name in encoder.names]
    moments = [A_MOMENT if pd.isna(day) else day.to_pydatetime() for day in labelled.frame["as_of"]]
    records = (dict(zip(encoder.names, values, strict=True)) for values in zip(*columns, strict=True))
    rows = [encoder.record(lead, moment).row for lead, moment in zip(records, moments, strict=True)]
    return np.array(rows)


def _json_values(column: pd.Series, definition: LeadDefinition, name: str) -> list[Any]:
    """A field's values as JSON has them: numbers, true and false, texts, ISO dates, null."""
    kind = definition.fields[name].type
    readers: dict[str, Callable[[Any], Any]] = {
        "number": float,
        "boolean": lambda value: value == "true",
        "category": str,
        "date": lambda value: value.isoformat(),
    }
    return [None if pd.isna(value) else readers[kind](value) for value in column]
