"""Histories with known delays of wins, for the tests of horizons, origins and backtests."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.definition import parse_definition, read_definition
from features.history import History, files_of, read_history
from training.simulate import NO_DRIFT, Simulation, simulate, write

DEMO = Path(__file__).parents[2] / "definitions" / "demo.toml"
HORIZONS = (90, 120)
NEVER = float("nan")


@dataclass(frozen=True)
class Delays:
    """A history that ends before many leads are decided, and what became of them afterwards."""

    history: History
    truth: pd.DataFrame

    def won_within(self, days: int) -> float:
        """The share of all leads that are won within so many days, those after the end of the data too."""
        return float((self.truth["win_delay_days"] < days).mean())

    def replaced(self, frame: pd.DataFrame) -> Delays:
        """The same with another frame."""
        return Delays(replace(self.history, frame=frame), self.truth)


@cache
def simulated_delays(n_leads: int = 40_000, days: int = 240, seed: int = 11) -> Delays:
    """Leads of so many days, exported ten days later; the rate does not drift, so old and young leads are alike."""
    parameters = Simulation(n_leads=n_leads, days=days, days_after_last_lead=10, drift=NO_DRIFT, seed=seed)
    simulated = simulate(parameters)
    with tempfile.TemporaryDirectory() as folder:
        written = write(simulated, Path(folder), format="parquet")
        definition = read_definition(DEMO)
        return Delays(read_history(definition, files_of(definition, str(written.leads))), simulated.truth)


def history_of(
    *,
    as_of: Sequence[pd.Timestamp],
    closed_days: Sequence[float],
    outcome: Sequence[str],
    data_end: pd.Timestamp,
    horizon_days: int | None = 30,
    account: Sequence[str] | None = None,
    size: npt.ArrayLike | None = None,
) -> History:
    """A typed history of leads with one number, closed so many days after their as-of date (NEVER: not closed).

    Without `horizon_days`, the definition has no dates either.
    """
    begins = pd.Series(list(as_of)).dt.as_unit("us")
    lengths = pd.to_timedelta(pd.Series(list(closed_days), dtype=float), unit="D")
    ids = [f"lead-{number:05d}" for number in range(len(begins))]
    frame = pd.DataFrame(
        {
            "lead_id": pd.Series(ids, dtype="str"),
            "account": pd.Series(list(account) if account is not None else ids, dtype="str"),
            "created": begins,
            "as_of": begins,
            "closed": (begins + lengths).dt.as_unit("us"),
            "outcome": pd.Series(list(outcome), dtype="str"),
            "value": np.nan,
            "order": np.nan,
            "worked_chance": 1.0,
            "size": np.zeros(len(begins)) if size is None else np.asarray(size, dtype=float),
        }
    )
    dates = {"created": "created", "closed": "closed"}
    definition = parse_definition(
        {
            "format": 1,
            "definition": {"name": "delays", "version": 1, "title": "Delays", "data_origin": "simulated"},
            "target": {"horizon_days": horizon_days} if horizon_days else {},
            "columns": {"outcome": "stage", **(dates if horizon_days else {})},
            "outcome": {"won": ["Won"], "lost": ["Lost"]},
            "read": {"timezone": "UTC"},
            "fields": {"size": {"type": "number", "label": "Size", "known": "creation", "owner": "marketing"}},
            "grades": {"A": 0.5, "B": 0.3, "C": 0.1},
            "handover": {"threshold": 0.3},
        }
    )
    return History(definition, frame, data_end.to_pydatetime(), (), ())


def drifting(n_days: int = 240, per_day: int = 30, horizon_days: int = 10, seed: int = 5, repeat: int = 1) -> History:
    """Leads whose rate of wins jumps from some 14 % to some 46 % in the middle; `repeat` leads share an account.

    The log-odds are `-2.2 + size`, and `-0.2 + size` from the middle on: only the level drifts, not what size says.
    """
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(n_days), per_day)
    size = rng.normal(size=day.size)
    log_odds = np.where(day < n_days // 2, -2.2, -0.2) + size
    won = rng.random(day.size) < 1 / (1 + np.exp(-log_odds))
    begin = pd.Timestamp("2024-01-01", tz="UTC")
    return history_of(
        as_of=[begin + timedelta(days=int(number)) for number in day],
        closed_days=np.where(won, rng.uniform(0, horizon_days, day.size), horizon_days / 2).tolist(),
        outcome=np.where(won, "won", "lost").tolist(),
        data_end=begin + timedelta(days=n_days + horizon_days),
        horizon_days=horizon_days,
        account=[f"account-{number}" for number in rng.integers(0, day.size // repeat, day.size)]
        if repeat > 1
        else None,
        size=size,
    )
