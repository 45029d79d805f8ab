"""The agreement: what it says, and every fault of it in one report, with lines, in both languages."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from features.definition import LeadDefinition, parse_definition, read_definition
from features.definition.reading import _line_numbers
from features.errors import DefinitionError, Problem
from tests.conftest import ROOT
from tests.small_agreement import agreement

BROKEN = """
format = 1
[definition]
name = "Small Leads"
version = 1
title = { en = "Small" }
[target]
horizon_days = 0
[columns]
outcome = "stage"   # closed and created are missing
[outcome]
won = "Won"
[fields.source]
type = "categorie"
known = "creation"
owner = "marketing"
label = "Source"
[fields.duration]
type = "number"
known = "outcome"
owner = "sales"
label = "Duration"
[fields."e mail"]
type = "category"
known = "creation"
owner = "sales"
label = "Mail"
[left_out."a=b]"]
reasn = "not needed"
[grades]
A = 0.1
B = 0.2
C = 0.3
[handover]
capacity_per_week = 5
threshold = 0.2
[colums]
id = "x"
"""


def problems_of(**changes: Any) -> list[Problem]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(agreement(**changes))
    return list(caught.value.problems)


@pytest.fixture
def broken(tmp_path: Path) -> DefinitionError:
    path = tmp_path / "lead.toml"
    path.write_text(BROKEN, encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        read_definition(path)
    return caught.value


def test_all_problems_of_a_file_come_at_once_each_with_its_line(broken: DefinitionError) -> None:
    assert {problem.where for problem in broken.problems} >= {
        "lead.toml:4 definition.name",
        "lead.toml:6 definition.title.de",
        "lead.toml:8 target.horizon_days",
        "lead.toml:12 outcome.won",
        "lead.toml:14 fields.source.type",
        'lead.toml:23 fields.e mail',
        "lead.toml:28 left_out.a=b].reason",
        "lead.toml:29 left_out.a=b].reasn",
        "lead.toml:30 grades",
        "lead.toml:34 handover",
        "lead.toml:37 colums",
    }  # fmt: skip


def test_the_report_reads_in_both_languages(broken: DefinitionError) -> None:
    german, english = broken.in_language("de"), broken.in_language("en")
    assert "lead.toml:8 target.horizon_days: außerhalb des Bereichs; gesehen: 0; erwartet: ≥ 1" in german
    assert "lead.toml:8 target.horizon_days: out of range; seen: 0; expected: ≥ 1" in english
    assert "die Übergabe braucht genau eine Regel" in german
    assert "did you mean columns?" in english
    assert "war columns gemeint?" in german
    for text in (german, english):
        assert "Input should" not in text, "a message of pydantic got through"


def test_a_field_known_too_late_is_an_error_naming_the_field_not_a_warning() -> None:
    fields = agreement()["fields"] | {
        "duration": {"type": "number", "known": "outcome", "owner": "sales", "label": "Duration"}
    }
    (problem,) = problems_of(fields=fields)
    assert (problem.code, problem.where) == ("known_too_late", "definition fields.duration.known")


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"target": {}}, "target", "no_horizon"),
        ({"columns": {"outcome": "stage"}}, "target.horizon_days", "horizon_without_dates"),
        (
            {"columns": {"outcome": "stage"}, "target": {"leads_from": "2025-01-01"}},
            "target.leads_from",
            "leads_from_without_dates",
        ),
        ({"columns": {**agreement()["columns"], "id": "stage"}}, "columns.id", "column_twice"),
        ({"outcome": {"won": ["Won"], "lost": ["Won"]}}, "outcome.lost", "outcome_twice"),
        ({"outcome": {"won": []}}, "outcome.won", "too_short"),
        ({"read": {"timezone": "Europe/Bielefeld"}}, "read.timezone", "invalid"),
        ({"accepted_leaks": {"sourse": "needed"}}, "accepted_leaks.sourse", "invalid"),
        ({"grades": {"A": 1.5, "B": 0.3, "C": 0.1}}, "grades.A", "less_than"),
        ({"handover": {}}, "handover", "invalid"),
        ({"handover": {"capacity_per_week": float("inf")}}, "handover.capacity_per_week", "finite_number"),
        ({"follow_up_hours": {"A": 0}}, "follow_up_hours.A", "greater_than"),
        ({"verdicts": {"rejected": {"a b": "x"}}}, "verdicts.rejected.a b.[key]", "string_pattern_mismatch"),
        ({"reporting": {"source": "nowhere"}}, "reporting.source", "invalid"),
        ({"reporting": {"campaign": "employees"}}, "reporting.campaign", "invalid"),
        ({"retention": {"days": 3}}, "retention.days", "greater_than_equal"),
        ({"fields": {}}, "fields", "no_fields"),
        ({"handover": None}, "handover", "invalid"),
        ({"format": 2}, "format", "literal_error"),
    ],
)  # fmt: skip
def test_each_fault_is_named_where_it_stands(changes: dict[str, Any], where: str, code: str) -> None:
    assert [(problem.where, problem.code) for problem in problems_of(**changes)] == [(f"definition {where}", code)]


@pytest.mark.parametrize("column", [
    "E-Mail", "contact_first_name", "Telefon", "phone 2", "Name", "Lead Name", "Kontaktname", "contact_name", "Tel.",
    "Telefon-Nr.", "Handy-Nr", "LeadEmail", "Telefon (geschäftlich)", "Telefon gescha\u0308ftlich", "Kunden-Name",
])  # fmt: skip
def test_a_persons_identifier_never_becomes_a_field(column: str) -> None:
    field = {"type": "category", "known": "creation", "owner": "sales", "label": "x", "column": column}
    (problem,) = problems_of(fields={"contact": field})
    assert problem.code == "personal_identifier"


@pytest.mark.parametrize(
    "column",
    ["campaign_name", "Product Name", "account_name", "Firmenname", "CampaignName", "freemail", "email_opens_30d",
     "no_phone", "hotel", "Telefonate"],
)  # fmt: skip
def test_a_fact_whose_name_only_resembles_a_persons_identifier_may_be_a_field(column: str) -> None:
    field = {"type": "category", "known": "creation", "owner": "sales", "label": "x", "column": column}
    assert parse_definition(agreement(fields={"fact": field})).fields["fact"].column == column


def test_details_that_do_not_belong_to_a_fields_type_are_refused() -> None:
    known = {"known": "creation", "owner": "sales", "label": "x"}
    fields = {
        "source": {"type": "category", "direction": "up", "at_least": 1, **known},
        "visit": {"type": "date", "direction": "up", "at_least": 0, "at_most": 400, **known},
        "employees": {"type": "number", "at_least": 5, "at_most": 5, **known},
        "again": {"type": "number", "column": "employees", **known},
    }
    assert [problem.where for problem in problems_of(fields=fields)] == [
        "definition fields.source.direction",
        "definition fields.source.at_least",
        "definition fields.visit.at_least",
        "definition fields.visit.at_most",
        "definition fields.employees.at_most",
        "definition fields.again.column",
    ]


def test_a_date_needs_a_date_of_the_lead_to_count_its_days_to() -> None:
    columns = {"outcome": "stage", "order": "number"}
    fields = agreement()["fields"]
    (problem,) = problems_of(columns=columns, target={}, fields=fields)
    assert (problem.where, problem.code) == ("definition fields.visit.type", "date_without_as_of")
    for role in ("created", "as_of"):
        parse_definition(agreement(columns={**columns, role: "day"}, target={}, fields=fields))


def test_a_mark_of_the_byte_order_before_the_file_does_not_matter(tmp_path: Path) -> None:
    shipped = ROOT / "definitions" / "demo.toml"
    path = tmp_path / "lead.toml"
    path.write_bytes(b"\xef\xbb\xbf" + shipped.read_bytes())
    assert read_definition(path) == read_definition(shipped)


def test_a_file_that_is_no_toml_or_cannot_be_read_is_one_clear_problem(tmp_path: Path) -> None:
    path = tmp_path / "lead.toml"
    for content, code in ((b"[target\n", "not_toml"), (b"name = '\xff'", "unreadable")):
        path.write_bytes(content)
        with pytest.raises(DefinitionError) as caught:
            read_definition(path)
        assert [problem.code for problem in caught.value.problems] == [code]
    with pytest.raises(DefinitionError, match="cannot be read"):
        read_definition(tmp_path / "absent.toml")


def test_how_time_is_known_follows_from_the_columns() -> None:
    columns = {"outcome": "stage"}
    given = {
        "dated": ({**columns, "created": "c", "closed": "d"}, {"horizon_days": 90}),
        "ordered": ({**columns, "order": "n"}, {}),
        "undated": (columns, {}),
    }
    for timing, (roles, target) in given.items():
        assert parse_definition(agreement(columns=roles, target=target)).timing == timing
    assert parse_definition(agreement(columns={**columns, "created": "c"}, target={})).timing == "ordered"


def shipped() -> list[Path]:
    return sorted((ROOT / "definitions").glob("*.toml"))


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_every_shipped_definition_survives_json(path: Path) -> None:
    definition = read_definition(path)
    back = parse_definition(json.loads(json.dumps(definition.to_dict(), allow_nan=False)))
    assert back == definition
    assert back.fingerprint == definition.fingerprint


def shuffled(data: Any) -> Any:
    """The same data with the keys of every table turned round."""
    if isinstance(data, dict):
        return {key: shuffled(data[key]) for key in reversed(data)}
    return data


def test_the_fingerprint_depends_on_what_was_agreed_and_on_nothing_else(tmp_path: Path) -> None:
    text = (ROOT / "definitions" / "demo.toml").read_text(encoding="utf-8")
    agreed = read_definition(ROOT / "definitions" / "demo.toml")
    path = tmp_path / "commented.toml"
    path.write_text("# a word more\n" + text.replace("\n[", "\n\n# and here\n["), encoding="utf-8")
    assert read_definition(path).fingerprint == agreed.fingerprint
    # Fields keep their order in a row, so only the fingerprint is blind to it.
    assert parse_definition(shuffled(tomllib.loads(text))).fingerprint == agreed.fingerprint
    path.write_text(text.replace("horizon_days = 90", "horizon_days = 91"), encoding="utf-8")
    assert read_definition(path).fingerprint != agreed.fingerprint


def test_lines_are_found_for_quoted_dotted_and_commented_keys() -> None:
    text = '[a."b]"]  # why\n"x=y" = 1\nc.d = [\n  "e",\n]\n\n[f]\ng = { h = 1 }\n'
    assert _line_numbers(text) == {
        ("a", "b]"): 1, ("a", "b]", "x=y"): 2, ("a", "b]", "c", "d"): 3, ("f",): 7, ("f", "g"): 8
    }  # fmt: skip


def test_a_definition_cannot_be_changed_after_reading() -> None:
    definition: LeadDefinition = parse_definition(agreement())
    with pytest.raises(ValueError, match="frozen"):
        definition.target.horizon_days = 30  # type: ignore[misc]
