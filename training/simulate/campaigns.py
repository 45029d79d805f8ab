"""Campaigns: dozens, each with a source, a lifetime and an effect of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.market import SOURCES, Codes, Floats
from training.simulate.randomness import stream

MINUTES_PER_DAY = 1_440
EFFECT_SD = 0.2
_EVERGREEN = ("referral", "organic_search", "partner")
_THEMES = ("automation_day", "energy_costs", "predictive_maintenance", "retrofit", "sensor_basics", "smart_factory")
_FOREVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Campaigns:
    """All campaigns of a time, column by column; each runs in the half-open `[first_minute, end_minute)`."""

    names: tuple[str, ...]
    source: Codes
    first_minute: NDArray[np.int64]
    end_minute: NDArray[np.int64]
    effects: Floats

    def draw(self, rng: np.random.Generator, created_minute: NDArray[np.int64], source: Codes) -> Codes:
        """For each lead a campaign of its source that was running, all equally likely, shape `(n_leads,)`."""
        chosen = np.zeros(source.size, dtype=np.int16)
        n_running = np.zeros(source.size)
        for code in range(len(self.names)):
            runs = (self.source[code] == source) & (self.first_minute[code] <= created_minute)
            rows = np.flatnonzero(runs & (created_minute < self.end_minute[code]))
            n_running[rows] += 1
            # Reservoir sampling: the k-th running campaign replaces the earlier choice with chance 1/k.
            chosen[rows[rng.random(rows.size) * n_running[rows] < 1.0]] = code
        return chosen


def campaigns_between(world: int, first_minute: np.int64, last_minute: np.int64) -> Campaigns:
    """The campaigns of a world that can have brought a lead between two minutes, both included.

    A campaign depends on the world, its source and its quarter only, so simulations of neighbouring times share them.
    """
    # A campaign lives for at most two quarters and a bit, so those begun three quarters earlier have ended.
    quarters = range(_quarter(first_minute) - 3, _quarter(last_minute) + 1)
    rows = [
        _campaign(world, code, quarter)
        for code, source in enumerate(SOURCES)
        for quarter in ((0,) if source.name in _EVERGREEN else quarters)
    ]
    names, sources, firsts, ends, effects = zip(*rows, strict=True)
    return Campaigns(
        tuple(names),
        np.array(sources, dtype=np.int16),
        np.array(firsts, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        np.array(effects, dtype=np.float64),
    )


def _campaign(world: int, source: int, quarter: int) -> tuple[str, int, int, int, float]:
    rng = stream(world, "campaign", source, quarter)
    effect = float(rng.normal(0.0, EFFECT_SD))
    name = SOURCES[source].name
    if name in _EVERGREEN:
        return f"{name}_always_on", source, -_FOREVER, _FOREVER, effect
    theme = _THEMES[int(rng.integers(len(_THEMES)))]
    first = _first_minute(quarter)
    end = first + int(rng.integers(95, 200)) * MINUTES_PER_DAY  # longer than a quarter: one is always running
    return f"{name}_{1970 + quarter // 4}_q{quarter % 4 + 1}_{theme}", source, first, end, effect


def _quarter(minute: np.int64) -> int:
    month = np.datetime64(int(minute), "m").astype("datetime64[M]").astype(np.int64)
    return int(month) // 3


def _first_minute(quarter: int) -> int:
    return int(np.datetime64(quarter * 3, "M").astype("datetime64[m]").astype(np.int64))
