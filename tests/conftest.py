"""A small real model of a simulated history, trained once per session, and a writer of small exports."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from features.definition import LeadDefinition, read_definition
from features.history import History, files_of, read_history
from features.model.additive import points_of
from features.model.bundle import Importance, Manifest, write_bundle
from features.profile import Profile, learn_profile
from training.examples import sample_of, synthetic_rows
from training.labels import Labelled, label
from training.learn import Learnt, Settings, learn, ship
from training.recipe.boost import lightgbm_contributions
from training.recipe.familiar import learn_familiar
from training.recipe.fit import FitSettings
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.recipe.sureness import fit_sureness
from training.simulate import Simulation, simulate, write
from training.splits import Split, described, split
from training.tracking import Tracking

os.environ.setdefault("OMP_NUM_THREADS", "1")

# The first example of a property compiles numba code, and machines are noisy: no time limit for a single example.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).parents[1]
N_LEADS = 1_500
ONE_THREAD = Settings(fit=FitSettings(parts=PartSettings(n_threads=1), rounds=RoundSettings(n_folds=1)))
N_TREES = 15  # so few leads would choose none, and tests of the whole model must meet both parts


# What makes a test slow: a training run, MLflow's database, PostgreSQL. A test that asks for one, through whatever
# other fixtures, is slow; so is every test in tests/integration, which start processes of their own.
SLOW_FIXTURES = frozenset(
    "small_model small_bundle newer_bundle bundle_place learnt backtest migrated_database postgres_server".split()
)
SLOW_FOLDER = ROOT / "tests" / "integration"
SLOW_PARAMETERS = {"database_url": "postgresql"}  # asked for while the test runs, so no fixture of the test's names it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-fast` leaves out."""
    for item in items:
        if is_slow(item):
            item.add_marker("slow")


def is_slow(item: pytest.Item) -> bool:
    """Whether a test starts a server or trains a model, by the fixtures that it needs and by where it stands."""
    fixtures = set(getattr(item, "fixturenames", ()))
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    asked_later = any(parameters.get(name) == value for name, value in SLOW_PARAMETERS.items())
    return bool(fixtures & SLOW_FIXTURES) or asked_later or SLOW_FOLDER in item.path.parents


@dataclass(frozen=True)
class SmallModel:
    """What a training run on a small simulated history leaves: `bundle` is the directory."""

    history: History
    labelled: Labelled
    cut: Split
    learnt: Learnt
    profile: Profile
    bundle: Path


@pytest.fixture(scope="session")
def demo_definition() -> LeadDefinition:
    return read_definition(ROOT / "definitions" / "demo.toml")


@pytest.fixture(scope="session")
def demo_history(demo_definition: LeadDefinition, tmp_path_factory: pytest.TempPathFactory) -> History:
    simulated = simulate(Simulation(n_leads=N_LEADS, seed=7, win_rate=0.25))
    written = write(simulated, tmp_path_factory.mktemp("demo"))
    return read_history(demo_definition, files_of(demo_definition, str(written.leads)))


@pytest.fixture(scope="session")
def small_model(demo_history: History, tmp_path_factory: pytest.TempPathFactory) -> SmallModel:
    """A bundle as training writes it, with trees, from 1,500 simulated leads."""
    labelled = label(demo_history)
    cut = split(labelled)
    learnt = learn(labelled, cut, ONE_THREAD)
    with_trees = replace(learnt, fitted=replace(learnt.fitted, n_rounds=N_TREES))
    shipped = ship(labelled, cut, with_trees, ONE_THREAD)
    model, sample = shipped.model, sample_of(labelled, shipped.model.encoder)
    explained = model.explain(sample.matrix)
    points = points_of(explained.contributions, explained.probability, model.base_probability)
    profile = learn_profile(sample.matrix, sample.target, points, explained.probability, model.encoder.fields)
    sureness = fit_sureness(sample, model, learnt.calibration, ONE_THREAD.fit.parts)
    samples = synthetic_rows(model.encoder, profile, 25, seed=0)
    bundle = write_bundle(
        tmp_path_factory.mktemp("bundles") / "small",
        model=shipped,
        judged=learnt.fit,
        profile=profile,
        importance=tuple(
            Importance(name, float(strength))
            for name, strength in zip(model.encoder.names, np.abs(points).mean(axis=0), strict=True)
        ),
        manifest=Manifest(
            created_at=datetime(2026, 2, 1, tzinfo=UTC).isoformat(),
            simulated=True,
            validated_on_later_leads=True,
            base_rate=profile.won / profile.n,
            handover_threshold=0.2,
            windows=tuple(described(labelled, use, rows) for use, rows in cut.windows()),
            metrics={},
        ),
        samples=samples,
        explained=lightgbm_contributions(shipped.model_text, samples),
        sureness=(sureness, learn_familiar(sample, model.encoder.fields, profile)),
        documents={"card.de.md": "# Modellkarte für Prüfzwecke\n"},
    )
    assert model.forest.n_trees == N_TREES
    return SmallModel(demo_history, labelled, cut, learnt, profile, bundle)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database, empty but migrated, to be copied: making one takes MLflow some five seconds."""
    place = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Tracking(f"sqlite:///{place}", "migrate", "migrate").prepare()
    return place


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., str]:
    """Writes rows as a CSV file and gives its path; without any rows, an empty file."""

    def write_rows(rows: list[dict[str, Any]], name: str = "leads.csv") -> str:
        path = tmp_path / name
        path.write_text(pd.DataFrame(rows).to_csv(index=False) if rows else "", encoding="utf-8")
        return str(path)

    return write_rows
