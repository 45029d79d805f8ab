"""When leads are created, by which source and campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from training.simulate.campaigns import Campaigns, campaigns_between
from training.simulate.market import Codes, Floats, per_source
from training.simulate.parameters import Simulation
from training.simulate.randomness import stream

MINUTES_PER_DAY = 1_440
DAYS_PER_YEAR = 365.25
_WEEKDAY_WEIGHTS = np.array([1.15, 1.2, 1.15, 1.1, 0.9, 0.2, 0.2])
_HOUR_WEIGHTS = np.array([1, 1, 1, 1, 1, 1, 3, 8, 14, 18, 18, 16, 11, 14, 17, 16, 12, 8, 6, 5, 5, 4, 3, 2], dtype=float)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Leads in the order of their creation.

    Attributes
    ----------
    created_minute : int array, shape (n_leads,)
        Minutes since 1970-01-01 UTC, ascending.
    source, campaign : int array, shape (n_leads,)
        Positions in `SOURCES` and in `campaigns`.
    campaigns : Campaigns
        All campaigns that ran.
    drift_years : float array, shape (n_leads,)
        Years from the origin of the structural drift to the creation.
    """

    created_minute: NDArray[np.int64]
    source: Codes
    campaign: Codes
    campaigns: Campaigns
    drift_years: Floats

    @property
    def year_fraction(self) -> Floats:
        """Position in the year, 0 on 1 January, shape `(n_leads,)`."""
        days_since_epoch = self.created_minute / MINUTES_PER_DAY
        return np.asarray((days_since_epoch / DAYS_PER_YEAR) % 1.0, dtype=np.float64)


def draw_arrivals(parameters: Simulation) -> Arrivals:
    """Creation times, sources and campaigns, ordered by time."""
    rng = stream(parameters.seed, "arrivals")
    created = _creation_minutes(rng, parameters)
    drift_years = years_since(created, parameters.drift.origin or parameters.start)
    source = _draw_sources(rng, drift_years * parameters.drift.structural)
    campaigns = campaigns_between(parameters.world, created[0], created[-1])
    return Arrivals(created, source, campaigns.draw(rng, created, source), campaigns, drift_years)


def minute_of(day: date) -> int:
    """The first minute of a day, in minutes since 1970-01-01 UTC."""
    return int(np.datetime64(day, "m").astype(np.int64))


def years_since(minutes: NDArray[np.int64], origin: date) -> Floats:
    """Years from the origin to each minute; negative before it."""
    return np.asarray((minutes - minute_of(origin)) / (MINUTES_PER_DAY * DAYS_PER_YEAR), dtype=np.float64)


def _creation_minutes(rng: np.random.Generator, parameters: Simulation) -> NDArray[np.int64]:
    first_day = np.datetime64(parameters.start, "D")
    day = np.arange(parameters.days)
    weekday = (first_day.astype(np.int64) + day + 3) % 7  # 1970-01-01 was a Thursday, weekday 3
    year_fraction = ((first_day.astype(np.int64) + day) / DAYS_PER_YEAR) % 1.0
    weights = _WEEKDAY_WEIGHTS[weekday] * (1 + 0.15 * np.cos(2 * np.pi * (year_fraction - 0.12)))
    days = rng.choice(parameters.days, size=parameters.n_leads, p=weights / weights.sum())
    hours = rng.choice(24, size=parameters.n_leads, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum())
    minutes = (days * 24 + hours) * 60 + rng.integers(0, 60, parameters.n_leads)
    return np.asarray(np.sort(minutes) + minute_of(parameters.start), dtype=np.int64)


def _draw_sources(rng: np.random.Generator, drift: Floats) -> Codes:
    # Gumbel's trick: the largest of log weight plus noise is a draw by the weights, whatever they are on that day.
    log_weight = np.log(per_source("share"))
    growth = per_source("share_drift")
    best = np.full(drift.size, -np.inf)
    source = np.zeros(drift.size, dtype=np.int16)
    for code in range(log_weight.size):
        value = log_weight[code] + growth[code] * drift + rng.gumbel(size=drift.size)
        source[value > best] = code
        np.maximum(best, value, out=best)
    return source
