"""The tree of errors, and how a report reads."""

from __future__ import annotations

import inspect
import pickle

import pytest

from features import errors
from features.errors import DataError, HistoryError, LeadQualityError, Problem
from features.text import Text, same

PROBLEM = Problem(
    where='leads.csv column "stage"',
    what=Text("an unknown outcome", "ein unbekanntes Ergebnis"),
    expected=Text("Won or Lost", "Won oder Lost"),
    seen="'Maybe'",
    code="unknown_outcome",
    rows=(2, 5),
    n_rows=1204,
)


def tree(error: type[Exception], depth: int = 0) -> list[str]:
    below = [line for child in error.__subclasses__() if child.__module__ == errors.__name__ for line in tree(child, depth + 1)]  # fmt: skip # noqa: E501
    return [f"{'  ' * depth}{error.__name__}", *below]


def test_the_tree_drawn_at_the_top_of_the_file_is_the_tree_of_the_classes() -> None:
    drawn = [line for line in str(errors.__doc__).splitlines() if "Error" in line and ("──" in line or line == "    LeadQualityError")]  # fmt: skip # noqa: E501
    names = [line.replace("│", " ").replace("├──", "   ").replace("└──", "   ") for line in drawn]
    indented = [(len(name) - len(name.lstrip()), name.split()[0]) for name in names]
    assert [f"{'  ' * ((indent - 4) // 4)}{name}" for indent, name in indented] == tree(LeadQualityError)


def test_the_branches_share_no_class() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, LeadQualityError)]
    branches = [c for c in classes if c.__bases__ == (LeadQualityError,)]
    assert len(branches) == 5
    assert all(sum(issubclass(c, branch) for branch in branches) == 1 for c in classes if c is not LeadQualityError)


def test_a_problem_reads_in_both_languages_with_place_values_and_rows() -> None:
    assert PROBLEM.in_language("en") == (
        "leads.csv column \"stage\": an unknown outcome; seen: 'Maybe'; expected: Won or Lost; "
        "rows: 2, 5, … (1,204 in all)"
    )
    assert PROBLEM.in_language("de") == (
        "leads.csv column \"stage\": ein unbekanntes Ergebnis; gesehen: 'Maybe'; erwartet: Won oder Lost; "
        "Zeilen: 2, 5, … (1.204 insgesamt)"
    )


def test_one_row_is_a_row_and_nothing_seen_is_not_mentioned() -> None:
    problem = Problem("leads.csv", same("empty"), same("rows"), rows=(7,), n_rows=1)
    assert problem.in_language("en") == "leads.csv: empty; expected: rows; row: 7"
    assert problem.in_language("de") == "leads.csv: empty; erwartet: rows; Zeile: 7"


def test_a_report_numbers_all_problems() -> None:
    report = HistoryError([PROBLEM, PROBLEM]).in_language("de")
    assert report.startswith("Fehler in der Historie (2):")
    assert [line[:5] for line in report.splitlines()[1:]] == ["  1. ", "  2. "]


@pytest.mark.parametrize("kind", [DataError, HistoryError])
def test_an_error_crosses_processes_with_its_problems(kind: type[DataError]) -> None:
    back = pickle.loads(pickle.dumps(kind([PROBLEM])))
    assert type(back) is kind
    assert back.problems == (PROBLEM,)
    assert str(back) == str(kind([PROBLEM]))
