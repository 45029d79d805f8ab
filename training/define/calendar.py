"""Columns that only repeat a part of the creation date: they come again each year and say nothing about later leads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.text import Text
from training.define.columns import TIMEZONE, Column

_FEWEST_PARTS = 2
PARTS = {
    "year": Text("year", "Jahr"),
    "quarter": Text("quarter", "Quartal"),
    "month": Text("month", "Monat"),
    "day": Text("day of the month", "Tag im Monat"),
    "day_of_week": Text("day of the week", "Wochentag"),
    "hour": Text("hour", "Stunde"),
}


def calendar_part(column: Column, created: Column) -> Text | None:
    """The part of the creation date that the column repeats, value for value, or None."""
    if column.kind not in ("number", "category") or not column.is_complete:
        return None
    code, distinct = pd.factorize(column.values)
    local = created.values.dt.tz_convert(TIMEZONE)
    for name, part in PARTS.items():
        other = getattr(local.dt, name).to_numpy()
        if len(distinct) >= _FEWEST_PARTS and _same_partition(code, np.asarray(other)):
            return part
    return None


def _same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether each value of one goes with exactly one value of the other."""
    pairs = pd.DataFrame({"one": one, "other": other}).drop_duplicates()
    return len(pairs) == pairs["one"].nunique() == pairs["other"].nunique()
