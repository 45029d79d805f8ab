"""From a raw export to leads in the definition's words.

Every column gets its meaning and its type here, and everything that does not fit is reported at once, with file,
column, row numbers, the values seen and what was expected. Nothing is guessed silently and nothing is repaired.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.definition import LeadDefinition, LeadField
from features.encode import LONGEST_VALUE, days_before, level_of, number_range, placeholder_numbers, placeholders
from features.errors import HistoryError, Problem
from features.sources import RawTable, Source
from features.sources.booleans import booleans
from features.sources.dates import DateEvidence, dates
from features.sources.files import Files
from features.sources.numbers import NumberEvidence, numbers
from features.sources.options import ReadOptions
from features.sources.parsed import Parsed
from features.text import Text, whole

Mask = npt.NDArray[np.bool_]
DATES = ("created", "closed", "as_of")
KNOWN_BEFORE = ("id", "account", "created", "as_of", "order")
CountedWords: TypeAlias = Callable[[str, int], Text]  # a column and a number of its values to a note


@dataclass(frozen=True, slots=True)
class LeftOutRows:
    """Leads that a rule keeps out, and how many."""

    reason: Text
    n: int


@dataclass(frozen=True)
class History:
    """Leads and what became of them, typed.

    Attributes
    ----------
    frame : DataFrame
        One row per lead: `lead_id`, `account` (str), `created`, `as_of`, `closed` (datetime UTC or NaT), `outcome`
        ("won", "lost", "open"), `value`, `order`, `worked_chance` (float; 1 where the definition names no column, NaN
        where nobody worked the lead), and one column per field: numbers float64, categories and booleans str ("true",
        "false"), dates datetime UTC. Missing is NaN, NaT or NA.
    data_end : datetime or None
        The moment until which outcomes were recorded, exclusive; None without dates.
    notes : tuple of Text
        How the export was read.
    exports : tuple of str
        The ids of the service's exports that the leads come from.
    """

    definition: LeadDefinition
    frame: pd.DataFrame
    data_end: datetime | None
    left_out: tuple[LeftOutRows, ...]
    notes: tuple[Text, ...]
    exports: tuple[str, ...] = ()


def files_of(definition: LeadDefinition, pattern: str | list[str]) -> Files:
    """The files of `pattern`, to be read as the definition says."""
    read = definition.read
    return Files(pattern, ReadOptions(separator=read.separator, encoding=read.encoding, missing=read.missing))


def read_history(definition: LeadDefinition, source: Source, *, now: datetime | None = None) -> History:
    """The history that `source` holds, in the definition's words.

    Parameters
    ----------
    definition : LeadDefinition
    source : Source
    now : datetime, optional
        With it, a creation or a closing that lies later is a problem unless `read.data_end` is agreed on: the latest
        of them says until when outcomes were recorded. None is for data that may be ahead of the clock: simulated.

    Raises
    ------
    HistoryError
        With every problem of the export.
    """
    return Reader(definition, source.read(), now).history()


def read_leads(
    definition: LeadDefinition, source: Source, *, tell: Callable[[Text], object] = lambda _note: None
) -> pd.DataFrame:
    """The leads that `source` holds, to be scored: as `History.frame`, without a look at what became of them.

    `tell` is given each note on how the export was read.

    Raises
    ------
    HistoryError
        With every problem of the export; outcome, closing date and value may be missing.
    """
    reader = Reader(definition, source.read())
    leads = reader.leads()
    for note in (*reader.notes, *told(reader.counted)):
        tell(note)
    return leads


@dataclass(frozen=True)
class Settled:
    """What only a whole export can say, for whoever reads it in parts (features/lead_parts.py).

    Attributes
    ----------
    columns : tuple of str
        All that the export has.
    numbers, dates : mapping of str to evidence
        By column: what all of its cells say about how each is to be read.
    repeated_ids : frozenset of str
        The ids that stand in it more than once.
    """

    columns: tuple[str, ...]
    numbers: Mapping[str, NumberEvidence]
    dates: Mapping[str, DateEvidence]
    repeated_ids: frozenset[str]
    several_files: bool


class Reader:
    """Reads one export, or a part of one, column by column and collects what does not fit.

    Attributes
    ----------
    problems : list of Problem
    notes : list of Text
        How the rows were read.
    counted : Counter
        How many values a note is about, by the note's words and the column.
    """

    def __init__(
        self,
        definition: LeadDefinition,
        table: RawTable,
        now: datetime | None = None,
        settled: Settled | None = None,
    ) -> None:
        self.definition = definition
        self.table = table
        self.now = now
        self.settled = settled
        self.problems: list[Problem] = []
        self.notes = list(table.notes)
        self.counted: Counter[tuple[CountedWords, str]] = Counter()

    def history(self) -> History:
        """All leads and what became of them; raises HistoryError with every problem."""
        columns: dict[str, pd.Series] = {}
        for role, column in self.definition.columns.named().items():
            if self._has(column):
                columns[role] = self._role(role, column)
        fields = {name: self._field(field) for name, field in self.definition.fields.items() if self._has(field.column)}
        self._without_forecasts(columns)
        self._in_the_future(columns)
        left_out = self._contradictions(columns)
        self._raise()
        frame = self._frame(columns, fields)
        rows = _left_out_rows(self.table.n_erased, int(left_out.sum()))
        kept = frame[~left_out].reset_index(drop=True)
        notes = (*self.notes, *told(self.counted))
        return History(self.definition, kept, self._end(frame), rows, notes, self.table.exports)

    def leads(self) -> pd.DataFrame:
        """The leads without a look at what became of them; raises HistoryError with every problem."""
        roles = self.definition.columns.named()
        columns = {
            role: self._role(role, roles[role]) for role in KNOWN_BEFORE if role in roles and self._has(roles[role])
        }
        fields = {name: self._field(field) for name, field in self.definition.fields.items() if self._has(field.column)}
        self._raise()
        return self._frame(columns, fields)

    def _raise(self) -> None:
        if self.problems:
            raise HistoryError(self.problems)

    def _has(self, column: str) -> bool:
        present = self.settled.columns if self.settled else [str(name) for name in self.table.frame.columns]
        if column in present:
            return True
        close = difflib.get_close_matches(column, present, n=1)
        listed = ", ".join(present[:40])
        expected = (
            Text(f"did you mean {close[0]!r}?", f"war {close[0]!r} gemeint?")
            if close
            else Text(f"the columns are: {listed}", f"die Spalten sind: {listed}")
        )
        self._add(
            None,
            Text(f"there is no column {column!r}", f"es gibt keine Spalte {column!r}"),
            expected,
            "missing_column",
        )
        return False

    def _role(self, role: str, column: str) -> pd.Series:
        if role in DATES:
            values = self._parsed(column, self._dates, _DATE)
            if role != "closed":
                empty = values.isna() & self.table.frame[column].isna()
                self._report(column, empty, _NO_DATE[role], _DATE, "missing_date")
            return values
        if role in ("value", "order"):
            values = self._parsed(column, self._numbers, _NUMBER)
            if role == "order" and not self.definition.columns.created:
                empty = values.isna() & self.table.frame[column].isna()
                self._report(column, empty, _NO_ORDER, _NUMBER, "missing_order")
            return values
        if role == "worked_chance":
            return self._chance(column)
        values = stripped(self.table.frame[column])
        if role == "outcome":
            return self._outcome(column, values)
        if role == "id":
            self._unique(column, values)
        return values

    def _chance(self, column: str) -> pd.Series:
        values = self._parsed(column, self._numbers, _CHANCE)
        self._report(column, (values <= 0) | (values > 1), _NO_CHANCE, _CHANCE, "not_a_chance")
        return values

    def _outcome(self, column: str, values: pd.Series) -> pd.Series:
        agreed = self.definition.outcome
        meaning = {value: word for word in ("won", "lost", "open") for value in getattr(agreed, word)}
        read = values.map(meaning).where(values.notna(), "open")
        listed = ", ".join(f"{value} = {word}" for value, word in meaning.items())
        self._report(
            column,
            read.isna(),
            Text("an outcome that the definition does not know", "ein Ergebnis, das die Definition nicht kennt"),
            Text(f"{listed}; empty = open", f"{listed}; leer = open"),
            "unknown_outcome",
        )
        wins = int((read == "won").sum())
        if wins in (0, len(read)) and read.notna().all():
            which = ("won", "gewonnen") if wins else ("not won", "nicht gewonnen")
            what = Text(f"every lead is {which[0]}", f"jeder Lead ist {which[1]}")
            expected = Text("leads of both kinds to learn from", "Leads beider Art zum Lernen")
            self._add(column, what, expected, "one_class")
        return read.astype("str")

    def _unique(self, column: str, values: pd.Series) -> None:
        self._report(
            column,
            values.isna(),
            Text("a lead without id", "ein Lead ohne Kennung"),
            Text("an id in every row", "eine Kennung in jeder Zeile"),
            "missing_id",
        )
        self._report(
            column,
            values.isin(self.settled.repeated_ids) if self.settled else values.notna() & values.duplicated(keep=False),
            Text("the same id more than once", "dieselbe Kennung mehrfach"),
            Text("one row per lead", "eine Zeile je Lead"),
            "duplicate_id",
        )

    def _field(self, field: LeadField) -> pd.Series:
        if field.type == "number":
            values = self._parsed(field.column, self._numbers, _NUMBER, field)
            values = values.mask(values.isin(placeholder_numbers(placeholders(self.definition, field))))
            self._in_range(field, values)
            return values
        if field.type == "date":
            return self._parsed(field.column, self._dates, _DATE, field)
        if field.type == "boolean":
            words = self._parsed(field.column, booleans, _BOOLEAN, field)
            return words.map({True: "true", False: "false"}).astype("str")
        return self._answered(field)

    def _in_range(self, field: LeadField, values: pd.Series) -> None:
        low = values < field.at_least if field.at_least is not None else values.isna() & False
        high = values > field.at_most if field.at_most is not None else values.isna() & False
        what = Text("a number outside of its plausible range", "eine Zahl außerhalb des plausiblen Bereichs")
        self._report(field.column, low | high, what, number_range(field), "out_of_range")

    def _answered(self, field: LeadField) -> pd.Series:
        """The column's levels, with the field's placeholders for "not answered" missing."""
        raw = _texts(self.table.frame[field.column])
        not_answered = placeholders(self.definition, field)
        places, texts = raw.factorize()
        levels = [level_of(text) for text in texts]
        kept = pd.array([None if level in not_answered else level for level in levels], dtype="str")
        return pd.Series(kept.take(places, allow_fill=True), index=raw.index, name=raw.name)

    def _parsed(
        self, column: str, read: Callable[[pd.Series], Parsed], expected: Text, field: LeadField | None = None
    ) -> pd.Series:
        parsed = read(self.cells(column, field))
        self._report(column, parsed.bad, Text("cannot be read", "nicht lesbar"), expected, "unreadable_value")
        self._report(column, parsed.ambiguous, *_AMBIGUOUS, "ambiguous_value")
        if parsed.note is not None:
            self.notes.append(Text(f"{column}: {parsed.note.en}", f"{column}: {parsed.note.de}"))
        return parsed.values

    def cells(self, column: str, field: LeadField | None = None) -> pd.Series:
        """The cells of a column as they stand, the field's own placeholders for "not answered" missing."""
        raw = self.table.frame[column]
        if field is None or not field.missing:
            return raw
        return raw.mask(stripped(raw).isin(placeholders(self.definition, field)))

    def _dates(self, values: pd.Series) -> Parsed:
        evidence = self.settled.dates.get(str(values.name)) if self.settled else None
        return dates(values, self.definition.read.dates, self.definition.read.timezone, evidence)

    def _numbers(self, values: pd.Series) -> Parsed:
        evidence = self.settled.numbers.get(str(values.name)) if self.settled else None
        return numbers(values, self.definition.read.decimal, evidence)

    def _without_forecasts(self, columns: dict[str, pd.Series]) -> None:
        """No closings of open leads: what stands there is when somebody expects one."""
        if not {"closed", "outcome"} <= set(columns):
            return
        forecast = (columns["outcome"] == "open") & columns["closed"].notna()
        columns["closed"] = columns["closed"].mask(forecast)
        if forecast.any():
            self.notes.append(_forecasts(str(self.definition.columns.closed), int(forecast.sum())))

    def _in_the_future(self, columns: dict[str, pd.Series]) -> None:
        """A problem for creations and closings after now, which would say that outcomes were recorded until then."""
        if self.now is None or self.definition.read.data_end is not None:
            return
        roles = self.definition.columns.named()
        for role in ("created", "closed"):
            if role in columns:
                self._report(roles[role], columns[role] > self.now, _FUTURE, _not_later(self.now), "in_the_future")

    def _contradictions(self, columns: dict[str, pd.Series]) -> Mask:
        """Rows to leave out because they closed before they began; a problem where that is not agreed on."""
        nothing = np.zeros(len(self.table.frame), dtype=bool)
        if self.definition.timing != "dated" or not {"created", "closed", "outcome"} <= set(columns):
            return nothing
        closed, column = columns["closed"], str(self.definition.columns.closed)
        undated = (columns["outcome"] == "won") & closed.isna() & self.table.frame[column].isna()
        self._report(column, undated, _WON_UNDATED, _DATE, "won_without_date")
        columns["closed"] = closed = self._not_before_the_day(column, closed, columns["created"])
        early = (closed < columns["created"]).to_numpy(dtype=bool)
        if self.definition.read.closed_before_created == "leave_out":
            return early
        self._report(column, early, _EARLY, _NOT_EARLY, "closed_before_created")
        return nothing

    def _not_before_the_day(self, column: str, closed: pd.Series, created: pd.Series) -> pd.Series:
        """The closings; where the column has days without a time, one on the day of creation comes at the creation."""
        zone = self.definition.read.timezone
        # Without the zone, because some zones skip midnight when their clocks change.
        day = created.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
        local = closed.dt.tz_convert(zone).dt.tz_localize(None)
        if not (local.isna() | (local == local.dt.normalize())).all():
            return closed
        same_day = (local == day) & (closed < created)
        if same_day.any():
            self.notes.append(_same_day(column, int(same_day.sum())))
        return closed.mask(same_day, created)

    def _frame(self, columns: dict[str, pd.Series], fields: dict[str, pd.Series]) -> pd.DataFrame:
        index = self.table.frame.index
        lead_id = columns.get("id", self._places())
        nat = pd.Series(pd.NaT, index=index, dtype="datetime64[us, UTC]")
        nan = pd.Series(np.nan, index=index, dtype="float64")
        created = columns.get("created", nat)
        account = columns.get("account", pd.Series(pd.NA, index=index, dtype="str"))
        meaning = {
            "lead_id": lead_id,
            "account": account.fillna("lead " + lead_id),
            "created": created,
            "as_of": columns.get("as_of", created),
            "closed": columns.get("closed", nat),
            "outcome": columns.get("outcome", pd.Series("open", index=index, dtype="str")),
            "value": columns.get("value", nan),
            "order": columns.get("order", nan),
            "worked_chance": columns.get("worked_chance", pd.Series(1.0, index=index)),
        }
        frame = pd.DataFrame({**meaning, **fields})
        self._note_what_cannot_be_meant(frame)
        return frame

    def _places(self) -> pd.Series:
        """Each lead's row as its name; with the file where there are several, because each counts its own rows."""
        table = self.table
        several = self.settled.several_files if self.settled else len(set(table.file)) > 1
        rows = zip(table.file, table.row, strict=True)
        names = [f"{file}:{row}" if several else f"row-{row}" for file, row in rows]
        return pd.Series(names, index=table.frame.index, dtype="str")

    def _note_what_cannot_be_meant(self, frame: pd.DataFrame) -> None:
        """How many dates and texts a record could not have, and what the encoder takes them for.

        They stay in the frame: the leak guard must see dates after the as-of date.
        """
        dated = frame["as_of"].notna()
        for name, field in self.definition.fields.items():
            if field.type == "date":
                days = days_before(frame["as_of"], frame[name], self.definition.read.timezone)
                self._note(_late_dates, field, (frame[name].notna() & dated).to_numpy() & np.isnan(days))
            elif field.type == "category":
                self._note(_long_texts, field, (frame[name].str.len() > LONGEST_VALUE).to_numpy(dtype=bool))

    def _note(self, words: CountedWords, field: LeadField, rows: Mask) -> None:
        self.counted[words, field.column] += int(rows.sum())

    def _end(self, frame: pd.DataFrame) -> datetime | None:
        agreed = self.definition.read.data_end
        if agreed is not None:
            return midnight(agreed, self.definition)
        latest = pd.concat([frame["created"], frame["closed"]]).max()
        return None if pd.isna(latest) else latest.to_pydatetime()

    def _report(self, column: str, rows: pd.Series | Mask, what: Text, expected: Text, code: str) -> None:
        mask = np.asarray(rows, dtype=bool)
        if mask.any():
            self.problems += self.table.problems(column, mask, what=what, expected=expected, code=code)

    def _add(self, column: str | None, what: Text, expected: Text, code: str) -> None:
        """A problem of the whole table: named by its first file."""
        place = self.table.place(column, np.array([0]))[0]
        self.problems.append(Problem(place.where, what, expected, code=code))


def midnight(day: date, definition: LeadDefinition) -> datetime:
    """The beginning of `day` where the definition's data was written."""
    return datetime.combine(day, time(), ZoneInfo(definition.read.timezone))


def told(counted: Mapping[tuple[CountedWords, str], int]) -> list[Text]:
    """The notes on values, each with how many there are."""
    return [words(column, n) for (words, column), n in counted.items() if n]


def _texts(values: pd.Series) -> pd.Series:
    """The cells as text; a moment by itself, since pandas writes the time of day only if some cell of many has one."""
    if not isinstance(values.dtype, pd.DatetimeTZDtype) and not pd.api.types.is_datetime64_dtype(values.dtype):
        return values.astype("str")
    return values.map(lambda moment: str(moment).removesuffix(" 00:00:00"), na_action="ignore").astype("str")


def stripped(values: pd.Series) -> pd.Series:
    """The cells as text without white space around them."""
    return values.astype("str").str.strip() if values.notna().any() else values.astype("str")


def _same_day(column: str, n: int) -> Text:
    return Text(
        f"{column}: days without a time; closings on the day of creation count as after it ({whole(n, 'en')})",
        f"{column}: Tage ohne Uhrzeit; Abschlüsse am Tag der Anlage gelten als danach ({whole(n, 'de')})",
    )


def _forecasts(column: str, n: int) -> Text:
    return Text(
        f"{column}: the dates of open leads are forecasts and are not read ({whole(n, 'en')})",
        f"{column}: Die Daten offener Leads sind Prognosen und werden nicht gelesen ({whole(n, 'de')})",
    )


def _late_dates(column: str, n: int) -> Text:
    return Text(
        f"{column}: dates after the as-of date of their lead count as missing ({whole(n, 'en')})",
        f"{column}: Datumswerte nach dem Stichtag ihres Leads gelten als fehlend ({whole(n, 'de')})",
    )


def _long_texts(column: str, n: int) -> Text:
    return Text(
        f"{column}: texts of more than {LONGEST_VALUE} characters count as rare values ({whole(n, 'en')})",
        f"{column}: Texte mit mehr als {LONGEST_VALUE} Zeichen gelten als seltene Werte ({whole(n, 'de')})",
    )


def _not_later(now: datetime) -> Text:
    moment = now.astimezone(UTC)
    return Text(
        f"a date not after {moment:%Y-%m-%d %H:%M} UTC; "
        "or set read.data_end, the day until which outcomes were recorded",
        f"ein Datum nicht nach dem {moment:%d.%m.%Y %H:%M} UTC; "
        "oder read.data_end setzen, den Tag, bis zu dem Ergebnisse erfasst wurden",
    )


def _left_out_rows(n_erased: int, n_early: int) -> tuple[LeftOutRows, ...]:
    erased = Text(en="erased on request", de="auf Verlangen gelöscht")
    early = Text(en="closed before it was created", de="abgeschlossen, bevor er angelegt war")
    return tuple(rows for rows in (LeftOutRows(erased, n_erased), LeftOutRows(early, n_early)) if rows.n)


_DATE = Text("a date such as 2026-01-31 or 31.01.2026", "ein Datum wie 31.01.2026 oder 2026-01-31")
_NUMBER = Text("a number such as 1234.5 or 1.234,5", "eine Zahl wie 1.234,5 oder 1234.5")
_BOOLEAN = Text("yes/no, true/false or 1/0", "ja/nein, true/false oder 1/0")
_NO_DATE = {
    "created": Text("a lead without creation date", "ein Lead ohne Anlagedatum"),
    "as_of": Text("a lead without as-of date", "ein Lead ohne Stichtag"),
}
_NO_ORDER = Text("a lead without its place in the order", "ein Lead ohne Platz in der Reihenfolge")
_NO_CHANCE = Text("is no chance to be worked", "ist keine Chance, bearbeitet zu werden")
_CHANCE = Text(
    "a number above 0 and at most 1; empty where nobody worked the lead",
    "eine Zahl über 0 und höchstens 1; leer, wo niemand den Lead bearbeitet hat",
)
_WON_UNDATED = Text("a won lead without closing date", "ein gewonnener Lead ohne Abschlussdatum")
_FUTURE = Text("a date in the future", "ein Datum in der Zukunft")
_EARLY = Text("closed before it was created", "abgeschlossen, bevor er angelegt war")
_NOT_EARLY = Text(
    'a date not before the creation; or read.closed_before_created = "leave_out"',
    'ein Datum nicht vor der Anlage; oder read.closed_before_created = "leave_out"',
)
_AMBIGUOUS = (
    Text("can be read in two ways", "lässt sich auf zwei Arten lesen"),
    Text("read.dates or read.decimal in the definition", "read.dates oder read.decimal in der Definition"),
)
