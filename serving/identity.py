"""When two requests are the same request: then it is stored once, and answered the same.

With the header Idempotency-Key, the key decides, even if another model is in service by now. It is the client's own:
two systems that count up from 1 do not meet, and a new API key of the same client changes nothing. Without it, the same
lead, content, as-of date, model and agreement are the same request. A request that names no as-of date means "today":
the same content on the same day (UTC) is the same request, so a blind retry is stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from serving.schemas import ModelName

SCORE_ID_DIGITS = 32


class SentKey(NamedTuple):
    """An Idempotency-Key, and the client whose it is: the name that its API keys were made for; none in the demo."""

    client: str
    text: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known about a request beside its body.

    Attributes
    ----------
    received_at : datetime
        When it arrived; the as-of date of leads that name none.
    idempotency_key : SentKey, optional
        As the caller sent it.
    body_hash : str
        Hash of what was asked, for requests with such a key.
    """

    received_at: datetime
    idempotency_key: SentKey | None = None
    body_hash: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Two requests with the same key are one; if their hashes differ, the key was reused for something else."""

    request_key: str
    request_hash: str

    @property
    def score_id(self) -> str:
        """The name of the stored score."""
        return self.request_key[:SCORE_ID_DIGITS]


def identity_by_key(arrival: Arrival, position: int) -> Identity:
    """The identity of the lead at `position` in a request with an Idempotency-Key."""
    return Identity(hash_of(["key", *(arrival.idempotency_key or ()), position]), arrival.body_hash)


def identity_by_content(
    lead_id: str,
    account_id: str | None,
    as_of: datetime | None,
    fields: Any,
    *,
    model: ModelName,
    received_at: datetime,
    beside: Mapping[str, object],
) -> Identity:
    """The identity of one lead's request by what it says; `as_of` only if the request named it.

    Parameters
    ----------
    beside : mapping of str to object
        What else it may say; what it does not say, as None, leaves the identity as it is without.
    """
    moment = as_of.astimezone(UTC).isoformat() if as_of else f"day {received_at.astimezone(UTC).date().isoformat()}"
    served = [model["bundle_id"], model["definition"]["fingerprint"]]
    said = {name: value for name, value in beside.items() if value is not None}
    key = hash_of(["content", *served, lead_id, account_id, moment, fields, *([said] if said else [])])
    return Identity(key, key)


def hash_of(value: Any) -> str:
    """SHA-256 of plain data as 64 hexadecimal digits; the order of keys does not count."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
