"""The model that speed is measured on: 300 trees of 31 leaves over 30 fields, in a bundle as training writes it.

The history is drawn, not simulated: only its shape matters here. 12 fields are numbers with gaps, 18 are categories of
3 to 60 levels; the linear part, the calibrator and the interval are fitted on it by training's own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.definition import LeadDefinition, parse_definition
from features.encode import Encoder
from features.model.additive import LeadModel, points_of
from features.model.bundle import Bundle, Fit, Importance, Manifest, open_bundle, write_bundle
from features.model.trees import Forest
from features.profile import learn_profile
from training.examples import synthetic_rows
from training.recipe.boost import lightgbm_contributions
from training.recipe.calibrate import calibrate
from training.recipe.familiar import learn_familiar
from training.recipe.linear_fit import fit_linear
from training.recipe.parts import PartSettings
from training.recipe.sample import Sample
from training.recipe.sureness import fit_sureness

Floats = NDArray[np.float64]
N_TREES, N_LEAVES = 300, 31
NUMBERS = tuple(f"number_{place:02}" for place in range(12))
CATEGORIES = tuple(f"category_{place:02}" for place in range(18))
N_HISTORY = 20_000
AS_OF = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Measured:
    """The bundle's directory, the bundle, and LightGBM's own model of its trees."""

    place: Path
    bundle: Bundle
    booster: lgb.Booster


def measured(folder: Path, *, n_trees: int = N_TREES) -> Measured:
    """The model fitted, bundled in `folder` and opened, in some ten seconds."""
    leads, won = drawn(np.random.default_rng(0), N_HISTORY)
    agreed = definition()
    encoder = Encoder.learn(agreed, leads)
    sample = Sample(encoder.frame(leads, _as_of(leads)), won, np.arange(len(won)), np.arange(len(won)))
    booster = _booster(sample, encoder, n_trees)
    parts = PartSettings()
    linear, text = fit_linear(sample, encoder.fields, parts.linear), booster.model_to_string()
    forest = Forest.from_text(text)
    calibration = calibrate(linear.margins(sample.matrix), forest.margins(sample.matrix), won)
    model = LeadModel(encoder, linear, forest, calibration.calibrator)
    explained = model.explain(sample.matrix)
    points = points_of(explained.contributions, explained.probability, model.base_probability)
    profile = learn_profile(sample.matrix, won, points, explained.probability, encoder.fields)
    sureness = fit_sureness(sample.take(np.arange(4_000)), model, calibration, parts)
    samples = synthetic_rows(encoder, profile, 25, seed=0)
    place = write_bundle(
        folder / "bundle",
        model=Fit(model, text),
        judged=Fit(model, text),
        profile=profile,
        importance=tuple(Importance(name, 1.0) for name in encoder.names),
        manifest=_manifest(won),
        samples=samples,
        explained=lightgbm_contributions(text, samples),
        documents={},
        sureness=(sureness, learn_familiar(sample, encoder.fields, profile)),
    )
    return Measured(place, open_bundle(place), booster)


def definition() -> LeadDefinition:
    """Numbers and categories that are known at creation."""
    numbers = {name: _agreed(name) | {"type": "number"} for name in NUMBERS}
    categories = {name: _agreed(name) | {"type": "category"} for name in CATEGORIES}
    return parse_definition(
        {
            "definition": {
                "name": "speed",
                "version": 1,
                "title": {"en": "Leads to measure speed on", "de": "Leads zum Messen der Geschwindigkeit"},
                "data_origin": "simulated",
            },
            "target": {"horizon_days": 90},
            "columns": {"id": "id", "created": "created", "closed": "closed", "outcome": "outcome"},
            "outcome": {"won": ["won"], "lost": ["lost"]},
            "read": {"timezone": "Europe/Berlin"},
            "fields": numbers | categories,
            "grades": {"A": 0.5, "B": 0.3, "C": 0.15},
            "handover": {"threshold": 0.3},
        }
    )


def drawn(rng: np.random.Generator, n_leads: int) -> tuple[pd.DataFrame, Floats]:
    """Typed leads and whether each was won; the same levels and truth at every call."""
    truth = np.random.default_rng(1)
    log_odds = np.full(n_leads, -2.0)
    columns: dict[str, Any] = {}
    for name in NUMBERS:
        values = np.round(rng.normal(size=n_leads), 2)
        log_odds += truth.normal() * np.sin(truth.uniform(0.5, 2) * values)
        columns[name] = np.where(rng.random(n_leads) < 0.1, np.nan, values)
    for name in CATEGORIES:
        levels = np.array([f"level_{level:02}" for level in range(int(truth.integers(3, 60)))])
        codes = rng.integers(0, len(levels), n_leads)
        log_odds += 0.5 * truth.normal(size=len(levels))[codes]
        columns[name] = pd.Series(levels[codes], dtype="str").where(rng.random(n_leads) > 0.02)
    return pd.DataFrame(columns), (rng.random(n_leads) < 1 / (1 + np.exp(-log_odds))).astype(float)


def requests(n_leads: int) -> list[dict[str, Any]]:
    """Bodies of `POST /v1/score`, some 900 bytes each as JSON: what is missing is left out."""
    leads, _ = drawn(np.random.default_rng(2), n_leads)
    return [
        {
            "lead_id": f"00Q5g00000{number:05}",
            "account_id": f"A-{number // 3}",
            "as_of": "2026-01-15T09:30:00Z",
            "fields": {name: value for name, value in lead.items() if not pd.isna(value)},
        }
        for number, lead in enumerate(leads.to_dict("records"))
    ]


def _as_of(leads: pd.DataFrame) -> pd.Series:
    return pd.Series([AS_OF] * len(leads)).astype("datetime64[us, UTC]")


def _agreed(name: str) -> dict[str, Any]:
    kind, place = name.split("_")
    german = {"number": "Zahl", "category": "Kategorie"}[kind]
    label = {"en": f"{kind.title()} {place}", "de": f"{german} {place}"}
    return {"known": "creation", "owner": "marketing", "label": label}


def _booster(sample: Sample, encoder: Encoder, n_trees: int) -> lgb.Booster:
    categories = [place for place, field in enumerate(encoder.fields) if field.kind == "category"]
    params = {"objective": "binary", "num_leaves": N_LEAVES, "verbose": -1, "num_threads": 1, "seed": 0}
    leads = lgb.Dataset(sample.matrix, sample.target, categorical_feature=categories)
    return lgb.train(params, leads, num_boost_round=n_trees)


def _manifest(won: Floats) -> Manifest:
    return Manifest(
        created_at=AS_OF.isoformat(),
        simulated=True,
        validated_on_later_leads=False,
        base_rate=float(won.mean()),
        handover_threshold=0.3,
        windows=(),
        metrics={},
    )
