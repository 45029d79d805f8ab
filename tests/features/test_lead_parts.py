"""Leads read in parts are the leads read at once: what only the whole export can say does not depend on the part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.definition import LeadDefinition, parse_definition
from features.errors import HistoryError
from features.history import files_of, read_leads
from features.lead_parts import lead_parts
from features.text import Text
from tests.small_agreement import agreement

Export = Callable[..., str]


def lead(number: int, **cells: Any) -> dict[str, Any]:
    return {
        "id": f"L-{number}",
        "created": f"{number:02}/03/2025",
        "company": "",
        "source": "web",
        "employees": "1.234",
        "demo": "ja",
        "visit": "",
        **cells,
    }


@pytest.fixture
def agreed() -> LeadDefinition:
    return parse_definition(agreement())


def in_parts(agreed: LeadDefinition, path: str, rows: int) -> tuple[pd.DataFrame, list[Text]]:
    with lead_parts(agreed, files_of(agreed, path), rows=rows) as parts:
        leads = pd.concat(list(parts.read()), ignore_index=True)
        assert parts.n_leads == len(leads)
        return leads, parts.notes()


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_the_last_row_settles_how_the_first_is_read(agreed: LeadDefinition, export: Export, rows: int) -> None:
    # 03/03 reads both ways, 1.234 too; 31/03 and 3,5 settle them. A third of the cells has a currency.
    every = [lead(number) for number in (3, 4, 5, 6)] + [lead(7, employees="3,5"), lead(31, employees="1.000 €")]
    path, notes = export(every), []
    at_once = read_leads(agreed, files_of(agreed, path), tell=notes.append)
    assert at_once["employees"].tolist() == [1234.0, 1234.0, 1234.0, 1234.0, 3.5, 1000.0]
    leads, told = in_parts(agreed, path, rows)
    pd.testing.assert_frame_equal(leads, at_once)
    assert sorted(note.en for note in told) == sorted(note.en for note in notes)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_every_problem_of_every_part_is_told_at_the_end(agreed: LeadDefinition, export: Export, rows: int) -> None:
    every = [lead(number) for number in (3, 4, 31)]
    every += [lead(20, employees="many"), lead(3), lead(21, demo="?"), lead(22, employees="more", created="")]
    path = export(every)
    with pytest.raises(HistoryError) as at_once:
        read_leads(agreed, files_of(agreed, path))
    with pytest.raises(HistoryError) as told:
        in_parts(agreed, path, rows)
    found = {(problem.where, problem.code): (problem.rows, problem.n_rows) for problem in told.value.problems}
    assert found == {
        (problem.where, problem.code): (problem.rows, problem.n_rows) for problem in at_once.value.problems
    }


def test_a_column_that_is_not_there_is_named_once_with_those_that_are(agreed: LeadDefinition, export: Export) -> None:
    path = export([{"id": f"L-{n}", "created": "2025-01-01", "sauce": "web"} for n in range(3)])
    with pytest.raises(HistoryError) as at_once:
        read_leads(agreed, files_of(agreed, path))
    with pytest.raises(HistoryError) as told:
        in_parts(agreed, path, 1)
    assert [problem.in_language("en") for problem in told.value.problems] == [
        problem.in_language("en") for problem in at_once.value.problems
    ]


def test_moments_as_a_category_read_the_same_in_any_part(agreed: LeadDefinition, tmp_path: Path) -> None:
    moments = pd.to_datetime(["2025-01-01", "2025-01-02 10:00", "2025-01-03"], format="mixed")
    frame = pd.DataFrame([lead(n) for n in (3, 4, 5)]).assign(source=moments, created=moments, employees=[1, 2, 3])
    frame.to_parquet(tmp_path / "leads.parquet")
    path = str(tmp_path / "leads.parquet")
    at_once = read_leads(agreed, files_of(agreed, path))
    assert at_once["source"].tolist() == ["2025-01-01", "2025-01-02 10:00:00", "2025-01-03"]
    pd.testing.assert_frame_equal(in_parts(agreed, path, 1)[0], at_once)
