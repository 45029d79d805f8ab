"""What happens to each lead: response, acceptance, win or loss, and how much of it the export has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from training.simulate.arrivals import MINUTES_PER_DAY, minute_of
from training.simulate.effects import Facts
from training.simulate.market import Codes, Flags, Floats
from training.simulate.parameters import Simulation
from training.simulate.randomness import stream
from training.simulate.truth import (
    ACCEPTED_LOG_ODDS,
    REJECTED_LOG_ODDS,
    RESPONSE_LOG_SD,
    UNWORKED_LOG_ODDS,
    USUAL_RESPONSE_HOURS,
    Truth,
    accept_probability,
)

NEVER = np.iinfo(np.int64).max
LOST_REASONS = ("not_reachable", "no_need", "wrong_contact", "price", "competitor", "postponed", "no_budget")
_LOST_REASONS_REJECTED = np.array([0.35, 0.35, 0.25, 0.0, 0.0, 0.0, 0.05])
_LOST_REASONS_ACCEPTED = np.array([0.08, 0.12, 0.02, 0.22, 0.24, 0.20, 0.12])
_NEVER_CLOSED_SHARE = 0.15
_NEVER_CLOSED_SHARE_UNWORKED = 0.6
_LOSS_MEDIAN_DAYS = {"accepted": 32.0, "rejected": 7.0, "unworked": 90.0}
_LOSS_LOG_SD = 0.9


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The whole fate of each lead, and what of it stands in the export, shape `(n_leads,)` each.

    Attributes
    ----------
    wins : bool array
        Whether the lead is ever won, also after the export.
    close_minutes : int array
        Minutes from creation to the win or the loss; `NEVER` if it stays open for ever.
    response_minutes : int array
        Minutes from creation to the first response; `NEVER` if nobody works the lead.
    accepted : bool array
        Whether sales accepts the lead; False if nobody works it.
    closed : bool array
        Whether it was closed before the export.
    responded : bool array
        Whether sales had responded before the export.
    """

    wins: Flags
    close_minutes: NDArray[np.int64]
    response_minutes: NDArray[np.int64]
    accepted: Flags
    deal_value_eur: Floats
    lost_reason: Codes
    closed: Flags
    responded: Flags

    @property
    def won(self) -> Flags:
        """Won before the export."""
        return self.wins & self.closed

    @property
    def lost(self) -> Flags:
        """Lost before the export."""
        return ~self.wins & self.closed


def export_minute(parameters: Simulation) -> int:
    """The minute of the export, since 1970-01-01 UTC; what happens in it or later is not in the data."""
    return minute_of(parameters.start) + (parameters.days + parameters.days_after_last_lead) * MINUTES_PER_DAY


def draw_outcomes(parameters: Simulation, facts: Facts, truth: Truth, worked: Flags) -> Outcomes:
    """The fate of each lead, drawn from the truth's own formula and not from its integral."""
    rng = stream(parameters.seed, "outcomes")
    n = worked.size
    response_log = truth.response_log_mean + RESPONSE_LOG_SD * rng.standard_normal(n)
    unseen = truth.log_odds + facts.companies.effect
    latent = unseen - parameters.speed_effect * (response_log - np.log(USUAL_RESPONSE_HOURS))
    accepted = (rng.random(n) < accept_probability(latent, truth.intercept)) & worked
    after_handover = latent + np.where(accepted, ACCEPTED_LOG_ODDS, REJECTED_LOG_ODDS)
    wins = rng.random(n) < expit(np.where(worked, after_handover, unseen + UNWORKED_LOG_ODDS))
    win_days = np.exp(truth.delay_log_mean + parameters.win_delay_log_sd * rng.standard_normal(n))
    close_minutes = _minutes(np.where(wins, win_days, _loss_days(rng, accepted, worked)))
    response = np.where(worked, _minutes(np.exp(response_log) / 24), NEVER)
    known_minutes = export_minute(parameters) - facts.arrivals.created_minute
    response = np.where(worked, np.minimum(response, close_minutes), NEVER)  # a close is a response at the latest
    return Outcomes(
        wins=wins,
        close_minutes=close_minutes,
        response_minutes=response,
        accepted=accepted,
        deal_value_eur=_deal_values(rng, facts.companies.employees),
        lost_reason=_lost_reasons(rng, accepted),
        closed=close_minutes < known_minutes,
        responded=response < known_minutes,
    )


def _minutes(days: Floats) -> NDArray[np.int64]:
    """Days as whole minutes rounded up, at least one hour; `NEVER` for infinite ones."""
    minutes = np.full(days.size, NEVER)
    finite = np.isfinite(days)
    minutes[finite] = np.maximum(np.ceil(days[finite] * MINUTES_PER_DAY), 60).astype(np.int64)
    return minutes


def _loss_days(rng: np.random.Generator, accepted: Flags, worked: Flags) -> Floats:
    kinds = [~worked, accepted]
    median = np.select(
        kinds, [_LOSS_MEDIAN_DAYS["unworked"], _LOSS_MEDIAN_DAYS["accepted"]], _LOSS_MEDIAN_DAYS["rejected"]
    )
    days = median * np.exp(_LOSS_LOG_SD * rng.standard_normal(accepted.size))
    never_share = np.where(worked, _NEVER_CLOSED_SHARE, _NEVER_CLOSED_SHARE_UNWORKED)
    return np.where(rng.random(accepted.size) < never_share, np.inf, days)


def _deal_values(rng: np.random.Generator, employees: Floats) -> Floats:
    size = (employees / 150.0) ** 0.3
    return np.asarray(np.round(18_000 * size * np.exp(rng.normal(0, 0.8, employees.size)), 2), dtype=np.float64)


def _lost_reasons(rng: np.random.Generator, accepted: Flags) -> Codes:
    uniform = rng.random(accepted.size)
    of_accepted = np.searchsorted(np.cumsum(_LOST_REASONS_ACCEPTED), uniform, side="right")
    of_rejected = np.searchsorted(np.cumsum(_LOST_REASONS_REJECTED), uniform, side="right")
    last = len(LOST_REASONS) - 1  # the sums may end a rounding error below 1
    return np.minimum(np.where(accepted, of_accepted, of_rejected), last).astype(np.int16)
