"""Small histories with a known truth for the tests of fitting: what wins is written beside each."""

from __future__ import annotations

import numpy as np

from features.encode import EncodedField
from training.recipe.sample import Sample

FIELDS = (
    EncodedField("size", "number"),
    EncodedField("visits", "number"),
    EncodedField("source", "category", ("fair", "web", "partner")),
)


def leads(n_leads: int, seed: int, *, interaction: float = 0.0, effect: float = 1.0) -> Sample:
    """Log-odds of winning are `-1.5 + effect * size + interaction * sign(size * visits) + .5 if partner`."""
    rng = np.random.default_rng(seed)
    size, visits = rng.normal(size=n_leads), rng.normal(size=n_leads)
    source = rng.integers(0, 5, n_leads).astype(np.float64)
    log_odds = -1.5 + effect * size + interaction * np.sign(size * visits) + 0.5 * effect * (source == 4)
    target = (rng.random(n_leads) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    size[rng.random(n_leads) < 0.1] = np.nan
    order = np.arange(n_leads) // 10  # ten leads a day
    return Sample(np.column_stack([size, visits, source]), target, np.arange(n_leads) // 2, order)
