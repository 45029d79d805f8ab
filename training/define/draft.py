"""An unknown export -> a definition that trains right away and asks what it cannot know."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from features.definition import parse_definition
from features.errors import HistoryError, InternalError
from features.sources import RawTable
from features.sources.files import read_files
from features.sources.options import ReadOptions
from training.define.columns import Column, read_columns
from training.define.guess import Draft, Guess, nothing_left
from training.define.outcome import Outcome, find_outcome
from training.define.page import page
from training.define.roles import Roles, find_roles
from training.define.suspects import find_suspects


def draft(
    paths: str | Sequence[str],
    *,
    outcome: str | None = None,
    won: Sequence[str] = (),
    horizon_days: int | None = None,
) -> str:
    """A definition in TOML for the export at `paths`: every column profiled, `# DECIDE` where a person must.

    Parameters
    ----------
    paths : str or sequence of str
        Files or patterns, as `features.sources.files` reads them.
    outcome, won : optional
        The outcome column, and its values that mean a win, where guessing them fails or fails to please.
    horizon_days : int, optional
        The horizon; without it, one that covers three of four wins and leaves room for training and test.

    Raises
    ------
    HistoryError
        If the export cannot be read; if no column says whether a lead was won, with the candidates that were
        looked at; if no column is left to learn from.
    """
    found = drafted(paths, outcome=outcome, won=won, horizon_days=horizon_days)
    text = page(found)
    if parse_definition(tomllib.loads(text)) != parse_definition(found.data):
        raise InternalError("The drafted definition does not read back as it was meant.")
    return text


def drafted(paths: str | Sequence[str], *, outcome: str | None, won: Sequence[str], horizon_days: int | None) -> Draft:
    """The draft before it is written down; see `draft`."""
    table = read_files(paths, ReadOptions())
    columns, style = read_columns(table.frame, separator=_separator(table))
    what = find_outcome(columns, named=outcome, won=won)
    roles = find_roles(columns, what)
    what = _settled(what, roles, {column.name: column for column in columns})
    guessed = Guess(table, columns, style, what, roles)
    history, labelled, timing = guessed.history(horizon_days)
    suspicions = find_suspects(history, labelled)
    left = {n: f for n, f in history.definition.fields.items() if not (n in suspicions and suspicions[n].leaves_out)}
    if not left:
        raise HistoryError([nothing_left(suspicions)])
    data = guessed.data(left, history.definition, labelled, suspicions)
    by_name = {column.name: column for column in columns}
    files = tuple(str(name) for name in pd.unique(table.file))
    return Draft(data, by_name, guessed.fields, what, roles, timing, suspicions, labelled, files)


def _settled(found: Outcome, roles: Roles, columns: Mapping[str, Column]) -> Outcome:
    """The outcome with its plain "no" as lost or open: open where dates say that such leads were not closed."""
    if roles.created is None or roles.closed is None:
        return found if found.lost else replace(found, lost=found.open, open=())
    column, closed = columns[found.column], columns[roles.closed].values
    values = column.values.map(lambda v: f"{v:.0f}", na_action="ignore") if column.kind == "number" else column.values
    undated = [value for value in found.lost if closed[values == value].notna().mean() < 0.5]
    lost = tuple(value for value in found.lost if value not in undated)
    return replace(found, lost=lost, open=(*found.open, *undated))


def _separator(table: RawTable) -> str | None:
    """The separator as the reading notes say it."""
    return ";" if any("';'" in note.en for note in table.notes) else None
