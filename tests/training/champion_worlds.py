"""A champion that was trained some time ago, and the export of today: one simulated history, cut at two moments."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.definition import LeadDefinition
from features.history import files_of
from features.sources.files import Files
from training import pipeline
from training.judging.gates import Policy
from training.learn import Settings
from training.recipe.fit import FitSettings
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.simulate import NO_DRIFT, Simulation, simulate, write

QUICK = Settings(fit=FitSettings(PartSettings(n_threads=1), RoundSettings(max_rounds=20, n_folds=1)), n_resamples=60)
TRAINED = datetime(2025, 4, 1, tzinfo=UTC)


def history(folder: Path, n_leads: int = 4_000) -> pd.DataFrame:
    """What the CRM would export today: leads of 2024 and 2025, a quarter of them won, nothing drifts."""
    parameters = Simulation(n_leads=n_leads, seed=11, win_rate=0.25, drift=NO_DRIFT, account_effect_sd=0.2)
    written = write(simulate(parameters), folder, format="csv")
    return pd.read_csv(written.leads, dtype=str, keep_default_na=False)


def as_exported(leads: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """The same history as it stood at `moment`: later leads are not there yet, later closings are still open."""
    now = f"{moment:%Y-%m-%d %H:%M}"
    known = leads[leads["created_at"] < now].copy()
    still_open = (known["closed_at"] >= now).to_numpy()
    known.loc[still_open, ["stage", "closed_at", "deal_value_eur", "lost_reason"]] = ["Open", "", "", ""]
    return known


def with_wins_lost(leads: pd.DataFrame, since: str, share: float, seed: int = 3) -> pd.DataFrame:
    """The history with this share of the wins among leads created from `since` on turned into losses."""
    won = np.flatnonzero((leads["created_at"] >= since) & (leads["stage"] == "Won"))
    changed = np.random.default_rng(seed).choice(won, round(share * len(won)), replace=False)
    stage = leads["stage"].to_numpy().copy()
    stage[changed] = "Lost"
    return leads.assign(stage=stage)


def export(leads: pd.DataFrame, definition: LeadDefinition, place: Path) -> Files:
    """The leads as a CSV file, to be read."""
    place.parent.mkdir(parents=True, exist_ok=True)
    leads.to_csv(place, index=False)
    return files_of(definition, str(place))


def train_champion(leads: pd.DataFrame, definition: LeadDefinition, folder: Path) -> Path:
    """The bundle that training made of the history as it stood at `TRAINED`."""
    source = export(as_exported(leads, TRAINED), definition, folder / "then.csv")
    trained = pipeline.train(pipeline.prepare(definition, source, QUICK), QUICK, now=TRAINED)
    return pipeline.write(trained, folder / "bundles", pipeline.gate(trained, None, Policy(), QUICK))
