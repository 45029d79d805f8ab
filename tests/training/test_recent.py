"""Which recent outcomes recalibrate a champion: later than all it learnt from, knowable in time, of new accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition
from features.errors import InternalError, TooFewOutcomesError
from features.history import History
from features.model.bundle import Manifest, Window
from training.labels import Labelled
from training.upkeep.recent import Recent, RecentSettings, recent_outcomes, verify_recent

HORIZON = timedelta(days=90)
TWIN_UNTIL, TEST_FROM, SHIPPED_UNTIL = "2025-01-01", "2025-04-01", "2025-05-01"


def days(definition: LeadDefinition, first: str, last: str, per_day: int = 4) -> Labelled:
    """Leads from `first` to `last`, so many a day, every fourth won, each of an account of its own."""
    when = pd.date_range(first, last, freq="D", tz=UTC).repeat(per_day) + timedelta(hours=12)
    n = len(when)
    frame = pd.DataFrame(
        {
            "lead_id": [f"L{number:05d}" for number in range(n)],
            "account": [f"A{number:05d}" for number in range(n)],
            "as_of": when,
            "knowable": when + HORIZON,
            "target": (np.arange(n) % 4 == 0).astype(float),
            "worked_chance": 1.0,
        }
    )
    end = when.max() + HORIZON
    return Labelled(History(definition, frame, end, (), ()), frame, (), pd.DataFrame())


def manifest(*more: Window) -> Manifest:
    """A champion's: twin until January, its own test in April, shipped parts until May."""
    windows = (
        Window("calibrate", "2024-11-01", TWIN_UNTIL, 100, 30),
        Window("judged", "2024-01-01", TWIN_UNTIL, 1000, 300),
        Window("test", TEST_FROM, SHIPPED_UNTIL, 120, 30),
        Window("shipped", "2024-01-01", SHIPPED_UNTIL, 1500, 400),
    )
    kept = [window for window in windows if window.use not in {each.use for each in more}]
    return Manifest("2025-08-01T00:00:00+00:00", True, True, 0.25, 0.3, (*kept, *more), {})


@pytest.fixture
def year(demo_definition: LeadDefinition) -> Labelled:
    """What has matured a year after training: leads of 2024 to February 2026."""
    return days(demo_definition, "2024-06-01", "2026-02-28")


def first_day(labelled: Labelled, rows: np.ndarray) -> date:
    return labelled.frame["as_of"].iloc[rows].min().date()


def test_a_year_after_training_the_shipped_parts_are_recalibrated_on_leads_they_never_saw(year: Labelled) -> None:
    found = recent_outcomes(year, manifest(), RecentSettings(newest=600))
    assert found.parts == "shipped"
    assert len(found.recent) == len(found.test) == 600
    # 600 leads at 4 a day are 150 days: from October 2nd to February 28th; known then: until July 4th
    assert first_day(year, found.recent) == date(2025, 10, 2)
    assert year.frame["as_of"].iloc[found.calibrate].max().date() == date(2025, 7, 4)
    assert first_day(year, found.calibrate) == date(2025, 5, 1)  # and none that the parts learnt from


def test_soon_after_training_the_judged_twin_takes_their_place(demo_definition: LeadDefinition) -> None:
    soon = days(demo_definition, "2024-06-01", "2025-06-30")
    found = recent_outcomes(soon, manifest())
    assert found.parts == "judged"
    assert first_day(soon, found.calibrate) == date(2025, 1, 1)
    assert first_day(soon, found.test) >= date(2025, 1, 1)


def test_leads_of_accounts_that_the_parts_learnt_from_stay_out_and_are_counted(year: Labelled) -> None:
    frame = year.frame.copy()
    frame.loc[len(frame) - 1, "account"] = frame.loc[0, "account"]
    found = recent_outcomes(replace(year, frame=frame), manifest())
    assert len(frame) - 1 not in found.recent
    assert found.n_account == 1
    assert [rows.n for rows in found.left_out() if "account" in rows.reason.en] == [1]


def test_the_twin_gave_up_the_accounts_of_its_own_test_window_so_their_leads_are_new_to_it(
    demo_definition: LeadDefinition,
) -> None:
    soon = days(demo_definition, "2024-06-01", "2025-06-30")
    in_test = int(np.flatnonzero(soon.frame["as_of"] >= pd.Timestamp("2025-04-10", tz=UTC))[0])
    frame = soon.frame.copy()
    frame.loc[0, "account"] = frame.loc[in_test, "account"]
    found = recent_outcomes(replace(soon, frame=frame), manifest())
    assert 0 not in found.learnt
    assert in_test in found.recent
    assert found.n_account == 0


def test_leads_that_the_champions_own_slopes_were_fitted_on_do_not_judge(year: Labelled) -> None:
    again = manifest(Window("recalibrated", "2025-05-01", "2025-12-01", 500, 125))
    found = recent_outcomes(year, again)
    assert found.parts == "shipped"
    assert first_day(year, found.test) == date(2025, 12, 1)
    assert first_day(year, found.recent) < date(2025, 12, 1)  # the parts have not seen them, so they may calibrate


def test_since_a_day_takes_all_leads_from_then_on_and_none_before(year: Labelled) -> None:
    found = recent_outcomes(year, manifest(), RecentSettings(since=date(2025, 8, 15)))
    assert first_day(year, found.recent) == first_day(year, found.calibrate) == date(2025, 8, 15)
    assert len(found.recent) == 4 * 198  # August 15th to February 28th


def test_where_there_are_too_few_outcomes_it_says_how_many_are_missing(demo_definition: LeadDefinition) -> None:
    with pytest.raises(TooFewOutcomesError) as caught:
        recent_outcomes(days(demo_definition, "2024-06-01", "2025-05-05"), manifest())
    # Known on the first day of the test, 90 days earlier: too little time for 40 wins at one a day.
    assert "too few won leads to recalibrate on that the champion has not seen" in str(caught.value)
    assert "missing" in str(caught.value)
    assert "zu wenige gewonnene Leads zum Rekalibrieren" in caught.value.in_language("de")


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda f: replace(f, recent=np.append(f.learnt[:1], f.recent)), "leads that the parts learnt from"),
        (
            lambda f: replace(f, calibrate=np.append(f.calibrate, f.test[0] - 1)),
            "a label of calibrate was not knowable",
        ),
        (lambda f: replace(f, seen=np.append(f.seen, f.test[-1])), "seen and test share an account"),
        (lambda f: replace(f, test=np.append(f.calibrate[:1], f.test)), "calibrate and test share an account"),
    ],
)
def test_the_independent_check_finds_what_must_not_be(year: Labelled, spoil: object, fault: str) -> None:
    found = recent_outcomes(year, manifest(), RecentSettings(newest=400))
    assert isinstance(found, Recent)
    assert callable(spoil)
    with pytest.raises(InternalError, match=fault):
        verify_recent(year, manifest(), spoil(found))


def test_the_independent_check_finds_known_accounts_and_seen_slopes(year: Labelled) -> None:
    found = recent_outcomes(year, manifest())
    frame = year.frame.copy()
    frame.loc[found.test[-1], "account"] = frame.loc[0, "account"]
    with pytest.raises(InternalError, match="test holds accounts that the parts know"):
        verify_recent(replace(year, frame=frame), manifest(), found)
    later = manifest(Window("recalibrated", "2025-05-01", "2026-02-01", 500, 125))
    with pytest.raises(InternalError, match="test holds leads that the champion's slopes were fitted on"):
        verify_recent(year, later, found)


def test_days_are_those_of_the_definitions_clocks(demo_definition: LeadDefinition) -> None:
    read = demo_definition.read.model_copy(update={"timezone": "Europe/Berlin"})
    berlin = demo_definition.model_copy(update={"read": read})
    year = days(berlin, "2024-06-01", "2026-02-28")
    frame = year.frame.copy()
    late = datetime(2025, 4, 30, 22, 30, tzinfo=UTC)  # half past midnight of May 1st in Berlin
    place = int(np.flatnonzero(frame["as_of"] >= late)[0])
    frame.loc[place, ["as_of", "knowable"]] = [late, late + HORIZON]
    found = recent_outcomes(replace(year, frame=frame), manifest())
    assert place not in found.learnt
