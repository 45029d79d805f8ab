"""The parts of a drafted definition, and the history that they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from features.definition import LeadDefinition, parse_definition
from features.errors import HistoryError, InternalError, Problem
from features.history import History, read_history
from features.sources import RawTable
from features.text import Text, same
from training.define import agreed, words
from training.define.calendar import calendar_part
from training.define.columns import Column, Style
from training.define.naming import definition_name, field_names, humanised
from training.define.outcome import Outcome
from training.define.roles import Roles
from training.define.suspects import Suspicion
from training.define.timing import Timing, find_timing
from training.labels import Labelled, label
from training.splits import split

_PERSONAL = Text(
    "Looks like personal data: no names, e-mail addresses or phone numbers as fields.",
    "Sieht nach personenbezogenen Daten aus: keine Namen, E-Mail-Adressen oder Telefonnummern als Felder.",
)
_NOTHING_TO_COUNT_TO = Text(
    "A date, and the leads have no creation date to count its days to.",
    "Ein Datum, und die Leads haben kein Anlagedatum, bis zu dem seine Tage zählen könnten.",
)


@dataclass(frozen=True, slots=True)
class _Masked:
    """A table that was read already, with its placeholders missing: a source for `read_history`."""

    table: RawTable
    missing: tuple[str, ...]

    def read(self) -> RawTable:
        frame = self.table.frame
        masked = {n: c.mask(c.str.strip().isin(self.missing)) if c.dtype == "str" else c for n, c in frame.items()}
        return replace(self.table, frame=pd.DataFrame(masked))


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the page writes.

    Attributes
    ----------
    data : mapping
        The definition as plain data; `page` adds comments to it and nothing else.
    columns : mapping of str to Column
    fields : mapping of str to str
        Field name to column name, for columns that could be fields.
    suspicions : mapping of str to Suspicion
        By field name.
    """

    data: Mapping[str, Any]
    columns: Mapping[str, Column]
    fields: Mapping[str, str]
    outcome: Outcome
    roles: Roles
    timing: Timing | None
    suspicions: Mapping[str, Suspicion]
    labelled: Labelled
    files: tuple[str, ...]


class Guess:
    """The parts of the definition that do not depend on leaks, and the history that they give."""

    def __init__(
        self, table: RawTable, columns: Sequence[Column], style: Style, outcome: Outcome, roles: Roles
    ) -> None:
        self.table = table
        self.columns = {column.name: column for column in columns}
        self.style = style
        self.outcome = outcome
        self.roles = roles
        taken = {outcome.column, *roles.taken()}
        self.reasons = {c.name: r for c in columns if c.name not in taken and (r := self._reason(c)) is not None}
        usable = [c for c in columns if c.name not in taken and c.name not in self.reasons]
        self.fields = field_names([column.name for column in usable])
        in_roles = [word for name in taken for word in self.columns[name].missing]
        self.missing = tuple(dict.fromkeys([*in_roles, *(w for c in columns for w in c.placeholders)]))

    def history(self, horizon_days: int | None) -> tuple[History, Labelled, Timing | None]:
        """The leads with all columns that could be fields, under the first horizon that training can split."""
        if not self.fields:
            raise HistoryError([nothing_left({})])
        timing = self._timing()
        if timing is None:
            history = read_history(self._definition(None, None), _Masked(self.table, self.missing))
            return history, label(history), None
        horizons = (horizon_days,) if horizon_days else timing.horizons_days
        history = read_history(self._definition(horizons[0], timing), _Masked(self.table, self.missing))
        for days in horizons:
            target = history.definition.target.model_copy(update={"horizon_days": days})
            definition = history.definition.model_copy(update={"target": target})
            shortened = replace(history, definition=definition)
            if (labelled := _splits(shortened)) is not None or days == horizons[-1]:
                return shortened, labelled or label(shortened), timing
        raise InternalError("There is no horizon to try.")

    def data(
        self,
        left: Mapping[str, Any],
        definition: LeadDefinition,
        labelled: Labelled,
        suspicions: Mapping[str, Suspicion],
    ) -> dict[str, Any]:
        """The definition as plain data, only `left` of its fields."""
        data = self._frame(definition.target.horizon_days, definition.target.leads_from)
        fields = self._fields()
        data["fields"] = {name: fields[name] for name in left}
        data["left_out"] = {name: {"reason": reason} for name, reason in self._left_out(left, suspicions)}
        cuts = agreed.grades(float(labelled.frame["target"].mean()))
        rate = _leads_per_week(labelled)
        data["grades"] = cuts
        data["handover"] = {"capacity_per_week": agreed.capacity_per_week(rate)} if rate else {"threshold": cuts["B"]}
        data["follow_up_hours"] = dict(agreed.FOLLOW_UP_HOURS)
        data["verdicts"] = {"accepted": dict(agreed.ACCEPTED), "rejected": dict(agreed.REJECTED)}
        return data

    def _timing(self) -> Timing | None:
        if self.roles.created is None or self.roles.closed is None:
            return None
        created, closed = (self.columns[name].values for name in (self.roles.created, self.roles.closed))
        outcome = self.columns[self.outcome.column]
        values = outcome.values
        won = values.isin([float(v) for v in self.outcome.won] if outcome.kind == "number" else self.outcome.won)
        return find_timing(created, closed, won)

    def _definition(self, horizon_days: int | None, timing: Timing | None) -> LeadDefinition:
        data = self._frame(horizon_days, timing.leads_from if timing else None)
        data["fields"] = self._fields()
        data["grades"] = {"A": 0.5, "B": 0.3, "C": 0.1}
        data["handover"] = {"threshold": 0.3}
        return parse_definition(data)

    def _frame(self, horizon_days: int | None, leads_from: Any) -> dict[str, Any]:
        """All sections but those that need the leads to be counted."""
        roles, what = self.roles, self.outcome
        stem = Path(str(self.table.file[0])).name.split(".")[0]
        target = {"horizon_days": horizon_days, "scoring_point": "creation", "leads_from": leads_from}
        named = {"id": roles.id, "created": roles.created, "closed": roles.closed, "order": roles.order}
        named |= {"account": roles.account, "value": roles.value, "outcome": what.column}
        read: dict[str, Any] = {
            "decimal": self.style.decimal,
            "dates": self.style.dates,
            "missing": self.missing or None,
        }
        read["closed_before_created"] = "leave_out" if roles.n_early else None
        return {
            "format": 1,
            "definition": {"name": definition_name(stem), "version": 1, "title": same(humanised(stem))},
            "target": _given(target),
            "columns": _given(named),
            "outcome": _given({"won": what.won, "lost": what.lost or None, "open": what.open or None}),
            "read": _given(read),
        }

    def _fields(self) -> dict[str, dict[str, Any]]:
        return {name: self._field(name, self.columns[column]) for name, column in self.fields.items()}

    def _field(self, name: str, column: Column) -> dict[str, Any]:
        label_text = humanised(column.name)
        entries = {
            "column": column.name if column.name != name else None,
            "type": column.kind,
            "known": "creation",
            "owner": "sales" if words.OF_SALES.search(column.words) else "marketing",
            "sensitive": True if words.SENSITIVE.search(column.words) else None,
            "missing": column.missing or None,
            "label": same(label_text),
        }
        return _given(entries)

    def _left_out(self, left: Mapping[str, Any], suspicions: Mapping[str, Suspicion]) -> list[tuple[str, Text]]:
        """The columns that are neither field nor role, in the export's order, with the first reason."""
        field_of = {column: name for name, column in self.fields.items()}
        reasons = []
        for name in self.columns:
            if name in (self.outcome.column, *self.roles.taken()) or (name in field_of and field_of[name] in left):
                continue
            suspicion = suspicions.get(field_of.get(name, ""))
            reasons.append((name, _sentence(suspicion.findings[0].what) if suspicion else self.reasons[name]))
        return reasons

    def _reason(self, column: Column) -> Text | None:
        """Why the column cannot be a field whatever the outcomes say, or None."""
        if column.personal:
            return _PERSONAL
        if column.kind is None:
            return Text("Empty for every lead.", "Bei allen Leads leer.")
        if column.n_distinct == 1:
            return Text("The same for every lead that has it.", "Bei allen Leads gleich, die es haben.")
        if self.roles.created is None:
            return _NOTHING_TO_COUNT_TO if column.kind == "date" else None
        part = calendar_part(column, self.columns[self.roles.created])
        return part and Text(
            f"Only repeats the creation date: its {part.en}.", f"Wiederholt nur das Anlagedatum: {part.de}."
        )


def _splits(history: History) -> Labelled | None:
    """The labelled leads if they can be split into training, calibration and test."""
    try:
        labelled = label(history)
        split(labelled)
    except HistoryError:
        return None  # a shorter horizon may still do
    return labelled


def _given(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entries.items() if value is not None}


def _leads_per_week(labelled: Labelled) -> float | None:
    as_of = labelled.frame["as_of"].dropna()
    if as_of.nunique() < 2:
        return None
    weeks = float((as_of.max() - as_of.min()).total_seconds()) / 604_800
    return len(as_of) / max(weeks, 1.0)


def _sentence(text: Text) -> Text:
    return Text(*(f"{part[0].upper()}{part[1:]}." for part in text))


def nothing_left(suspicions: Mapping[str, Suspicion]) -> Problem:
    """No column is left, and why the first few were left out."""
    listed = "; ".join(f"{name}: {s.findings[0].what.en}" for name, s in list(suspicions.items())[:5])
    return Problem(
        "fields",
        Text("no column is left to learn from", "es bleibt keine Spalte zum Lernen"),
        Text(
            "a column that is known when the lead is scored and is not the same, or different, for every lead",
            "eine Spalte, die bei der Bewertung bekannt und weder bei allen Leads gleich noch bei jedem anders ist",
        ),
        listed,
        "no_fields",
    )
