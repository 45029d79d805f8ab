"""One lead from parsed JSON to the bytes of its answer, step by step, another lead at each call.

Each step is timed over all leads, round by round, and the least of the rounds counts: what a step costs when nobody
else is at the machine. The steps are timed on their own, and the way as a whole, which is more than their sum: the
kernel's trees push everything else out of the processor's cache.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from benchmarks.command import Tell
from benchmarks.report import Bar, Cell, Column, Part, Table
from benchmarks.speed.model import AS_OF, Measured, measured, requests
from serving.answers import with_reasons_text
from serving.scorer import Lead, Scorer

Item = TypeVar("Item")
N_LEADS, N_ROUNDS = 400, 15
MOST_BESIDE = 1.0
BESIDE = "everything beside the trees, in times of them"


def hot(quick: bool, tell: Tell) -> Part:
    """The steps, and the whole way."""
    tell("fitting the model", 0.0)
    with tempfile.TemporaryDirectory() as folder:
        model = measured(Path(folder), n_trees=20 if quick else 300)
    tell("measuring", 0.5)
    rows = steps(model, 40 if quick else N_LEADS, 3 if quick else N_ROUNDS)
    kernel, whole = (next(float(row["us"]) for row in rows if row["step"] == step) for step in (KERNEL, WHOLE))
    beside = (whole - kernel) / kernel
    return Part(
        "hot",
        "One lead, from parsed JSON to the bytes of its answer",
        "Microseconds of one thread's processor time, the least of the rounds.",
        [Table("Steps", [Column("step", "step"), Column("us", "us a lead", "{:.1f}")], rows)],
        [Bar(BESIDE, f"{beside:.2f}", f"at most {MOST_BESIDE:g}", beside <= MOST_BESIDE)],
    )


PARSE, ENCODE, KERNEL, COMPUTE, SCORE, WHOLE = (
    "parse the JSON",
    "encode the fields",
    "contributions of the trees alone",
    "everything that is computed, in one call",
    "compute and write the answer",
    "all of it: parsed JSON to bytes",
)


def steps(model: Measured, n_leads: int, n_rounds: int) -> list[dict[str, Cell]]:
    """Microseconds of each step."""
    bundle, scorer, bodies = model.bundle, Scorer(model.bundle), requests(n_leads)
    raw = [orjson.dumps(body) for body in bodies]
    leads = [_lead(scorer, body) for body in bodies]
    matrices = [lead.record.row[None] for lead in leads]

    def answer(body: dict[str, Any]) -> bytes:
        (scored,) = scorer.score([_lead(scorer, body)])
        return with_reasons_text(scored.answer, scored.reasons_text, "de")

    return [
        {"step": PARSE, "us": least(orjson.loads, raw, n_rounds)},
        {"step": ENCODE, "us": least(lambda body: scorer.encode(body["fields"], AS_OF), bodies, n_rounds)},
        {"step": KERNEL, "us": least(bundle.model.forest.contributions, matrices, n_rounds)},
        {"step": COMPUTE, "us": least(bundle.compute, matrices, n_rounds)},
        {"step": SCORE, "us": least(lambda lead: scorer.score([lead]), leads, n_rounds)},
        {"step": WHOLE, "us": least(answer, bodies, n_rounds)},
    ]


def least(step: Callable[[Item], object], items: Sequence[Item], n_rounds: int) -> float:
    """Microseconds an item, in the quickest round."""
    rounds = []
    for _ in range(n_rounds):
        start = time.thread_time()
        for item in items:
            step(item)
        rounds.append((time.thread_time() - start) / len(items) * 1e6)
    return min(rounds)


def _lead(scorer: Scorer, body: dict[str, Any]) -> Lead:
    fields = body["fields"]
    return Lead(body["lead_id"], AS_OF, fields, scorer.encode(fields, AS_OF), body["account_id"], "0" * 32)
