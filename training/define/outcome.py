"""Which column says what became of a lead, and which of its values mean won, lost and open.

A column is judged by its name, by the words among its values, and by where it stands: in a table made for learning, the
answer comes last. The won value must be known; a column without one is no candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from features.errors import HistoryError, Problem
from features.text import Text
from training.define import words
from training.define.columns import Column
from training.leakage.names import name_words

ENOUGH = 3
MOST_VALUES = 30
FEWEST_PER_SIDE = 5
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """The column, what its values mean, and what a person should look at.

    Attributes
    ----------
    unsure : tuple of str
        Values whose meaning was guessed from nothing better than the rest.
    rivals : tuple of str
        Other columns that could have been meant.
    """

    column: str
    won: tuple[str, ...]
    lost: tuple[str, ...]
    open: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()


def find_outcome(columns: Sequence[Column], *, named: str | None, won: Sequence[str]) -> Outcome:
    """The outcome, guessed, or as the person named it.

    Raises
    ------
    HistoryError
        If no column can be it, with the candidates that were looked at; if what was named is not there.
    """
    if named is not None:
        return _meant(_of_name(columns, named), won)
    if won:
        columns = [column for column in columns if set(won) <= set(_values(column))]
    scores = {column.name: _score(column, last=column is columns[-1], won=won) for column in columns}
    likely = sorted((name for name, score in scores.items() if score >= ENOUGH), key=lambda name: -scores[name])
    if not likely:
        raise HistoryError([_none_found(columns)])
    best = next(column for column in columns if column.name == likely[0])
    found = _meant(best, won)
    return Outcome(found.column, found.won, found.lost, found.open, found.unsure, tuple(likely[1:4]))


def _score(column: Column, *, last: bool, won: Sequence[str]) -> int:
    """Points for being the outcome; 0 if it cannot be."""
    values = _values(column)
    if not 2 <= len(values) + (column.n_filled < column.n_rows) <= MOST_VALUES or column.personal:
        return 0
    wins = set(won) or {value for value in values if _meaning(value) == "won"}
    n_won = int(_as_text(column).isin(wins).sum())
    if min(n_won, column.n_rows - n_won) < FEWEST_PER_SIDE:
        return 0
    named = 3 if words.OUTCOME_NAMED.search(column.words) else 2 if words.OUTCOME_LIKELY.search(column.words) else 0
    return named + (1 if last else 0) + _score_of_values(values) + (2 if won else 0)


def _score_of_values(values: Sequence[str]) -> int:
    said = [value for value in values if value.casefold() not in words.YES | words.NO]
    meanings = {_meaning(value) for value in said}
    if {"won", "lost"} <= meanings:
        return 3 if len([value for value in said if _meaning(value) == "unknown"]) <= len(said) / 2 else 2
    return 2 if "won" in meanings else 1 if not said else 0


def _meaning(value: str) -> str:
    """What a value means by its own words: won, lost, open or unknown."""
    plain = value.casefold().strip()
    if plain in words.YES:
        return "won"
    if plain in words.NO:
        return "lost"
    said = name_words(value)
    if words.WON.search(said):
        return "lost" if words.NOT.search(said) else "won"
    if words.OPEN.search(said) and not words.LOST.search(said):
        return "open"
    return "lost" if words.LOST.search(said) else "unknown"


def _meant(column: Column, won: Sequence[str]) -> Outcome:
    """What the column's values mean; with `won` named, the meaning of the others is still guessed."""
    values = _values(column)
    absent = [value for value in won if value not in values]
    wins = [value for value in values if (value in won if won else _meaning(value) == "won")]
    if absent or not wins:
        raise HistoryError([_no_such_value(column, absent)])
    rest = [value for value in values if value not in wins]
    unsure = tuple(value for value in rest if _meaning(value) in ("unknown", "won"))
    still_open = tuple(value for value in rest if _meaning(value) in ("open", "unknown", "won"))
    if len(rest) == 1 and not (column.n_filled < column.n_rows):
        return Outcome(column.name, tuple(wins), tuple(rest), (), unsure)
    lost = tuple(value for value in rest if value not in still_open)
    return Outcome(column.name, tuple(wins), lost, still_open, unsure)


def _values(column: Column) -> list[str]:
    """The different values as they stand in the export; none for a column of too many."""
    if column.kind == "date" or column.kind is None:
        return []
    distinct = _as_text(column).dropna().unique()
    return sorted(str(value) for value in distinct) if len(distinct) <= MOST_VALUES else []


def _as_text(column: Column) -> pd.Series:
    if column.kind == "number":
        whole = column.values.dropna()
        is_whole = bool((whole == whole.round()).all())
        return column.values.map(lambda v: f"{v:.0f}" if is_whole else f"{v:g}", na_action="ignore").astype("str")
    return column.values.astype("str").where(column.values.notna())


def _of_name(columns: Sequence[Column], named: str) -> Column:
    for column in columns:
        if column.name == named:
            return column
    listed = ", ".join(column.name for column in columns)
    raise HistoryError(
        [
            Problem(
                "outcome",
                Text(f"there is no column {named!r}", f"es gibt keine Spalte {named!r}"),
                Text(f"one of: {listed}", f"eine von: {listed}"),
                named,
                "missing_column",
            )
        ]
    )


def _no_such_value(column: Column, absent: Sequence[str]) -> Problem:
    listed = ", ".join(_values(column)[:_SHOWN]) or f"{column.n_distinct} values"
    return Problem(
        f'column "{column.name}"',
        Text(
            "none of its values is known to mean a win", "von keinem ihrer Werte ist bekannt, dass er gewonnen bedeutet"
        ),
        Text(
            "name the values that mean a win: won=… (--won on the command line)",
            "die Werte nennen, die gewonnen bedeuten: won=… (auf der Kommandozeile --won)",
        ),
        f"{', '.join(absent)} / {listed}" if absent else listed,
        "no_won_value",
    )


def _none_found(columns: Sequence[Column]) -> Problem:
    looked = [column for column in columns if len(_values(column)) > 1 and not column.personal]
    listed = "; ".join(f"{c.name}: {', '.join(_values(c)[:4])}" for c in looked[:_SHOWN])
    return Problem(
        "outcome",
        Text(
            "no column says whether a lead was won, or none that could be told apart from the others",
            "keine Spalte sagt erkennbar, ob ein Lead gewonnen wurde",
        ),
        Text(
            "name the column and its winning values: outcome=…, won=… (--outcome and --won on the command line)",
            "die Spalte und ihre Werte für gewonnen nennen: outcome=…, won=… (auf der Kommandozeile --outcome, --won)",
        ),
        listed or "-",
        "no_outcome",
    )
