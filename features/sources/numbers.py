"""Cells -> numbers, with the decimal sign found from the column itself.

"1.234" is a thousand in Berlin and little more than one in Boston; a cell like that has two readings. A cell like
"3,5" or "1.234,56" has one, and settles the column:

    cells of the column           decided           because
    "1.234", "3,5"                comma             "3,5" cannot be grouped thousands
    "1,234.50", "7"               point             both signs, the last one is the decimal sign
    "1.234.567"                   comma             a number has one decimal sign at most
    "0.125"                       point             no group of thousands begins with 0
    "1.234", "2.500"              ambiguous         every cell reads both ways: a person must say
    "1.5", "2.5", "3,5"           point, one bad    the majority decides, the rest is reported
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.sources.parsed import Mask, Parsed, as_text, mask, nothing
from features.text import Text

Decimal = Literal[".", ","]

SPACES = "\u00a0\u2007\u2009\u202f "
UNITS = {"€": "EUR", "EUR": "EUR", "$": "USD", "US$": "USD", "USD": "USD", "£": "GBP", "GBP": "GBP"}
UNITS |= {"CHF": "CHF", "FR.": "CHF", "SFR.": "CHF", "¥": "JPY", "JPY": "JPY", "%": "%"}
UNIT = r"(?:US\$|[€$£¥%]|EUR|USD|GBP|CHF|JPY|S?FR\.)"
SHAPE = (
    rf"^(?P<sign>[+-]?)[{SPACES}]*(?P<before>(?i:{UNIT})?)[{SPACES}]*(?P<inner>[+-]?)"
    rf"(?P<body>[0-9.,](?:[0-9.,'{SPACES}]*[0-9.,])?(?:[eE][+-]?[0-9]+)?)"
    rf"[{SPACES}]*(?P<trailing>-?)[{SPACES}]*(?P<after>(?i:{UNIT})?)$"
)
GROUPED = r"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
GROUPED_NEUTRALLY = "|".join(GROUPED.format(mark=mark) for mark in (f"[{SPACES}]", "'"))


@dataclass(frozen=True, slots=True)
class NumberEvidence:
    """What the cells of a column, or of a part of it, say about how all of them are to be read.

    Attributes
    ----------
    n_point, n_comma : int
        Cells that can only be read with a decimal point, and with a decimal comma.
    units : Counter of str
        How often each unit is written; "" is none, "?" several in a cell.
    """

    n_point: int = 0
    n_comma: int = 0
    units: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: NumberEvidence) -> NumberEvidence:
        return NumberEvidence(
            self.n_point + other.n_point, self.n_comma + other.n_comma, Counter(self.units) + other.units
        )

    @property
    def decimal(self) -> Decimal | None:
        """The decimal sign that more cells demand; None if no cell demands any."""
        if self.n_point == self.n_comma == 0:
            return None
        return "," if self.n_comma > self.n_point else "."

    def note(self, declared: Decimal | None) -> Text | None:
        """What settled the decimal sign, where it was settled by the column."""
        if self.decimal is None or declared is not None:
            return None
        n = self.n_comma if self.decimal == "," else self.n_point
        name = _DECIMALS[self.decimal]
        return Text(en=f"{name.en} (cells that settle it: {n})", de=f"{name.de} (Zellen, die das entscheiden: {n})")


def number_evidence(values: pd.Series) -> NumberEvidence:
    """What the cells say; nothing if they are numbers already."""
    return NumberEvidence() if pd.api.types.is_numeric_dtype(values.dtype) else _Cells.of(values).evidence()


def numbers(values: pd.Series, decimal: Decimal | None, evidence: NumberEvidence | None = None) -> Parsed:
    """`float64` values of the cells.

    Read are: a leading or SAP's trailing sign; thousands grouped by the other sign, by spaces of any width or by
    apostrophes; exponents; a currency sign or code, or a percent sign, before or after. "12 %" is 12, as written. A
    cell whose unit differs from the unit of most cells is bad: euros and dollars, or shares and percentages, do not
    make one column. Words such as inf and nan are bad, as is anything infinite.

    Parameters
    ----------
    values : pandas.Series
        `(n_rows,)` cells; numbers and booleans of a typed source pass through.
    decimal : "." or "," or None
        The decimal sign; None decides from the column (see the module).
    evidence : NumberEvidence, optional
        Of the whole column, where `values` are a part of it: whoever has it tells the note, too.

    Examples
    --------
    >>> numbers(pd.Series(["1.234", "3,5 €", "viel"]), None).values.tolist()
    [1234.0, 3.5, nan]
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _typed(values)
    cells = _Cells.of(values)
    found = evidence or cells.evidence()
    style = decimal or found.decimal
    well_formed = _one_sign(cells.parts) & cells.units_among(_accepted_units(found.units))
    both = cells.readings["."] & cells.readings[","]
    ambiguous = nothing(values) if style else well_formed & both & ~cells.alike
    read = _floats(cells.parts, style or ".", well_formed & cells.readings[style or "."] & ~ambiguous)
    bad = ~np.isfinite(read) & np.asarray(values.notna()) & ~ambiguous
    read[bad] = np.nan
    return Parsed(
        pd.Series(read, index=values.index, name=values.name),
        bad,
        ambiguous,
        found.note(decimal) if evidence is None else None,
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells taken apart.

    Attributes
    ----------
    readings : dict
        Which cells can be read with each decimal sign.
    alike : Mask
        Which of them are the same number either way.
    unit_names, unit_codes
        The units that are written, and which of them each cell has.
    """

    parts: pa.Array
    readings: dict[Decimal, Mask]
    alike: Mask
    unit_names: list[str]
    unit_codes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: pd.Series) -> _Cells:
        """The cells of a column of texts."""
        parts = pc.extract_regex(_ascii(as_text(values)), SHAPE)
        body = pc.struct_field(parts, "body")
        alike = mask(pc.match_substring_regex(body, rf"^(?:[0-9]+|{GROUPED_NEUTRALLY})(?:[eE][+-]?[0-9]+)?$"))
        return cls(parts, {sign: _readable(body, sign) for sign in (".", ",")}, alike, *_units(parts))

    def evidence(self) -> NumberEvidence:
        """What these cells say about the column."""
        point, comma = self.readings["."], self.readings[","]
        written = np.bincount(self.unit_codes, weights=mask(self.parts.is_valid()), minlength=len(self.unit_names))
        units: Counter[str] = Counter()
        for unit, n in zip(self.unit_names, written, strict=True):
            units[unit] += int(n)
        return NumberEvidence(int((point & ~comma).sum()), int((comma & ~point).sum()), units)

    def units_among(self, accepted: set[str]) -> Mask:
        """Cells whose unit is one of the column's."""
        among: Mask = np.array([unit in accepted for unit in self.unit_names], dtype=bool)[self.unit_codes]
        return among


def _typed(values: pd.Series) -> Parsed:
    read = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isinf(read)
    read = np.where(bad, np.nan, read)
    return Parsed(pd.Series(read, index=values.index, name=values.name), bad, nothing(values))


def _ascii(text: pa.Array) -> pa.Array:
    """The minus sign and the apostrophe as ASCII writes them."""
    return pc.replace_substring(pc.replace_substring(pc.utf8_trim_whitespace(text), "\u2212", "-"), "\u2019", "'")


def _style(decimal: Decimal) -> str:
    """The pattern of a number with this decimal sign; its groups of thousands all carry the same mark."""
    other = r"\." if decimal == "," else ","
    point = r"\." if decimal == "." else ","
    grouped = "|".join(GROUPED.format(mark=mark) for mark in (other, f"[{SPACES}]", "'"))
    return rf"^(?:(?:[0-9]+|{grouped})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def _readable(body: pa.Array, decimal: Decimal) -> Mask:
    return mask(pc.match_substring_regex(body, _style(decimal)))


def _one_sign(parts: pa.Array) -> Mask:
    lengths = [pc.utf8_length(pc.struct_field(parts, name)).fill_null(0) for name in ("sign", "inner", "trailing")]
    return np.asarray(sum(np.asarray(length) for length in lengths) <= 1, dtype=bool)


def _units(parts: pa.Array) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The units that are written, and which of them each cell has."""
    sides = [pc.utf8_upper(pc.struct_field(parts, name).fill_null("")) for name in ("before", "after")]
    written = pc.binary_join_element_wise(*sides, pa.scalar("", pa.large_string())).dictionary_encode()
    units = [UNITS.get(word, "?") if word else "" for word in written.dictionary.to_pylist()]
    return units, np.asarray(written.indices, dtype=np.int64)


def _accepted_units(times: Counter[str]) -> set[str]:
    """The units that one column may mix, given how often each is written: none and its usual one; percent, or none."""
    written = [unit for unit, _ in times.most_common() if unit not in {"", "?"}]
    if "%" in written:
        return {"%"} if times["%"] * 2 > times.total() else {""}
    return {"", *written[:1]}


def _floats(parts: pa.Array, decimal: Decimal, readable: Mask) -> Any:
    """`(n_rows,)` floats, NaN where the cell is not readable."""
    body = pc.if_else(pa.array(readable), pc.struct_field(parts, "body"), pa.scalar(None, pa.large_string()))
    body = pc.replace_substring_regex(body, rf"[{SPACES}'{'.' if decimal == ',' else ','}]", "")
    body = pc.replace_substring(body, ",", ".")
    read = pc.cast(body, pa.float64()).to_numpy(zero_copy_only=False).copy()
    signs = [pc.equal(pc.struct_field(parts, name), "-") for name in ("sign", "inner", "trailing")]
    minus = mask(signs[0]) | mask(signs[1]) | mask(signs[2])
    return np.where(minus, -read, read)


_DECIMALS: dict[Decimal, Text] = {
    ".": Text(en="decimal point", de="Dezimalpunkt"),
    ",": Text(en="decimal comma", de="Dezimalkomma"),
}
