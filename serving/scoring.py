"""The main job of the service: a request's body in, scores to be stored out.

One lead takes well under a millisecond, so the event loop does it; a batch blocks, and is called in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from features.encode import level_of
from features.errors import DataError, RecordError
from features.text import Language, Text
from serving.answers import in_language, with_reasons_text
from serving.body import parse_body
from serving.errors import ApiError, api_error, details
from serving.identity import Arrival, SentKey, hash_of, identity_by_key
from serving.intake import Admitted, check_idempotency_key, parse_request, placed, read_batch, read_lead, read_what_if
from serving.schemas import ModelName
from serving.scorer import Lead, Scored, Scorer
from serving.store import LeadRefusedError, ModelRecord, NewScore, Saved, Store

SCORED = 200
LEADS_PER_PART = 50
UNPRINTABLE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\ufffd")
"""Control characters, and what stands for them where leads are counted: PostgreSQL's texts cannot hold NUL."""
ONE_REFUSED = Text(
    "Nothing was stored for this lead. Every fault is listed under problems.",
    "Für diesen Lead wurde nichts gespeichert. Alle Fehler stehen unter problems.",
)


class Pending(NamedTuple):
    """A score on its way into the store, and the flat text that goes with its answer."""

    new: NewScore
    reasons_text: Text


def score_lead(raw: bytes, scorer: Scorer, *, received_at: datetime, idempotency_key: SentKey | None) -> Pending:
    """The score that `POST /v1/score` asks for, to be stored.

    Raises
    ------
    DataError
        With every fault of the request.
    ApiError
        If the body is not JSON.
    """
    body, problems = parse_request(raw, idempotency_key)
    arrival = _arrival(received_at, idempotency_key, "score", body)
    try:
        admitted = read_lead(body, scorer, arrival)
    except RecordError as error:
        raise RecordError([*problems, *error.problems]) from error
    if problems:
        raise RecordError(problems)
    (pending,) = _scores([admitted], scorer, received_at)
    return pending


def what_if(raw: bytes, scorer: Scorer, *, received_at: datetime, language: Language) -> bytes:
    """The answer to `POST /v1/what-if`, as JSON; nothing is stored.

    Raises
    ------
    DataError
        With every fault of the request.
    ApiError
        If the body is not JSON.
    """
    body, problems = parse_body(raw)
    (scored,) = scorer.score([read_what_if(body, problems, scorer, received_at)])
    return with_reasons_text(scored.answer, scored.reasons_text, language)


def answered(pending: Pending, stored: Saved | LeadRefusedError, language: Language) -> bytes:
    """The answer to one lead, now that it is stored.

    Raises
    ------
    LeadRefusedError
        If it is not, because the person objected or the lead was erased.
    """
    if isinstance(stored, LeadRefusedError):
        raise stored
    if stored.repeated:  # what was stored then, perhaps by another model
        return in_language(stored.answer, language)
    return with_reasons_text(stored.answer, pending.reasons_text, language)


def answered_before(
    raw: bytes, store: Store, *, received_at: datetime, idempotency_key: SentKey, language: Language
) -> bytes | None:
    """The stored answer to a request for one lead that came before under this key; blocks.

    For requests that the definition in service refuses: the key holds under a later definition too, which may know
    other fields than the one that the request was made for.

    Raises
    ------
    KeyReusedError
        If the key came with another content.
    """
    body, problems = parse_body(raw)
    if problems or check_idempotency_key(idempotency_key):
        return None
    repeated = _repeated(store, _arrival(received_at, idempotency_key, "score", body), 1)
    return in_language(repeated[0].answer, language) if repeated else None


def score_batch(
    raw: bytes,
    scorer: Scorer,
    store: Store,
    *,
    received_at: datetime,
    idempotency_key: SentKey | None,
    most_leads: int,
    language: Language,
    request_id: str,
) -> bytes:
    """The answer to `POST /v1/score/batch`, as JSON: every lead that fits is scored and stored, in one transaction.

    Raises
    ------
    DataError
        If nothing of it can be scored; nothing is stored. LeadRefusedError if that is because of objections.
    ApiError, StoreDownError
        As in `score_lead`.
    """
    body, problems = parse_request(raw, idempotency_key)
    arrival = _arrival(received_at, idempotency_key, "batch", body)
    repeated = {} if problems else _repeated(store, arrival, _n_leads(body, most_leads))
    outcomes = read_batch(body, scorer, arrival, most_leads=most_leads, problems=problems, repeated=repeated)
    admitted = [outcome for outcome in outcomes if isinstance(outcome, Admitted)]
    pending = _scores(admitted, scorer, received_at)
    new = [each.new for each in pending]
    saved = iter(zip(pending, store.scores.save(model_record(scorer.model_name), new) if new else [], strict=True))
    told = [_told(outcome, saved, language) for outcome in outcomes]
    results = [
        _scored(position, each) if isinstance(each, bytes) else _refused(position, each, language, request_id)
        for position, each in enumerate(told)
    ]
    n_scored = sum(isinstance(each, bytes) for each in told)
    if not n_scored:
        raise LeadRefusedError(placed(told))
    return orjson.dumps({"n_scored": n_scored, "n_refused": len(told) - n_scored, "results": results})


def model_record(model: ModelName) -> ModelRecord:
    """The model as the store keeps it."""
    definition = model["definition"]
    return ModelRecord(
        bundle_id=model["bundle_id"],
        name=model["name"],
        version=model["version"],
        definition_name=definition["name"],
        definition_version=definition["version"],
        definition_fingerprint=definition["fingerprint"],
        simulated=model["simulated"],
    )


def _arrival(received_at: datetime, key: SentKey | None, operation: str, body: Any) -> Arrival:
    return Arrival(received_at, key, hash_of([operation, body]) if key is not None else "")


def _repeated(store: Store, arrival: Arrival, n_leads: int) -> dict[int, Saved]:
    """The leads by position that were answered under this Idempotency-Key before; see `answered_before`."""
    if arrival.idempotency_key is None:
        return {}
    identities = [identity_by_key(arrival, position) for position in range(n_leads)]
    stored = store.scores.repeated({identity.request_key: identity.request_hash for identity in identities})
    return {
        position: stored[identity.request_key]
        for position, identity in enumerate(identities)
        if identity.request_key in stored
    }


def _n_leads(body: Mapping[str, Any], most_leads: int) -> int:
    """How many leads a batch holds, as far as it may hold any."""
    leads = body.get("leads")
    return min(len(leads), most_leads) if isinstance(leads, list) else 0


def _scores(admitted: Sequence[Admitted], scorer: Scorer, received_at: datetime) -> list[Pending]:
    """The scores of leads; part by part, since what they are computed from needs more memory than they do."""
    pending: list[Pending] = []
    agreed = scorer.bundle.definition.reporting
    reporting = agreed.named() if agreed else {}
    for start in range(0, len(admitted), LEADS_PER_PART):
        part = admitted[start : start + LEADS_PER_PART]
        scored = scorer.score([each.lead for each in part])
        pending += [_pending(each, result, received_at, reporting) for each, result in zip(part, scored, strict=True)]
    return pending


def _told(
    outcome: Admitted | Saved | RecordError,
    saved: Iterator[tuple[Pending, Saved | LeadRefusedError]],
    language: Language,
) -> bytes | DataError:
    """What the caller gets for one lead; `saved` are those of the leads admitted, in order."""
    if isinstance(outcome, RecordError):
        return outcome
    if isinstance(outcome, Saved):
        return in_language(outcome.answer, language)
    pending, stored = next(saved)
    return stored if isinstance(stored, LeadRefusedError) else answered(pending, stored, language)


def _pending(admitted: Admitted, scored: Scored, received_at: datetime, reporting: Mapping[str, str]) -> Pending:
    lead = admitted.lead
    new = NewScore(
        request_key=admitted.identity.request_key,
        request_hash=admitted.identity.request_hash,
        lead_id=lead.lead_id,
        account_id=lead.account_id,
        as_of=lead.as_of,
        received_at=received_at,
        probability=scored.probability,
        log_odds=scored.log_odds,
        score=scored.score,
        grade=scored.grade,
        handover=scored.handover,
        inputs=orjson.dumps(lead.fields),
        answer=scored.answer,
        owner=lead.owner,
        deal_value=lead.deal_value,
        **{by: _value_of(lead, field) for by, field in reporting.items()},
    )
    return Pending(new, scored.reasons_text)


def _value_of(lead: Lead, field: str) -> str | None:
    """What a lead is counted by: its value as the model reads it, rare and new ones too, in characters that show."""
    return None if field in lead.record.missing else level_of(lead.fields[field]).translate(UNPRINTABLE)


def _scored(position: int, answer: bytes) -> dict[str, Any]:
    return {"position": position, "status": SCORED, "score": orjson.Fragment(answer)}


def _refused(position: int, error: DataError, language: Language, request_id: str) -> dict[str, Any]:
    kind = api_error(error).kind
    told = ApiError(kind.name, detail=ONE_REFUSED, problems=error.problems)
    return {"position": position, "status": kind.status, "problem": details(told, language, request_id)}
