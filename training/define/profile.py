"""What a column holds, in a sentence in both languages; nothing of personal data and no value that few share."""

from __future__ import annotations

import pandas as pd

from features.text import Language, Text, percent, whole
from training.define.columns import Column

_VALUES_SHOWN = 6
_FEWEST_SHOWN = 20  # a value that so many leads share identifies nobody
_LONGEST_SHOWN = 40


def profile(column: Column) -> Text:
    """Fill rate, number of values, and the frequent ones or the range; nothing of personal data or of rare values."""
    filled = column.n_filled / max(column.n_rows, 1)
    shown = _shown(column)
    return Text(
        f"{percent(filled, 'en', 1)} filled in, values: {whole(column.n_distinct, 'en')}{shown.en}",
        f"zu {percent(filled, 'de', 1)} ausgefüllt, Werte: {whole(column.n_distinct, 'de')}{shown.de}",
    )


def _shown(column: Column) -> Text:
    if column.personal or column.kind is None:
        return Text("", "")
    if column.kind == "number":
        low, middle, high = (f"{v:g}" for v in column.values.quantile([0, 0.5, 1]))
        return Text(f"; {low} to {high}, median {middle}", f"; {low} bis {high}, Median {middle}")
    if column.kind == "date":
        low, high = (f"{moment:%Y-%m-%d}" for moment in (column.values.min(), column.values.max()))
        return Text(f"; {low} to {high}", f"; {low} bis {high}")
    counts = column.values.value_counts()
    frequent = counts[counts >= _FEWEST_SHOWN].head(_VALUES_SHOWN)
    if not len(frequent):
        return Text("", "")
    return Text(f"; {_listed(frequent, column, 'en')}", f"; {_listed(frequent, column, 'de')}")


def _listed(frequent: pd.Series, column: Column, language: Language) -> str:
    parts = [f'"{str(v)[:_LONGEST_SHOWN]}" {percent(n / column.n_filled, language, 1)}' for v, n in frequent.items()]
    return ", ".join(parts)


def sentinel_of(column: Column) -> float | None:
    """-1, or 999 and the like far above all others, where many leads share it."""
    values = column.values.dropna()
    counts = values.value_counts()
    for value in (float(values.min()), float(values.max())):
        rest = values[values != value]
        lonely = value in (-1.0, -99.0, -999.0) or (value in (99.0, 999.0, 9999.0) and value > 3 * rest.quantile(0.99))
        if len(rest) and lonely and counts[value] >= max(_FEWEST_SHOWN, 0.005 * len(values)):
            return value
    return None
