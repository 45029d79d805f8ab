"""The frames: what a CRM would export, and apart from it the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.simulate.arrivals import MINUTES_PER_DAY
from training.simulate.effects import Facts
from training.simulate.feedback import HANDOVER_BASES, Working
from training.simulate.leaks import Column
from training.simulate.market import (
    COUNTRIES,
    INDUSTRIES,
    JOB_FUNCTIONS,
    JOB_LEVELS,
    PRODUCTS,
    REGIONS,
    SOURCE_NAMES,
    Codes,
    Flags,
)
from training.simulate.outcomes import LOST_REASONS, NEVER, Outcomes
from training.simulate.truth import Truth

DATA_ORIGIN = "simulated"
_BEHAVIOUR_COLUMNS = (
    "freemail",
    "newsletter",
    "demo_requested",
    "pages_viewed_30d",
    "pricing_page_views",
    "days_since_last_visit",
    "emails_opened_30d",
    "emails_clicked_30d",
    "form_message_length",
)


def known_at_creation(facts: Facts) -> pd.DataFrame:
    """The export's columns that stand when the leads are created, before any value is lost."""
    arrivals, companies, behaviour = facts.arrivals, facts.companies, facts.behaviour
    outside_germany = companies.country != COUNTRIES.code("DE")
    columns = {
        "lead_id": _numbered("L-", np.arange(1, companies.account.size + 1), 6),
        "account_id": _numbered("A-", companies.account + 1, 5),
        "data_origin": _named(np.zeros(companies.account.size, dtype=np.int16), (DATA_ORIGIN,)),
        "created_at": _times(arrivals.created_minute),
        "lead_source": _named(arrivals.source, SOURCE_NAMES),
        "campaign": _named(arrivals.campaign, arrivals.campaigns.names),
        "product_interest": _named(behaviour.product_interest, PRODUCTS.names),
        "industry": _named(companies.industry, INDUSTRIES.names),
        "employees": companies.employees,
        "revenue_eur": companies.revenue_eur,
        "country": _named(companies.country, COUNTRIES.names),
        "region": _named(np.where(outside_germany, np.int16(-1), companies.region), REGIONS.names),
        "previous_customer": companies.previous_customer,
        "job_level": _named(behaviour.job_level, JOB_LEVELS.names),
        "job_function": _named(behaviour.job_function, JOB_FUNCTIONS.names),
    }
    return pd.DataFrame(columns | {name: getattr(behaviour, name) for name in _BEHAVIOUR_COLUMNS})


def with_outcomes(
    frame: pd.DataFrame, facts: Facts, working: Working, outcomes: Outcomes, leaks: dict[str, Column]
) -> pd.DataFrame:
    """The frame with what became known later, up to the export, and with the planted leaks."""
    stage = np.select([outcomes.won, outcomes.lost], [0, 1], 2).astype(np.int16)
    lost_reason = np.where(outcomes.lost, outcomes.lost_reason, np.int16(-1))
    columns = {
        "handover_basis": _named(working.basis, HANDOVER_BASES),
        "worked_chance": working.chance,
        "first_response_hours": np.where(outcomes.responded, np.round(outcomes.response_minutes / 60, 1), np.nan),
        "sales_accepted": _flags(outcomes.accepted, known=outcomes.responded),
        "stage": _named(stage, ("Won", "Lost", "Open")),
        "closed_at": _times(facts.arrivals.created_minute, after=outcomes.close_minutes, known=outcomes.closed),
        "deal_value_eur": np.where(outcomes.won, outcomes.deal_value_eur, np.nan),
        "lost_reason": _named(lost_reason, LOST_REASONS),
        **{name: _planted(column) for name, column in leaks.items()},
    }
    return pd.concat([frame, pd.DataFrame(columns)], axis=1)


def truth_frame(
    lead_id: pd.Series[str], facts: Facts, truth: Truth, working: Working, outcomes: Outcomes, *, horizon_days: int
) -> pd.DataFrame:
    """What is true of each lead, the export's end not regarded."""
    delay_days = np.where(outcomes.wins, outcomes.close_minutes / MINUTES_PER_DAY, np.nan)
    return pd.DataFrame(
        {
            "lead_id": lead_id,
            "true_probability": truth.probability,
            "true_probability_latent": truth.latent,
            "true_probability_unworked": truth.unworked,
            "true_probability_ever": truth.ever,
            "account_effect": facts.companies.effect,
            "worked": working.worked,
            "given_score": working.given_score,
            "win_delay_days": delay_days,
            "won_within_horizon": outcomes.wins & (outcomes.close_minutes < horizon_days * MINUTES_PER_DAY),
        }
    )


def _named(codes: Codes, names: tuple[str, ...]) -> pd.Series[str]:
    """The names of codes as text; -1 is missing."""
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(names))).astype("str")


def _numbered(prefix: str, numbers: NDArray[np.int64], digits: int) -> pd.Series[str]:
    return prefix + pd.Series(numbers).astype("str").str.zfill(digits)


def _times(
    minute: NDArray[np.int64], *, after: NDArray[np.int64] | None = None, known: Flags | None = None
) -> NDArray[np.datetime64]:
    """Minutes since 1970 as times, optionally so many minutes later, and missing where not known."""
    later = minute if after is None else minute + np.where(after == NEVER, 0, after)
    times = later.astype("datetime64[m]").astype("datetime64[us]")
    return times if known is None else np.where(known, times, np.datetime64("NaT", "us"))


def _flags(values: Flags, *, known: Flags) -> pd.Series[bool]:
    return pd.Series(values).astype("boolean").mask(~known)


def _planted(column: Column) -> pd.Series[Any]:
    return pd.Series(column, dtype="str") if column.dtype == object else pd.Series(column)
