"""A table of figures as CSV, one line for each row of the table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial

from features.text import Language
from serving.kpis.shapes import FigureShown, RowShown, TableShown

COUNTS = ("n_leads", "n_handed_over", "n_contacted", "n_accepted", "n_won")
FIGURES = ("handed_over", "in_time", "median_hours", "acceptance", "predicted", "observed", "observed_to_expected")
ENDS = ("value", "low", "high", "n", "n_of")
FIRST = ("row", "group", "label", "thin")
IN_GERMAN = {
    "row": "zeile",
    "group": "gruppe",
    "rest": "rest",
    "total": "gesamt",
    "label": "bezeichnung",
    "thin": "wenige",
    "true": "ja",
    "false": "nein",
    "n_leads": "n_leads",
    "n_handed_over": "n_übergeben",
    "n_contacted": "n_kontaktiert",
    "n_accepted": "n_angenommen",
    "n_won": "n_gewonnen",
    "grade": "klasse",
    "handed_over": "anteil_übergeben",
    "in_time": "rechtzeitig",
    "median_hours": "stunden_median",
    "acceptance": "annahme",
    "predicted": "vorhergesagt",
    "observed": "beobachtet",
    "observed_to_expected": "beobachtet_zu_erwartet",
    "value": "wert",
    "low": "von",
    "high": "bis",
    "n": "n",
    "n_of": "n_von",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(table: TableShown, language: Language) -> bytes:
    """The table in UTF-8, by RFC 4180, with heads in the reader's language and numbers with a point.

    The first column says group, rest or total. English heads are names as programs like them; German ones say the same.

    A byte order mark stands in front, without which spreadsheets misread umlauts.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    said = partial(_said, language)
    grades = [f"{said('grade')}_{grade['grade']}" for grade in table["total"]["grades"]]
    figures = [f"{said(figure)}_{said(end)}" for figure in FIGURES for end in ENDS]
    writer.writerow([*map(said, (*FIRST, *COUNTS)), *grades, *figures])
    for kind, row in _rows(table):
        writer.writerow([said(kind), *_line(row, language)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _rows(table: TableShown) -> Iterator[tuple[str, RowShown]]:
    for row in table["rows"]:
        yield "group", row
    if "rest" in table:
        yield "rest", table["rest"]
    yield "total", table["total"]


def _said(language: Language, name: str) -> str:
    return IN_GERMAN[name] if language == "de" else name


def _line(row: RowShown, language: Language) -> Iterator[object]:
    yield harmless(row.get("group", ""))
    yield harmless(row["label"][language])
    yield _said(language, "true" if row["thin"] else "false")
    for name in COUNTS:
        yield row[name]  # type: ignore[literal-required]  # a tuple of this row's keys
    for grade in row["grades"]:
        yield grade["n"]
    for name in FIGURES:
        figure: FigureShown = row[name]  # type: ignore[literal-required]
        for end in ENDS:
            yield figure.get(end, "")


def harmless(text: str) -> str:
    """`text` as a spreadsheet shows it, never as a formula: what a source is called comes from outside.

    >>> harmless("=1+1"), harmless("fair")
    ("'=1+1", 'fair')
    """
    return f"'{text}" if text.startswith(FORMULA) else text
