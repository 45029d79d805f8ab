"""Accounts: the companies that leads belong to, and what is unseen about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.market import COUNTRIES, INDUSTRIES, MEDIAN_EMPLOYEES, REGIONS, Codes, Flags, Floats
from training.simulate.parameters import Simulation
from training.simulate.randomness import stream

EMPLOYEES_LOG_SD = 1.5
_LARGEST_COMPANY = 400_000
_PREVIOUS_CUSTOMER_SHARE = 0.09


@dataclass(frozen=True, slots=True)
class Companies:
    """Company facts, one row per lead; leads of one account share them, and also the unseen effect.

    Attributes
    ----------
    account : int array, shape (n_leads,)
        Number of the account, from 0 in the order of its first lead.
    effect : float array, shape (n_leads,)
        The account's unseen effect in log-odds, independent of every field.
    """

    account: NDArray[np.int64]
    industry: Codes
    employees: Floats
    revenue_eur: Floats
    country: Codes
    region: Codes
    previous_customer: Flags
    effect: Floats


def draw_companies(parameters: Simulation) -> Companies:
    """The account of each lead with its facts."""
    rng = stream(parameters.seed, "companies")
    account = _draw_accounts(rng, parameters.n_leads, parameters.leads_per_account)
    n = int(account.max()) + 1
    industry = INDUSTRIES.draw(rng, n)
    employees = _draw_employees(rng, industry)
    revenue_eur = np.round(employees * 180_000 * np.exp(rng.normal(0, 0.6, n)), -3)
    return Companies(
        account=account,
        industry=industry[account],
        employees=employees[account],
        revenue_eur=revenue_eur[account],
        country=COUNTRIES.draw(rng, n)[account],
        region=REGIONS.draw(rng, n)[account],
        previous_customer=(rng.random(n) < _PREVIOUS_CUSTOMER_SHARE)[account],
        effect=(parameters.account_effect_sd * rng.standard_normal(n))[account],
    )


def _draw_accounts(rng: np.random.Generator, n_leads: int, leads_per_account: float) -> NDArray[np.int64]:
    if leads_per_account == 1.0:
        return np.arange(n_leads, dtype=np.int64)
    # With exponential weights the leads of an account are geometric with mean m = n_leads / n_possible; those that
    # have any lead have 1 + m on average.
    n_possible = max(1, round(n_leads / (leads_per_account - 1.0)))
    edges = np.cumsum(rng.exponential(size=n_possible))
    drawn = np.searchsorted(edges, rng.random(n_leads) * edges[-1])
    _, first, inverse = np.unique(drawn, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[inverse]


def _draw_employees(rng: np.random.Generator, industry: Codes) -> Floats:
    log_size = np.log(MEDIAN_EMPLOYEES[industry]) + rng.normal(0, EMPLOYEES_LOG_SD, industry.size)
    return np.asarray(np.clip(np.round(np.exp(log_size)), 1, _LARGEST_COMPANY), dtype=np.float64)
