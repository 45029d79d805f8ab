"""What goes into the store and what comes out, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The model that a score came from."""

    bundle_id: str
    name: str
    version: str
    definition_name: str
    definition_version: int
    definition_fingerprint: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class NewScore:
    """A score to be stored.

    Attributes
    ----------
    request_key : str
        64 hexadecimal digits; two requests with the same key are one request.
    request_hash : str
        64 hexadecimal digits over the content; the same key with another hash is refused.
    received_at : datetime
        When the request arrived.
    inputs, answer : bytes
        JSON: the fields as they came, and the whole answer.
    source, campaign, region : str, optional
        What the definition's `[reporting]` counts leads by.
    owner : str, optional
        The sales team or territory that works the lead, as a pseudonym.
    deal_value : float, optional
        What the deal would be worth if the lead were won.
    """

    request_key: str
    request_hash: str
    lead_id: str
    account_id: str | None
    as_of: datetime
    received_at: datetime
    probability: float
    log_odds: float
    score: int
    grade: str
    handover: str
    inputs: bytes
    answer: bytes
    source: str | None = None
    campaign: str | None = None
    region: str | None = None
    owner: str | None = None
    deal_value: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a lead, as somebody told it.

    Attributes
    ----------
    request_key, request_hash : str
        As of a score.
    outcome : {"won", "lost", "open"}
        `open` takes a win or a loss back.
    at : datetime
        Its own date: when the lead was won or lost, whenever that was told.
    latest_at : datetime
        The last moment at which it may have been: `at`, or the end of the day if it names only the day.
    value : float, optional
        Of the deal.
    reason : str, optional
        A code of the caller's own.
    key_id : str, optional
        The API key with which it was told.
    """

    request_key: str
    request_hash: str
    lead_id: str
    outcome: str
    at: datetime
    latest_at: datetime
    received_at: datetime
    value: float | None = None
    reason: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sales' answer to a lead that was handed over.

    Attributes
    ----------
    verdict : {"accepted", "rejected"}
    reason : str
        A code of the definition; empty if it agreed on none for this verdict.
    by : str
        Who judged, as a pseudonym.
    at : datetime
        Its own date: when sales judged, whenever that was told.
    first_contact_at : datetime, optional
        When sales first spoke with the lead.
    """

    request_key: str
    request_hash: str
    lead_id: str
    verdict: str
    reason: str
    by: str
    at: datetime
    received_at: datetime
    first_contact_at: datetime | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """That a person does not want to be scored.

    Attributes
    ----------
    objected_at : datetime
        Its own date.
    """

    lead_id: str
    objected_at: datetime
    received_at: datetime
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class LearntFrom:
    """A model, and the exports of this service that it learnt from."""

    bundle_id: str
    name: str
    version: str
    export_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """The wish that everything about a lead be erased.

    Attributes
    ----------
    receipt_id : str
        32 hexadecimal digits that nobody can guess; an earlier erasure keeps its own.
    models : tuple of LearntFrom
        The models of which it is known what they learnt from.
    """

    lead_id: str
    receipt_id: str
    erased_at: datetime
    models: tuple[LearntFrom, ...] = ()
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What is now stored for a request; `repeated` if it already was."""

    answer: bytes
    repeated: bool
