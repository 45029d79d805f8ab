"""The true probabilities: of ever winning, of winning within the horizon, with and without what nobody can see.

A lead's latent log-odds are `l = m + u - speed_effect * (log r - log 24)`. In it `m` is the intercept plus the effects
of fields and date, `u ~ N(0, account_effect_sd^2)` the account's unseen effect, and `r` the hours until sales first
responds, `log r ~ N(mu(source), RESPONSE_LOG_SD^2)`. With the logistic function s, sales accepts with probability
`A(l) = s(ACCEPT_LOG_ODDS + ACCEPT_SLOPE * (l - intercept))`, and the lead is ever won with probability

    W(l) = A(l) * s(l + ACCEPTED_LOG_ODDS) + (1 - A(l)) * s(l + REJECTED_LOG_ODDS).

If it wins, the delay is log-normal, independent of u, r and acceptance given the fields. So, with F the share of delays
below the horizon,

    true_probability        = F(horizon) * E[W(l) | fields, date]          over u and r
    true_probability_latent = F(horizon) * E[W(l) | fields, date, u]       over r

Given the fields, l is normal, so each expectation is one integral, taken by Gauss-Hermite quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from features.errors import Problem
from features.text import Text
from training.simulate.arrivals import draw_arrivals
from training.simulate.behaviour import draw_behaviour
from training.simulate.companies import draw_companies
from training.simulate.effects import Facts, field_delay_log, field_log_odds
from training.simulate.market import Floats, per_source
from training.simulate.parameters import NO_DRIFT, ParameterError, Simulation

RESPONSE_LOG_SD = 1.1
USUAL_RESPONSE_HOURS = 24.0
ACCEPT_LOG_ODDS = 0.7
ACCEPT_SLOPE = 0.8
ACCEPTED_LOG_ODDS = 0.3
REJECTED_LOG_ODDS = -1.5
UNWORKED_LOG_ODDS = -2.5
_NODES = 21
_BLOCK = 50_000
_REFERENCE_LEADS = 20_000


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of each lead at its creation, shape `(n_leads,)` each.

    Attributes
    ----------
    intercept : float
        Log-odds that every lead starts from.
    log_odds : float array
        `m`: intercept, fields and date; without account and response.
    response_log_mean : float array
        Mean of the logarithm of the hours until the first response.
    delay_log_mean : float array
        Mean of the logarithm of the days to a win.
    within_horizon : float array
        F: the share of wins that come before the horizon ends.
    ever, probability, latent, unworked : float array
        P(ever won), P(won within the horizon), the same given the account's effect, the same if nobody works the lead.
    """

    intercept: float
    log_odds: Floats
    response_log_mean: Floats
    delay_log_mean: Floats
    within_horizon: Floats
    ever: Floats
    probability: Floats
    latent: Floats
    unworked: Floats


def tell_truth(parameters: Simulation, facts: Facts) -> Truth:
    """The true probabilities of all leads."""
    intercept = intercept_of(parameters)
    log_odds = _log_odds(parameters, facts, intercept)
    response = _response_log_mean(parameters, facts)
    delay = _delay_log_mean(parameters, facts)
    within = _within_horizon(parameters, delay)
    centre = log_odds - parameters.speed_effect * (response - np.log(USUAL_RESPONSE_HOURS))
    speed_sd = parameters.speed_effect * RESPONSE_LOG_SD
    ever = _expected_win(centre, float(np.hypot(parameters.account_effect_sd, speed_sd)), intercept)
    latent = _expected_win(centre + facts.companies.effect, speed_sd, intercept)
    unworked = _expected_unworked(log_odds, parameters.account_effect_sd)
    return Truth(intercept, log_odds, response, delay, within, ever, within * ever, within * latent, within * unworked)


def accept_probability(latent_log_odds: Floats, intercept: float) -> Floats:
    """A(l): the probability that sales accepts."""
    return np.asarray(expit(ACCEPT_LOG_ODDS + ACCEPT_SLOPE * (latent_log_odds - intercept)), dtype=np.float64)


def intercept_of(parameters: Simulation) -> float:
    """The intercept that gives the reference year its mean true probability, whatever the seed, dates and drift."""
    return _solved_intercept(
        Simulation(
            n_leads=_REFERENCE_LEADS,
            days=365,
            seed=0,
            drift=NO_DRIFT,
            world=parameters.world,
            horizon_days=parameters.horizon_days,
            win_rate=parameters.win_rate,
            signal=parameters.signal,
            account_effect_sd=parameters.account_effect_sd,
            speed_effect=parameters.speed_effect,
            win_delay_median_days=parameters.win_delay_median_days,
            win_delay_log_sd=parameters.win_delay_log_sd,
        )
    )


def draw_facts(parameters: Simulation) -> Facts:
    """All that is known of the leads at their creation."""
    arrivals = draw_arrivals(parameters)
    return Facts(arrivals, draw_companies(parameters), draw_behaviour(parameters, arrivals.source))


@lru_cache(maxsize=32)
def _solved_intercept(reference: Simulation) -> float:
    facts = draw_facts(reference)
    shape = _log_odds(reference, facts, 0.0)
    slowness = _response_log_mean(reference, facts) - np.log(USUAL_RESPONSE_HOURS)
    within = _within_horizon(reference, _delay_log_mean(reference, facts))
    sd = float(np.hypot(reference.account_effect_sd, reference.speed_effect * RESPONSE_LOG_SD))

    if float(np.mean(within)) <= reference.win_rate:
        raise ParameterError([_unreachable(float(np.mean(within)), reference.win_rate)])

    def excess(intercept: float) -> float:
        centre = intercept + shape - reference.speed_effect * slowness
        return float(np.mean(within * _expected_win(centre, sd, intercept))) - reference.win_rate

    return float(brentq(excess, -30.0, 30.0, xtol=1e-10))


def _unreachable(within: float, win_rate: float) -> Problem:
    share = f"{within:.3f}"
    return Problem(
        where="win_rate",
        what=Text(
            en=f"cannot be reached: even if every lead were won, only {share} would be within the horizon",
            de=f"ist unerreichbar: selbst wenn jeder Lead gewonnen würde, läge nur der Anteil {share} im Horizont",
        ),
        seen=f"{win_rate:g}",
        expected=Text(
            en="a lower rate, a longer horizon or shorter delays",
            de="eine niedrigere Quote, ein längerer Horizont oder kürzere Verzögerungen",
        ),
        code="unreachable",
    )


def _log_odds(parameters: Simulation, facts: Facts, intercept: float) -> Floats:
    drift = parameters.drift
    season = drift.seasonal * np.cos(2 * np.pi * (facts.arrivals.year_fraction - 0.12))
    trend = -0.4 * drift.structural * facts.arrivals.drift_years
    fields = parameters.signal * field_log_odds(facts, drift.structural)
    return np.asarray(intercept + season + trend + fields, dtype=np.float64)


def _response_log_mean(parameters: Simulation, facts: Facts) -> Floats:
    usual = np.log(USUAL_RESPONSE_HOURS)
    by_source = np.log(per_source("response_hours")) - usual
    return np.asarray(usual + parameters.signal * by_source[facts.arrivals.source], dtype=np.float64)


def _delay_log_mean(parameters: Simulation, facts: Facts) -> Floats:
    usual = float(np.log(parameters.win_delay_median_days))
    return np.asarray(usual + parameters.signal * field_delay_log(facts), dtype=np.float64)


def _within_horizon(parameters: Simulation, delay_log_mean: Floats) -> Floats:
    standardised = (np.log(parameters.horizon_days) - delay_log_mean) / parameters.win_delay_log_sd
    return np.asarray(ndtr(standardised), dtype=np.float64)


def _win(latent: Floats, intercept: float) -> Floats:
    accepted = accept_probability(latent, intercept)
    return np.asarray(
        accepted * expit(latent + ACCEPTED_LOG_ODDS) + (1 - accepted) * expit(latent + REJECTED_LOG_ODDS),
        dtype=np.float64,
    )


def _expected_win(centre: Floats, sd: float, intercept: float) -> Floats:
    """E[W(l)] for l ~ N(centre, sd^2), shape `(n_leads,)`."""
    nodes, weights = _quadrature(sd)
    blocks = np.array_split(centre, max(1, centre.size // _BLOCK))
    return np.concatenate([_win(block[:, None] + nodes, intercept) @ weights for block in blocks])


def _expected_unworked(log_odds: Floats, sd: float) -> Floats:
    nodes, weights = _quadrature(sd)
    blocks = np.array_split(log_odds + UNWORKED_LOG_ODDS, max(1, log_odds.size // _BLOCK))
    return np.concatenate([expit(block[:, None] + nodes) @ weights for block in blocks])


def _quadrature(sd: float) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return sd * nodes, weights / weights.sum()
