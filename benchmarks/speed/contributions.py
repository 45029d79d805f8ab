"""Our exact contributions against LightGBM's `pred_contrib`, side by side on one thread.

Both are given the same numpy rows in turn, round by round, and the medians over the rounds are compared. What is
counted is the processor time of the one thread: other work on the machine counts for neither. "One lead" is one row at
a time, another one at each call. The largest difference is given relative to the largest contribution; it says
something about LightGBM as well, whose recursion loses digits on paths of many fields
(tests/features/model/test_trees.py holds ours against the definition).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from benchmarks.command import Tell
from benchmarks.report import Bar, Cell, Column, Part, Table
from features.model.trees import Forest, warm

Floats = NDArray[np.float64]
N_TRAINING_ROWS = 20_000
N_BATCH_ROWS = 2_000
N_SINGLE_ROWS = 200
N_CHECKED_ROWS = 300
N_ROUNDS = 5
MAIN = "main"
AT_LEAST = {MAIN: 15.0}
AT_LEAST_OTHERS = 5.0
LARGEST_DIFFERENCE = 1e-9


class Shape(NamedTuple):
    n_trees: int
    n_leaves: int
    n_numbers: int
    n_categories: int
    about: str


SHAPES = {
    "main": Shape(300, 31, 12, 18, "12 numbers with gaps, 18 categories"),
    "numbers": Shape(300, 31, 30, 0, "30 numbers with gaps"),
    "small": Shape(150, 12, 12, 18, "the same fields, small trees"),
    "few": Shape(300, 31, 4, 0, "4 numbers: fields recur on every path"),
    "deep": Shape(100, 255, 12, 18, "the same fields, long paths"),
    "wide": Shape(300, 63, 150, 50, "200 fields"),
}


def leads(shape: Shape, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A matrix with gaps and the outcomes of a smooth truth with level effects."""
    matrix = rng.normal(size=(N_TRAINING_ROWS, shape.n_numbers + shape.n_categories))
    waves = np.sin(matrix[:, : shape.n_numbers] * rng.uniform(0.5, 2, shape.n_numbers))
    log_odds = waves @ rng.normal(size=shape.n_numbers) - 2
    matrix[:, : shape.n_numbers][rng.random(waves.shape) < 0.1] = np.nan
    for field in range(shape.n_numbers, matrix.shape[1]):
        n_levels = int(rng.integers(3, 60))
        matrix[:, field] = rng.integers(0, n_levels, N_TRAINING_ROWS)
        log_odds += 0.5 * rng.normal(size=n_levels)[matrix[:, field].astype(int)]
    return matrix, (rng.random(N_TRAINING_ROWS) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)


def trained(shape: Shape) -> tuple[lgb.Booster, Floats]:
    """A booster of the shape and leads to explain."""
    matrix, won = leads(shape, np.random.default_rng(0))
    categories = list(range(shape.n_numbers, matrix.shape[1]))
    params = {"objective": "binary", "num_leaves": shape.n_leaves, "verbose": -1, "num_threads": 1, "seed": 0}
    data = lgb.Dataset(matrix, won, categorical_feature=categories)
    return lgb.train(params, data, num_boost_round=shape.n_trees), matrix[:N_BATCH_ROWS]


def microseconds_per_row(explain: Callable[[Floats], object], parts: list[Floats]) -> float:
    """The time of explaining all parts, by the number of their rows."""
    start = time.thread_time()
    for part in parts:
        explain(part)
    return (time.thread_time() - start) * 1e6 / sum(map(len, parts))


def contributions(quick: bool, tell: Tell) -> Part:
    """Every shape, for one lead and in a batch."""
    shapes = {name: _small(shape) if quick else shape for name, shape in SHAPES.items()}
    rows: list[dict[str, Cell]] = []
    for place, (name, shape) in enumerate(shapes.items()):
        tell(f"{name}: {shape.n_trees} trees of {shape.n_leaves} leaves, {shape.about}", place / len(shapes))
        rows += compare(name, shape, 2 if quick else N_ROUNDS)
    return Part(
        "contributions",
        "Contributions of every field, one thread",
        "Microseconds of processor time a lead, medians of interleaved rounds. LightGBM: `pred_contrib` on numpy.",
        [Table("By shape of the model", COLUMNS, rows)],
        _bars(rows),
    )


def compare(name: str, shape: Shape, n_rounds: int) -> list[dict[str, Cell]]:
    """How far ours and LightGBM's are apart, for one lead and in a batch."""
    booster, matrix = trained(shape)
    forest = Forest.from_text(booster.model_to_string())
    warm(forest)

    def theirs(rows: Floats) -> Floats:
        return np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))

    reference = theirs(matrix[:N_CHECKED_ROWS])[:, :-1]
    ours = forest.contributions(matrix[:N_CHECKED_ROWS])
    about: dict[str, Cell] = {
        "shape": name,
        "difference": float(np.abs(ours - reference).max() / np.abs(reference).max()),
    }
    found = []
    singles = [matrix[i : i + 1] for i in range(N_SINGLE_ROWS)]
    for label, parts in (("one lead", singles), (f"batch of {N_BATCH_ROWS}", [matrix])):
        rounds = [[microseconds_per_row(f, parts) for f in (forest.contributions, theirs)] for _ in range(n_rounds)]
        ours_us, theirs_us = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratio = statistics.median(slow / fast for fast, slow in rounds)
        found.append({**about, "leads": label, "ours": ours_us, "theirs": theirs_us, "times": ratio})
    return found


COLUMNS = [
    Column("shape", "shape"),
    Column("leads", "leads"),
    Column("ours", "ours", "{:.1f}"),
    Column("theirs", "LightGBM", "{:.0f}"),
    Column("times", "times as fast", "{:.1f}"),
    Column("difference", "largest difference", "{:.0e}"),
]


def _bars(rows: list[dict[str, Cell]]) -> list[Bar]:
    bars = []
    for name in SHAPES:
        slowest = min(float(row["times"]) for row in rows if row["shape"] == name)  # type: ignore[arg-type]
        limit = AT_LEAST.get(name, AT_LEAST_OTHERS)
        what = f"contributions of {name}: times as fast as pred_contrib, one lead and in batches"
        bars.append(Bar(what, f"{slowest:.1f}", f"at least {limit:g}", slowest >= limit))
    worst = max(float(row["difference"]) for row in rows)  # type: ignore[arg-type]
    what = "largest difference, relative to the output's scale"
    return [*bars, Bar(what, f"{worst:.0e}", f"at most {LARGEST_DIFFERENCE:g}", worst <= LARGEST_DIFFERENCE)]


def _small(shape: Shape) -> Shape:
    return shape._replace(n_trees=shape.n_trees // 30)
