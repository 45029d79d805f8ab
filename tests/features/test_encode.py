"""The encoder: one lead alone and the lead in a history become the same row, and misfits are all named."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition, parse_definition
from features.encode import Encoder, level_of, moment_of
from features.errors import BundleError, RecordError
from features.history import files_of, read_leads
from tests.small_agreement import agreement

AS_OF = datetime(2025, 6, 1, 12, tzinfo=UTC)
LEVELS = {"source": ["Messe München", "fair", "web"]}


def encoder(agreed: LeadDefinition | None = None) -> Encoder:
    return Encoder(agreed or parse_definition(agreement()), LEVELS)


def placeholders() -> LeadDefinition:
    fields = {
        name: {**field, "missing": ["-1", "Select", "0001-01-01"]} for name, field in agreement()["fields"].items()
    }
    return parse_definition(agreement(fields=fields, read={"timezone": "Europe/Berlin", "missing": ["n/a"]}))


def problems_of(lead: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(RecordError) as caught:
        encoder().record(lead, AS_OF)
    return {problem.where: problem.seen for problem in caught.value.problems}


def test_each_type_has_its_code() -> None:
    lead = {"source": "fair", "employees": 12, "demo": True, "visit": "2025-05-31T12:00:00Z"}
    assert encoder().record(lead, AS_OF).row.tolist() == [3.0, 12.0, 3.0, 1.0]
    assert encoder().record({"demo": False}, AS_OF).row[2] == 2.0


def test_absent_and_null_are_missing_and_listed() -> None:
    record = encoder().record({"source": None, "employees": None}, AS_OF)
    assert record.missing == ("source", "employees", "demo", "visit")
    assert record.unknown == ()
    assert record.row[[0, 2]].tolist() == [0.0, 0.0]
    assert np.isnan(record.row[[1, 3]]).all()


def test_a_level_that_training_never_saw_is_the_pool_and_listed() -> None:
    record = encoder().record({"source": "podcast"}, AS_OF)
    assert (record.row[0], record.unknown) == (1.0, ("source",))


def test_white_space_and_decomposed_umlauts_make_no_other_level() -> None:
    for written in ("Messe München", "  Messe München\t", "Messe Mu\u0308nchen", "\u00a0Messe München"):
        assert encoder().record({"source": written}, AS_OF).row[0] == 2.0
    assert encoder().record({"source": "messe münchen"}, AS_OF).unknown == ("source",)
    assert level_of(" a b ") == "a b"


def test_placeholders_are_missing_in_every_type() -> None:
    lead = {"source": "Select", "employees": -1, "visit": "0001-01-01"}
    assert encoder(placeholders()).record(lead, AS_OF).missing == ("source", "employees", "demo", "visit")
    assert encoder(placeholders()).record({"source": "n/a", "visit": ""}, AS_OF).missing[:1] == ("source",)


def test_all_misfits_of_a_lead_are_named_with_the_value_seen() -> None:
    lead = {"source": 7, "employees": "12", "demo": "ja", "visit": "gestern", "salary": 1}
    assert problems_of(lead) == {
        "fields.salary": "1",
        "fields.source": "7",
        "fields.employees": "'12'",
        "fields.demo": "'ja'",
        "fields.visit": "'gestern'",
    }


@pytest.mark.parametrize(
    "lead",
    [
        {"employees": math.nan}, {"employees": math.inf}, {"employees": 10**400}, {"employees": True},
        {"visit": "2025-06-01T12:00:00.000001Z"}, {"visit": "0001-01-01"}, {"visit": "9999-12-31T23:59:59-05:00"},
        {"visit": "2025-02-30"}, {"visit": 20250101}, {"demo": 1}, {"source": "x" * 201},
    ],
)  # fmt: skip
def test_values_that_cannot_be_meant_are_refused_never_guessed(lead: dict[str, Any]) -> None:
    assert list(problems_of(lead)) == [f"fields.{next(iter(lead))}"]


def test_a_number_outside_of_the_agreed_range_is_refused_with_the_range() -> None:
    fields = {**agreement()["fields"]}
    fields["employees"] = {**fields["employees"], "at_least": 1, "at_most": 100}
    with pytest.raises(RecordError, match="≥ 1, ≤ 100"):
        encoder(parse_definition(agreement(fields=fields))).record({"employees": 0}, AS_OF)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-03-30T02:30:00", "2025-03-30T01:00:00"),  # skipped: the first moment after the gap
        ("2025-03-30T02:59:59.5", "2025-03-30T01:00:00"),
        ("2025-10-26T02:30:00", "2025-10-26T00:30:00"),  # twice: the earlier
        ("2025-07-01", "2025-06-30T22:00:00"),
        ("2025-07-01T00:00:00Z", "2025-07-01T00:00:00"),
        ("2025-07-01T00:00:00+09:00", "2025-06-30T15:00:00"),
        ("1900-01-01", "1899-12-31T23:00:00"),
    ],
)
def test_local_times_mean_one_moment(text: str, utc: str) -> None:
    assert moment_of(text, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("visit", "as_of", "days"),
    [
        ("2025-06-01", "2025-06-01T08:00:00Z", 0.0),  # a day without a time is the as-of day itself
        ("2025-06-01T15:00:00+02:00", "2025-05-31T22:00:00Z", 0.0),  # and so is any time of an as-of day without one
        ("2025-06-01T08:00:00Z", "2025-06-01T20:00:00Z", 0.5),
        ("2025-05-31", "2025-06-01T10:00:00Z", 1.5),
        ("2025-06-02", "2025-06-01T22:30:00Z", 0.0),  # on the clocks of Berlin it is the second already
        ("2025-06-02", "2025-06-01T21:30:00Z", None),
        ("2025-06-01T08:00:01Z", "2025-06-01T08:00:00Z", None),
    ],
)
def test_a_date_after_the_as_of_date_is_refused_in_a_record_and_missing_in_a_history(
    visit: str, as_of: str, days: float | None
) -> None:
    agreed = parse_definition(agreement(read={"timezone": "Europe/Berlin"}))
    moment, zone = datetime.fromisoformat(as_of), ZoneInfo("Europe/Berlin")
    visits = pd.Series([moment_of(visit, zone)], dtype="datetime64[us, UTC]")
    empty = pd.Series([None], dtype="str")
    leads = pd.DataFrame({"source": empty, "employees": [np.nan], "demo": empty, "visit": visits})
    framed = encoder(agreed).frame(leads, pd.Series([moment], dtype="datetime64[us, UTC]"))[0, 3]
    if days is None:
        assert math.isnan(framed)
        with pytest.raises(RecordError, match="not after the as-of date"):
            encoder(agreed).record({"visit": visit}, moment)
    else:
        assert encoder(agreed).record({"visit": visit}, moment).row[3] == framed == days


def test_a_day_that_begins_after_a_gap_is_still_a_day_without_a_time() -> None:
    agreed = parse_definition(agreement(read={"timezone": "America/Santiago"}))  # 2025-09-07 began at one o'clock
    assert encoder(agreed).record({"visit": "2025-09-07"}, datetime(2025, 9, 7, 20, tzinfo=UTC)).row[3] == 0.0


def test_texts_that_no_record_may_have_become_no_level_however_often_they_come() -> None:
    texts = ["x" * 201] * 30 + ["x" * 200] * 30
    leads = pd.DataFrame({"source": pd.Series(texts, dtype="str"), "employees": np.nan,
                          "demo": pd.Series([None] * 60, dtype="str"),
                          "visit": pd.Series([pd.NaT] * 60, dtype="datetime64[us, UTC]")})  # fmt: skip
    learnt = Encoder.learn(parse_definition(agreement()), leads)
    assert learnt.to_dict()["source"] == ["x" * 200]
    as_of = pd.Series([AS_OF] * 60, dtype="datetime64[us, UTC]")
    assert learnt.frame(leads, as_of)[[0, 59], 0].tolist() == [1.0, 2.0]
    assert learnt.record({"source": f" {'x' * 200} "}, AS_OF).row[0] == 2.0


def test_rare_levels_are_pooled_when_levels_are_learnt() -> None:
    leads = pd.DataFrame({"source": pd.Series(["often"] * 20 + ["rare"] * 19 + [None] * 30, dtype="str")})
    assert Encoder.learn(parse_definition(agreement()), leads).to_dict() == {
        "source": ["often"],
        "demo": ["false", "true"],
    }


def test_levels_that_the_definition_does_not_explain_are_refused() -> None:
    with pytest.raises(BundleError, match="no levels for the field 'source'"):
        Encoder(parse_definition(agreement()), {})


def test_the_order_of_a_frames_columns_does_not_matter(export: Callable[..., str]) -> None:
    agreed = parse_definition(agreement())
    rows = [{"id": str(n), "created": "2025-06-01", "company": "", "source": "web", "employees": n, "demo": "ja",
             "visit": "2025-05-01"} for n in range(3)]  # fmt: skip
    leads = read_leads(agreed, files_of(agreed, export(rows)))
    turned = leads[leads.columns[::-1]]
    assert np.array_equal(encoder().frame(leads, leads["as_of"]), encoder().frame(turned, turned["as_of"]))


def test_a_category_without_any_level_still_encodes() -> None:
    agreed = parse_definition(agreement())
    leads = pd.DataFrame({"source": pd.Series(["a", None], dtype="str"), "employees": [1.0, np.nan],
                          "demo": pd.Series([None, None], dtype="str"),
                          "visit": pd.Series([pd.NaT, pd.NaT], dtype="datetime64[us, UTC]")})  # fmt: skip
    as_of = pd.Series([AS_OF, AS_OF], dtype="datetime64[us, UTC]")
    matrix = Encoder(agreed, {"source": []}).frame(leads, as_of)
    assert np.array_equal(matrix, [[1, 1, 0, np.nan], [0, np.nan, 0, np.nan]], equal_nan=True)
