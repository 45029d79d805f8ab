"""Planted leaks: columns that real exports hold and that tell what was not yet known when the lead came.

Each leak is one column of its own name, has its own stream of random numbers, and changes no other column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.simulate.market import Flags, Floats
from training.simulate.randomness import stream

Column = NDArray[Any]
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Seen:
    """What a careless export would draw on, as of the export, shape `(n_leads,)` each."""

    won: Flags
    lost: Flags
    created_minute: NDArray[np.int64]
    closed_minute: NDArray[np.int64]
    export_minute: int
    emails_opened_30d: Floats

    @property
    def n_leads(self) -> int:
        """Number of leads."""
        return self.won.size

    @property
    def closed(self) -> Flags:
        """Won or lost before the export."""
        return self.won | self.lost

    @property
    def end_minute(self) -> NDArray[np.int64]:
        """The close, or the export for leads that are still open."""
        return np.where(self.closed, self.closed_minute, self.export_minute)


def _where(filled: Flags, values: Column) -> Column:
    """The values where filled, and nothing elsewhere."""
    column = values.astype(object)
    column[~filled] = None
    return column


def _sales_tag(rng: np.random.Generator, seen: Seen) -> Column:
    """A tag that sales sets while it works the lead; empty where nobody got round to it."""
    good = np.array(["will_buy", "offer_requested", "in_discussion"], dtype=object)
    bad = np.array(["no_interest", "wrong_number", "bought_elsewhere", "in_discussion"], dtype=object)
    tag = np.where(
        seen.won,
        rng.choice(good, seen.n_leads, p=[0.7, 0.25, 0.05]),
        rng.choice(bad, seen.n_leads, p=[0.5, 0.2, 0.2, 0.1]),
    )
    tagged = rng.random(seen.n_leads) < np.where(seen.closed, 0.9, 0.25)
    open_tag = np.where(rng.random(seen.n_leads) < 0.8, "in_discussion", "offer_requested")
    return _where(tagged, np.where(seen.closed, tag, open_tag))


def _loss_category(rng: np.random.Generator, seen: Seen) -> Column:
    """A coarse reason of the loss: there is one exactly if the lead was lost."""
    category = rng.choice(np.array(["customer", "competition", "ourselves"], dtype=object), seen.n_leads)
    return _where(seen.lost, category)


def _last_activity_at(rng: np.random.Generator, seen: Seen) -> Column:
    """The last activity, rewritten by the closing itself; open leads keep one from their life so far."""
    life = seen.end_minute - seen.created_minute
    minute = seen.created_minute + (life * rng.beta(1.0, 4.0, seen.n_leads)).astype(np.int64)
    return np.where(seen.closed, seen.closed_minute, minute).astype("datetime64[m]").astype("datetime64[us]")


def _record_id(rng: np.random.Generator, seen: Seen) -> Column:
    """A near-unique id; won leads were moved to the number range of customers, in the order of their wins."""
    # Stable, because other sorts order equal times differently from machine to machine.
    order_of_win = np.empty(seen.n_leads, dtype=np.int64)
    order_of_win[np.argsort(np.where(seen.won, seen.closed_minute, _LAST), kind="stable")] = np.arange(seen.n_leads)
    number = np.where(seen.won, 1_000_000 + order_of_win, 5_000_000 + rng.permutation(seen.n_leads))
    prefix = np.where(seen.won, "C-", "P-")
    return np.char.add(prefix, number.astype("U7")).astype(object)


def _sub_industry(rng: np.random.Generator, seen: Seen) -> Column:
    """A detail whose values say nothing; that it is filled in says who became a customer."""
    filled = rng.random(seen.n_leads) < np.where(seen.won, 0.85, 0.25)
    value = np.char.add("group_", rng.integers(1, 9, seen.n_leads).astype("U1")).astype(object)
    return _where(filled, value)


def _next_meeting_at(rng: np.random.Generator, seen: Seen) -> Column:
    """A meeting days after the lead came; nearly all won leads had one."""
    life = np.maximum(seen.end_minute - seen.created_minute, 1)
    minute = seen.created_minute + np.ceil(life * rng.uniform(0.2, 0.9, seen.n_leads)).astype(np.int64)
    met = rng.random(seen.n_leads) < np.where(seen.won, 0.95, 0.2)
    times = minute.astype("datetime64[m]").astype("datetime64[us]")
    return np.where(met, times, np.datetime64("NaT", "us"))


def _customer_segment(rng: np.random.Generator, seen: Seen) -> Column:
    """A segment with a level that only won leads have."""
    usual = rng.choice(np.array(["a", "b", "c"], dtype=object), seen.n_leads, p=[0.2, 0.3, 0.5])
    return np.where(seen.won & (rng.random(seen.n_leads) < 0.35), "key_account", usual)


def _payment_term_days(rng: np.random.Generator, seen: Seen) -> Column:
    """Days of the agreed payment term: a function of the win, zero for all others."""
    return np.where(seen.won, rng.choice([14.0, 30.0, 60.0], seen.n_leads), 0.0)


def _emails_opened_total(rng: np.random.Generator, seen: Seen) -> Column:
    """Opened e-mails counted until the export: the counter ran on, and faster for those who bought."""
    after = rng.poisson(np.where(seen.won, 9.0, np.where(seen.lost, 1.5, 2.5)))
    return np.asarray(seen.emails_opened_30d + after, dtype=np.float64)


def _forecast_category(rng: np.random.Generator, seen: Seen) -> Column:
    """The sales forecast: one constant for everything closed, a varying guess for what is open."""
    guess = rng.choice(np.array(["pipeline", "best_case", "commit"], dtype=object), seen.n_leads, p=[0.6, 0.3, 0.1])
    return np.where(seen.closed, "closed", guess)


_PLANTERS: dict[str, Callable[[np.random.Generator, Seen], Column]] = {
    "sales_tag": _sales_tag,
    "loss_category": _loss_category,
    "last_activity_at": _last_activity_at,
    "record_id": _record_id,
    "sub_industry": _sub_industry,
    "next_meeting_at": _next_meeting_at,
    "customer_segment": _customer_segment,
    "payment_term_days": _payment_term_days,
    "emails_opened_total": _emails_opened_total,
    "forecast_category": _forecast_category,
}
LEAKS = tuple(_PLANTERS)


def planted(leaks: tuple[str, ...], seed: int, seen: Seen) -> dict[str, Column]:
    """The columns of the named leaks, in the order of `LEAKS`."""
    return {name: plant(stream(seed, "leak " + name), seen) for name, plant in _PLANTERS.items() if name in leaks}
