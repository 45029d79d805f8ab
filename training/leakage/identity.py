"""Columns that name a lead instead of describing it, that identify a person, or that lie after the as-of date."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.definition import FieldType
from features.encode import MINIMUM_LEVEL_COUNT
from features.text import Text, percent, whole
from training.leakage.finding import Finding

FEWEST_CASES = 100
UNIQUE_LIMIT = 0.5
POOLED_LIMIT = 0.75
DISTINCT_NUMBERS = 0.95
ORDER_LIMIT = 0.9
PERSONAL_SHARE = 0.02
LATE_SHARE = 0.005  # a typing error here and there is no leak; it is noted
_FEWEST_LEVELS = 100
_E_MAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
_PHONE = r"(?:\+|00?)[1-9](?:[\s()/.-]{0,2}\d){6,13}"
_PERSONAL = re.compile(rf"^(?:{_E_MAIL}|{_PHONE})$")


def naming(name: str, column: pd.Series, kind: FieldType, order: pd.Series | None) -> Iterator[Finding]:
    """Near-unique values, running numbers, very many values."""
    values = column.dropna()
    if len(values) < FEWEST_CASES or kind in ("boolean", "date"):
        return
    if kind == "number":
        yield from _running_number(name, values, order)
        return
    counts = values.value_counts()
    distinct_share = len(counts) / len(values)
    pooled = float(counts[counts < MINIMUM_LEVEL_COUNT].sum() / len(values))
    if distinct_share >= UNIQUE_LIMIT:
        yield _near_unique(name, len(counts), len(values))
    elif pooled >= POOLED_LIMIT and len(counts) >= _FEWEST_LEVELS:
        yield _many_values(name, len(counts), pooled, len(values))


def personal(name: str, column: pd.Series, kind: FieldType) -> Iterator[Finding]:
    """A finding if the values look like e-mail addresses or phone numbers; no value is quoted."""
    values = column.dropna() if kind == "category" else column.iloc[:0]
    share = personal_share(values)
    if share < PERSONAL_SHARE:
        return
    yield Finding(
        name,
        "personal",
        "share_personal",
        share,
        PERSONAL_SHARE,
        len(values),
        Text(
            en=f"{percent(share, 'en')} of its values look like e-mail addresses or phone numbers",
            de=f"{percent(share, 'de')} seiner Werte sehen aus wie E-Mail-Adressen oder Telefonnummern",
        ),
        Text(
            "move it to [left_out]; derive a fact before the export, such as free_mail_provider",
            "nach [left_out] verschieben; vor dem Export eine Tatsache ableiten, etwa freemail_anbieter",
        ),
    )


def personal_share(values: pd.Series) -> float:
    """Share of the values that look like an e-mail address or a phone number."""
    if not len(values):
        return 0.0
    counts = values.astype("str").value_counts()
    looks = [bool(_PERSONAL.match(str(value).strip())) for value in counts.index]
    return float(counts[looks].sum() / len(values))


def late_dates(name: str, column: pd.Series, as_of: pd.Series) -> Iterator[Finding]:
    """A finding if dates lie after the as-of date; on the same day where the as-of date has no time of day."""
    both = column.notna() & as_of.notna()
    if not both.any():
        return
    moments, limits = column[both], as_of[both]
    whole_days = bool((limits - limits.dt.floor("D")).nunique() <= 2)  # midnight in summer and in winter time
    late = moments >= limits + pd.Timedelta(days=1) if whole_days else moments > limits
    if not late.any():
        return
    share, n = float(late.mean()), int(both.sum())
    yield Finding(
        name,
        "after_as_of",
        "share_late",
        share,
        LATE_SHARE,
        n,
        Text(
            en=f"{percent(share, 'en', 1)} of its {whole(n, 'en')} dates lie after the as-of date of their lead",
            de=f"{percent(share, 'de', 1)} seiner {whole(n, 'de')} Datumswerte liegen nach dem Stichtag ihres Leads",
        ),
        Text(
            "move it to [left_out]: it was not known when the lead was scored",
            "nach [left_out] verschieben: Es war bei der Bewertung nicht bekannt",
        ),
        "refuse" if share >= LATE_SHARE else "note",
    )


def _running_number(name: str, values: pd.Series, order: pd.Series | None) -> Iterator[Finding]:
    """Whole numbers, nearly all different, that rise with time or have all the same length."""
    number = values.to_numpy(dtype=np.float64)
    if not np.array_equal(number, np.floor(number)) or number.min() < 0:
        return
    n_distinct = len(np.unique(number))
    if n_distinct < DISTINCT_NUMBERS * len(number):
        return
    digits = np.unique(np.floor(np.log10(np.maximum(number, 1))))
    if _rises(values, order) or (len(digits) == 1 and digits[0] >= 4):
        yield _near_unique(name, n_distinct, len(number))


def _rises(values: pd.Series, order: pd.Series | None) -> bool:
    if order is None:
        return False
    joint = order.loc[values.index].rank().corr(values.rank())
    return bool(abs(joint) >= ORDER_LIMIT)


def _near_unique(name: str, n_distinct: int, n: int) -> Finding:
    return Finding(
        name,
        "near_unique",
        "distinct_share",
        n_distinct / n,
        UNIQUE_LIMIT,
        n,
        Text(
            en=f"{whole(n_distinct, 'en')} different values in {whole(n, 'en')} leads: it names leads, "
            "it does not describe them",
            de=f"{whole(n_distinct, 'de')} verschiedene Werte bei {whole(n, 'de')} Leads: Es benennt Leads, "
            "es beschreibt sie nicht",
        ),
        Text(
            "move it to [left_out], or make it `id`, `account` or `order` under [columns]",
            "nach [left_out] verschieben oder unter [columns] als `id`, `account` oder `order` angeben",
        ),
    )


def _many_values(name: str, n_levels: int, pooled: float, n: int) -> Finding:
    return Finding(
        name,
        "high_cardinality",
        "pooled_share",
        pooled,
        POOLED_LIMIT,
        n,
        Text(
            en=f"{whole(n_levels, 'en')} different values; {percent(pooled, 'en')} of the leads have one with fewer "
            f"than {MINIMUM_LEVEL_COUNT} cases and can only be pooled",
            de=f"{whole(n_levels, 'de')} verschiedene Werte; {percent(pooled, 'de')} der Leads haben einen mit weniger "
            f"als {MINIMUM_LEVEL_COUNT} Fällen und lassen sich nur zusammenfassen",
        ),
        Text("group the values before the export", "die Werte vor dem Export gruppieren"),
        "note",
    )
