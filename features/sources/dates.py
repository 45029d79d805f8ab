"""Cells -> moments in UTC, with the order of day and month found from the column itself.

Written year first (ISO 8601, `2024-03-31`, `20240331`, `2024/03/31`) or with points (`31.03.2024`, which only the
German order uses) a date has one reading. With slashes or hyphens, `03/04/2024` has two; `31/03/2024` has one and
settles the column, and without such a cell every date with two readings is ambiguous.
A two-digit year stands for 1969 to 2068, as in POSIX.

Time zones. A cell with `Z` or an offset says its own. Any other is local time in the zone that the caller names.
A date without a time is the local midnight. A time that the end of summer time repeats is the earlier of the two;
one that its beginning skips is the first moment after the gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.sources.parsed import Mask, Parsed, as_text, mask, nothing
from features.text import Text

Order = Literal["ymd", "dmy", "mdy"]
Integers = npt.NDArray[np.int64]

FIRST_YEAR, LAST_YEAR = 1900, 2199
TIME = (
    r"(?:(?:[T ]|, ?| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?(?: Uhr)?)?$"
)
YEAR_FIRST = r"^(?P<y>[0-9]{4})[-/.](?P<a>[0-9]{1,2})[-/.](?P<b>[0-9]{1,2})" + TIME
COMPACT = r"^(?P<y>[0-9]{4})(?P<a>[0-9]{2})(?P<b>[0-9]{2})" + TIME
POINTS = r"^(?P<a>[0-9]{1,2})\. ?(?P<b>[0-9]{1,2})\. ?(?P<y>[0-9]{4}|[0-9]{2})" + TIME
SLASHES = r"^(?P<a>[0-9]{1,2})[/-](?P<b>[0-9]{1,2})[/-](?P<y>[0-9]{4}|[0-9]{2})" + TIME
ORDER_WORDS = {
    "dmy": Text(en="day before month", de="Tag vor Monat"),
    "mdy": Text(en="month before day", de="Monat vor Tag"),
}


@dataclass(frozen=True)
class Fields:
    """The digits of every cell that a pattern matched; the rest is zero and `matched` is False there.

    `a` and `b` are the two fields beside the year as written; `time_us` and `offset_us` are microseconds.
    """

    matched: Mask
    year: Integers
    a: Integers
    b: Integers
    time_us: Integers
    offset_us: Integers
    has_zone: Mask
    time_fits: Mask


@dataclass(frozen=True, slots=True)
class DateEvidence:
    """How many cells of a column, or of a part of it, can only be read with the day, or with the month, first."""

    n_day_first: int = 0
    n_month_first: int = 0

    def __add__(self, other: DateEvidence) -> DateEvidence:
        return DateEvidence(self.n_day_first + other.n_day_first, self.n_month_first + other.n_month_first)

    @property
    def order(self) -> Order | None:
        """The order that more cells demand; None if none does."""
        if self.n_day_first == self.n_month_first == 0:
            return None
        return "dmy" if self.n_day_first >= self.n_month_first else "mdy"

    def note(self, declared: Order | None) -> Text | None:
        """What settled the order of day and month, where it was settled by the column."""
        if self.order is None or declared is not None:
            return None
        n, words = max(self.n_day_first, self.n_month_first), ORDER_WORDS[self.order]
        return Text(en=f"{words.en} (dates that settle it: {n})", de=f"{words.de} (Daten, die das entscheiden: {n})")


def date_evidence(values: pd.Series) -> DateEvidence:
    """What the cells say; nothing if they are dates or numbers already."""
    if values.dtype not in ("str", object):
        return DateEvidence()
    codes, distinct = pd.factorize(values)
    slashed = _fields(pc.utf8_trim_whitespace(as_text(pd.Series(distinct))), SLASHES)
    return _evidence(slashed, np.bincount(codes + 1)[1:])


def dates(values: pd.Series, order: Order | None, timezone: str, evidence: DateEvidence | None = None) -> Parsed:
    """`datetime64[us, UTC]` values of the cells.

    Bad are: months and days that the calendar does not have, years outside of 1900 to 2199 (0001 and 9999 stand
    for "never" in many systems), and bare numbers: an Excel serial is not guessed.

    Parameters
    ----------
    values : pandas.Series
        `(n_rows,)` cells; dates of a typed source pass through, local times among them read in `timezone`.
    order : "ymd", "dmy", "mdy" or None
        The order of dates that are not written year first; with "ymd" those are bad. None decides from the column.
    timezone : str
        IANA name of the zone of cells that name none.
    evidence : DateEvidence, optional
        Of the whole column, where `values` are a part of it: whoever has it tells the note, too.

    Examples
    --------
    >>> dates(pd.Series(["31.03.2024 14:30"]), None, "Europe/Berlin").values[0].isoformat()
    '2024-03-31T12:30:00+00:00'
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(values.dtype):
        return _typed(values, timezone)
    codes, distinct = pd.factorize(values)
    parsed, bad, ambiguous, note = _texts(pd.Series(distinct), order, timezone, np.bincount(codes + 1)[1:], evidence)
    moments = pd.Series(parsed.take(codes, allow_fill=True), index=values.index, name=values.name)
    return Parsed(moments, np.append(bad, False)[codes], np.append(ambiguous, False)[codes], note)


def _typed(values: pd.Series, timezone: str) -> Parsed:
    local = values.dt.tz_localize(None) if values.dt.tz is not None else values
    moments = values.dt.tz_convert("UTC") if values.dt.tz is not None else _localised(values.array, timezone)
    read = pd.Series(moments, index=values.index, name=values.name).dt.as_unit("us")
    bad = np.asarray(values.notna() & ~local.dt.year.between(FIRST_YEAR, LAST_YEAR))
    return Parsed(read.mask(bad), bad, nothing(values))


def _texts(
    distinct: pd.Series, order: Order | None, timezone: str, counts: Integers, evidence: DateEvidence | None
) -> tuple[pd.api.extensions.ExtensionArray, Mask, Mask, Text | None]:
    """Moments, bad and ambiguous cells of the different texts of a column, `counts` of each in it."""
    numeric = pd.api.types.is_numeric_dtype(distinct.dtype)
    text = pc.utf8_trim_whitespace(as_text(distinct if not numeric else pd.Series([""] * len(distinct), dtype="str")))
    slashed = _fields(text, SLASHES)
    found = evidence or _evidence(slashed, counts)
    slash_order = order or found.order
    ambiguous = nothing(distinct) if slash_order else _reads_both_ways(slashed)
    local_us, fits = np.zeros(len(distinct), dtype=np.int64), nothing(distinct)
    offset_us, has_zone = local_us.copy(), fits.copy()
    families: tuple[tuple[str, Order], ...] = (
        (YEAR_FIRST, "ymd"),
        (COMPACT, "ymd"),
        (POINTS, order or "dmy"),
        (SLASHES, slash_order or "dmy"),
    )
    for pattern, family_order in families:
        fields = slashed if pattern == SLASHES else _fields(text, pattern)
        days, valid = _days(fields, family_order, year_first=pattern in (YEAR_FIRST, COMPACT))
        local_us = np.where(valid, days * 86_400_000_000 + fields.time_us, local_us)
        offset_us, has_zone = (
            np.where(valid, fields.offset_us, offset_us),
            has_zone | (valid & fields.has_zone),
        )
        fits |= valid
    moments = _utc(local_us, fits & ~ambiguous, offset_us, has_zone, timezone)
    return moments, ~fits & ~ambiguous, ambiguous, found.note(order) if evidence is None else None


def _utc(
    local_us: Integers, fits: Mask, offset_us: Integers, has_zone: Mask, timezone: str
) -> pd.api.extensions.ExtensionArray:
    local = local_us.astype("datetime64[us]")
    local[~fits] = np.datetime64("NaT")
    named = pd.DatetimeIndex(local - offset_us.astype("timedelta64[us]")).tz_localize("UTC")
    unnamed = _localised(pd.DatetimeIndex(np.where(has_zone, np.datetime64("NaT"), local)), timezone)
    return named.where(has_zone, unnamed).array


def _localised(local: pd.DatetimeIndex | pd.api.extensions.ExtensionArray, timezone: str) -> pd.DatetimeIndex:
    """Local times as UTC by the rule of the module: the earlier of two, the first moment after a gap."""
    earlier = np.ones(len(local), dtype=bool)
    index = pd.DatetimeIndex(local)
    return index.tz_localize(timezone, ambiguous=earlier, nonexistent="shift_forward").tz_convert("UTC")


def _evidence(slashed: Fields, counts: Integers) -> DateEvidence:
    """What texts of these fields say, `counts` of each."""
    day_first, month_first = _days(slashed, "dmy")[1], _days(slashed, "mdy")[1]
    return DateEvidence(int(counts[day_first & ~month_first].sum()), int(counts[month_first & ~day_first].sum()))


def _reads_both_ways(slashed: Fields) -> Mask:
    both: Mask = _days(slashed, "dmy")[1] & _days(slashed, "mdy")[1] & (slashed.a != slashed.b)
    return both


def _days(fields: Fields, order: Order, *, year_first: bool = False) -> tuple[Integers, Mask]:
    """Days since 1970 and which cells are a date of the calendar within the years that are read."""
    month, day = (fields.a, fields.b) if year_first or order == "mdy" else (fields.b, fields.a)
    fits = fields.matched & fields.time_fits & (month >= 1) & (month <= 12) & (day >= 1)
    fits &= (fields.year >= FIRST_YEAR) & (fields.year <= LAST_YEAR)
    if order == "ymd" and not year_first:
        fits = np.zeros_like(fits)
    months = np.where(fits, (fields.year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first, next_first = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    fits &= day <= (next_first - first).astype(np.int64)
    return first.astype(np.int64) + day - 1, fits


def _fields(text: pa.Array, pattern: str) -> Fields:
    parts = pc.extract_regex(text, pattern)
    year = _integers(parts, "y")
    short = mask(pc.equal(pc.utf8_length(pc.struct_field(parts, "y")), 2))
    year = np.where(short, np.where(year < 69, 2000 + year, 1900 + year), year)
    time_us, time_fits = _time_of_day(parts)
    offset_us, has_zone, zone_fits = _offset(parts)
    a, b, matched = _integers(parts, "a"), _integers(parts, "b"), mask(parts.is_valid())
    return Fields(matched, year, a, b, time_us, offset_us, has_zone, time_fits & zone_fits)


def _time_of_day(parts: pa.Array) -> tuple[Integers, Mask]:
    """Microseconds since midnight, and which cells are a time of the clock."""
    hour, minute, second = (_integers(parts, name) for name in ("hour", "minute", "second"))
    fraction = pc.utf8_slice_codeunits(pc.struct_field(parts, "fraction").fill_null(""), 0, 6)
    micros = _as_integers(pc.utf8_rpad(fraction, 6, "0"))
    half = pc.utf8_lower(pc.struct_field(parts, "half").fill_null(""))
    twelve = mask(pc.not_equal(half, ""))
    fits = (hour < 24) & (minute < 60) & (second < 60) & (~twelve | ((hour >= 1) & (hour <= 12)))
    hour = np.where(twelve, hour % 12 + 12 * mask(pc.equal(half, "p")), hour)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros, fits


def _offset(parts: pa.Array) -> tuple[Integers, Mask, Mask]:
    """Microseconds east of UTC, which cells name a zone, and which of the named ones can exist."""
    zone = pc.struct_field(parts, "zone").fill_null("")
    has_zone = mask(pc.not_equal(zone, ""))
    digits = pc.replace_substring_regex(zone, "[^0-9]", "")
    hours = _as_integers(pc.utf8_slice_codeunits(digits, 0, 2))
    minutes = _as_integers(pc.utf8_slice_codeunits(digits, 2, 4))
    sign = np.where(mask(pc.starts_with(zone, "-")), -1, 1)
    return sign * (hours * 60 + minutes) * 60_000_000, has_zone, (hours <= 14) & (minutes < 60)


def _integers(parts: pa.Array, name: str) -> Integers:
    return _as_integers(pc.struct_field(parts, name).fill_null(""))


def _as_integers(digits: pa.Array) -> Integers:
    """Integers; zero where there are no digits."""
    filled = pc.if_else(pc.equal(digits, ""), "0", digits)
    return np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)
