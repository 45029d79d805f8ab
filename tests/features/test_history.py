"""From an export to leads: what fits is typed, and everything that does not is in one report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition, parse_definition
from features.errors import HistoryError, Problem
from features.history import History, files_of, read_history, read_leads
from features.text import Text
from tests.small_agreement import agreement

Export = Callable[..., str]
GOOD = [
    {"id": "1", "created": "2025-01-10", "closed": "2025-02-01", "stage": "Won", "company": "A", "source": "fair",
     "employees": "12", "demo": "ja", "visit": "2025-01-01"},
    {"id": "2", "created": "2025-01-11", "closed": "2025-02-02", "stage": "Lost", "company": "", "source": "",
     "employees": "", "demo": "", "visit": ""},
    {"id": "3", "created": "2025-01-12", "closed": "", "stage": "", "company": "A", "source": " web ",
     "employees": "7", "demo": "nein", "visit": "2025-01-12"},
]  # fmt: skip


def definition(**changes: Any) -> LeadDefinition:
    return parse_definition(agreement(**changes))


def read(path: str, agreed: LeadDefinition | None = None) -> History:
    agreed = agreed or definition()
    return read_history(agreed, files_of(agreed, path))


def problems_of(path: str, agreed: LeadDefinition | None = None) -> dict[str, Problem]:
    with pytest.raises(HistoryError) as caught:
        read(path, agreed)
    return {problem.code: problem for problem in caught.value.problems}


def changed(row: int, **cells: str) -> list[dict[str, str]]:
    return [{**lead, **cells} if number == row else lead for number, lead in enumerate(GOOD)]


def test_a_good_export_is_typed_in_the_definitions_words(export: Export) -> None:
    history = read(export(GOOD))
    frame = history.frame
    assert frame["lead_id"].tolist() == ["1", "2", "3"]
    assert frame["outcome"].tolist() == ["won", "lost", "open"]
    assert frame["account"].tolist() == ["A", "lead 2", "A"]
    assert frame["source"].fillna("missing").tolist() == ["fair", "missing", "web"]
    assert frame["demo"].fillna("missing").tolist() == ["true", "missing", "false"]
    assert np.isnan(frame["employees"].iloc[1])
    assert frame["created"].iloc[0] == pd.Timestamp("2025-01-10", tz="UTC")
    assert frame["as_of"].equals(frame["created"])
    assert str(frame["closed"].dtype) == "datetime64[us, UTC]"
    assert history.data_end == datetime(2025, 2, 2, tzinfo=UTC)


def test_the_order_of_columns_and_further_columns_do_not_matter(export: Export) -> None:
    turned = [{"noise": "x", **dict(reversed(lead.items()))} for lead in GOOD]
    pd.testing.assert_frame_equal(read(export(turned, "turned.csv")).frame, read(export(GOOD)).frame)


def test_all_faults_of_an_export_come_in_one_report_with_file_column_rows_and_values(export: Export) -> None:
    rows = [
        {"id": "1", "created": "2025-01-10", "closed": "2025-02-01", "stage": "Won", "company": "A", "employees": "12",
         "demo": "ja", "visit": "31.02.2025"},
        {"id": "1", "created": "soon", "closed": "2025-02-01", "stage": "Maybe", "company": "A", "employees": "many",
         "demo": "perhaps", "visit": ""},
        {"id": "", "created": "2025-03-10", "closed": "2025-03-01", "stage": "Won", "company": "A", "employees": "3",
         "demo": "", "visit": ""},
        {"id": "4", "created": "", "closed": "", "stage": "Won", "company": "A", "employees": "3",
         "demo": "", "visit": ""},
    ]  # fmt: skip
    with pytest.raises(HistoryError) as caught:
        read(export(rows))
    found = {(problem.code, problem.where, problem.rows, problem.seen) for problem in caught.value.problems}
    assert found == {
        ("missing_column", "leads.csv", (), ""),
        ("duplicate_id", 'leads.csv column "id"', (2, 3), "'1'"),
        ("missing_id", 'leads.csv column "id"', (4,), ""),
        ("unreadable_value", 'leads.csv column "created"', (3,), "'soon'"),
        ("missing_date", 'leads.csv column "created"', (5,), ""),
        ("unknown_outcome", 'leads.csv column "stage"', (3,), "'Maybe'"),
        ("unreadable_value", 'leads.csv column "employees"', (3,), "'many'"),
        ("unreadable_value", 'leads.csv column "demo"', (3,), "'perhaps'"),
        ("unreadable_value", 'leads.csv column "visit"', (2,), "'31.02.2025'"),
        ("won_without_date", 'leads.csv column "closed"', (5,), ""),
        ("closed_before_created", 'leads.csv column "closed"', (4,), "'2025-03-01'"),
    }
    german = caught.value.in_language("de")
    assert "Fehler in der Historie (11):" in german
    assert "gesehen: 'Maybe'; erwartet: Won = won, Lost = lost, Open = open; leer = open; Zeile: 3" in german


def test_a_missing_column_is_named_with_the_closest_one_there_is(export: Export) -> None:
    problem = problems_of(export([{**lead, "sourc": "x"} for lead in GOOD]), definition(
        columns={**agreement()["columns"], "account": "compani"}))["missing_column"]  # fmt: skip
    assert problem.expected.en == "did you mean 'company'?"
    assert problem.expected.de == "war 'company' gemeint?"


def test_an_empty_file_is_refused(export: Export) -> None:
    assert set(problems_of(export([]))) == {"no_rows"}


@pytest.mark.parametrize("outcome", ["Won", "Lost"])
def test_only_one_class_is_refused(export: Export, outcome: str) -> None:
    rows = [{**lead, "stage": outcome, "closed": "2025-05-01"} for lead in GOOD]
    assert problems_of(export(rows))["one_class"].where == 'leads.csv column "stage"'


def test_a_win_before_its_creation_is_left_out_and_counted_where_that_is_agreed(export: Export) -> None:
    rows = [*GOOD, {**GOOD[0], "id": "4", "closed": "2025-01-08"}]
    assert problems_of(export(rows))["closed_before_created"].rows == (5,)
    history = read(export(rows), definition(read={"timezone": "UTC", "closed_before_created": "leave_out"}))
    assert history.frame["lead_id"].tolist() == ["1", "2", "3"]
    assert [(left.reason.en, left.n) for left in history.left_out] == [("closed before it was created", 1)]


def test_a_closing_known_to_the_day_is_not_before_a_creation_known_to_the_minute(export: Export) -> None:
    rows = [{**lead, "created": lead["created"] + " 14:30"} for lead in changed(0, closed="2025-01-10")]
    history = read(export(rows))
    assert history.frame["closed"].iloc[0] == history.frame["created"].iloc[0]
    assert any("closings on the day of creation count as after it (1)" in note.en for note in history.notes)


def test_a_closing_known_to_the_minute_is_before_a_later_creation_of_the_day(export: Export) -> None:
    rows = [{**lead, "created": lead["created"] + " 14:30"} for lead in changed(0, closed="2025-01-10 14:29")]
    assert set(problems_of(export(rows))) == {"closed_before_created"}


def test_the_forecast_of_an_open_lead_does_not_move_the_end_of_the_data(export: Export) -> None:
    assert read(export(changed(2, closed="2027-12-31"))).data_end == datetime(2025, 2, 2, tzinfo=UTC)


def test_the_forecast_of_an_open_lead_is_no_closing_that_could_contradict_its_dates(export: Export) -> None:
    history = read(export(changed(2, closed="2025-01-02")))
    assert history.frame["closed"].isna().tolist() == [False, False, True]
    assert any(
        note.en == "closed: the dates of open leads are forecasts and are not read (1)" for note in history.notes
    )


def test_one_date_typed_into_the_future_is_a_problem_and_does_not_mature_every_lead(export: Export) -> None:
    rows = [*changed(1, closed="2042-02-02"), {**GOOD[2], "id": "4", "created": "2031-01-01"}]
    agreed = definition()
    with pytest.raises(HistoryError) as caught:
        read_history(agreed, files_of(agreed, export(rows)), now=datetime(2025, 6, 1, tzinfo=UTC))
    assert [(problem.code, problem.where, problem.rows, problem.seen) for problem in caught.value.problems] == [
        ("in_the_future", 'leads.csv column "created"', (5,), "'2031-01-01'"),
        ("in_the_future", 'leads.csv column "closed"', (3,), "'2042-02-02'"),
    ]
    assert "oder read.data_end setzen" in caught.value.in_language("de")


def test_a_date_up_to_now_and_the_forecast_of_an_open_lead_are_no_dates_in_the_future(export: Export) -> None:
    agreed, now = definition(), datetime(2025, 2, 2, tzinfo=UTC)
    history = read_history(agreed, files_of(agreed, export(changed(2, closed="2031-01-01"))), now=now)
    assert history.data_end == now


def test_a_date_in_the_future_does_not_matter_where_the_end_of_the_data_is_agreed_on(export: Export) -> None:
    agreed = definition(read={"timezone": "UTC", "data_end": date(2025, 5, 1)})
    path = export(changed(1, closed="2042-02-02"))
    history = read_history(agreed, files_of(agreed, path), now=datetime(2025, 6, 1, tzinfo=UTC))
    assert history.data_end == datetime(2025, 5, 1, tzinfo=UTC)


def test_the_agreed_end_of_the_data_is_midnight_on_the_definitions_clocks(export: Export) -> None:
    agreed = definition(read={"timezone": "Europe/Berlin", "data_end": date(2025, 7, 1)})
    end = read(export(GOOD), agreed).data_end
    assert end is not None
    assert end.astimezone(UTC) == datetime(2025, 6, 30, 22, tzinfo=UTC)


def test_an_empty_as_of_date_or_order_is_a_problem(export: Export) -> None:
    columns = {**agreement()["columns"], "as_of": "handed"}
    rows = [{**lead, "handed": handed} for lead, handed in zip(GOOD, ("2025-01-12", "", "2025-01-13"), strict=True)]
    assert problems_of(export(rows), definition(columns=columns))["missing_date"].rows == (3,)
    ordered = definition(columns={"outcome": "stage", "order": "number"}, target={})
    rows = [{**lead, "number": number} for lead, number in zip(GOOD, ("1", "2", ""), strict=True)]
    assert problems_of(export(rows), ordered)["missing_order"].rows == (4,)


def test_placeholders_mean_not_answered_in_every_type(export: Export) -> None:
    fields = {
        name: {**field, "missing": ["-1", "Select", "1900-01-01"]} for name, field in agreement()["fields"].items()
    }
    rows = changed(0, source="Select", employees="-1.0", visit="1900-01-01", demo="Select")
    first = read(export(rows), definition(fields=fields)).frame.iloc[0]
    assert first[["source", "employees", "visit", "demo"]].isna().all()


def test_a_number_outside_of_its_plausible_range_is_named_with_the_range(export: Export) -> None:
    fields = {**agreement()["fields"]}
    fields["employees"] = {**fields["employees"], "at_least": 10}
    problem = problems_of(export(GOOD), definition(fields=fields))["out_of_range"]
    assert (problem.rows, problem.seen, problem.expected.de) == ((4,), "'7'", "≥ 10")


def test_leads_to_be_scored_need_no_outcome(export: Export) -> None:
    agreed = definition()
    unknown = [{name: cell for name, cell in lead.items() if name not in ("stage", "closed")} for lead in GOOD]
    leads = read_leads(agreed, files_of(agreed, export(unknown)))
    known = read(export(GOOD, "known.csv")).frame
    fields = ["lead_id", "account", "as_of", *agreed.fields]
    pd.testing.assert_frame_equal(leads[fields], known[fields])
    assert set(leads["outcome"]) == {"open"}


def test_without_ids_a_lead_is_called_by_its_row(export: Export) -> None:
    columns = {name: column for name, column in agreement()["columns"].items() if name not in ("id", "account")}
    frame = read(export(GOOD), definition(columns=columns)).frame
    assert frame["lead_id"].tolist() == ["row-2", "row-3", "row-4"]
    assert frame["account"].nunique() == 3


def test_without_ids_leads_of_several_files_have_different_names(export: Export, tmp_path: Path) -> None:
    columns = {name: column for name, column in agreement()["columns"].items() if name not in ("id", "account")}
    for name in ("a.csv", "b.csv"):
        export(GOOD, name)
    frame = read(str(tmp_path / "*.csv"), definition(columns=columns)).frame
    assert frame["lead_id"].tolist() == ["a.csv:2", "a.csv:3", "a.csv:4", "b.csv:2", "b.csv:3", "b.csv:4"]
    assert frame["account"].nunique() == 6


def test_a_date_after_the_as_of_date_is_noted_and_stays_for_the_leak_guard_to_count(export: Export) -> None:
    history = read(export(changed(1, visit="2025-01-12")))
    assert history.frame["visit"].iloc[1] == pd.Timestamp("2025-01-12", tz="UTC")
    assert (
        Text(
            "visit: dates after the as-of date of their lead count as missing (1)",
            "visit: Datumswerte nach dem Stichtag ihres Leads gelten als fehlend (1)",
        )
        in history.notes
    )


def test_a_date_of_the_day_of_an_as_of_date_without_a_time_is_not_after_it(export: Export) -> None:
    history = read(export(changed(0, visit="2025-01-10 17:00")))
    assert not any("after the as-of date" in note.en for note in history.notes)


def test_texts_that_no_record_may_have_are_noted(export: Export) -> None:
    notes = read(export(changed(1, source="x" * 201))).notes
    assert any(note.en == "source: texts of more than 200 characters count as rare values (1)" for note in notes)
    assert not any("characters" in note.en for note in read(export(changed(1, source="x" * 200), "200.csv")).notes)


def test_what_is_noted_of_a_history_is_told_of_leads_to_be_scored(export: Export) -> None:
    agreed, told = definition(), list[Text]()
    path = export(changed(1, visit="2025-01-12", source="x" * 201))
    read_leads(agreed, files_of(agreed, path), tell=told.append)
    assert tuple(told) == read(path).notes
    assert len(told) >= 2


CHANCE = {"id": "id", "created": "created", "closed": "closed", "outcome": "stage", "worked_chance": "chance"}


def with_chances(*chances: str) -> list[dict[str, str]]:
    return [{**lead, "chance": chance} for lead, chance in zip(GOOD, chances, strict=True)]


def test_a_lead_has_the_chance_to_be_worked_that_its_column_says(export: Export) -> None:
    history = read(export(with_chances("1", "0,05", "")), definition(columns=CHANCE))
    assert history.frame["worked_chance"].fillna(-1).tolist() == [1.0, 0.05, -1.0]


def test_where_no_column_says_so_every_lead_was_worked(export: Export) -> None:
    assert read(export(GOOD)).frame["worked_chance"].tolist() == [1.0, 1.0, 1.0]


def test_what_is_no_chance_is_refused_with_all_rows_in_both_languages(export: Export) -> None:
    found = problems_of(export(with_chances("0", "1.5", "-0.2")), definition(columns=CHANCE))
    problem = found["not_a_chance"]
    assert "3" in str(problem.seen) or "1.5" in str(problem.seen)
    assert problem.what.de == "ist keine Chance, bearbeitet zu werden"
    assert problem.expected is not None
    assert "above 0 and at most 1" in problem.expected.en


def test_a_chance_that_is_no_number_is_refused_with_what_was_expected(export: Export) -> None:
    found = problems_of(export(with_chances("1", "often", "1")), definition(columns=CHANCE))
    assert "empty where nobody worked the lead" in str(found["unreadable_value"].expected)
