"""A lead of the store as a row of a history: the definition's columns, and beside them what was done with it.

One lead, scored for 2026-01-05 09:30 with {"source": "fair", "employees": 240, "visit": "2026-01-02"}, handed over, and
won on 2026-02-01. Under a definition whose columns are called as here it becomes

    id    company  created           closed      stage  source  employees  visit       lead_quality.handover ...
    L-1   A-17     2026-01-05 09:30  2026-02-01  Won    fair    240.0      2026-01-02  go

The fields are those of the score that was answered first: what was known then, whatever was learnt about the lead
later. The columns that begin with `lead_quality.` say what the score led to. No definition names them, so no model ever
learns from them; they are there to see whom sales worked, and whom not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import orjson

from features.definition import LeadDefinition
from features.encode import FIRST_YEAR, Encoder, level_of, moment_of
from features.errors import RecordError
from features.target import closed_before
from features.text import Text
from serving.store import PastLead

Kind = Literal["text", "number", "boolean", "moment"]
Row: TypeAlias = Mapping[str, Any]

OURS = "lead_quality."
AFTERWARDS: Mapping[str, Kind] = {
    "first_probability": "number",
    "first_handover": "text",
    "first_bundle": "text",
    "handed_over_at": "moment",
    "first_contact_at": "moment",
    "verdict": "text",
}
KIND_OF: Mapping[str, Kind] = {"number": "number", "category": "text", "boolean": "boolean", "date": "moment"}
ROLE_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("created", "as_of", "closed"), "moment"),
    **dict.fromkeys(("value", "order", "worked_chance"), "number"),
    **dict.fromkeys(("id", "account", "outcome"), "text"),
}

AHEAD = Text("as-of date later than the export", "Stichtag nach dem Export")
CLOSED_BEFORE = Text("closed before the as-of date", "vor dem Stichtag abgeschlossen")
SCORED_LATE = Text(
    "scored only after it was closed: its fields may know the outcome",
    "erst nach dem Abschluss bewertet: Die Felder könnten das Ergebnis kennen",
)
DOES_NOT_FIT = Text(
    "scored under another agreement, with values that this one does not allow",
    "unter einer anderen Vereinbarung bewertet, mit Werten, die diese nicht zulässt",
)
REFUSED = Text("the person objected, or the lead was erased", "Widerspruch der Person, oder Lead gelöscht")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a lead makes no row."""

    reason: Text


class Rows:
    """Makes rows of leads.

    Parameters
    ----------
    definition : LeadDefinition
        Whose columns, words for outcomes and time zone the history has.
    now : datetime
        The moment of the export.
    with_late : bool
        Whether leads that were first scored after they were closed are taken, too. Their fields were said to be those
        of the as-of date, but whoever sent them could know the outcome.
    """

    def __init__(self, definition: LeadDefinition, now: datetime, *, with_late: bool = False) -> None:
        self._definition, self._now, self._with_late = definition, now, with_late
        self._zone = ZoneInfo(definition.read.timezone)
        # Without levels: which ones are rare is for training to say.
        levels: dict[str, tuple[str, ...]] = {n: () for n, f in definition.fields.items() if f.type == "category"}
        self._encoder = Encoder(definition, levels)
        self._outcomes = _outcome_words(definition)

    @property
    def columns(self) -> dict[str, Kind]:
        """The columns in their order, and what each holds."""
        definition = self._definition
        roles = {column: ROLE_KINDS[role] for role, column in definition.columns.named().items()}
        fields = {field.column: KIND_OF[field.type] for field in definition.fields.values()}
        ours = {OURS + name: kind for name, kind in AFTERWARDS.items()}
        return {**ours, **roles, **fields}

    def row(self, lead: PastLead) -> Row | LeftOut:
        """The lead's row, or why it has none."""
        closed = self._closed(lead)
        if reason := self._keeps_out(lead, closed):
            return LeftOut(reason)
        fields = self._fields(lead)
        if fields is None:
            return LeftOut(DOES_NOT_FIT)
        roles = self._definition.columns.named()
        meaning = self._roles(lead, closed)
        return {**_afterwards(lead), **{column: meaning[role] for role, column in roles.items()}, **fields}

    def _keeps_out(self, lead: PastLead, closed: datetime | None) -> Text | None:
        if lead.as_of > self._now:
            return AHEAD
        if not self._is_readable(lead.as_of):
            return DOES_NOT_FIT
        if closed is None:
            return None
        if closed < lead.as_of:
            return CLOSED_BEFORE
        scored_late = closed < lead.received_at and not self._is_day_of(closed, lead.received_at)
        return SCORED_LATE if scored_late and not self._with_late else None

    def _closed(self, lead: PastLead) -> datetime | None:
        """When the lead closed; a closing on the day of the as-of date, without a time, comes at the as-of date."""
        if lead.outcome not in ("won", "lost") or lead.outcome_at is None:
            return None
        if closed_before(lead.outcome_latest_at, lead.as_of):
            return lead.outcome_at
        return max(lead.outcome_at, lead.as_of)

    def _is_day_of(self, closed: datetime, moment: datetime) -> bool:
        """Whether `closed` is the day of `moment` without a time of day: then it does not say which came first."""
        return closed == moment_of(moment.astimezone(self._zone).date().isoformat(), self._zone)

    def _fields(self, lead: PastLead) -> dict[str, Any] | None:
        """The values by column, as the encoder read them; None if one of them does not fit."""
        agreed = self._definition.fields
        given = {name: value for name, value in orjson.loads(lead.inputs).items() if name in agreed}
        try:
            missing = set(self._encoder.record(given, lead.as_of).missing)
        except RecordError:
            return None
        read = {name: None if name in missing else self._value(agreed[name].type, given[name]) for name in agreed}
        if not all(self._is_readable(value) for value in read.values() if isinstance(value, datetime)):
            return None
        return {agreed[name].column: value for name, value in read.items()}

    def _value(self, kind: str, value: Any) -> Any:
        read: Mapping[str, Callable[[Any], Any]] = {
            "number": float,
            "boolean": bool,
            "date": lambda text: moment_of(text.strip(), self._zone),
            "category": level_of,
        }
        return read[kind](value)

    def _is_readable(self, moment: datetime) -> bool:
        """Whether a history may hold it: its year on the definition's clocks is one that is read."""
        return moment.astimezone(self._zone).year >= FIRST_YEAR

    def _roles(self, lead: PastLead, closed: datetime | None) -> dict[str, Any]:
        # The service knows a lead from its first score on: that is its creation, too.
        return {
            "id": lead.lead_id,
            "account": lead.account_id,
            "created": lead.as_of,
            "as_of": lead.as_of,
            "closed": closed,
            "outcome": self._outcomes[lead.outcome or "open"],
            "value": lead.value,
            "order": lead.as_of.timestamp(),
            # Sales works what is handed over. Whoever contacts another lead does so for reasons that nobody knows here.
            "worked_chance": 1.0 if lead.handover == "go" else None,
        }


def _outcome_words(definition: LeadDefinition) -> dict[str, str | None]:
    """The definition's word for each outcome; an empty cell where it has none, which means open."""
    words = {"won": definition.outcome.won, "lost": definition.outcome.lost, "open": definition.outcome.open}
    return {meaning: next(iter(values), None) for meaning, values in words.items()}


def _afterwards(lead: PastLead) -> dict[str, Any]:
    told = (
        lead.probability,
        lead.handover,
        lead.bundle_id,
        lead.handed_over_at,
        lead.first_contact_at,
        lead.verdict,
    )
    return {OURS + name: value for name, value in zip(AFTERWARDS, told, strict=True)}
