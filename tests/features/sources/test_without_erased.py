"""Erased leads stay out of every export, wherever they come back."""

from __future__ import annotations

from pathlib import Path

from features.definition import parse_definition
from features.erased import lead_hash, read_erased, write_erased
from features.history import files_of, read_history
from features.sources.without_erased import WithoutErased
from tests.small_agreement import agreement

AGREED = parse_definition(agreement())
ROWS = """id,created,closed,stage,company,source,employees,demo,visit
L1,2025-01-01,2025-02-01,Won,A,web,5,yes,
 L2 ,2025-01-01,2025-02-01,Lost,A,web,not a number,yes,
,2025-01-01,2025-02-01,Lost,A,web,5,yes,
L3,2025-01-01,,Open,B,web,5,yes,
"""


def test_an_erased_lead_is_gone_before_its_values_are_looked_at_and_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS.replace("\n,2025", "\nL4,2025"))
    write_erased(tmp_path / "erased", [lead_hash("L2"), lead_hash("L9")])
    source = WithoutErased(files_of(AGREED, str(tmp_path / "a.csv")), "id", read_erased(tmp_path / "erased"))
    history = read_history(AGREED, source)
    assert history.frame["lead_id"].tolist() == ["L1", "L4", "L3"]
    assert [(rows.reason.en, rows.n) for rows in history.left_out] == [("erased on request", 1)]


def test_rows_keep_the_numbers_under_which_a_person_finds_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    table = WithoutErased(files_of(AGREED, str(tmp_path / "a.csv")), "id", frozenset({lead_hash("L1")})).read()
    assert table.row.tolist() == [3, 4, 5]
    assert table.frame.index.tolist() == [0, 1, 2]
    assert table.n_erased == 1
