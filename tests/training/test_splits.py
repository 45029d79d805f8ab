"""Windows in time: the history at the top of `training.splits`, and every way in which a split can be broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition, parse_definition
from features.errors import HistoryError, InternalError
from features.history import History
from tests.small_agreement import agreement
from training.labels import Labelled, label
from training.splits import Shares, Split, described, split, verify

HORIZON_DAYS = 90
DATED = parse_definition(agreement())
ORDERED = parse_definition(agreement(target={}, columns={"outcome": "stage", "order": "number"}))
UNDATED = parse_definition(agreement(target={}, columns={"outcome": "stage"}))


def daily(n_days: int = 600, *, agreed: LeadDefinition = DATED, accounts: list[str] | None = None) -> Labelled:
    """One lead a day from 2024-01-01, every third won after ten days, each its own account unless said."""
    as_of = pd.Series(pd.date_range("2024-01-01", periods=n_days, tz="UTC", unit="us"))
    won = np.arange(n_days) % 3 == 0
    dates = as_of if agreed.timing == "dated" else as_of.where(as_of.isna())
    frame = pd.DataFrame(
        {
            "lead_id": pd.Series([f"L{number:04d}" for number in range(n_days)], dtype="str"),
            "account": pd.Series(accounts or [f"A{number:04d}" for number in range(n_days)], dtype="str"),
            "created": dates,
            "as_of": dates,
            "closed": dates + timedelta(days=10),
            "outcome": pd.Series(np.where(won, "won", "lost"), dtype="str"),
            "value": np.nan,
            "order": np.arange(n_days, dtype=float),
            "worked_chance": 1.0,
        }
    )
    end = (as_of.max() + timedelta(days=HORIZON_DAYS)).to_pydatetime()
    return label(History(agreed, frame, end, (), ()))


def moments(labelled: Labelled, rows: np.ndarray) -> pd.Series:
    return labelled.frame["as_of"].iloc[rows]


def test_the_worked_example_a_lead_teaches_only_windows_that_begin_when_its_label_is_knowable() -> None:
    # 365 days of leads from 2025-01-01, horizon 90, shares 60/20/20. A lead of 2025-03-01 is knowable on 05-30.
    labelled = daily(365)
    labelled.frame["as_of"] += timedelta(days=366)  # 2024 has 366 days
    labelled.frame["when"] = labelled.frame["as_of"].astype("int64").astype(float)
    cut = split(labelled, Shares(train=0.6, calibrate=0.2))
    calibrate_from = moments(labelled, cut.calibrate).min()
    newest_teacher = moments(labelled, cut.train).max()
    assert newest_teacher == calibrate_from - timedelta(days=HORIZON_DAYS)
    assert pd.Timestamp("2025-03-01", tz="UTC") + timedelta(days=90) == pd.Timestamp("2025-05-30", tz="UTC")
    in_train = (moments(labelled, cut.train) == pd.Timestamp("2025-03-01", tz="UTC")).any()
    assert in_train == (calibrate_from >= pd.Timestamp("2025-05-30", tz="UTC"))
    assert moments(labelled, cut.test).min() - moments(labelled, cut.calibrate).max() == timedelta(days=HORIZON_DAYS)
    n = np.array([len(rows) for _, rows in cut.windows()])
    assert (n / n.sum()).round(1).tolist() == [0.6, 0.2, 0.2]


def test_the_judged_model_sees_all_that_was_knowable_and_nothing_of_the_test_windows_accounts() -> None:
    rng = np.random.default_rng(1)
    accounts = [f"A{number}" for number in rng.integers(0, 300, 600)]
    labelled = daily(accounts=accounts)
    cut = split(labelled)
    windows = np.concatenate([rows for _, rows in cut.windows()])
    assert len(np.unique(windows)) == len(windows)
    assert set(cut.train) | set(cut.calibrate) <= set(cut.seen)
    assert len(cut.seen) + len(cut.test) + cut.n_gap + cut.n_account == len(labelled.frame)
    assert cut.n_account > 0
    in_test = set(labelled.frame["account"].iloc[cut.test])
    as_of = labelled.frame["as_of"]
    knowable = as_of + pd.Timedelta(days=90) <= as_of.iloc[cut.test].min()
    expected = knowable & ~labelled.frame["account"].isin(in_test)
    assert np.array_equal(cut.seen, np.flatnonzero(expected))


def test_an_account_belongs_to_the_window_of_its_newest_lead() -> None:
    accounts = [f"A{number}" for number in range(600)]
    accounts[0] = accounts[300] = accounts[599] = "old customer"
    accounts[1] = accounts[2] = "only early"
    labelled = daily(accounts=accounts)
    cut = split(labelled)
    assert 599 in cut.test
    assert not {0, 300} & set(np.concatenate([cut.train, cut.calibrate]).tolist())
    assert {1, 2} <= set(cut.train.tolist())


def test_an_ordered_history_is_cut_by_its_order_without_gaps() -> None:
    labelled = daily(agreed=ORDERED)
    cut = split(labelled)
    assert cut.by_time
    assert cut.n_gap == 0
    assert np.concatenate([rows for _, rows in cut.windows()]).tolist() == list(range(600))
    assert [round(len(rows) / 600, 2) for _, rows in cut.windows()] == [0.7, 0.15, 0.15]


def test_leads_of_one_place_in_the_order_stay_in_one_window() -> None:
    labelled = daily(agreed=ORDERED)
    labelled.frame["when"] = labelled.frame["when"] // 50
    cut = split(labelled)
    places = [set(labelled.frame["when"].iloc[rows]) for _, rows in cut.windows()]
    assert not places[0] & places[1]
    assert not places[1] & places[2]


def test_an_undated_history_is_cut_at_random_by_account_with_the_same_rate() -> None:
    accounts = [f"A{number % 250}" for number in range(600)]
    labelled = daily(agreed=UNDATED, accounts=accounts)
    cut = split(labelled, seed=3)
    assert not cut.by_time
    assert [len(rows) / 600 for _, rows in cut.windows()] == pytest.approx([0.7, 0.15, 0.15], abs=0.03)
    assert sum(len(rows) for _, rows in cut.windows()) == 600
    rates = [labelled.frame["target"].iloc[rows].mean() for _, rows in cut.windows()]
    assert max(rates) - min(rates) < 0.1
    again, other = split(labelled, seed=3), split(labelled, seed=4)
    assert np.array_equal(cut.test, again.test)
    assert not np.array_equal(cut.test, other.test)


def broken(cut: Split, **rows: np.ndarray) -> Split:
    return replace(cut, **{use: np.sort(part) for use, part in rows.items()})  # type: ignore[arg-type]


def test_verify_lets_a_sound_split_pass() -> None:
    for agreed in (DATED, ORDERED, UNDATED):
        labelled = daily(agreed=agreed)
        verify(labelled, split(labelled))


@pytest.mark.parametrize(
    ("window", "later"), [("train", "calibrate"), ("train", "test"), ("calibrate", "test"), ("seen", "test")]
)
def test_verify_catches_a_lead_in_two_windows(window: str, later: str) -> None:
    for agreed in (DATED, ORDERED, UNDATED):
        labelled = daily(agreed=agreed)
        cut = split(labelled)
        doubled = np.append(getattr(cut, window), getattr(cut, later)[0])
        with pytest.raises(InternalError, match=f"{window} and {later} share 1 accounts and 1 leads"):
            verify(labelled, broken(cut, **{window: doubled}))


def test_verify_catches_an_account_in_two_windows() -> None:
    for agreed in (DATED, ORDERED, UNDATED):
        labelled = daily(agreed=agreed)
        cut = split(labelled)
        labelled.frame.loc[cut.train[0], "account"] = labelled.frame.loc[cut.test[0], "account"]
        with pytest.raises(InternalError, match="train and test share 1 accounts and 0 leads"):
            verify(labelled, cut)


@pytest.mark.parametrize(("window", "later"), [("train", "calibrate"), ("calibrate", "test"), ("seen", "test")])
def test_verify_catches_a_label_that_was_not_yet_knowable(window: str, later: str) -> None:
    labelled = daily()
    cut = split(labelled)
    one_day_too_new = np.append(getattr(cut, window), getattr(cut, window).max() + 1)
    with pytest.raises(InternalError, match=f"label of {window} was not knowable when {later} began"):
        verify(labelled, broken(cut, **{window: one_day_too_new}))


def test_verify_catches_a_label_of_train_that_was_not_knowable_at_test_when_nothing_stands_between() -> None:
    labelled = daily()
    cut = split(labelled)
    with pytest.raises(InternalError, match="label of train was not knowable when test began"):
        verify(labelled, broken(cut, train=np.arange(cut.test[0]), calibrate=np.empty(0, dtype=np.int64)))


def test_verify_catches_a_judged_model_that_saw_the_second_gap() -> None:
    labelled = daily()
    cut = split(labelled)
    with pytest.raises(InternalError, match="label of seen was not knowable when test began"):
        verify(labelled, broken(cut, seen=np.append(cut.seen, cut.seen.max() + 1)))


def test_verify_catches_windows_out_of_order() -> None:
    labelled = daily(agreed=ORDERED)
    cut = split(labelled)
    with pytest.raises(InternalError, match="train reaches into"):
        verify(labelled, broken(cut, train=cut.test, test=cut.train, seen=cut.calibrate))


def test_verify_catches_a_dated_split_that_is_passed_off_as_random() -> None:
    labelled = daily()
    with pytest.raises(InternalError, match="by_time=False"):
        verify(labelled, replace(split(labelled), by_time=False))
    undated = daily(agreed=UNDATED)
    with pytest.raises(InternalError, match="by_time=True"):
        verify(undated, replace(split(undated), by_time=True))


def test_a_history_too_short_for_two_gaps_says_how_short_it_is() -> None:
    with pytest.raises(HistoryError) as caught:
        split(daily(170))
    assert "169 days: too short for two gaps of 90 days" in str(caught.value)
    assert "umfassen 169 Tage: zu kurz für zwei Lücken von 90 Tagen" in caught.value.in_language("de")


def test_an_order_without_steps_is_refused() -> None:
    labelled = daily(agreed=ORDERED)
    labelled.frame["when"] = 1.0
    with pytest.raises(HistoryError, match="only 1 steps"):
        split(labelled)


def test_a_window_without_wins_is_refused_by_name() -> None:
    labelled = daily(agreed=ORDERED)
    labelled.frame.loc[labelled.frame.index[-90:], "target"] = 0.0
    with pytest.raises(HistoryError) as caught:
        split(labelled)
    assert "the test window has leads of one kind only: 88 leads, 0 of them won" in str(caught.value)
    assert "das Testfenster hat nur Leads einer Art: 88 Leads, davon 0 gewonnen" in caught.value.in_language("de")


def test_a_window_is_described_in_the_days_of_the_definitions_clocks() -> None:
    labelled = daily(agreed=parse_definition(agreement(read={"timezone": "Europe/Berlin"})))
    labelled.frame.loc[9, "as_of"] = datetime.fromisoformat("2024-01-10T23:30:00+00:00")  # the 11th in Berlin
    window = described(labelled, "train", np.arange(10))
    assert (window.start, window.end) == ("2024-01-01", date(2024, 1, 12).isoformat())
    assert (window.n, window.won) == (10, 4)


def test_a_window_without_dates_has_none() -> None:
    window = described(daily(agreed=ORDERED), "train", np.arange(10))
    assert (window.start, window.end) == ("", "")
