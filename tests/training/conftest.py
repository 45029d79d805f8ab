"""A small real bundle, and an MLflow to register it in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition, parse_definition
from features.encode import Encoder
from features.model.additive import LeadModel, points_of
from features.model.bundle import Fit, Importance, Manifest, Window, write_bundle
from features.model.trees import Forest
from features.profile import learn_profile
from training.examples import synthetic_rows
from training.recipe.calibrate import calibrate
from training.recipe.fit import FitSettings, fit
from training.recipe.parts import PartSettings
from training.recipe.sample import Sample
from training.tracking import Tracking

START = datetime(2025, 1, 1, tzinfo=UTC)
N_LEADS, N_FITTED = 1200, 800


def small_definition() -> LeadDefinition:
    """One field of each type; the label of a category has umlauts, a number has a range."""
    known = {"known": "creation", "owner": "marketing"}
    return parse_definition(
        {
            "format": 1,
            "definition": {"name": "small", "version": 1, "title": "Small", "data_origin": "simulated"},
            "target": {"horizon_days": 90},
            "columns": {"outcome": "stage", "created": "created", "closed": "closed"},
            "outcome": {"won": ["Won"], "lost": ["Lost"]},
            "fields": {
                "employees": {"type": "number", "label": "Employees", "at_least": 1, **known},
                "source": {"type": "category", "label": {"en": "Source", "de": "Quelle"}, **known},
                "demo_requested": {"type": "boolean", "label": "Demo requested", **known},
                "last_visit": {"type": "date", "label": "Last visit", **known},
            },
            "grades": {"A": 0.5, "B": 0.3, "C": 0.1},
            "handover": {"threshold": 0.3},
        }
    )


def small_history(seed: int = 7) -> pd.DataFrame:
    """Typed leads as `features.history` makes them, with gaps, and their target."""
    rng = np.random.default_rng(seed)
    employees = np.round(np.exp(rng.normal(4, 1, N_LEADS)) + 1)
    source = np.array(["fair", "web", "partner"])[rng.integers(0, 3, N_LEADS)]
    wants_demo = rng.random(N_LEADS) < 0.4
    days = rng.integers(0, 60, N_LEADS)
    log_odds = -1.5 + 1.2 * wants_demo + 0.8 * (source == "partner") - 0.02 * days + 0.3 * (np.log(employees) - 4)
    as_of = pd.Series([START + timedelta(hours=int(hour)) for hour in range(N_LEADS)])
    gap = [rng.random(N_LEADS) < 0.1 for _ in range(4)]
    return pd.DataFrame(
        {
            "as_of": as_of,
            "employees": pd.Series(employees).mask(gap[0]),
            "source": pd.Series(source, dtype="str").mask(gap[1]),
            "demo_requested": pd.Series(np.where(wants_demo, "true", "false"), dtype="str").mask(gap[2]),
            "last_visit": (as_of - pd.to_timedelta(days, unit="D")).mask(gap[3]),
            "target": (rng.random(N_LEADS) < 1 / (1 + np.exp(-log_odds))).astype(float),
        }
    )


def build_bundle(place: Path, created_at: str = "2026-01-31T08:00:00+00:00") -> Path:
    """The bundle of a model that was fitted on the first leads of the small history and calibrated on the rest."""
    history = small_history()
    encoder = Encoder.learn(small_definition(), history.iloc[:N_FITTED])
    sample = Sample(
        encoder.frame(history, history["as_of"]),
        history["target"].to_numpy(),
        np.arange(N_LEADS),
        np.arange(N_LEADS),
    )
    fitted = fit(sample.take(np.arange(N_FITTED)), encoder.fields, FitSettings(parts=PartSettings(n_threads=1)))
    forest, later = Forest.from_text(fitted.model_text), sample.take(np.arange(N_FITTED, N_LEADS))
    trees = forest.margins(later.matrix) if forest.n_trees else np.zeros(len(later))
    calibrator = calibrate(fitted.linear.margins(later.matrix), trees, later.target).calibrator
    shipped = Fit(LeadModel(encoder, fitted.linear, forest, calibrator), fitted.model_text)
    explained = shipped.model.explain(sample.matrix)
    points = points_of(explained.contributions, explained.probability, shipped.model.base_probability)
    profile = learn_profile(sample.matrix, sample.target, points, explained.probability, encoder.fields)
    return write_bundle(
        place,
        model=shipped,
        judged=shipped,
        profile=profile,
        importance=tuple(Importance(name, 1.0) for name in encoder.names),
        manifest=Manifest(
            created_at=created_at,
            simulated=True,
            validated_on_later_leads=True,
            base_rate=float(sample.target.mean()),
            handover_threshold=0.3,
            windows=(Window("train", "2025-01-01", "2025-02-20", len(sample), sample.n_won),),
            metrics={},
        ),
        samples=synthetic_rows(encoder, profile, 10, seed=0),
        documents={"card.de.md": "# Übersicht\n"},
    )


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bundle(tmp_path_factory.mktemp("bundles") / "small-20260131T080000Z")


@pytest.fixture(scope="session")
def newer_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model on another day: another bundle id."""
    return build_bundle(tmp_path_factory.mktemp("bundles") / "small-20260228T080000Z", "2026-02-28T08:00:00+00:00")


@pytest.fixture
def mlflow_uri(migrated_database: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_database, tmp_path / 'mlflow.db')}"


@pytest.fixture
def tracking(mlflow_uri: str, tmp_path: Path) -> Tracking:
    return Tracking(mlflow_uri, "lead-quality", "lead-quality", artifacts=tmp_path / "artifacts")


@pytest.fixture
def register(tracking: Tracking) -> Callable[[Path], int]:
    """Registers a bundle by a whole run and gives the version's number."""

    def registered(bundle: Path) -> int:
        with tracking.run("train") as run:
            return run.bundle(bundle)

    return registered
