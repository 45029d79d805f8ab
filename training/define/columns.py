"""What each column of an unknown export holds: its type, how it says "not answered", how full it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from features.definition import FieldType
from features.definition.rules import is_personal
from features.sources.booleans import booleans
from features.sources.dates import dates
from features.sources.numbers import numbers
from features.sources.parsed import Parsed
from training.define import words
from training.leakage.identity import PERSONAL_SHARE, personal_share
from training.leakage.names import name_words

SAMPLE_VALUES = 2_000
STYLE_VALUES = 500
MOST_ODD_WORDS = 3  # so many different words among numbers or dates are placeholders; more make it a category
ODD_SHARE = 0.5
TIMEZONE = "Europe/Berlin"

Decimal = Literal[".", ","]
Order = Literal["dmy", "mdy"]


@dataclass(frozen=True, slots=True)
class Style:
    """How numbers and dates are written where the cells of a column leave it open; None where nothing is open."""

    decimal: Decimal | None = None
    dates: Order | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of an export.

    Attributes
    ----------
    kind : FieldType or None
        None if no cell is filled.
    values : pandas.Series
        Typed: numbers float64, dates datetime UTC, categories and booleans text as written; missing is NA.
    placeholders, doubtful : tuple of str
        Words among the cells that mean "not answered", and words that may.
    missing : tuple of str
        Words among numbers or dates that stand for a gap, of this column only.
    personal : bool
        Name or values say that it identifies a person; then no value of it is ever shown.
    """

    name: str
    kind: FieldType | None
    values: pd.Series
    placeholders: tuple[str, ...]
    doubtful: tuple[str, ...]
    missing: tuple[str, ...]
    personal: bool

    @property
    def words(self) -> str:
        """The words of its name in lower case."""
        return name_words(self.name)

    @property
    def n_rows(self) -> int:
        """Cells, empty ones included."""
        return len(self.values)

    @property
    def n_filled(self) -> int:
        """Cells with an answer."""
        return int(self.values.notna().sum())

    @property
    def n_distinct(self) -> int:
        """Different answers."""
        return int(self.values.nunique())

    @property
    def is_complete(self) -> bool:
        """Whether every cell has an answer."""
        return self.n_filled == self.n_rows

    @property
    def is_unique(self) -> bool:
        """Whether every cell has an answer of its own."""
        return self.is_complete and self.n_distinct == self.n_rows


def read_columns(frame: pd.DataFrame, *, separator: str | None = None) -> tuple[tuple[Column, ...], Style]:
    """The columns of a raw frame, and the style to declare because some cells read both ways.

    Parameters
    ----------
    frame : pandas.DataFrame
        `(n_rows, n_columns)` as `features.sources` reads it, without any placeholder declared.
    separator : str, optional
        The character between cells: exports with `;` come from systems that write decimal commas.
    """
    raw = {str(name): frame[name] for name in frame.columns}
    style = _style(raw, separator)
    return tuple(read_column(name, values, style) for name, values in raw.items()), style


def read_column(name: str, raw: pd.Series, style: Style = Style()) -> Column:
    """The column with its type guessed from all of its cells."""
    counts = _cells(raw).value_counts()
    seen = [str(word) for word in counts.index[:500]]
    placeholders = tuple(word for word in seen if word.casefold() in words.PLACEHOLDERS)
    doubtful = tuple(word for word in seen if word.casefold() in words.DOUBTFUL)
    answered = raw.mask(_cells(raw).isin(placeholders)) if placeholders else raw
    kind, values, missing = _typed(name, answered, style)
    personal = is_personal(name) or (kind == "category" and personal_share(values.dropna()) >= PERSONAL_SHARE)
    return Column(name, kind, values, placeholders, tuple(w for w in doubtful if w not in missing), missing, personal)


def _cells(raw: pd.Series) -> pd.Series:
    """The cells as text, if they are text; a typed source has no placeholders."""
    return raw.str.strip() if raw.dtype == "str" else pd.Series([], dtype="str")


def _typed(name: str, raw: pd.Series, style: Style) -> tuple[FieldType | None, pd.Series, tuple[str, ...]]:
    if not raw.notna().any():
        return None, raw, ()
    if pd.api.types.is_bool_dtype(raw.dtype) or _is_boolean(raw):
        return "boolean", raw.astype("str").where(raw.notna()), ()
    if pd.api.types.is_datetime64_any_dtype(raw.dtype):
        return "date", dates(raw, None, TIMEZONE).values, ()
    if pd.api.types.is_numeric_dtype(raw.dtype):
        return "number", numbers(raw, None).values, ()
    return _typed_text(name, raw, style)


def _typed_text(name: str, raw: pd.Series, style: Style) -> tuple[FieldType, pd.Series, tuple[str, ...]]:
    compact = _is_compact_date(raw)
    if not compact and not _is_code(name, raw):
        missing = _odd_words(raw, "number", style)
        if missing is not None:
            return "number", numbers(raw.mask(raw.str.strip().isin(missing)), style.decimal).values, missing
    missing = _odd_words(raw, "date", style) if compact or not raw.str.isdigit().all() else None
    if missing is not None:
        return "date", dates(raw.mask(raw.str.strip().isin(missing)), style.dates, TIMEZONE).values, missing
    return "category", raw.str.strip(), ()


def _is_boolean(raw: pd.Series) -> bool:
    distinct = pd.Series(raw.dropna().unique())
    return len(distinct) <= 4 and not booleans(distinct).bad.any()


def _odd_words(raw: pd.Series, kind: Literal["number", "date"], style: Style) -> tuple[str, ...] | None:
    """The few words among the cells that are not of this kind; None if it is not of this kind at all."""
    counts = raw.dropna().str.strip().value_counts()
    if len(_unreadable(pd.Series(counts.index[:SAMPLE_VALUES], dtype="str"), kind, style)) > MOST_ODD_WORDS:
        return None
    odd = _unreadable(pd.Series(counts.index, dtype="str"), kind, style)
    if len(odd) > MOST_ODD_WORDS or counts[odd].sum() > ODD_SHARE * counts.sum():
        return None
    if any(any(character.isdigit() for character in word) for word in odd) or len(odd) == len(counts):
        return None
    return tuple(odd)


def _unreadable(distinct: pd.Series, kind: Literal["number", "date"], style: Style) -> list[str]:
    parsed = numbers(distinct, style.decimal) if kind == "number" else dates(distinct, style.dates, TIMEZONE)
    return [str(word) for word in distinct[parsed.bad | parsed.ambiguous]]


def _is_compact_date(raw: pd.Series) -> bool:
    """Whether all cells are eight digits that are days of our time, as 20240331."""
    distinct = pd.Series(raw.dropna().unique(), dtype="str")
    if not distinct.str.fullmatch(r"(?:19[89]|20[0-4])\d{5}").all():
        return False
    return not dates(distinct, None, TIMEZONE).bad.any()


def _is_code(name: str, raw: pd.Series) -> bool:
    """Whether digits name something: leading zeros, or a name such as PLZ."""
    filled = raw.dropna()
    led = filled.str.match(r"0\d").any() and filled.str.isdigit().all()
    return bool(led) or bool(words.CODE_NAMED.search(name_words(name)) and filled.str.isdigit().all())


def _style(raw: Mapping[str, pd.Series], separator: str | None) -> Style:
    """What to declare where cells such as 1.234 or 03/04/2024 read both ways, judged by the other columns."""
    samples = [_digits(values) for values in raw.values() if values.dtype == "str"]
    decimal: Decimal | None = None
    order: Order | None = None
    if any(_is_open(numbers(sample, None)) for sample in samples):
        votes = sum(_only(sample, ",") - _only(sample, ".") for sample in samples)
        decimal = "," if votes > 0 or (votes == 0 and separator == ";") else "."
    if any(_is_open(dates(sample, None, TIMEZONE)) for sample in samples):
        month_first = sum(_only_order(sample, "mdy") - _only_order(sample, "dmy") for sample in samples) > 0
        order = "mdy" if month_first else "dmy"
    return Style(decimal, order)


def _digits(values: pd.Series) -> pd.Series:
    """Some different cells of a column of numbers or dates; none of a column whose cells hold other words."""
    distinct = pd.Series(values.dropna().unique()[:STYLE_VALUES], dtype="str")
    return distinct if len(distinct) and distinct.str.contains(r"\d").mean() > ODD_SHARE else distinct.iloc[:0]


def _is_open(parsed: Parsed) -> bool:
    return bool(parsed.ambiguous.any()) and int(parsed.bad.sum()) <= MOST_ODD_WORDS


def _only(sample: pd.Series, sign: Decimal) -> bool:
    """Whether the cells are numbers with this decimal sign and not with the other."""
    other: Decimal = "." if sign == "," else ","
    return len(sample) > 0 and not numbers(sample, sign).bad.any() and bool(numbers(sample, other).bad.any())


def _only_order(sample: pd.Series, order: Order) -> bool:
    other: Order = "mdy" if order == "dmy" else "dmy"
    return (
        len(sample) > 0
        and not dates(sample, order, TIMEZONE).bad.any()
        and bool(dates(sample, other, TIMEZONE).bad.any())
    )
