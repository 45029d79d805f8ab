"""Models of the small worlds of `fit_worlds`, with their sureness: the definition, the fit, the calibration."""

from __future__ import annotations

import numpy as np

from features.definition import parse_definition
from features.encode import Encoder
from features.model.additive import LeadModel
from features.model.sureness import Sureness
from features.model.trees import Forest
from tests.training.fit_worlds import leads
from training.recipe.calibrate import Calibration, calibrate
from training.recipe.fit import FitSettings, fit, refit
from training.recipe.parts import PartSettings
from training.recipe.sample import FloatArray, Sample
from training.recipe.sureness import fit_sureness

KNOWN = {"known": "creation", "owner": "marketing"}
DEFINITION = parse_definition(
    {
        "format": 1,
        "definition": {"name": "worlds", "version": 1, "title": "Worlds", "data_origin": "simulated"},
        "target": {"horizon_days": 90},
        "columns": {"outcome": "stage", "created": "created", "closed": "closed"},
        "outcome": {"won": ["Won"], "lost": ["Lost"]},
        "fields": {
            "size": {"type": "number", "label": {"en": "Size", "de": "Größe"}, **KNOWN},
            "visits": {"type": "number", "label": {"en": "Visits", "de": "Besuche"}, **KNOWN},
            "source": {"type": "category", "label": {"en": "Source", "de": "Quelle"}, **KNOWN},
        },
        "grades": {"A": 0.5, "B": 0.3, "C": 0.1},
        "handover": {"threshold": 0.3},
    }
)
ENCODER = Encoder(DEFINITION, {"source": ["fair", "web", "partner"]})


def fitted(sample: Sample) -> tuple[LeadModel, Calibration]:
    """A model of all of `sample`, calibrated as the recipe does: by a fit on the older leads."""
    is_newest = sample.order >= np.quantile(sample.order, 0.8)
    older, newest = sample.take(~is_newest), sample.take(is_newest)
    first = fit(older, ENCODER.fields, FitSettings())
    trees = Forest.from_text(first.model_text).margins(newest.matrix) if first.n_rounds else np.zeros(len(newest))
    calibration = calibrate(first.linear.margins(newest.matrix), trees, newest.target)
    anew = refit(sample, ENCODER.fields, first)
    return LeadModel(ENCODER, anew.linear, Forest.from_text(anew.model_text), calibration.calibrator), calibration


def sure(n_leads: int, seed: int, interaction: float = 0.0) -> tuple[LeadModel, Sureness]:
    """A model of the world with this interaction, by default of the additive one, and how sure it is."""
    sample = leads(n_leads, seed, interaction=interaction)
    model, calibration = fitted(sample)
    return model, fit_sureness(sample, model, calibration, PartSettings())


def later_leads(n_leads: int, seed: int, interaction: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Encoded leads of the world and their true log-odds, before sizes went missing, shape (n_leads,)."""
    rng = np.random.default_rng(seed)
    size, visits = rng.normal(size=n_leads), rng.normal(size=n_leads)
    source = rng.integers(0, 5, n_leads).astype(np.float64)
    truth = -1.5 + size + interaction * np.sign(size * visits) + 0.5 * (source == 4)
    size[rng.random(n_leads) < 0.1] = np.nan
    return np.column_stack([size, visits, source]), truth
