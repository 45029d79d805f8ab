"""What fields do to the log-odds of a win and to its delay: the part of the truth that a model can learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.simulate.arrivals import Arrivals
from training.simulate.behaviour import Behaviour
from training.simulate.companies import Companies
from training.simulate.market import (
    COUNTRIES,
    INDUSTRIES,
    JOB_FUNCTIONS,
    JOB_LEVELS,
    PRODUCTS,
    REGIONS,
    SOURCE_NAMES,
    Flags,
    Floats,
    per_source,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known when the leads are created, before any value is lost."""

    arrivals: Arrivals
    companies: Companies
    behaviour: Behaviour


def field_log_odds(facts: Facts, structural: float) -> Floats:
    """The sum of all field effects at signal 1, shape `(n_leads,)`, not centred."""
    return (
        _source_effect(facts.arrivals, structural)
        + _company_effect(facts.companies)
        + _contact_effect(facts.behaviour)
        + _web_effect(facts, structural)
        + _email_effect(facts.behaviour)
        + _interactions(facts)
    )


def field_delay_log(facts: Facts) -> Floats:
    """The shift of the logarithm of the delay to a win at signal 1: large companies and fairs take longer."""
    size = np.log(facts.companies.employees / 150.0)
    return np.asarray(per_source("delay_log")[facts.arrivals.source] + 0.07 * size, dtype=np.float64)


def from_source(facts: Facts, name: str) -> Flags:
    """Which leads came from the source, shape `(n_leads,)`."""
    return np.asarray(facts.arrivals.source == SOURCE_NAMES.index(name), dtype=np.bool_)


def _source_effect(arrivals: Arrivals, structural: float) -> Floats:
    change = per_source("effect_drift")[arrivals.source] * arrivals.drift_years * structural
    return np.asarray(
        per_source("effect")[arrivals.source] + arrivals.campaigns.effects[arrivals.campaign] + change,
        dtype=np.float64,
    )


def _company_effect(companies: Companies) -> Floats:
    # Neither the workshop nor the group is the best customer: a hump with its top at some 250 employees.
    size = np.log(companies.employees / 250.0)
    hump = -0.10 * np.minimum(size**2, 12.0)
    country = COUNTRIES.effects[companies.country]
    region = np.where(companies.country == COUNTRIES.code("DE"), REGIONS.effects[companies.region], 0.0)
    return np.asarray(
        INDUSTRIES.effects[companies.industry] + hump + country + region + 0.8 * companies.previous_customer,
        dtype=np.float64,
    )


def _contact_effect(behaviour: Behaviour) -> Floats:
    return np.asarray(
        JOB_LEVELS.effects[behaviour.job_level]
        + JOB_FUNCTIONS.effects[behaviour.job_function]
        + PRODUCTS.effects[behaviour.product_interest]
        - 0.5 * behaviour.freemail
        + 0.9 * behaviour.demo_requested,
        dtype=np.float64,
    )


def _web_effect(facts: Facts, structural: float) -> Floats:
    behaviour = facts.behaviour
    pages = behaviour.pages_viewed_30d
    reading = 0.30 * np.log1p(np.minimum(pages, 25.0)) - 0.9 * (pages > 40)  # who reads everything is a competitor
    fading = np.clip(1.0 - 0.5 * structural * facts.arrivals.drift_years, 0.0, 2.0)
    prices = 0.35 * np.log1p(behaviour.pricing_page_views) * fading
    last = behaviour.days_since_last_visit
    recency = np.where(np.isnan(last), -0.15, -0.25 * (last > 7) - 0.25 * (last > 30))
    return np.asarray(reading + prices + recency, dtype=np.float64)


def _email_effect(behaviour: Behaviour) -> Floats:
    message = np.nan_to_num(behaviour.form_message_length)
    wrote = 0.45 * np.minimum(message, 300.0) / 300.0
    return np.asarray(
        0.10 * np.log1p(behaviour.emails_opened_30d)
        + 0.25 * np.log1p(behaviour.emails_clicked_30d)
        + 0.10 * behaviour.newsletter
        + wrote,
        dtype=np.float64,
    )


def _interactions(facts: Facts) -> Floats:
    """What no sum of single effects says; it is what trees can add."""
    companies, behaviour = facts.companies, facts.behaviour
    large = companies.employees > 500
    student = behaviour.job_level == JOB_LEVELS.code("trainee_or_student")
    decides = behaviour.job_level <= JOB_LEVELS.code("head_of_department")
    return np.asarray(
        0.7 * (from_source(facts, "trade_fair") & large)
        - 0.6 * (from_source(facts, "google_ads") & behaviour.freemail)
        + 0.5 * (from_source(facts, "linkedin") & (behaviour.job_function == JOB_FUNCTIONS.code("it")))
        - 0.8 * (student & behaviour.demo_requested)
        + 0.5 * (decides & (behaviour.pricing_page_views >= 1))
        + 0.4 * (companies.previous_customer & (behaviour.product_interest == PRODUCTS.code("spare_parts"))),
        dtype=np.float64,
    )
