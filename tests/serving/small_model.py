"""A small real model for the tests of the service: simulated leads, fitted, calibrated and bundled as training does.

Its fields cover every type, a range, a unit, a placeholder, levels with words and a level too rare to be learnt.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.definition import LeadDefinition, parse_definition
from features.encode import Encoder
from features.model.additive import LeadModel, points_of
from features.model.bundle import Fit, Importance, Manifest, Window, write_bundle
from features.model.linear import LinearPart
from features.model.trees import Forest
from features.profile import learn_profile
from features.text import Text
from training.recipe.calibrate import calibrate
from training.recipe.fit import FitSettings, fit
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.recipe.sample import Sample

N_LEADS = 3_000
START = datetime(2024, 1, 1, tzinfo=UTC)
CREATED_AT = "2026-01-15T08:00:00+00:00"

AGREED = {
    "definition": {
        "name": "test-funnel",
        "version": 3,
        "title": {"en": "Leads for the tests", "de": "Leads für die Tests"},
        "data_origin": "simulated",
    },
    "target": {"horizon_days": 90},
    "columns": {"id": "id", "created": "created", "closed": "closed", "outcome": "outcome", "account": "account"},
    "outcome": {"won": ["won"], "lost": ["lost"]},
    "read": {"timezone": "Europe/Berlin", "missing": ["unknown"]},
    "fields": {
        "source": {
            "type": "category",
            "known": "creation",
            "owner": "marketing",
            "label": {"en": "Source", "de": "Quelle"},
            "values": {"fair": {"en": "Trade fair", "de": "Messe"}, "web": {"en": "Website", "de": "Webseite"}},
        },
        "employees": {
            "type": "number",
            "known": "creation",
            "owner": "sales",
            "label": {"en": "Employees", "de": "Beschäftigte"},
            "unit": {"en": "people", "de": "Personen"},
            "direction": "up",
            "at_least": 0,
            "at_most": 500_000,
        },
        "demo_requested": {
            "type": "boolean",
            "known": "creation",
            "owner": "marketing",
            "label": {"en": "Demo requested", "de": "Demo angefragt"},
        },
        "customer_since": {
            "type": "date",
            "known": "creation",
            "owner": "sales",
            "label": {"en": "Customer since", "de": "Kunde seit"},
        },
    },
    "grades": {"A": 0.5, "B": 0.3, "C": 0.15},
    "handover": {"threshold": 0.3},
    "follow_up_hours": {"A": 4, "B": 24},
    "verdicts": {
        "accepted": {"need_confirmed": {"en": "Need confirmed", "de": "Bedarf bestätigt"}},
        "rejected": {
            "no_budget": {"en": "No budget", "de": "Kein Budget"},
            "not_reachable": {"en": "Not reachable", "de": "Nicht erreichbar"},
        },
    },
    "reporting": {"source": "source"},
    "retention": {"days": 365},
}


def definition(*, without: str = "") -> LeadDefinition:
    """The agreement of the tests; without one of its fields, for a model of another shape."""
    agreed = copy.deepcopy(AGREED)
    agreed["fields"].pop(without, None)
    return parse_definition(agreed)


def write_small_bundle(place: Path, agreed: LeadDefinition, *, seed: int = 7) -> Path:
    """Train on simulated leads and write the bundle to `place`."""
    leads, as_of, won = simulated_leads(seed)
    leads = leads[list(agreed.fields)]
    encoder = Encoder.learn(agreed, leads)
    matrix = encoder.frame(leads, as_of)
    older, newer = np.arange(2_000), np.arange(2_000, N_LEADS)
    sample = Sample(matrix, won, np.arange(N_LEADS) // 2, np.arange(N_LEADS))
    settings = FitSettings(parts=PartSettings(n_threads=1), rounds=RoundSettings(n_folds=2, max_rounds=60))
    fitted = fit(sample.take(older), encoder.fields, settings)
    model = _calibrated(encoder, fitted.linear, fitted.model_text, matrix[newer], won[newer])
    explained = model.explain(matrix)
    points = points_of(explained.contributions, explained.probability, model.base_probability)
    profile = learn_profile(matrix, won, points, explained.probability, encoder.fields)
    size = np.abs(points[newer]).mean(axis=0)
    fit_of_model = Fit(model, fitted.model_text)
    return write_bundle(
        place,
        model=fit_of_model,
        judged=fit_of_model,
        profile=profile,
        importance=tuple(Importance(name, float(mean)) for name, mean in zip(encoder.names, size, strict=True)),
        manifest=_manifest(won),
        samples=matrix[:5],
        documents={},
    )


def simulated_leads(seed: int) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    """Typed leads in the definition's words, their as-of dates, and whether each was won."""
    draw = np.random.default_rng(seed)
    source = draw.choice(["fair", "web", "cold", "oddity"], N_LEADS, p=[0.25, 0.5, 0.248, 0.002])
    employees = np.round(np.exp(draw.normal(4, 1.2, N_LEADS)))
    demo = draw.random(N_LEADS) < 0.3
    days = draw.integers(1, 2_000, N_LEADS).astype(float)
    effect = np.select([source == "fair", source == "cold"], [0.9, -1.1], 0.0)
    # A demo helps on the website and harms elsewhere: an interaction, which only the trees can learn.
    demo_effect = np.where(source == "web", 1.8, -1.8) * demo
    log_odds = -1.7 + effect + demo_effect + 0.35 * (np.log1p(employees) - 4) - 0.0004 * days
    won = (draw.random(N_LEADS) < 1 / (1 + np.exp(-log_odds))).astype(float)
    as_of = pd.Series([START + timedelta(hours=5 * lead) for lead in range(N_LEADS)]).astype("datetime64[us, UTC]")
    since = as_of - pd.to_timedelta(pd.Series(days), unit="D").astype("timedelta64[us]")
    known = draw.random((N_LEADS, 4)) > 0.1
    leads = pd.DataFrame(
        {
            "source": pd.Series(source, dtype="str").where(known[:, 0]),
            "employees": pd.Series(employees).where(known[:, 1]),
            "demo_requested": pd.Series(np.where(demo, "true", "false"), dtype="str").where(known[:, 2]),
            "customer_since": since.where(known[:, 3]),
        }
    )
    return leads, as_of, won


def _calibrated(encoder: Encoder, linear: LinearPart, text: str, matrix: np.ndarray, won: np.ndarray) -> LeadModel:
    forest = Forest.from_text(text)
    trees = forest.margins(matrix) if forest.n_trees else np.zeros(len(matrix))
    return LeadModel(encoder, linear, forest, calibrate(linear.margins(matrix), trees, won).calibrator)


def _manifest(won: np.ndarray) -> Manifest:
    return Manifest(
        created_at=CREATED_AT,
        simulated=True,
        validated_on_later_leads=True,
        base_rate=float(won.mean()),
        handover_threshold=0.3,
        windows=(
            Window("train", "2024-01-01", "2025-02-20", 2_000, int(won[:2_000].sum())),
            Window("calibrate", "", "", 1_000, int(won[2_000:].sum())),
        ),
        metrics={"log_loss": {"value": 0.4, "n": 1_000, "low": 0.38, "high": None}},
        warnings=(Text(en="Small on purpose.", de="Absichtlich klein."),),
    )
