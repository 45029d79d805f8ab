"""The one encoder: a frame of leads or a single record becomes rows of floats, by the same rules.

A number stays itself and is NaN where it is missing. A date becomes the days from it to the as-of date. A category or
a boolean becomes the code of its level: 0 is missing, 1 is pooled (rare in training, or never seen), 2 and up are the
levels in their stored order. So a category is never NaN, and a new value is an ordinary case with a history: the pool.

Days are counted between moments, with one exception: a value without a time of day, on the day of the other one, is
that moment, 0 days before it. What cannot be meant is refused in a record, whose sender can repair it: a date after
the as-of date, a text longer than `LONGEST_VALUE`. A frame holds a whole history, where one typing error must not
stop everything: there the date counts as missing and the text as pooled, and `features.history` says how many.
"""

from __future__ import annotations

import math
import reprlib
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from features.definition import LeadDefinition, LeadField
from features.errors import BundleError, Problem, RecordError
from features.text import Text, same

if TYPE_CHECKING:
    import pandas as pd

MISSING_CODE, POOLED_CODE, FIRST_LEVEL_CODE = 0, 1, 2
MINIMUM_LEVEL_COUNT = 20
BOOLEAN_LEVELS = ("false", "true")
LONGEST_VALUE = 200
MICROSECONDS_PER_DAY = 86_400_000_000
FIRST_YEAR, LAST_YEAR = 1900, 2199  # as in features.sources.dates, which needs libraries that scoring does without

Matrix = npt.NDArray[np.float64]
Reader: TypeAlias = Callable[[Any, datetime], float]  # a JSON value and the as-of date to its place in a row


@dataclass(frozen=True, slots=True)
class EncodedField:
    """How one field stands in a row.

    Attributes
    ----------
    kind : {"number", "category"}
        Booleans are categories with the levels "false" and "true"; dates are numbers (days).
    levels : tuple of str
        Of a category: level i has the code i + 2.
    direction : {-1, 0, 1}
        Of a number: which way the probability may move when it grows; 0 is either.
    """

    name: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()
    direction: int = 0


@dataclass(frozen=True, slots=True)
class EncodedRecord:
    """One lead as the model sees it, with what the encoder noticed.

    Attributes
    ----------
    row : ndarray of shape (n_fields,)
    missing : tuple of str
        Fields without a value.
    unknown : tuple of str
        Fields whose value was rare or never seen in training; it counts as the pool of such values.
    """

    row: Matrix
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


class Encoder:
    """Turns leads into rows, one column per field of the definition, in the definition's order.

    Parameters
    ----------
    definition : LeadDefinition
    levels : mapping of str to sequence of str
        For each category field, its levels; other fields need none.

    Attributes
    ----------
    names : tuple of str
        The fields in the order of a row.
    """

    def __init__(self, definition: LeadDefinition, levels: Mapping[str, Iterable[str]]) -> None:
        self.definition = definition
        self.fields = tuple(_encoded(name, f, levels) for name, f in definition.fields.items())
        self._codes = {
            field.name: {level: float(code) for code, level in enumerate(field.levels, FIRST_LEVEL_CODE)}
            for field in self.fields
        }
        self.names = tuple(field.name for field in self.fields)
        self._missing = {name: placeholders(definition, field) for name, field in definition.fields.items()}
        self._missing_numbers = {name: placeholder_numbers(texts) for name, texts in self._missing.items()}
        self._zone = ZoneInfo(definition.read.timezone)
        self._absent = [MISSING_CODE if field.kind == "category" else math.nan for field in self.fields]
        self._lowest_level = [FIRST_LEVEL_CODE if field.kind == "category" else -math.inf for field in self.fields]
        self._readers = {
            field.name: (column, self._reader(field, definition.fields[field.name]))
            for column, field in enumerate(self.fields)
        }

    def record(self, lead: Mapping[str, Any], as_of: datetime) -> EncodedRecord:
        """The lead's row; `lead` maps field names to JSON values, absent and null mean missing.

        Raises
        ------
        RecordError
            With every field that does not fit, its value, and what was expected.
        """
        values = self._absent.copy()
        try:
            for name, value in lead.items():
                if value is not None or name not in self._readers:
                    column, read = self._readers[name]
                    values[column] = read(value, as_of)
        except (KeyError, _MisfitError) as first:
            raise RecordError(self._problems(lead, as_of)) from first
        noticed = [
            (name, code)
            for name, code, lowest in zip(self.names, values, self._lowest_level, strict=True)
            if not code >= lowest  # also true for NaN
        ]
        missing = tuple(name for name, code in noticed if code != POOLED_CODE)
        unknown = tuple(name for name, code in noticed if code == POOLED_CODE)
        return EncodedRecord(np.array(values), missing, unknown)

    def frame(self, leads: pd.DataFrame, as_of: pd.Series) -> Matrix:
        """Rows of shape (n_leads, n_fields) for a typed frame of leads, as `features.history` makes it.

        A date after the as-of date counts as missing: nobody knew it then.
        """
        matrix = np.empty((len(leads), len(self.fields)))
        for position, field in enumerate(self.fields):
            column = leads[field.name]
            if field.kind == "category":
                places, levels = column.factorize()
                codes = [self._codes[field.name].get(level, POOLED_CODE) for level in levels]
                matrix[:, position] = np.array([*codes, MISSING_CODE])[places]  # the place of what is missing is -1
            elif self.definition.fields[field.name].type == "date":
                matrix[:, position] = days_before(as_of, column, self.definition.read.timezone)
            else:
                matrix[:, position] = column.to_numpy(dtype=float, na_value=math.nan)
        return matrix

    def to_dict(self) -> dict[str, list[str]]:
        """The levels of each category field, as plain data; the definition is stored beside it."""
        return {field.name: list(field.levels) for field in self.fields if field.kind == "category"}

    @classmethod
    def learn(cls, definition: LeadDefinition, leads: pd.DataFrame) -> Encoder:
        """An encoder whose levels are those with at least `MINIMUM_LEVEL_COUNT` cases in `leads` (training only)."""
        levels = {}
        for name, field in definition.fields.items():
            if field.type == "category":
                counts = leads[name].value_counts()
                often = (str(level) for level in counts.index[counts >= MINIMUM_LEVEL_COUNT])
                levels[name] = sorted(level for level in often if len(level) <= LONGEST_VALUE)  # no record has others
        return cls(definition, levels)

    def _problems(self, lead: Mapping[str, Any], as_of: datetime) -> list[Problem]:
        """Every field of the lead that does not fit: those that do not exist, then by the definition's order."""
        problems = [self._unknown_field(name, value) for name, value in lead.items() if name not in self._readers]
        for name, (_, read) in self._readers.items():
            value = lead.get(name)
            try:
                if value is not None:
                    read(value, as_of)
            except _MisfitError as misfit:
                problems.append(misfit.problem(name, value))
        return problems

    def _reader(self, field: EncodedField, agreed: LeadField) -> Reader:
        """How a value of this field is read: settled once, since it runs for every value of every lead."""
        if agreed.type == "number":
            return _number_reader(agreed, self._missing_numbers[field.name])
        if agreed.type == "boolean":
            return _boolean
        missing = self._missing[field.name]
        if agreed.type == "date":
            return _date_reader(missing, self._zone)
        return _category_reader(self._codes[field.name], missing)

    def _unknown_field(self, name: str, value: object) -> Problem:
        listed = ", ".join(self.names)
        return Problem(
            where=f"fields.{str(name)[:LONGEST_VALUE]}",
            what=Text("the definition has no such field", "die Definition kennt dieses Feld nicht"),
            expected=Text(f"one of: {listed}", f"eines von: {listed}"),
            seen=shown(value),
            code="unknown_field",
        )


class _MisfitError(Exception):
    """A value that does not fit; becomes a Problem where the field's name is known."""

    def __init__(self, expected: Text) -> None:
        self.expected = expected

    def problem(self, name: str, value: object) -> Problem:
        return Problem(
            where=f"fields.{name}",
            what=Text("the value does not fit the field", "der Wert passt nicht zum Feld"),
            seen=shown(value),
            expected=self.expected,
            code="invalid_value",
        )


LONGEST_SHOWN = 80
_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = LONGEST_SHOWN


def shown(value: object) -> str:
    """A value as it may stand in an answer, shortened: texts in single quotes, which need no escaping in JSON."""
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    # Neither a long text nor a large object costs more than what is shown of it.
    text = repr(value[:LONGEST_SHOWN]) if isinstance(value, str) else _brief.repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def placeholders(definition: LeadDefinition, field: LeadField) -> frozenset[str]:
    """The texts that mean "not answered" in this field; an empty text always does."""
    return frozenset(level_of(text) for text in ("", *definition.read.missing, *field.missing))


def placeholder_numbers(texts: Iterable[str]) -> frozenset[float]:
    """The placeholders that are numbers, such as -1 for "never": a number equal to one of them is missing."""
    return frozenset(number for text in texts if (number := _as_number(text)) is not None)


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def level_of(text: str) -> str:
    """A category's value without white space around it, its letters composed: ü is one character, not u and two dots.

    >>> level_of(" Thu\u0308ringen ") == "Th\u00fcringen"
    True
    """
    return unicodedata.normalize("NFC", text.strip())


def _encoded(name: str, field: LeadField, levels: Mapping[str, Iterable[str]]) -> EncodedField:
    if field.type == "boolean":
        return EncodedField(name, "category", BOOLEAN_LEVELS)
    if field.type == "category":
        if name not in levels:
            raise BundleError(f"The encoder has no levels for the field {name!r} of its own definition.")
        return EncodedField(name, "category", tuple(levels[name]))
    return EncodedField(name, "number", direction={"up": 1, "down": -1, None: 0}[field.direction])


_A_DATE = Text(
    "a date such as 2026-01-31 or 2026-01-31T09:30:00Z, not after the as-of date",
    "ein Datum wie 2026-01-31 oder 2026-01-31T09:30:00Z, nicht nach dem Stichtag",
)
_A_TEXT = Text(f"a text of at most {LONGEST_VALUE} characters", f"ein Text mit höchstens {LONGEST_VALUE} Zeichen")


def _category_reader(codes: Mapping[str, float], missing: frozenset[str]) -> Reader:
    ready = {**codes, **dict.fromkeys(missing, float(MISSING_CODE))}

    def read(value: Any, _: datetime) -> float:
        code = ready.get(value) if value.__class__ is str else None
        return _level_code(value, ready) if code is None else code

    return read


def _level_code(value: Any, ready: Mapping[str, float]) -> float:
    """The code of a text that is not written exactly as a level is."""
    if not isinstance(value, str) or len(level := level_of(value)) > LONGEST_VALUE:
        raise _MisfitError(_A_TEXT)
    return ready.get(level, POOLED_CODE)


def _number_reader(agreed: LeadField, missing: frozenset[float]) -> Reader:
    low = -sys.float_info.max if agreed.at_least is None else agreed.at_least
    high = sys.float_info.max if agreed.at_most is None else agreed.at_most

    def read(value: Any, _: datetime) -> float:
        kind = value.__class__
        if (kind is float or kind is int) and low <= value <= high and value not in missing:
            return float(value)
        return _number(value, agreed, missing)

    return read


def _number(value: Any, agreed: LeadField, missing: frozenset[float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _MisfitError(Text("a number, not in quotes", "eine Zahl, ohne Anführungszeichen"))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _MisfitError(Text("a finite number", "eine endliche Zahl"))
    if number in missing:
        return math.nan
    if (agreed.at_least is not None and number < agreed.at_least) or (
        agreed.at_most is not None and number > agreed.at_most
    ):
        raise _MisfitError(number_range(agreed))
    return number


def number_range(agreed: LeadField) -> Text:
    """The plausible range of a number in words."""
    low = f"≥ {agreed.at_least:g}" if agreed.at_least is not None else ""
    high = f"≤ {agreed.at_most:g}" if agreed.at_most is not None else ""
    return same(", ".join(bound for bound in (low, high) if bound))


def _boolean(value: Any, _: datetime) -> float:
    if not isinstance(value, bool):
        raise _MisfitError(same("true / false"))
    return float(FIRST_LEVEL_CODE + value)


def _date_reader(missing: frozenset[str], zone: ZoneInfo) -> Reader:
    def read(value: Any, as_of: datetime) -> float:
        if isinstance(value, str) and level_of(value) in missing:
            return math.nan
        return _days_before(value, as_of, zone)

    return read


def _days_before(value: Any, as_of: datetime, zone: ZoneInfo) -> float:
    if not isinstance(value, str):
        raise _MisfitError(_A_DATE)
    try:
        moment = moment_of(value.strip(), zone)
    except ValueError as error:
        raise _MisfitError(_A_DATE) from error
    if _on_one_day(moment, as_of, zone):
        return 0.0
    if moment > as_of:
        raise _MisfitError(_A_DATE)
    gap = as_of - moment
    return (gap.days * MICROSECONDS_PER_DAY + gap.seconds * 1_000_000 + gap.microseconds) / MICROSECONDS_PER_DAY


def moment_of(text: str, zone: ZoneInfo) -> datetime:
    """The moment in UTC that an ISO date or date-time names; without an offset it is meant in `zone`.

    By the rules of `features.sources.dates`: a time that the end of summer time repeats is the earlier of the two, one
    that its beginning skips is the first moment after the gap, and the years are 1900 to 2199.

    Raises
    ------
    ValueError
        If the text is neither, or its year is none of those.
    """
    is_date = len(text) == len("2026-01-31")
    moment = datetime.combine(date.fromisoformat(text), time()) if is_date else datetime.fromisoformat(text)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{text!r} is not a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC) if moment.tzinfo else _from_local(moment, zone)


def _from_local(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC of a time on the clocks of `zone`."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # The clocks skip this time. Python reads it with the offset before the gap, or with fold=1 with the one after it:
    # the clocks are changed between the two.
    start = local.replace(tzinfo=zone, fold=1, microsecond=0).astimezone(UTC)
    seconds = range(math.ceil((moment - start).total_seconds()) + 1)
    offset = start.astimezone(zone).utcoffset()
    changed = bisect_left(
        seconds, 1, key=lambda second: (start + timedelta(seconds=second)).astimezone(zone).utcoffset() != offset
    )
    return start + timedelta(seconds=changed)


def _on_one_day(moment: datetime, as_of: datetime, zone: ZoneInfo) -> bool:
    """Whether both lie on one day of the zone's calendar and at least one of them has no time of day."""
    day = moment.astimezone(zone).date()
    if day != as_of.astimezone(zone).date():
        return False
    return _from_local(datetime.combine(day, time()), zone) in (moment, as_of)


def days_before(as_of: pd.Series, column: pd.Series, timezone: str) -> Matrix:
    """Days from each date to the as-of date, shape (n_leads,), as for one record; NaN where missing or after it."""
    gap = (as_of - column).astype("timedelta64[us]")
    days = gap.astype("int64").to_numpy() / MICROSECONDS_PER_DAY
    days = np.where(_on_one_day_each(as_of, column, timezone), 0.0, days)
    return np.where(gap.isna() | (days < 0), math.nan, days)


def _on_one_day_each(as_of: pd.Series, column: pd.Series, timezone: str) -> npt.NDArray[np.bool_]:
    """As `_on_one_day`, for each lead."""
    start = _start_of_day(column, timezone)
    same_day = start == _start_of_day(as_of, timezone)
    return np.asarray(same_day & ((column == start) | (as_of == start)), dtype=np.bool_)


def _start_of_day(moments: pd.Series, timezone: str) -> pd.Series:
    """The first moment of each one's day: the earlier midnight where there are two, after the gap where none is."""
    day = moments.dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    earlier = np.ones(len(day), dtype=bool)
    start: pd.Series = day.dt.tz_localize(timezone, ambiguous=earlier, nonexistent="shift_forward")
    return start
