"""The fields hold together, and so do their gaps and their drift."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from training.simulate import Drift, Simulated, simulate

# The fields hold together


def test_the_counts_of_behaviour_are_consistent(large: Simulated) -> None:
    export = large.export
    assert (export["pricing_page_views"] <= export["pages_viewed_30d"]).all()
    assert (export["emails_clicked_30d"] <= export["emails_opened_30d"]).all()
    assert ((export["pages_viewed_30d"] > 0) == (export["days_since_last_visit"] < 30)).all()
    by_form = export["lead_source"].isin(["webinar", "google_ads", "linkedin", "organic_search", "content_download"])
    assert (export["form_message_length"].notna() == by_form).all()
    assert (export.loc[by_form, "days_since_last_visit"] == 0).all()


def test_regions_are_german_states_and_only_of_german_leads(large: Simulated) -> None:
    export = large.export
    assert export["region"].nunique() == 16
    assert export.loc[export["country"] != "DE", "region"].isna().all()
    assert export.loc[export["country"] == "DE", "region"].isna().mean() == pytest.approx(0.03, abs=0.005)


def test_company_sizes_have_a_heavy_tail(large: Simulated) -> None:
    employees = large.export["employees"].dropna()
    assert employees.mean() > 2 * employees.median()
    assert employees.max() > 50 * employees.median()


def test_leads_of_one_account_share_its_company_and_its_unseen_effect(large: Simulated) -> None:
    accounts = large.export.assign(effect=large.truth["account_effect"]).groupby("account_id")
    assert len(large.export) / accounts.ngroups == pytest.approx(1.7, rel=0.02)
    assert (accounts[["country", "previous_customer", "effect"]].nunique() == 1).all(axis=None)
    assert (accounts.size() > 1).mean() > 0.25


def test_every_lead_can_have_an_account_of_its_own(small: Simulated) -> None:
    assert simulate(replace(small.parameters, leads_per_account=1.0)).export["account_id"].is_unique


def test_dozens_of_campaigns_run_for_a_while_and_belong_to_one_source(large: Simulated) -> None:
    campaigns = large.export.dropna(subset="campaign").groupby("campaign")
    assert 40 <= campaigns.ngroups <= 80
    assert (campaigns["lead_source"].nunique() == 1).all()
    life_days = (campaigns["created_at"].max() - campaigns["created_at"].min()).dt.days
    dated = ~life_days.index.str.endswith("always_on")
    assert (life_days[dated] <= 200).all()
    assert (life_days[~dated] > 700).all()


def test_continued_simulations_share_their_campaigns(small: Simulated) -> None:
    first = simulate(replace(small.parameters, start=date(2024, 1, 1), days=180))
    second = simulate(replace(small.parameters, start=date(2024, 6, 29), days=180, seed=8))
    assert set(first.export["campaign"].dropna()) & set(second.export["campaign"].dropna()) - {
        "referral_always_on",
        "organic_search_always_on",
        "partner_always_on",
    }


# Missing values


def test_without_missing_only_what_never_was_is_empty(small: Simulated) -> None:
    export = simulate(replace(small.parameters, missing=0.0)).export
    filled = ["campaign", "industry", "employees", "revenue_eur", "job_level", "job_function", "product_interest"]
    assert export[filled].notna().all(axis=None)
    assert export.loc[export["country"] == "DE", "region"].notna().all()


def test_gaps_can_depend_on_the_outcome_and_then_on_it_alone(clean: Simulated) -> None:
    completed = simulate(replace(clean.parameters, missing_depends_on_outcome=0.6))
    won = clean.export["stage"] == "Won"
    gap, left = clean.export["employees"].isna(), completed.export["employees"].isna()
    assert (gap[~won] == left[~won]).all()
    assert left[won].sum() == pytest.approx(0.4 * gap[won].sum(), rel=0.15)
    assert completed.truth.equals(clean.truth)


# Drift


def test_structural_drift_lowers_the_rate_and_changes_what_a_source_is_worth(clean: Simulated) -> None:
    truth_by_year = []
    simulated = simulate(replace(clean.parameters, drift=Drift(seasonal=0.0, structural=1.0)))
    for year in (2024, 2025):
        rows = simulated.export["created_at"].dt.year == year
        source = simulated.export.loc[rows, "lead_source"]
        truth_by_year.append(simulated.truth.loc[rows, "true_probability"].groupby(source).mean())
    ratio = truth_by_year[1] / truth_by_year[0]
    assert ratio["google_ads"] < 0.7
    assert ratio["linkedin"] > 1.0
    assert ratio["referral"] < 0.9


def test_seasonal_drift_makes_february_better_than_august(clean: Simulated) -> None:
    simulated = simulate(replace(clean.parameters, drift=Drift(seasonal=1.0, structural=0.0)))
    by_month = simulated.truth["true_probability"].groupby(simulated.export["created_at"].dt.month).mean()
    assert by_month[2] > 2 * by_month[8]


def test_without_drift_the_rate_stays_where_it_is(clean: Simulated) -> None:
    by_year = clean.truth["true_probability"].groupby(clean.export["created_at"].dt.year).mean()
    assert by_year[2025] == pytest.approx(by_year[2024], rel=0.06)
