"""The person and what they did before the lead was created: visits and e-mails one by one, then counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulate.market import JOB_FUNCTIONS, JOB_LEVELS, PRODUCTS, Codes, Flags, Floats, per_source
from training.simulate.parameters import Simulation
from training.simulate.randomness import stream

WINDOW_DAYS = 30.0
MEMORY_DAYS = 90.0
_EMPTY_MESSAGE_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Facts about the contact, known when the lead is created; one row per lead.

    `days_since_last_visit` is missing without a visit in 90 days, `form_message_length` without a form. Clicks never
    exceed opens, price pages never exceed pages, and pages were viewed exactly if the last visit is under 30 days old.
    """

    job_level: Codes
    job_function: Codes
    product_interest: Codes
    freemail: Flags
    newsletter: Flags
    demo_requested: Flags
    pages_viewed_30d: Floats
    pricing_page_views: Floats
    days_since_last_visit: Floats
    emails_opened_30d: Floats
    emails_clicked_30d: Floats
    form_message_length: Floats


def draw_behaviour(parameters: Simulation, source: Codes) -> Behaviour:
    """What each lead's contact is and did, given its source."""
    rng = stream(parameters.seed, "behaviour")
    n = source.size
    interest = rng.gamma(1.3, 1 / 1.3, n)  # how interested, mean 1; it shows in the counts and acts only through them
    newsletter = rng.random(n) < per_source("newsletter_share")[source]
    pages, last_visit_days = _draw_visits(rng, source, interest)
    opens, clicks = _draw_emails(rng, newsletter, interest)
    return Behaviour(
        job_level=JOB_LEVELS.draw(rng, n),
        job_function=JOB_FUNCTIONS.draw(rng, n),
        product_interest=PRODUCTS.draw(rng, n),
        freemail=rng.random(n) < per_source("freemail_share")[source],
        newsletter=newsletter,
        demo_requested=_draw_demo(rng, source, interest),
        pages_viewed_30d=pages.astype(np.float64),
        pricing_page_views=rng.binomial(pages, 0.03 + 0.08 * interest / (1 + interest)).astype(np.float64),
        days_since_last_visit=last_visit_days,
        emails_opened_30d=opens.astype(np.float64),
        emails_clicked_30d=clicks.astype(np.float64),
        form_message_length=_draw_messages(rng, source),
    )


def _draw_visits(rng: np.random.Generator, source: Codes, interest: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Pages viewed in the last 30 days and days since the last visit, from single visits with their own times."""
    has_form = per_source("has_form")[source].astype(np.int64)
    n_visits = rng.poisson(per_source("mean_visits")[source] * interest) + has_form
    lead = np.repeat(np.arange(source.size), n_visits)
    days_before = MEMORY_DAYS * rng.beta(1.0, 3.0, lead.size)
    # The form itself was filled in during a visit: the first of these leads' visits is the one of the creation.
    first_row = np.cumsum(n_visits) - n_visits
    days_before[first_row[has_form == 1]] = 0.0
    days_before = np.round(days_before, 1)
    pages = 1 + rng.poisson(2.2, lead.size)
    recent = days_before < WINDOW_DAYS
    pages_30d = np.bincount(lead[recent], weights=pages[recent], minlength=source.size).astype(np.int64)
    last = np.full(source.size, np.inf)
    np.minimum.at(last, lead, days_before)
    return pages_30d, np.where(np.isinf(last), np.nan, last)


def _draw_emails(
    rng: np.random.Generator, newsletter: Flags, interest: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sent = rng.poisson(np.where(newsletter, 4.0, 0.5))
    opens = rng.binomial(sent, 0.15 + 0.45 * interest / (1 + interest))
    return opens, rng.binomial(opens, 0.25)


def _draw_demo(rng: np.random.Generator, source: Codes, interest: Floats) -> Flags:
    odds = per_source("demo_share")[source] * interest**0.7
    return np.asarray(rng.random(source.size) < odds / (1 + odds), dtype=np.bool_)


def _draw_messages(rng: np.random.Generator, source: Codes) -> Floats:
    written = np.round(np.exp(rng.normal(np.log(120.0), 0.8, source.size)))
    length = np.where(rng.random(source.size) < _EMPTY_MESSAGE_SHARE, 0.0, np.minimum(written, 4_000.0))
    return np.where(per_source("has_form")[source] == 1.0, length, np.nan)
