"""A request to object in, the objection that stands out. Blocks: the routes call it in a thread."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import orjson

from features.errors import RecordError
from serving.body import parse_body
from serving.feedback.reading import A_MOMENT, Arrived, read_moment
from serving.intake import misfit, unknown_keys
from serving.privacy.shapes import ObjectionAnswer
from serving.scorer import in_utc
from serving.store import Objection, Store


def object_to_scores(raw: bytes, lead_id: str, store: Store, arrived: Arrived) -> bytes:
    """The objection that stands from now on, as JSON: the first that came, until it is withdrawn.

    Raises
    ------
    RecordError
        With every fault of the request.
    ApiError
        If the body is not JSON.
    LeadRefusedError
        If the lead was erased.
    StoreDownError
        If it could not be stored.
    """
    body, problems = parse_body(raw)
    problems += unknown_keys(body, ("at",))
    received_at, at = arrived.arrival.received_at, body.get("at")
    zone = ZoneInfo(arrived.definition.read.timezone)
    moment = received_at if at is None else read_moment(at, zone, arrived.arrival)
    if moment is None:
        problems.append(misfit("at", at, A_MOMENT))
    if problems or moment is None:
        raise RecordError(problems)
    standing = store.objections.object(Objection(lead_id, moment, received_at, arrived.api_key_id))
    return objection_answer(lead_id, standing)


def objection_answer(lead_id: str, objection: Objection | None) -> bytes:
    """Whether the person behind a lead objects, as JSON."""
    answer = ObjectionAnswer(lead_id=lead_id, objected=objection is not None)
    if objection is not None:
        answer["objected_at"] = in_utc(objection.objected_at)
        answer["received_at"] = in_utc(objection.received_at)
    return orjson.dumps(answer)
