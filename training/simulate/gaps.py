"""Empty fields: what was never given, and what sales filled in once it knew the outcome."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.simulate.market import SOURCE_NAMES, Codes, Flags
from training.simulate.parameters import Simulation
from training.simulate.randomness import stream

# Usual shares of empty values; bought lists come with company data, forms ask for little.
SHARES = {
    "campaign": 0.02,
    "industry": 0.06,
    "employees": 0.25,
    "revenue_eur": 0.50,
    "region": 0.03,
    "job_level": 0.08,
    "job_function": 0.10,
    "product_interest": 0.07,
}
_COMPANY_FIELDS = ("industry", "employees", "revenue_eur")
_FACTOR_OF_SOURCE = {"cold_list": 0.2, "trade_fair": 0.8, "google_ads": 1.3, "content_download": 1.2}
FILLED_IN_BY_SALES = ("employees", "revenue_eur", "job_function")

Gaps = dict[str, Flags]


def draw_gaps(parameters: Simulation, source: Codes) -> Gaps:
    """Which values are empty at creation, by field, shape `(n_leads,)` each."""
    rng = stream(parameters.seed, "gaps")
    factor = np.array([_FACTOR_OF_SOURCE.get(name, 1.0) for name in SOURCE_NAMES])[source]
    gaps: Gaps = {}
    for name, share in SHARES.items():
        chance = parameters.missing * share * (factor if name in _COMPANY_FIELDS else 1.0)
        gaps[name] = np.asarray(rng.random(source.size) < chance, dtype=np.bool_)
    return gaps


def filled_in_by_sales(parameters: Simulation, gaps: Gaps, won: Flags) -> Gaps:
    """The gaps that are left at the export, after sales completed a share of its won leads."""
    rng = stream(parameters.seed, "filled in by sales")
    left = dict(gaps)
    for name in FILLED_IN_BY_SALES:
        completed = won & (rng.random(won.size) < parameters.missing_depends_on_outcome)
        left[name] = gaps[name] & ~completed
    return left


def with_gaps(frame: pd.DataFrame, gaps: Gaps) -> pd.DataFrame:
    """The frame with the values taken out of the gaps."""
    return frame.assign(**{name: frame[name].mask(empty) for name, empty in gaps.items()})
