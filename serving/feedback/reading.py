"""From one entry of a request to an outcome or a verdict, or to every fault of it at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from features.definition import LeadDefinition
from features.encode import moment_of, shown
from features.errors import Problem, RecordError
from features.text import Text, same
from serving.feedback.shapes import CODE_PATTERN, PSEUDONYM_PATTERN, OutcomeWord, VerdictWord
from serving.identity import Arrival, Identity, hash_of, identity_by_key
from serving.intake import EARLIEST_YEAR, LONGEST_MOMENT, MOST_AHEAD, amount, is_lead_id, misfit, unknown_keys
from serving.store import Outcome, Verdict

OUTCOME_KEYS = ("lead_id", "outcome", "at", "value", "reason")
VERDICT_KEYS = ("lead_id", "verdict", "reason", "by", "at", "first_contact_at")

_is_code = re.compile(CODE_PATTERN).fullmatch
_is_pseudonym = re.compile(PSEUDONYM_PATTERN).fullmatch


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request: what the agreement in service says, when it came, and with which API key."""

    definition: LeadDefinition
    arrival: Arrival
    api_key_id: str | None = None


def read_outcome(entry: Mapping[str, Any], arrived: Arrived, position: int) -> Outcome:
    """The outcome in one entry of a request.

    Raises
    ------
    RecordError
        With every fault of it.
    """
    faults = unknown_keys(entry, OUTCOME_KEYS)
    moments = _Moments(arrived, faults)
    lead_id = _text(entry, "lead_id", is_lead_id, A_LEAD_ID, faults)
    outcome = _text(entry, "outcome", get_args(OutcomeWord).__contains__, ONE_OF_OUTCOMES, faults)
    at = moments.read(entry, "at")
    value = amount(entry.get("value"), "value", faults)
    reason = None if entry.get("reason") is None else _text(entry, "reason", _is_code, A_CODE, faults)
    if faults or at is None:
        raise RecordError(faults)
    latest_at = last_moment(at, ZoneInfo(arrived.definition.read.timezone))
    said = [lead_id, outcome, _in_utc(at), value, reason]
    identity = _identity("outcome", said, arrived.arrival, position)
    return Outcome(
        identity.request_key,
        identity.request_hash,
        lead_id,
        outcome,
        at,
        latest_at,
        arrived.arrival.received_at,
        value=value,
        reason=reason,
        key_id=arrived.api_key_id,
    )


def read_verdict(entry: Mapping[str, Any], arrived: Arrived, position: int) -> Verdict:
    """The verdict in one entry of a request; its reason is one that the definition in service agreed on.

    Raises
    ------
    RecordError
        With every fault of it.
    """
    faults = unknown_keys(entry, VERDICT_KEYS)
    moments = _Moments(arrived, faults)
    lead_id = _text(entry, "lead_id", is_lead_id, A_LEAD_ID, faults)
    verdict = _text(entry, "verdict", get_args(VerdictWord).__contains__, ONE_OF_VERDICTS, faults)
    reason = _agreed_reason(entry.get("reason"), verdict, arrived.definition, faults)
    by = _text(entry, "by", _is_pseudonym, A_PSEUDONYM, faults)
    at = moments.read(entry, "at")
    contact = (
        None if entry.get("first_contact_at") is None else moments.read(entry, "first_contact_at", to_the_hour=True)
    )
    if faults or at is None:
        raise RecordError(faults)
    said = [lead_id, verdict, reason, by, _in_utc(at), _in_utc(contact)]
    identity = _identity("verdict", said, arrived.arrival, position)
    return Verdict(
        identity.request_key,
        identity.request_hash,
        lead_id,
        verdict,
        reason,
        by,
        at,
        arrived.arrival.received_at,
        first_contact_at=contact,
        key_id=arrived.api_key_id,
    )


@dataclass(frozen=True, slots=True)
class _Moments:
    """Reads dates as the definition's clocks show them, and notes those that are none."""

    arrived: Arrived
    faults: list[Problem]

    def read(self, entry: Mapping[str, Any], key: str, *, to_the_hour: bool = False) -> datetime | None:
        """The moment under `key`; None, with a fault noted, if it is none, or has no time although it needs one."""
        expected = A_MOMENT_WITH_TIME if to_the_hour else A_MOMENT
        moment = read_moment(entry.get(key), ZoneInfo(self.arrived.definition.read.timezone), self.arrived.arrival)
        if moment is None or (to_the_hour and ":" not in entry[key]):
            self.faults.append(misfit(key, entry.get(key), expected))
            return None
        return moment


def read_moment(value: object, zone: ZoneInfo, arrival: Arrival) -> datetime | None:
    """The moment that a text names, from 1900 on and at most a day ahead of the arrival; None if it names none."""
    if not isinstance(value, str) or len(value) > LONGEST_MOMENT:
        return None
    try:
        moment = moment_of(value.strip(), zone)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= EARLIEST_YEAR and moment <= arrival.received_at + MOST_AHEAD else None


def last_moment(at: datetime, zone: ZoneInfo) -> datetime:
    """The last moment that `at` may mean: itself, or the end of the day that it begins on the clocks of `zone`.

    Whatever begins a day is taken for the day: systems that know no time of day send midnight.
    """
    day = at.astimezone(zone).date()
    if at != moment_of(day.isoformat(), zone):
        return at
    return moment_of((day + timedelta(days=1)).isoformat(), zone) - datetime.resolution


def _text(entry: Mapping[str, Any], key: str, fits: Any, expected: Text, faults: list[Problem]) -> str:
    """The text under `key`; a fault is noted if it does not fit."""
    value = entry.get(key)
    if isinstance(value, str) and fits(value):
        return value
    faults.append(misfit(key, value, expected))
    return ""


def _agreed_reason(value: object, verdict: str, definition: LeadDefinition, faults: list[Problem]) -> str:
    """The reason code; empty where the definition agreed on none for this verdict."""
    agreed = {"accepted": definition.verdicts.accepted, "rejected": definition.verdicts.rejected}
    codes = agreed.get(verdict, agreed["accepted"] | agreed["rejected"])
    if (isinstance(value, str) and value in codes) or (value is None and not codes):
        return value or ""
    expected = Text(f"one of: {', '.join(codes)}", f"eines von: {', '.join(codes)}") if codes else NO_REASON
    if value is None:
        faults.append(Problem("reason", A_REASON_IS_MISSING, expected, code="missing_reason"))
    else:
        faults.append(Problem("reason", NO_SUCH_REASON, expected, seen=shown(value), code="unknown_reason"))
    return ""


def _identity(kind: str, said: Sequence[Any], arrival: Arrival, position: int) -> Identity:
    if arrival.idempotency_key is not None:
        return identity_by_key(arrival, position)
    key = hash_of(["content", kind, *said])
    return Identity(key, key)


def _in_utc(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


A_LEAD_ID = Text("the lead_id of a lead that was scored", "die lead_id eines Leads, der bewertet wurde")
A_CODE = Text(
    "a code of 1 to 63 small letters, digits and underscores, starting with a letter, such as price_too_high",
    "ein Code aus 1 bis 63 Kleinbuchstaben (a-z), Ziffern und Unterstrichen, am Anfang ein Buchstabe, "
    "etwa price_too_high",
)
A_PSEUDONYM = Text(
    "a pseudonym of 1 to 64 letters, digits and . _ : ~ + = -, never an e-mail address",
    "ein Pseudonym aus 1 bis 64 Buchstaben (A-Z, a-z), Ziffern und . _ : ~ + = -, nie eine E-Mail-Adresse",
)
ONE_OF_OUTCOMES = same(" / ".join(get_args(OutcomeWord)))
ONE_OF_VERDICTS = same(" / ".join(get_args(VerdictWord)))
A_REASON_IS_MISSING = Text("the reason is missing", "der Grund fehlt")
NO_SUCH_REASON = Text("the definition has no such reason", "die Definition kennt diesen Grund nicht")
NO_REASON = Text(
    "no reason: the definition names none for this verdict", "kein Grund: die Definition nennt für dieses Urteil keinen"
)
A_MOMENT = Text(
    "a date or a date with time such as 2026-01-31T09:30:00Z, from 1900 on and not in the future",
    "ein Datum oder ein Datum mit Uhrzeit wie 2026-01-31T09:30:00Z, ab 1900 und nicht in der Zukunft",
)
A_MOMENT_WITH_TIME = Text(
    "a date with time such as 2026-01-31T09:30:00Z, from 1900 on and not in the future",
    "ein Datum mit Uhrzeit wie 2026-01-31T09:30:00Z, ab 1900 und nicht in der Zukunft",
)
