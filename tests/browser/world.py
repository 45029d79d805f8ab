"""A small company as the browser tests see it: a model trained as ever, and half a year of leads in a store."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn

from features.definition import LeadDefinition
from features.history import files_of
from features.model.bundle import Bundle
from serving.app import create_app
from serving.protocol import BoundedHttp
from serving.replay import replay
from serving.scorer import Scorer
from serving.settings import Settings
from serving.store import Store
from training import pipeline
from training.judging.gates import Policy
from training.learn import Settings as LearnSettings
from training.recipe.fit import FitSettings
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.simulate import Drift, Simulation, simulate, write
from training.simulate.calls import calls, until_now, write_calls

NOW = datetime(2026, 6, 16, 9, 30, tzinfo=UTC)
TRAINED_AT = datetime(2025, 12, 20, 8, 0, tzinfo=UTC)
DAYS = 150
N_LEARNT, N_LEADS = 4_000, 1_000
QUICKLY = LearnSettings(
    fit=FitSettings(parts=PartSettings(n_threads=1), rounds=RoundSettings(n_folds=1, max_rounds=60)), n_resamples=60
)
STARTS_WITHIN_S = 60


def train_bundle(place: Path, agreed: LeadDefinition) -> Path:
    """A bundle as `make train` writes it, with metrics and model cards, from a small simulated history."""
    history = Simulation(
        n_leads=N_LEARNT, start=date(2025, 1, 1), days=340, seed=7, drift=Drift(origin=date(2024, 1, 1))
    )
    written = write(simulate(history), place / "history")
    prepared = pipeline.prepare(agreed, files_of(agreed, str(written.leads)), QUICKLY)
    trained = pipeline.train(prepared, QUICKLY, now=TRAINED_AT)
    return pipeline.write(trained, place, pipeline.gate(trained, None, Policy(), QUICKLY))


def fill_store(place: Path, bundle: Bundle) -> Path:
    """A store in which a simulated CRM has left half a year of leads, verdicts and outcomes."""
    parameters = replace(until_now(NOW, days=DAYS, seed=11), n_leads=N_LEADS)
    write_calls(calls(parameters, NOW), place / "calls.jsonl")
    path = place / "filled.db"
    store = Store(f"sqlite:///{path}", timeout_s=30)
    store.migrate()
    replay(place / "calls.jsonl", Scorer(bundle), store)
    store.close()
    return path


@dataclass(frozen=True)
class Running:
    """A running service.

    Attributes
    ----------
    url : str
        Where it listens, on this machine.
    store : Store
        Another connection to what it stores.
    """

    url: str
    store: Store


@contextmanager
def running(bundle: Bundle | None, database: Path, *, now: datetime = NOW, **settings: object) -> Iterator[Running]:
    """The service on a loopback port, its clock standing still; a demo unless the settings say otherwise."""
    url = f"sqlite:///{database}"
    app = create_app(Settings(**{"database_url": url, "demo": True, **settings}), bundle=bundle, clock=lambda: now)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=BoundedHttp, ws="none", log_config=None, server_header=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    store = Store(url)
    try:
        yield Running(f"http://127.0.0.1:{_port(server)}", store)
    finally:
        server.should_exit = True
        thread.join(STARTS_WITHIN_S)
        store.close()


def copied(filled: Path, place: Path) -> Path:
    """A copy of a filled store, which a test may change."""
    return Path(shutil.copy(filled, place / "scores.db"))


def _port(server: uvicorn.Server) -> int:
    """The port that a server has taken, as soon as it has started."""
    until = time.monotonic() + STARTS_WITHIN_S
    while not server.started:
        assert time.monotonic() < until, "the service did not start"
        time.sleep(0.02)
    return int(server.servers[0].sockets[0].getsockname()[1])
