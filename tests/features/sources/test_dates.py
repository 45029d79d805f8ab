"""Dates as systems write them, read as moments in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.sources.dates import Order, dates
from features.sources.parsed import Parsed

BERLIN = "Europe/Berlin"


def parsed(*cells: str | None, order: Order | None = None, timezone: str = "UTC") -> Parsed:
    return dates(pd.Series(list(cells), dtype="str"), order, timezone)


def moments(*cells: str | None, order: Order | None = None, timezone: str = "UTC") -> list[str | None]:
    """The moments in ISO 8601 without the offset, which is always UTC; None where there is none."""
    read = parsed(*cells, order=order, timezone=timezone).values
    assert str(read.dtype) == "datetime64[us, UTC]"
    return [None if pd.isna(moment) else moment.tz_localize(None).isoformat() for moment in read]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-03-31", "2024-03-31T00:00:00"),
        ("2024/3/31", "2024-03-31T00:00:00"),
        ("20240331", "2024-03-31T00:00:00"),
        ("2024-03-31 14:30", "2024-03-31T14:30:00"),
        ("2024-03-31T14:30:05Z", "2024-03-31T14:30:05"),
        ("2024-03-31T14:30:05.123Z", "2024-03-31T14:30:05.123000"),
        ("2024-03-31 14:30:05.123456789 UTC", "2024-03-31T14:30:05.123456"),
        ("2024-03-31T14:30:00+02:00", "2024-03-31T12:30:00"),
        ("2024-03-31T14:30:00.000+0530", "2024-03-31T09:00:00"),
        ("2024-03-31T14:30:00-05", "2024-03-31T19:30:00"),
        ("31.03.2024", "2024-03-31T00:00:00"),
        ("1.4.2024", "2024-04-01T00:00:00"),
        ("31.03.24", "2024-03-31T00:00:00"),
        ("31.03.2024 14:30:05", "2024-03-31T14:30:05"),
        ("31.03.2024, 14:30 Uhr", "2024-03-31T14:30:00"),
        ("31/03/2024 09:05", "2024-03-31T09:05:00"),
        ("03/31/2024 12:05 AM", "2024-03-31T00:05:00"),
        ("3/31/2024 2:05 pm", "2024-03-31T14:05:00"),
        ("31-03-2024", "2024-03-31T00:00:00"),
    ],
)
def test_a_date_with_one_reading_is_read(cell: str, expected: str) -> None:
    assert moments(cell, None) == [expected, None]


@pytest.mark.parametrize(
    "cell",
    ["2023-02-29", "31.04.2024", "2024-13-01", "00.01.2024", "20250-01-01", "0001-01-01", "9999-12-31", "1.1.0001",
     "45000", "1711843200", "31.03.2024 25:00", "2024-03-31 14:60", "2024-03-31 13:05 PM", "32/13/2024", "morgen",
     "2024-03", "14:30", "2024-03-31T14:30+99:00", "2024-03-31 14:30 MEZ"],
)  # fmt: skip
def test_what_is_no_date_of_the_calendar_is_bad(cell: str) -> None:
    read = parsed(cell, "2024-03-31")
    assert read.bad.tolist() == [True, False]
    assert read.values.isna().tolist() == [True, False]
    assert not read.ambiguous.any()


def test_one_day_above_twelve_settles_the_order_of_the_column() -> None:
    assert moments("03/04/2024", "31/03/2024") == ["2024-04-03T00:00:00", "2024-03-31T00:00:00"]
    assert moments("03/04/2024", "03/31/2024") == ["2024-03-04T00:00:00", "2024-03-31T00:00:00"]
    note = parsed("03/04/2024", "31/03/2024").note
    assert note is not None
    assert note.en.startswith("day before month")
    assert note.de.startswith("Tag vor Monat")


def test_dates_with_two_readings_are_ambiguous_when_nothing_settles_them() -> None:
    read = parsed("03/04/2024", "05/05/2024", "2024-01-02", "morgen")
    assert read.ambiguous.tolist() == [True, False, False, False]
    assert read.bad.tolist() == [False, False, False, True]
    assert read.values.isna().tolist() == [True, False, False, True]


def test_a_declared_order_leaves_nothing_ambiguous_and_is_not_overruled() -> None:
    assert moments("03/04/2024", order="mdy") == ["2024-03-04T00:00:00"]
    assert moments("03/04/2024", order="dmy") == ["2024-04-03T00:00:00"]
    assert parsed("03/31/2024", order="dmy").bad.tolist() == [True]
    assert parsed("31.03.2024", "2024-03-31", order="ymd").bad.tolist() == [True, False]


def test_the_minority_of_a_mixed_column_is_bad() -> None:
    read = parsed("31/03/2024", "30/03/2024", "31/03/2024", "03/31/2024")
    assert read.bad.tolist() == [False, False, False, True]


def test_points_are_german_whatever_the_slashes_say() -> None:
    assert moments("03.04.2024", "03/31/2024") == ["2024-04-03T00:00:00", "2024-03-31T00:00:00"]


def test_a_time_without_a_zone_is_local() -> None:
    assert moments("31.12.2024 14:30", "2024-07-01", timezone=BERLIN) == ["2024-12-31T13:30:00", "2024-06-30T22:00:00"]


def test_an_hour_that_the_clock_repeats_is_its_first_pass() -> None:
    assert moments("2024-10-27 02:30", timezone=BERLIN) == ["2024-10-27T00:30:00"]
    assert moments("2024-10-27 02:30+01:00", timezone=BERLIN) == ["2024-10-27T01:30:00"]


def test_an_hour_that_the_clock_skips_is_the_moment_after_the_gap() -> None:
    assert moments("2024-03-31 02:30", "2024-03-31 03:00", timezone=BERLIN) == ["2024-03-31T01:00:00"] * 2
    # Sao Paulo skipped midnight itself on 2018-11-04
    assert moments("04.11.2018", timezone="America/Sao_Paulo") == ["2018-11-04T03:00:00"]


def test_typed_dates_pass_through_and_local_ones_are_read_in_the_zone() -> None:
    local = pd.Series(pd.to_datetime(["2024-07-01 12:00", None]), index=[7, 8], name="t")
    read = dates(local, None, BERLIN)
    assert read.values.to_dict()[7].isoformat() == "2024-07-01T10:00:00+00:00"
    assert read.values.index.tolist() == [7, 8]
    aware = dates(local.dt.tz_localize("America/New_York").dt.as_unit("ns"), None, BERLIN)
    assert aware.values.to_dict()[7].isoformat() == "2024-07-01T16:00:00+00:00"
    assert str(aware.values.dtype) == "datetime64[us, UTC]"


def test_typed_dates_that_stand_for_never_are_bad() -> None:
    never = pd.Series(np.array(["9999-12-31", "0001-01-01", "2024-01-01"], dtype="datetime64[s]"))
    assert dates(never, None, BERLIN).bad.tolist() == [True, True, False]


def test_numbers_are_no_dates() -> None:
    assert dates(pd.Series([45000, 20240331]), None, BERLIN).bad.tolist() == [True, True]
    assert dates(pd.Series([45000.0, None]), None, BERLIN).bad.tolist() == [True, False]


def test_an_empty_column_has_nothing_to_report() -> None:
    read = parsed(None, None)
    assert read.values.isna().all()
    assert not read.bad.any()


DAYS = st.dates(min_value=datetime(1900, 1, 2).date(), max_value=datetime(2199, 12, 30).date())
FORMATS: dict[Order, str] = {"ymd": "{0.year:04}-{0.month:02}-{0.day:02}", "dmy": "{0.day:02}/{0.month:02}/{0.year:04}"}
FORMATS["mdy"] = "{0.month}/{0.day}/{0.year:04}"


@given(
    days=st.lists(DAYS, min_size=1),
    order=st.sampled_from(["ymd", "dmy", "mdy"]),
    late=DAYS.filter(lambda d: d.day > 12),
)
@settings(deadline=None)
def test_dates_round_trip_in_each_order_when_one_day_is_above_twelve(days: list, order: Order, late: object) -> None:
    cells = [FORMATS[order].format(day) for day in [*days, late]]
    assert moments(*cells) == [f"{day}T00:00:00" for day in [*days, late]]


@given(
    local=st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2037, 12, 31)), min_size=1, max_size=20),
    timezone=st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
@settings(deadline=None)
def test_local_times_agree_with_the_standard_librarys_zones(local: list[datetime], timezone: str) -> None:
    zone = ZoneInfo(timezone)
    exists = [moment for moment in local if _round_trips(moment, zone)]
    cells = [f"{moment:%d.%m.%Y %H:%M:%S}" for moment in exists]
    expected = [m.replace(microsecond=0, tzinfo=zone, fold=0).astimezone(UTC) for m in exists]
    assert parsed(*cells, timezone=timezone).values.tolist() == expected


def _round_trips(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock of the zone ever showed this time."""
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
@settings(deadline=None)
def test_a_named_offset_overrules_the_zone(moment: datetime, minutes: int) -> None:
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    cell = f"{moment.isoformat(timespec='microseconds')}{sign}{size // 60:02}:{size % 60:02}"
    expected = (moment - timedelta(minutes=minutes)).replace(tzinfo=UTC)
    assert parsed(cell, timezone=BERLIN).values.tolist() == [expected]
