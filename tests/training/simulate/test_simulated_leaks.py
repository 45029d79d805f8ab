"""Planted leaks: each tells the outcome in its own way, and none is there unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest

from training.simulate import LEAKS, Simulated, simulate

HANDOVER_AND_LATER = [
    "handover_basis",
    "worked_chance",
    "first_response_hours",
    "sales_accepted",
    "stage",
    "closed_at",
    "deal_value_eur",
    "lost_reason",
]


def test_no_leak_is_planted_unasked(clean: Simulated) -> None:
    assert not set(LEAKS) & set(clean.export.columns)
    assert clean.export.columns[-len(HANDOVER_AND_LATER) :].tolist() == HANDOVER_AND_LATER


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_adds_its_column_and_changes_no_other(small: Simulated, leak: str) -> None:
    planted = simulate(replace(small.parameters, leaks=(leak,)))
    assert planted.export.columns.tolist() == [*small.export.columns, leak]
    assert planted.export.drop(columns=leak).equals(small.export)
    assert planted.truth.equals(small.truth)


def leak_evidence(export: pd.DataFrame) -> Iterator[tuple[str, bool]]:
    """Each leak's own way to tell the outcome, seen in the export."""
    won, lost = export["stage"] == "Won", export["stage"] == "Lost"
    closed = won | lost
    tag_rates = won[closed].groupby(export.loc[closed, "sales_tag"]).mean()
    yield "sales_tag", tag_rates["will_buy"] == 1.0 and tag_rates["no_interest"] == 0.0
    yield "loss_category", (export["loss_category"].notna() == lost).all()
    activity = export["last_activity_at"]
    yield "last_activity_at", (activity[closed] == export.loc[closed, "closed_at"]).all()
    yield "record_id", export["record_id"].is_unique and (export["record_id"].str.startswith("C-") == won).all()
    filled = export["sub_industry"].notna()
    yield "sub_industry", filled[won].mean() - filled[~won].mean() > 0.5
    met = export["next_meeting_at"] > export["created_at"]
    yield "next_meeting_at", met[won].mean() > 0.9 and met[~won].mean() < 0.3
    key_account = export["customer_segment"] == "key_account"
    yield "customer_segment", key_account.sum() > 500 and won[key_account].all()
    yield "payment_term_days", ((export["payment_term_days"] > 0) == won).all()
    ran_on = export["emails_opened_total"] - export["emails_opened_30d"]
    yield "emails_opened_total", bool((ran_on >= 0).all()) and ran_on[won].mean() > 3 * ran_on[~won].mean()
    yield "forecast_category", ((export["forecast_category"] == "closed") == closed).all()


def test_every_leak_tells_the_outcome_in_its_own_way(leaking: Simulated) -> None:
    evidence = dict(leak_evidence(leaking.export))
    assert tuple(evidence) == LEAKS
    assert all(evidence.values()), evidence


def test_the_record_ids_of_won_leads_rise_with_the_time_of_their_win(leaking: Simulated) -> None:
    won = leaking.export[leaking.export["stage"] == "Won"].sort_values("closed_at", kind="stable")
    number = won["record_id"].str.removeprefix("C-").astype(int)
    assert number.is_monotonic_increasing
