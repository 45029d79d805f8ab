"""Which columns are id, created, closed, account, deal value and order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.define import words
from training.define.columns import TIMEZONE, Column
from training.define.outcome import Outcome

CLOSED_AFTER = 0.95
RISES = 0.95
_ACCOUNT_DISTINCT = (0.0, 0.98)


@dataclass(frozen=True, slots=True)
class Roles:
    """Column names by role; None where no column plays it.

    `n_early` counts leads that closed on a day before the one on which they were created.
    """

    id: str | None = None
    created: str | None = None
    closed: str | None = None
    order: str | None = None
    account: str | None = None
    value: str | None = None
    n_early: int = 0

    def taken(self) -> set[str]:
        """Columns that play a role."""
        names = (self.id, self.created, self.closed, self.order, self.account, self.value)
        return {name for name in names if name is not None}


def find_roles(columns: Sequence[Column], outcome: Outcome) -> Roles:
    """The roles, from names and from what the values allow; a horizon needs a closing date for every win."""
    rest = [column for column in columns if column.name != outcome.column]
    created = _created(rest)
    closed = _closed(rest, created, _is_won(columns, outcome)) if created is not None else None
    order = None if created is not None else _order(rest)
    lead_id = _id([column for column in rest if column is not order])
    taken = {id(column) for column in (created, closed, order, lead_id)}
    others = [column for column in rest if id(column) not in taken]
    return Roles(
        id=_name(lead_id),
        created=_name(created),
        closed=_name(closed),
        order=_name(order),
        account=_name(_account(others)),
        value=_name(_value(others)),
        n_early=_n_early(created, closed) if created is not None and closed is not None else 0,
    )


def _name(column: Column | None) -> str | None:
    return column.name if column is not None else None


def _is_won(columns: Sequence[Column], outcome: Outcome) -> pd.Series:
    column = next(column for column in columns if column.name == outcome.column)
    if column.kind == "number":
        return column.values.isin([float(value) for value in outcome.won])
    return column.values.isin(outcome.won)


def _created(columns: Iterable[Column]) -> Column | None:
    """A date that all leads have, best by its name, else the earliest."""
    dated = [c for c in columns if c.kind == "date" and c.is_complete and c.n_distinct > 1]
    dated = [c for c in dated if not words.CLOSED.search(c.words) or words.CREATED.search(c.words)]
    named = [c for c in dated if words.CREATED.search(c.words)]
    return min(named or dated, key=lambda c: c.values.median(), default=None)


def _closed(columns: Iterable[Column], created: Column, won: pd.Series) -> Column | None:
    """A date after creation that every win has, named like an end, or filled for closed leads only."""
    fitting = []
    for column in columns:
        if column.kind != "date" or column is created or not column.values[won].notna().all():
            continue
        after = (column.values >= created.values.dt.floor("D"))[column.values.notna()].mean()
        named = bool(words.CLOSED.search(column.words))
        if after >= CLOSED_AFTER and (named or not column.is_complete):
            fitting.append((named, float(column.values.isna()[~won].mean()), column))
    return max(fitting, key=lambda found: found[:2])[2] if fitting else None


def _n_early(created: Column, closed: Column) -> int:
    """Leads that closed before they were created; days without a time are compared as days."""
    began, ended = (column.values.dt.tz_convert(TIMEZONE).dt.tz_localize(None) for column in (created, closed))
    if (ended.dropna() == ended.dropna().dt.normalize()).all():
        began = began.dt.normalize()
    return int((ended < began).sum())


def _order(columns: Iterable[Column]) -> Column | None:
    """Whole numbers, all different, that run with or against the file."""
    for column in columns:
        if column.kind != "number" or not column.is_unique:
            continue
        values = column.values.to_numpy()
        rank = pd.Series(values).rank().to_numpy()
        if np.array_equal(values, np.floor(values)) and abs(np.corrcoef(rank, np.arange(len(rank)))[0, 1]) >= RISES:
            return column
    return None


def _id(columns: Iterable[Column]) -> Column | None:
    """A column in which every lead has its own value, best by its name."""
    unique = [c for c in columns if c.is_unique and c.kind in ("category", "number") and not c.personal]
    unique = [c for c in unique if c.kind == "category" or words.ID.search(c.words)]
    return max(unique, key=lambda c: bool(words.ID.search(c.words)) + bool(words.LEAD.search(c.words)), default=None)


def _account(columns: Iterable[Column]) -> Column | None:
    """Values that several leads share and whose name is that of a company, best an id of it."""
    low, high = _ACCOUNT_DISTINCT
    fitting = [
        c
        for c in columns
        if c.kind in ("category", "number")
        and words.ACCOUNT.search(c.words)
        and not words.NOT_ACCOUNT.search(c.words)
        and not c.personal
        and low < c.n_distinct / max(c.n_filled, 1) <= high
        and c.n_distinct > 50
    ]
    return max(fitting, key=lambda c: bool(words.ID.search(c.words)), default=None)


def _value(columns: Iterable[Column]) -> Column | None:
    fitting = [c for c in columns if c.kind == "number" and words.VALUE.search(c.words)]
    return max(fitting, key=lambda c: c.n_filled, default=None)
