"""A store with many leads, made quickly: some are scored by the model, all others are these under other names.

What becomes of them is drawn: who is accepted or rejected, when sales speaks with them, who wins. Everything is written
by the store's own functions, as the service writes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from features.definition import read_definition
from features.history import files_of
from features.model.bundle import Bundle, open_bundle
from serving.scorer import Scorer
from serving.scoring import model_record, score_lead
from serving.store import NewScore, Outcome, Store, Verdict
from training import pipeline
from training.judging.gates import Policy
from training.learn import Settings
from training.recipe.fit import FitSettings
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.simulate import Simulation, simulate, write
from training.simulate.calls import calls, until_now

DEFINITION = Path("definitions") / "demo.toml"
QUICKLY = Settings(
    fit=FitSettings(parts=PartSettings(n_threads=1), rounds=RoundSettings(n_folds=1, max_rounds=60)), n_resamples=60
)
N_LEARNT, LEARNT_DAYS, N_SCORED, SCORED_DAYS = 4_000, 340, 400, 90
DAYS: Final = 450
PER_WRITE = 1_000
REASONS = ("not_reachable", "no_need", "no_budget", "wrong_contact")


def demo_bundle(folder: Path, now: datetime) -> Bundle:
    """A model of simulated leads, trained as `make train` does, only smaller."""
    agreed = read_definition(DEFINITION)
    written = write(simulate(Simulation(n_leads=N_LEARNT, days=LEARNT_DAYS, seed=7)), folder / "history")
    prepared = pipeline.prepare(agreed, files_of(agreed, str(written.leads)), QUICKLY)
    trained = pipeline.train(prepared, QUICKLY, now=now)
    return open_bundle(pipeline.write(trained, folder, pipeline.gate(trained, None, Policy(), QUICKLY)))


def fill(path: Path, bundle: Bundle, n_leads: int, now: datetime) -> None:
    """Have an SQLite file hold `n_leads` leads of the last fifteen months, folded as a running service does."""
    store, scorer = Store(f"sqlite:///{path}", timeout_s=60), Scorer(bundle)
    store.migrate()
    draw = np.random.default_rng(n_leads)
    patterns = _patterns(scorer, now)
    for start in range(0, n_leads, PER_WRITE):
        new = [_lead(number, patterns, n_leads, now, draw) for number in range(start, min(start + PER_WRITE, n_leads))]
        store.scores.save(model_record(scorer.model_name), new)
        handed = [score for score in new if score.handover == "go"]
        store.verdicts.save(list(_verdicts(handed, now, draw)))
        store.outcomes.save(list(_outcomes(new, now, draw)))
    while store.figures.fold():
        pass
    store.close()


def _patterns(scorer: Scorer, now: datetime) -> list[NewScore]:
    """Scores with their whole answers, of simulated leads."""
    sent = calls(until_now(now, days=SCORED_DAYS, seed=3), now)
    bodies = [orjson.dumps(call.body) for call in sent if call.kind == "score"][-N_SCORED:]
    return [score_lead(body, scorer, received_at=now, idempotency_key=None).new for body in bodies]


def _lead(
    number: int, patterns: Sequence[NewScore], n_leads: int, now: datetime, draw: np.random.Generator
) -> NewScore:
    """One of the patterns as another lead, scored earlier; every third lead shares its account."""
    pattern, lead_id = patterns[int(draw.integers(len(patterns)))], f"P-{number:07}"
    came = now - timedelta(days=DAYS * (n_leads - number) / n_leads)
    return replace(
        pattern,
        request_key=hashlib.sha256(lead_id.encode()).hexdigest(),
        lead_id=lead_id,
        account_id=f"A-{number // 3 if number % 3 else number}",
        as_of=came,
        received_at=came,
        answer=pattern.answer.replace(f'"{pattern.lead_id}"'.encode(), f'"{lead_id}"'.encode()),
    )


def _verdicts(handed: Sequence[NewScore], now: datetime, draw: np.random.Generator) -> Iterator[Verdict]:
    for score in handed:
        at = score.received_at + timedelta(hours=float(draw.exponential(40)))
        if at > now or draw.random() > 0.85:
            continue
        accepted = bool(draw.random() < 0.45)
        reason = "need_confirmed" if accepted else str(draw.choice(REASONS))
        told = "accepted" if accepted else "rejected"
        key = f"v{score.request_key[:63]}"
        yield Verdict(key, key, score.lead_id, told, reason, "rep-1", at, at, at if draw.random() < 0.9 else None)


def _outcomes(new: Sequence[NewScore], now: datetime, draw: np.random.Generator) -> Iterator[Outcome]:
    for score in new:
        at = score.received_at + timedelta(days=float(draw.exponential(60)))
        if at < now and draw.random() < 0.8:
            told, key = "won" if draw.random() < score.probability else "lost", f"o{score.request_key[:63]}"
            yield Outcome(key, key, score.lead_id, told, at, at, at)
