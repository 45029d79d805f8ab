"""The history: the same bytes from the same parameters, delays, and where the data ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from training.simulate import LEAKS, Simulated, simulate, write
from training.simulate.truth import draw_facts, tell_truth

# The same parameters give the same bytes


@pytest.mark.parametrize("file_format", ["german_csv", "csv", "parquet"])
def test_the_same_parameters_write_the_same_bytes(tmp_path: Path, file_format: str, small: Simulated) -> None:
    parameters = replace(small.parameters, leaks=LEAKS, missing_depends_on_outcome=0.5)
    first = write(simulate(parameters), tmp_path / "first", format=file_format)
    second = write(simulate(parameters), tmp_path / "second", format=file_format)
    for name in ("leads", "truth", "marker"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()


def test_another_seed_gives_other_leads_of_the_same_world(small: Simulated) -> None:
    other = simulate(replace(small.parameters, seed=8))
    assert not other.export["created_at"].equals(small.export["created_at"])
    assert set(other.export["campaign"].dropna()) & set(small.export["campaign"].dropna())
    assert (
        tell_truth(small.parameters, draw_facts(small.parameters)).intercept
        == tell_truth(replace(small.parameters, seed=8), draw_facts(small.parameters)).intercept
    )


def test_a_thousand_leads_come_in_the_order_of_their_creation(small: Simulated) -> None:
    export = small.export
    assert len(export) == len(small.truth) == 1_000
    assert export["lead_id"].iloc[[0, -1]].tolist() == ["L-000001", "L-001000"]
    assert export["lead_id"].is_unique
    assert export["lead_id"].tolist() == small.truth["lead_id"].tolist()
    assert export["created_at"].is_monotonic_increasing
    assert export["created_at"].min() >= pd.Timestamp(small.parameters.start)
    assert export["created_at"].max() < pd.Timestamp(small.parameters.start) + pd.Timedelta(days=small.parameters.days)


def test_the_progress_names_each_step_and_ends_at_one(small: Simulated) -> None:
    told: list[tuple[str, float]] = []
    simulate(small.parameters, progress=lambda step, share: told.append((step, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (told[0][1], told[-1]) == (0.0, ("done", 1.0))


# Delays and the end of the data


def test_half_of_the_wins_take_five_weeks_and_some_outlast_the_horizon(large: Simulated) -> None:
    delay_days = large.truth["win_delay_days"].dropna()
    assert 28 < delay_days.median() < 42
    assert 0.10 < (delay_days >= 90).mean() < 0.25
    assert delay_days.max() > 365


def test_a_win_after_the_horizon_is_not_a_win_within_it(large: Simulated) -> None:
    truth = large.truth
    assert (truth["won_within_horizon"] == (truth["win_delay_days"] < 90)).all()


def test_nothing_in_the_export_happened_at_or_after_the_export(leaking: Simulated) -> None:
    end = pd.Timestamp(datetime(2026, 1, 30))
    assert leaking.exported_at == end
    assert (leaking.export["closed_at"].dropna() < end).all()
    assert (leaking.export["last_activity_at"] < end).all()
    assert (leaking.export["next_meeting_at"].dropna() <= end).all()
    responded_at = leaking.export["created_at"] + pd.to_timedelta(leaking.export["first_response_hours"], unit="h")
    assert (responded_at.dropna() <= end + pd.Timedelta(minutes=3)).all()  # hours are rounded to a tenth


def test_what_will_be_won_later_is_still_open_in_the_export(clean: Simulated) -> None:
    export, truth = clean.export, clean.truth
    won_at = export["created_at"] + pd.to_timedelta(truth["win_delay_days"], unit="D")
    before = won_at.dt.round("min") < pd.Timestamp(clean.exported_at)
    assert ((export["stage"] == "Won") == before).all()
    assert (export.loc[truth["win_delay_days"].notna() & ~before, "stage"] == "Open").all()
    young = export["created_at"] >= pd.Timestamp(clean.exported_at) - pd.Timedelta(days=90)
    assert (export.loc[young, "stage"] == "Open").mean() > 1.5 * (export.loc[~young, "stage"] == "Open").mean()


def test_a_later_export_of_the_same_leads_knows_more_of_the_same(small: Simulated) -> None:
    soon, late = (simulate(replace(small.parameters, days_after_last_lead=days)) for days in (0, 400))
    closed = soon.export["stage"] != "Open"
    assert soon.truth.equals(late.truth)
    assert soon.export.loc[closed, "closed_at"].equals(late.export.loc[closed, "closed_at"])
    assert (late.export["stage"] == "Open").sum() < 0.8 * (soon.export["stage"] == "Open").sum()


def test_outcome_facts_stand_exactly_where_they_belong(clean: Simulated) -> None:
    export = clean.export
    assert set(export["stage"]) == {"Won", "Lost", "Open"}
    assert (export["closed_at"].notna() == (export["stage"] != "Open")).all()
    assert (export["deal_value_eur"].notna() == (export["stage"] == "Won")).all()
    assert (export["lost_reason"].notna() == (export["stage"] == "Lost")).all()
    assert ((export["closed_at"] - export["created_at"]).dropna() > pd.Timedelta(0)).all()
    assert (export["first_response_hours"].notna() == export["sales_accepted"].notna()).all()
