"""The horizon that fits the delays of wins and the length of the history, and logs of wins that began late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

HORIZONS_DAYS = (1, 7, 14, 30, 60, 90, 120, 180, 365)
WINS_COVERED = 0.75
SPANS_PER_HORIZON = 5.0  # training, a gap, calibration, a gap, test: two horizons of five are gaps
_EXPECTED_WINS = 20.0


@dataclass(frozen=True, slots=True)
class Delays:
    """Days from creation to a win: median and 90 % of those seen, and the days over which leads were created."""

    median_days: float
    most_days: float
    span_days: float
    n_wins: int


@dataclass(frozen=True, slots=True)
class Timing:
    """What the draft says about time."""

    horizons_days: tuple[int, ...]
    leads_from: date | None
    data_end: date
    delays: Delays


def find_timing(created: pd.Series, closed: pd.Series, won: pd.Series) -> Timing:
    """Horizons to try, the best first, and the day from which the log of wins counts, if it began late.

    Parameters
    ----------
    created, closed : pandas.Series of datetime
        `(n_leads,)`; `closed` is missing for open leads.
    won : pandas.Series of bool
        `(n_leads,)`.
    """
    leads_from = _log_began(created, closed, won)
    counted = created >= pd.Timestamp(leads_from, tz="UTC") if leads_from else created.notna()
    delay_days = ((closed - created)[won & counted].dt.total_seconds() / 86_400).clip(lower=0)
    span = created[counted]
    span_days = (span.max() - span.min()).total_seconds() / 86_400
    wanted = float(delay_days.quantile(WINS_COVERED))
    fitting = [days for days in HORIZONS_DAYS if days <= max(span_days / SPANS_PER_HORIZON, 1)]
    enough = [days for days in fitting if days >= wanted]
    best = enough[0] if enough else fitting[-1]
    delays = Delays(float(delay_days.median()), float(delay_days.quantile(0.9)), span_days, len(delay_days))
    shorter = tuple(days for days in reversed(HORIZONS_DAYS) if days < best)
    end = max(moment for moment in (created.max(), closed.max()) if not pd.isna(moment))
    return Timing((best, *shorter), leads_from, end.date() + timedelta(days=1), delays)


def _log_began(created: pd.Series, closed: pd.Series, won: pd.Series) -> date | None:
    """The day of the first win, if so many leads had come by then that wins must have been missing from the log."""
    first = closed[won].min()
    if pd.isna(first):
        return None
    known = np.sort((closed - created)[won].dt.total_seconds().to_numpy())
    age = (first - created[created < first]).dt.total_seconds().to_numpy()
    chance = np.searchsorted(known, age) / len(known)
    expected = float(won.mean() * chance.sum())
    return first.date() if expected >= _EXPECTED_WINS else None
