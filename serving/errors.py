"""What callers are told when something goes wrong: RFC 9457 problem details, one shape for every error.

Each kind below is one value of `type`. The errors of features and of the store become a kind here, and only here:

    DataError (RecordError, ...)   invalid_request          your request is wrong: every fault of it at once
    KeyReusedError                 idempotency_key_reused
    LeadRefusedError               lead_refused             the person objected, or the lead was erased
    UnknownLeadError               unknown_lead             no score of the lead is stored
    UnknownProposalError           unknown_proposal         an answer to a proposal that was never made
    ProposalRefusedError           proposal_refused         a proposal, or an answer to one, that came too late
    NotHandedOverError             not_handed_over          a verdict on a lead that sales was never given
    NotReadyError                  not_ready                nothing to answer with yet
    OutsideError                   store_unavailable        the outside failed; send the request again
    anything else                  internal                 we are wrong
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import orjson

from features.errors import DataError, NotReadyError, OutsideError, Problem
from features.text import LANGUAGES, Language, Text
from serving.schemas import ProblemDetails, ProblemShown
from serving.store import (
    KeyReusedError,
    LeadRefusedError,
    NotHandedOverError,
    ProposalRefusedError,
    UnknownLeadError,
    UnknownProposalError,
)

PROBLEM_JSON = "application/problem+json"
MOST_PROBLEMS = 200
LONGEST_SEEN = 80
LONGEST_PLACE = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of error: its name in `type`, HTTP status and words, and others for requests that store nothing."""

    name: str
    status: int
    title: Text
    detail: Text
    detail_of_read: Text | None = None

    @property
    def uri(self) -> str:
        """What `type` says."""
        return f"urn:lead-quality:problem:{self.name.replace('_', '-')}"


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "malformed_json",
            400,
            Text("The body is not valid JSON", "Der Body ist kein gültiges JSON"),
            Text("Send one JSON object in UTF-8.", "Senden Sie ein JSON-Objekt in UTF-8."),
        ),
        Kind(
            "unauthorized",
            401,
            Text("Not let in", "Kein Zutritt"),
            Text(
                "This needs a key of this service.",
                "Dafür braucht es einen Schlüssel dieses Dienstes.",
            ),
        ),
        Kind(
            "forbidden",
            403,
            Text("Not with this key", "Nicht mit diesem Schlüssel"),
            Text(
                "The role of your key does not include this.",
                "Die Rolle Ihres Schlüssels umfasst das nicht.",
            ),
        ),
        Kind(
            "not_found",
            404,
            Text("Not found", "Nicht gefunden"),
            Text("There is nothing at this address.", "Unter dieser Adresse gibt es nichts."),
        ),
        Kind(
            "unknown_lead",
            404,
            Text("There is no such lead", "Diesen Lead gibt es nicht"),
            Text(
                "No score of it is stored. Nothing was stored for it.",
                "Von ihm ist kein Score gespeichert. Nichts wurde für ihn gespeichert.",
            ),
        ),
        Kind(
            "unknown_proposal",
            404,
            Text("There is no such proposal", "Diesen Vorschlag gibt es nicht"),
            Text("Nothing was changed.", "Nichts wurde geändert."),
        ),
        Kind(
            "method_not_allowed",
            405,
            Text("Method not allowed", "Methode nicht erlaubt"),
            Text(
                "The header Allow lists what this address takes.", "Der Header Allow nennt, was diese Adresse annimmt."
            ),
        ),
        Kind(
            "body_too_slow",
            408,
            Text("The body took too long", "Der Body kam zu langsam"),
            Text("Send the whole request at once.", "Senden Sie die ganze Anfrage auf einmal."),
        ),
        Kind(
            "lead_refused",
            409,
            Text("The lead may not be scored", "Der Lead darf nicht bewertet werden"),
            Text(
                "The person objected, or the lead was erased; problems says which. Nothing was stored.",
                "Die Person hat widersprochen oder der Lead wurde gelöscht, siehe problems. Nichts wurde gespeichert.",
            ),
        ),
        Kind(
            "model_refused",
            409,
            Text("The model was not put into service", "Das Modell kam nicht in den Einsatz"),
            Text(
                "The model in service stays, and scores as before.",
                "Das Modell im Einsatz bleibt und bewertet wie bisher.",
            ),
        ),
        Kind(
            "not_handed_over",
            409,
            Text("The lead was not handed over", "Der Lead wurde nicht übergeben"),
            Text(
                "Sales judges only leads that it was given. Nothing was stored.",
                "Der Vertrieb beurteilt nur Leads, die ihm übergeben wurden. Nichts wurde gespeichert.",
            ),
        ),
        Kind(
            "proposal_refused",
            409,
            Text("The agreement has moved on", "Die Vereinbarung ist inzwischen weiter"),
            Text(
                "Another proposal is open, or another version is in effect; problems says which. Nothing was changed.",
                "Ein anderer Vorschlag ist offen oder eine andere Version in Kraft, siehe problems. "
                "Nichts wurde geändert.",
            ),
        ),
        Kind(
            "body_too_large",
            413,
            Text("The body is too large", "Der Body ist zu groß"),
            Text("Send fewer leads in one request.", "Senden Sie weniger Leads in einer Anfrage."),
        ),
        Kind(
            "unsupported_media_type",
            415,
            Text("The content type is not JSON", "Der Inhaltstyp ist nicht JSON"),
            Text(
                "Send Content-Type: application/json, in UTF-8 and not compressed.",
                "Senden Sie Content-Type: application/json, in UTF-8 und nicht komprimiert.",
            ),
        ),
        Kind(
            "invalid_request",
            422,
            Text("The request does not fit", "Die Anfrage passt nicht"),
            Text(
                "Nothing was stored. Every fault is listed under problems.",
                "Nichts wurde gespeichert. Alle Fehler stehen unter problems.",
            ),
            Text("Every fault is listed under problems.", "Alle Fehler stehen unter problems."),
        ),
        Kind(
            "idempotency_key_reused",
            422,
            Text("The Idempotency-Key was used before", "Der Idempotency-Key wurde schon verwendet"),
            Text(
                "The key came before with another request. Nothing was stored.",
                "Der Schlüssel kam schon mit einer anderen Anfrage. Nichts wurde gespeichert.",
            ),
        ),
        Kind(
            "too_many_requests",
            429,
            Text("Too many requests", "Zu viele Anfragen"),
            Text(
                "Wait for the seconds in Retry-After.",
                "Warten Sie die Sekunden ab, die Retry-After nennt.",
            ),
        ),
        Kind(
            "request_head_too_large",
            431,
            Text("Address and headers are too large", "Adresse und Header sind zu groß"),
            Text(
                "Send a shorter address and fewer headers.",
                "Senden Sie eine kürzere Adresse und weniger Header.",
            ),
        ),
        Kind(
            "internal",
            500,
            Text("The service failed", "Der Dienst hat versagt"),
            Text(
                "This is our fault. Please report the request_id.",
                "Das ist unser Fehler. Bitte melden Sie die request_id.",
            ),
        ),
        Kind(
            "not_ready",
            503,
            Text("The service is not ready", "Der Dienst ist nicht bereit"),
            Text(
                "There is nothing to answer with yet; /readyz says why. Try again later.",
                "Noch gibt es nichts, womit geantwortet werden kann; /readyz nennt den Grund. Versuchen Sie es später.",
            ),
        ),
        Kind(
            "overloaded",
            503,
            Text("Too much at a time", "Zu viel auf einmal"),
            Text(
                "Other requests are still being answered. Send the same request again after Retry-After.",
                "Andere Anfragen werden noch beantwortet. Senden Sie dieselbe Anfrage nach Retry-After noch einmal.",
            ),
        ),
        Kind(
            "store_unavailable",
            503,
            Text("The store is not available", "Der Speicher ist nicht erreichbar"),
            Text(
                "The answer could not be stored, so it was not given. Send the same request again.",
                "Die Antwort ließ sich nicht speichern und blieb darum aus. Senden Sie die Anfrage noch einmal.",
            ),
            Text(
                "What is stored could not be read. Send the same request again.",
                "Was gespeichert ist, ließ sich nicht lesen. Senden Sie die Anfrage noch einmal.",
            ),
        ),
    )
}


class ApiError(Exception):
    """A request that cannot be answered, with the kind of problem that the caller is told.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    detail : Text, optional
        What happened in this case; the kind's own words by default.
    problems : iterable of Problem
        Every fault that was found.
    headers : mapping
        Response headers that belong to it, such as Allow.
    """

    def __init__(
        self,
        kind: str,
        *,
        detail: Text | None = None,
        problems: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = KINDS[kind]
        self.detail = detail or self.kind.detail
        self.problems = tuple(problems)
        self.headers = dict(headers or {})
        super().__init__(self.kind.name)


KIND_OF: tuple[tuple[type[Exception], str], ...] = (
    (KeyReusedError, "idempotency_key_reused"),
    (LeadRefusedError, "lead_refused"),
    (UnknownLeadError, "unknown_lead"),
    (NotHandedOverError, "not_handed_over"),
    (UnknownProposalError, "unknown_proposal"),
    (ProposalRefusedError, "proposal_refused"),
    (DataError, "invalid_request"),
    (NotReadyError, "not_ready"),
    (OutsideError, "store_unavailable"),
)
"""The first that an error is an instance of says its kind."""


def api_error(error: Exception, *, reads: bool = False) -> ApiError:
    """The error as callers are told about it; nothing of its message is passed on unless it is about their data.

    Parameters
    ----------
    reads : bool
        Whether the request would have stored nothing: then it is not said that nothing was stored.
    """
    if isinstance(error, ApiError):
        return error
    kind = next((kind for raised, kind in KIND_OF if isinstance(error, raised)), "internal")
    detail = KINDS[kind].detail_of_read if reads else None
    return ApiError(kind, detail=detail, problems=error.problems if isinstance(error, DataError) else ())


def details(error: ApiError, language: Language, request_id: str) -> ProblemDetails:
    """The problem details of `error`; beyond the first 200 faults only their number is given."""
    return ProblemDetails(
        type=error.kind.uri,
        title=error.kind.title.in_language(language),
        status=error.kind.status,
        detail=error.detail.in_language(language),
        instance=f"urn:lead-quality:request:{request_id}",
        request_id=request_id,
        problems=[_shown(problem, language) for problem in error.problems[:MOST_PROBLEMS]],
        n_problems=len(error.problems),
    )


def body(error: ApiError, language: Language, request_id: str) -> bytes:
    """The problem details as JSON."""
    return orjson.dumps(details(error, language, request_id))


@lru_cache(maxsize=64)  # callers do not change theirs
def preferred_language(accept_language: str, default: Language) -> Language:
    """German or English, whichever the header `Accept-Language` weighs more; `default` if it names neither.

    >>> preferred_language("de-AT,de;q=0.9,en;q=0.8", "en")
    'de'
    """
    weights: dict[Language, float] = {"de": 0.0, "en": 0.0}
    for part in accept_language[:1000].split(","):
        tag, _, parameter = part.partition(";")
        primary = tag.strip().lower().split("-")[0]
        for language in LANGUAGES:
            if primary == language:
                weights[language] = max(weights[language], _weight(parameter))
    if weights["de"] == weights["en"]:
        return default
    return "de" if weights["de"] > weights["en"] else "en"


def _weight(parameter: str) -> float:
    """The `q` of one language; 1 where none is given, 0 where it cannot be read."""
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _shown(problem: Problem, language: Language) -> ProblemShown:
    shown = ProblemShown(
        where=_short(problem.where, LONGEST_PLACE),
        seen=_short(problem.seen, LONGEST_SEEN),
        expected=problem.expected.in_language(language),
        message=problem.what.in_language(language),
        code=problem.code,
    )
    before, mark, field = problem.where.rpartition("fields.")
    if mark and (not before or before.endswith(".")):
        shown["field"] = _short(field, LONGEST_PLACE)
    return shown


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
