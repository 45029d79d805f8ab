"""A request's body in, stored outcomes or verdicts out. Blocks: the routes call it in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

import orjson

from features.errors import DataError, Problem, RecordError
from features.text import Language, Text
from serving.errors import ApiError, api_error, details
from serving.feedback.reading import Arrived, read_outcome, read_verdict
from serving.feedback.shapes import OutcomeAnswer, VerdictAnswer
from serving.identity import SCORE_ID_DIGITS, Arrival, hash_of, identity_by_key
from serving.intake import misfit, parse_request, unknown_keys
from serving.scorer import in_utc
from serving.store import Outcome, Told, Verdict

STORED = 200
ONE_REFUSED = Text(
    "Nothing was stored for this record. Every fault is listed under problems.",
    "Für diesen Eintrag wurde nichts gespeichert. Alle Fehler stehen unter problems.",
)

T = TypeVar("T", bound=Outcome | Verdict)
Answer: TypeAlias = OutcomeAnswer | VerdictAnswer


@dataclass(frozen=True)
class Way(Generic[T]):
    """How one kind of thing is told: what it is called, one and many, how it is read and how it is answered."""

    one: str
    many: str
    words: Text
    read: Callable[[Mapping[str, Any], Arrived, int], T]
    answer: Callable[[T], Answer]


def tell_one(raw: bytes, way: Way[T], told: Told[T], arrived: Arrived) -> bytes:
    """The stored answer to one outcome or verdict, as JSON.

    Parameters
    ----------
    arrived : Arrived
        Its arrival has no hash yet.

    Raises
    ------
    DataError
        With every fault of the request, or because nothing may be stored about the lead; nothing was stored.
    ApiError
        If the body is not JSON.
    StoreDownError
        If it could not be stored.
    """
    body, problems = parse_request(raw, arrived.arrival.idempotency_key)
    arrived = _with_hash(arrived, way.one, body)
    stored = {} if problems else _repeated(told, arrived.arrival, 1)
    if stored:
        return orjson.dumps(way.answer(stored[0]))
    record = _read(body, way, arrived, 0)
    if isinstance(record, RecordError):
        raise RecordError([*problems, *record.problems])
    if problems:
        raise RecordError(problems)
    (kept,) = told.save([record])
    if isinstance(kept, DataError):
        raise kept
    return orjson.dumps(way.answer(kept))


def tell_many(
    raw: bytes, way: Way[T], told: Told[T], arrived: Arrived, *, most: int, language: Language, request_id: str
) -> bytes:
    """The answer to many, as JSON: every record that fits is stored, in one transaction.

    Raises
    ------
    DataError
        If no record fits, or the envelope is at fault; nothing is stored.
    ApiError, StoreDownError
        As in `tell_one`.
    """
    body, problems = parse_request(raw, arrived.arrival.idempotency_key)
    arrived = _with_hash(arrived, way.many, body)
    entries = _entries(body, way, most, problems)
    stored = {} if problems else _repeated(told, arrived.arrival, len(entries))
    read = [stored.get(position) or _read(entry, way, arrived, position) for position, entry in enumerate(entries)]
    if problems or all(isinstance(each, RecordError) for each in read):
        raise RecordError([*problems, *_placed(read, way)])
    saved = iter(told.save([each for each in read if not isinstance(each, RecordError)]))
    kept = [each if isinstance(each, RecordError) else next(saved) for each in read]
    results = [_result(position, each, way, language, request_id) for position, each in enumerate(kept)]
    n_refused = sum(isinstance(each, DataError) for each in kept)
    return orjson.dumps({"n_stored": len(kept) - n_refused, "n_refused": n_refused, "results": results})


def outcome_answer(outcome: Outcome) -> OutcomeAnswer:
    """The outcome as it is answered: what is stored, and nothing that could change."""
    answer = OutcomeAnswer(
        outcome_id=outcome.request_key[:SCORE_ID_DIGITS],
        lead_id=outcome.lead_id,
        outcome=outcome.outcome,  # type: ignore[typeddict-item]  # a text in the store, one of the words at its door
        at=in_utc(outcome.at),
        received_at=in_utc(outcome.received_at),
    )
    if outcome.value is not None:
        answer["value"] = outcome.value
    if outcome.reason is not None:
        answer["reason"] = outcome.reason
    return answer


def verdict_answer(verdict: Verdict) -> VerdictAnswer:
    """The verdict as it is answered: what is stored, and nothing that could change."""
    answer = VerdictAnswer(
        verdict_id=verdict.request_key[:SCORE_ID_DIGITS],
        lead_id=verdict.lead_id,
        verdict=verdict.verdict,  # type: ignore[typeddict-item]  # a text in the store, one of the words at its door
        by=verdict.by,
        at=in_utc(verdict.at),
        received_at=in_utc(verdict.received_at),
    )
    if verdict.reason:
        answer["reason"] = verdict.reason
    if verdict.first_contact_at is not None:
        answer["first_contact_at"] = in_utc(verdict.first_contact_at)
    return answer


def _with_hash(arrived: Arrived, operation: str, body: Any) -> Arrived:
    if arrived.arrival.idempotency_key is None:
        return arrived
    return replace(arrived, arrival=replace(arrived.arrival, body_hash=hash_of([operation, body])))


def _repeated(told: Told[T], arrival: Arrival, n_records: int) -> dict[int, T]:
    """The records by position that were stored under this Idempotency-Key, by whatever definition then."""
    if arrival.idempotency_key is None:
        return {}
    identities = [identity_by_key(arrival, position) for position in range(n_records)]
    stored = told.repeated({identity.request_key: identity.request_hash for identity in identities})
    keys = {identity.request_key: position for position, identity in enumerate(identities)}
    return {keys[key]: record for key, record in stored.items()}


def _entries(body: Mapping[str, Any], way: Way[T], most: int, problems: list[Problem]) -> list[Any]:
    """The records of a request; what is wrong with the envelope is added to `problems`."""
    entries = body.get(way.many)
    problems += unknown_keys(body, (way.many,))
    if isinstance(entries, list) and 1 <= len(entries) <= most:
        return entries
    expected = Text(f"a list of 1 to {most} {way.words.en}", f"eine Liste mit 1 bis {most} {way.words.de}")
    seen = [f"{len(entries)} {way.many}"] if isinstance(entries, list) else entries
    raise RecordError([*problems, misfit(way.many, seen, expected)])


def _read(entry: object, way: Way[T], arrived: Arrived, position: int) -> T | RecordError:
    if not isinstance(entry, dict):
        return RecordError([misfit(way.one, entry, Text("an object: {…}", "ein Objekt: {…}"))])
    try:
        return way.read(entry, arrived, position)
    except RecordError as error:
        return error


def _placed(read: Sequence[T | RecordError], way: Way[T]) -> list[Problem]:
    return [
        replace(problem, where=f"{way.many}[{position}].{problem.where}")
        for position, each in enumerate(read)
        if isinstance(each, RecordError)
        for problem in each.problems
    ]


def _result(position: int, kept: T | DataError, way: Way[T], language: Language, request_id: str) -> dict[str, Any]:
    if not isinstance(kept, DataError):
        return {"position": position, "status": STORED, way.one: way.answer(kept)}
    kind = api_error(kept).kind
    detail = ONE_REFUSED if kind.name == "invalid_request" else kind.detail
    told = ApiError(kind.name, detail=detail, problems=kept.problems)
    return {"position": position, "status": kind.status, "problem": details(told, language, request_id)}


OUTCOMES: Way[Outcome] = Way("outcome", "outcomes", Text("outcomes", "Ergebnissen"), read_outcome, outcome_answer)
VERDICTS: Way[Verdict] = Way("verdict", "verdicts", Text("verdicts", "Urteilen"), read_verdict, verdict_answer)
