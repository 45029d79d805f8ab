"""A lead in an export and the same lead as a record become the same row, bit for bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import parse_definition
from features.encode import Encoder, moment_of
from features.errors import RecordError
from features.history import Reader, told
from features.sources.table import RawTable
from tests.small_agreement import agreement

FIELDS = {name: {**field, "missing": ["-1", "keine Angabe"]} for name, field in agreement()["fields"].items()}
AGREED = parse_definition(agreement(fields=FIELDS, read={"timezone": "Europe/Berlin", "missing": ["Select"]}))
ENCODER = Encoder(AGREED, {"source": ["Messe München", "web", "Österreich"]})
AS_OF = datetime(2025, 6, 1, 9, 30, tzinfo=UTC)
SOURCES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "web",
            " web ",
            "Messe Mu\u0308nchen",
            "Messe München",
            "ÖSTERREICH",
            "Österreich",
            "Select",
            "keine Angabe",
            "neu",
            "\u00a0web",
            "we b",
            "0",
            "nan",
            "None",
            "NA",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20),
)
LOCAL = st.datetimes(datetime(1900, 1, 2), datetime(2025, 5, 30))
LEADS = st.fixed_dictionaries(
    {
        "source": SOURCES,
        "employees": st.one_of(st.none(), st.just(-1), st.integers(-(10**9), 10**9), st.floats(-1e12, 1e12)),
        "demo": st.one_of(st.none(), st.booleans()),
        "visit": st.one_of(
            st.none(),
            LOCAL.map(lambda moment: moment.isoformat()),
            LOCAL.map(lambda moment: moment.date().isoformat()),
            LOCAL.map(lambda moment: moment.isoformat() + "Z"),
            LOCAL.map(lambda moment: moment.isoformat() + "+05:30"),
        ),
    }
)


def exported(leads: list[dict[str, Any]]) -> pd.DataFrame:
    """The leads as read from an export."""
    return reading(leads, AS_OF.isoformat()).leads()


def reading(leads: list[dict[str, Any]], as_of: str) -> Reader:
    """A reader of the leads as an export holds them: texts, and nothing for what is missing."""
    words = {True: "ja", False: "nein", None: None}
    frame = pd.DataFrame(
        {
            "id": pd.Series([str(number) for number in range(len(leads))], dtype="str"),
            "created": pd.Series([as_of] * len(leads), dtype="str"),
            "company": pd.Series([None] * len(leads), dtype="str"),
            "source": pd.Series([lead["source"] for lead in leads], dtype="str"),
            "employees": pd.Series([lead["employees"] for lead in leads], dtype="Float64"),
            "demo": pd.Series([words[lead["demo"]] for lead in leads], dtype="str"),
            "visit": pd.Series([lead["visit"] for lead in leads], dtype="str"),
        }
    )
    table = RawTable(frame, np.full(len(leads), "leads.csv", dtype=object), np.arange(2, len(leads) + 2))
    return Reader(AGREED, table)


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(st.lists(LEADS, min_size=1, max_size=12))
def test_a_lead_of_an_export_and_the_same_record_become_the_same_row(leads: list[dict[str, Any]]) -> None:
    typed = exported(leads)
    matrix = ENCODER.frame(typed, typed["as_of"])
    rows = np.array([ENCODER.record(lead, AS_OF).row for lead in leads])
    assert np.array_equal(matrix, rows, equal_nan=True)


@settings(max_examples=60)
@given(LEADS)
def test_the_order_of_a_records_fields_does_not_matter(lead: dict[str, Any]) -> None:
    turned = dict(reversed(lead.items()))
    assert np.array_equal(ENCODER.record(lead, AS_OF).row, ENCODER.record(turned, AS_OF).row, equal_nan=True)


@settings(max_examples=60)
@given(LEADS)
def test_what_a_record_lists_as_missing_or_unknown_is_what_its_row_holds(lead: dict[str, Any]) -> None:
    record = ENCODER.record(lead, AS_OF)
    for field, code in zip(ENCODER.fields, record.row, strict=True):
        is_missing = np.isnan(code) or (field.kind == "category" and code == 0)
        assert (field.name in record.missing) == is_missing
        assert (field.name in record.unknown) == (field.kind == "category" and code == 1)


NEAR = st.datetimes(datetime(2025, 3, 29, 12), datetime(2025, 3, 31, 12))  # with a gap in the clocks of Berlin
WRITTEN = st.one_of(
    NEAR.map(lambda moment: moment.isoformat()),
    NEAR.map(lambda moment: moment.date().isoformat()),
    NEAR.map(lambda moment: moment.isoformat() + "Z"),
)


@settings(max_examples=200, deadline=timedelta(seconds=5))
@given(WRITTEN, WRITTEN)
def test_a_date_is_refused_in_a_record_exactly_where_it_counts_as_missing_in_an_export(visit: str, as_of: str) -> None:
    lead = {"source": None, "employees": None, "demo": None, "visit": visit}
    reader = reading([lead], as_of)
    typed = reader.leads()
    framed = ENCODER.frame(typed, typed["as_of"])[0, 3]
    noted = any("after the as-of date" in note.en for note in told(reader.counted))
    try:
        days = ENCODER.record(lead, moment_of(as_of, ZoneInfo("Europe/Berlin"))).row[3]
    except RecordError:
        assert np.isnan(framed)
        assert noted
    else:
        assert days == framed >= 0
        assert not noted
