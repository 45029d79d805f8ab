"""From a parsed request to leads that fit the definition, or to every fault of it at once.

The envelope (lead_id, account_id, as_of) is checked here; the fields by the one encoder, which training uses too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from features.encode import EncodedRecord, moment_of, shown
from features.errors import DataError, Problem, RecordError
from features.text import Text, same
from serving.body import parse_body
from serving.errors import MOST_PROBLEMS, ApiError
from serving.identity import Arrival, Identity, SentKey, identity_by_content, identity_by_key
from serving.schemas import ModelName
from serving.scorer import Lead, Scorer
from serving.store import Saved

# Letters, digits and . _ : ~ + = - : every CRM's ids, safe in an address, and no e-mail address is one.
ID_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._:~+=-]{0,127}$"
KEY_PATTERN = "^[!-~]{1,255}$"
LEAD_KEYS = ("lead_id", "account_id", "owner", "deal_value", "as_of", "fields")
ID_KEYS = ("lead_id", "account_id", "owner")
WHAT_IF_KEYS = ("as_of", "fields")
BATCH_KEYS = ("leads",)
EARLIEST_YEAR = 1900
MOST_AHEAD = timedelta(days=1)
LONGEST_MOMENT = 40

_is_id = re.compile(ID_PATTERN).fullmatch
_is_key = re.compile(KEY_PATTERN).fullmatch


@dataclass(frozen=True, slots=True)
class Admitted:
    """A lead that may be scored, and the identity of the request for it."""

    lead: Lead
    identity: Identity


def read_lead(entry: object, scorer: Scorer, arrival: Arrival, position: int = 0) -> Admitted:
    """The lead in one entry of a request.

    Raises
    ------
    RecordError
        With every fault of the envelope and of the fields.
    """
    if not isinstance(entry, dict):
        raise RecordError([misfit("lead", entry, _AN_OBJECT)])
    problems = [*unknown_keys(entry, LEAD_KEYS), *_ids(entry)]
    deal_value = amount(entry.get("deal_value"), "deal_value", problems)
    facts = _facts(entry, problems, scorer, arrival.received_at)
    lead = Lead(
        entry["lead_id"],
        facts.as_of,
        facts.fields,
        facts.record,
        entry.get("account_id"),
        owner=entry.get("owner"),
        deal_value=deal_value,
    )
    identity = _identity(lead, facts.named_as_of, scorer.model_name, arrival, position)
    return Admitted(replace(lead, score_id=identity.score_id), identity)


def read_what_if(entry: Mapping[str, Any], problems: Sequence[Problem], scorer: Scorer, received_at: datetime) -> Lead:
    """The lead without a name whose probability is asked for.

    Parameters
    ----------
    problems : sequence of Problem
        Faults of the request that are known already.

    Raises
    ------
    RecordError
        With every fault, those known already too.
    """
    facts = _facts(entry, [*problems, *unknown_keys(entry, WHAT_IF_KEYS)], scorer, received_at)
    return Lead("", facts.as_of, facts.fields, facts.record)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known about a lead at a moment; `named_as_of` only if the request named the moment."""

    as_of: datetime
    named_as_of: datetime | None
    fields: Mapping[str, Any]
    record: EncodedRecord


def _facts(entry: Mapping[str, Any], problems: Sequence[Problem], scorer: Scorer, received_at: datetime) -> _Facts:
    """The fields of an entry and their moment; raises RecordError with their faults and those known already."""
    zone = ZoneInfo(scorer.bundle.definition.read.timezone)
    as_of, faults = _as_of(entry.get("as_of"), zone, received_at)
    problems = [*problems, *faults]
    fields = entry.get("fields")
    if not isinstance(fields, dict):
        raise RecordError([*problems, misfit("fields", fields, _AN_OBJECT)])
    moment = as_of or received_at
    try:
        record = scorer.encode(_bounded(fields, scorer), moment)
    except RecordError as error:
        raise RecordError([*problems, *error.problems]) from error
    if problems:
        raise RecordError(problems)
    return _Facts(moment, as_of, fields, record)


def read_batch(
    body: Mapping[str, Any],
    scorer: Scorer,
    arrival: Arrival,
    *,
    most_leads: int,
    problems: Sequence[Problem],
    repeated: Mapping[int, Saved],
) -> list[Admitted | Saved | RecordError]:
    """For each lead of a batch, the lead, what is stored for it already, or its faults.

    Parameters
    ----------
    problems : sequence of Problem
        Faults of the request that are known already; with any, it is refused as a whole.
    repeated : mapping of int to Saved
        The stored answers by position; those leads are not read again.

    Raises
    ------
    RecordError
        If nothing of it can be scored: the envelope is at fault, or every lead is. Then the places start with the
        lead's position, as in `leads[3].fields.source`.
    """
    leads = body.get("leads")
    problems = [*problems, *unknown_keys(body, BATCH_KEYS)]
    if not isinstance(leads, list) or not 1 <= len(leads) <= most_leads:
        raise RecordError([*problems, _no_batch(leads, most_leads)])
    outcomes = [
        repeated.get(position) or _admitted_or_refused(entry, scorer, arrival, position)
        for position, entry in enumerate(leads)
    ]
    if problems or all(isinstance(outcome, RecordError) for outcome in outcomes):
        raise RecordError([*problems, *placed(outcomes)])
    return outcomes


def parse_request(raw: bytes, idempotency_key: SentKey | None) -> tuple[dict[str, Any], list[Problem]]:
    """The JSON object in `raw`, and the faults known before it is read: keys that stand twice, the Idempotency-Key.

    Raises
    ------
    ApiError
        If the body is no JSON object; the fault of the Idempotency-Key comes with it.
    """
    faults_of_key = check_idempotency_key(idempotency_key)
    try:
        body, problems = parse_body(raw)
    except ApiError as error:
        raise ApiError(error.kind.name, detail=error.detail, problems=[*error.problems, *faults_of_key]) from error
    return body, [*problems, *faults_of_key]


def check_idempotency_key(key: SentKey | None) -> list[Problem]:
    """The fault of an Idempotency-Key, if it has one."""
    if key is None or _is_key(key.text):
        return []
    expected = Text("1 to 255 visible ASCII characters", "1 bis 255 sichtbare ASCII-Zeichen")
    return [misfit("header Idempotency-Key", key.text, expected)]


def is_lead_id(text: str) -> bool:
    """Whether a lead could have this id."""
    return _is_id(text) is not None


def misfit(where: str, value: object, expected: Text) -> Problem:
    """A value of the envelope that is not what was expected there."""
    return Problem(
        where=where,
        what=Text("this value does not fit", "dieser Wert passt nicht"),
        seen="" if value is None else shown(value),
        expected=expected,
        code="invalid_value",
    )


def amount(value: object, where: str, faults: list[Problem]) -> float | None:
    """A sum of money, if one was sent; a fault is noted if it is none."""
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:
        number = math.inf
    if 0 <= number < math.inf:
        return number
    faults.append(misfit(where, value, AN_AMOUNT))
    return None


def unknown_keys(entry: Mapping[str, Any], known: Sequence[str]) -> list[Problem]:
    """A problem for each key that does not belong there; of very many, only one more than are ever told.

    Its value is shown as any other that does not fit: only to who sent it, and never in a log.
    """
    expected = same(", ".join(known))
    what = Text("there is no such entry", "diesen Eintrag gibt es nicht")
    unknown = islice((key for key in entry if key not in known), MOST_PROBLEMS + 1)
    return [Problem(key, what, expected, seen=shown(entry[key]), code="unknown_key") for key in unknown]


def _ids(entry: Mapping[str, Any]) -> list[Problem]:
    named = {key: entry.get(key) for key in ID_KEYS if key == "lead_id" or entry.get(key) is not None}
    return [
        misfit(key, value, _AN_ID) for key, value in named.items() if not (isinstance(value, str) and _is_id(value))
    ]


def _as_of(value: object, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, list[Problem]]:
    """The as-of date that was named, None if none was, and what is wrong with it."""
    if value is None:
        return None, []
    try:
        if isinstance(value, str) and len(value) <= LONGEST_MOMENT:
            moment = moment_of(value, zone)
            if moment.year >= EARLIEST_YEAR and moment <= now + MOST_AHEAD:
                return moment, []
    except (ValueError, OverflowError):
        pass  # said below, as for every other value that is no moment
    return None, [misfit("as_of", value, _A_MOMENT)]


def _bounded(fields: dict[str, Any], scorer: Scorer) -> dict[str, Any]:
    """`fields`, without most of those that do not exist: a body full of them costs no more than its first hundreds."""
    known = scorer.bundle.definition.fields
    if len(fields) <= len(known) + MOST_PROBLEMS:
        return fields
    unknown = [name for name in fields if name not in known][: MOST_PROBLEMS + 1]
    kept = {name: value for name, value in fields.items() if name in known}
    return kept | {name: fields[name] for name in unknown}


def _identity(lead: Lead, named: datetime | None, model: ModelName, arrival: Arrival, position: int) -> Identity:
    if arrival.idempotency_key is not None:
        return identity_by_key(arrival, position)
    return identity_by_content(
        lead.lead_id,
        lead.account_id,
        named,
        lead.fields,
        model=model,
        received_at=arrival.received_at,
        beside={"owner": lead.owner, "deal_value": lead.deal_value},
    )


def _admitted_or_refused(entry: object, scorer: Scorer, arrival: Arrival, position: int) -> Admitted | RecordError:
    try:
        return read_lead(entry, scorer, arrival, position)
    except RecordError as error:
        return error


def placed(outcomes: Iterable[object]) -> list[Problem]:
    """The problems of those leads of a batch that have any, each with its lead's position."""
    return [
        replace(problem, where=f"leads[{position}].{problem.where}")
        for position, outcome in enumerate(outcomes)
        if isinstance(outcome, DataError)
        for problem in outcome.problems
    ]


def _no_batch(leads: object, most_leads: int) -> Problem:
    expected = Text(f"a list of 1 to {most_leads} leads", f"eine Liste mit 1 bis {most_leads} Leads")
    if not isinstance(leads, list):
        return misfit("leads", leads, expected)
    return Problem(
        where="leads",
        what=Text("the number of leads does not fit", "die Zahl der Leads passt nicht"),
        seen=str(len(leads)),
        expected=expected,
        code="batch_size",
    )


AN_AMOUNT = Text("a number, 0 or more, not in quotes", "eine Zahl ab 0, ohne Anführungszeichen")
_AN_OBJECT = Text("an object: {…}", "ein Objekt: {…}")
_AN_ID = Text(
    "a text of 1 to 128 letters, digits and . _ : ~ + = -, starting with a letter or digit",
    "ein Text aus 1 bis 128 Buchstaben (A-Z, a-z), Ziffern und . _ : ~ + = -, am Anfang ein Buchstabe oder eine Ziffer",
)
_A_MOMENT = Text(
    "a date or a date with time such as 2026-01-31T09:30:00Z, from 1900 on and not in the future",
    "ein Datum oder ein Datum mit Uhrzeit wie 2026-01-31T09:30:00Z, ab 1900 und nicht in der Zukunft",
)
