"""The shapes of outcomes and verdicts: as they are told, and as they are answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypeAlias, get_args

from pydantic import Field
from typing_extensions import TypedDict

from features.definition import LeadDefinition
from serving.schemas import ProblemDetails

# As lead ids, but shorter: letters, digits and . _ : ~ + = -, so that no e-mail address is one.
PSEUDONYM_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._:~+=-]{0,63}$"
CODE_PATTERN = "^[a-z][a-z0-9_]{0,62}$"

OutcomeWord: TypeAlias = Literal["won", "lost", "open"]
VerdictWord: TypeAlias = Literal["accepted", "rejected"]
Schema: TypeAlias = dict[str, Any]


class OutcomeAnswer(TypedDict):
    """An outcome as it is stored."""

    outcome_id: Annotated[str, Field(description="Names this stored outcome.")]
    lead_id: str
    outcome: OutcomeWord
    at: Annotated[str, Field(description="Its own date, UTC. The outcome with the latest one counts.")]
    value: NotRequired[float]
    reason: NotRequired[str]
    received_at: Annotated[str, Field(description="When it was told, UTC.")]


class VerdictAnswer(TypedDict):
    """A verdict as it is stored."""

    verdict_id: Annotated[str, Field(description="Names this stored verdict.")]
    lead_id: str
    verdict: VerdictWord
    reason: NotRequired[str]
    by: str
    at: Annotated[str, Field(description="Its own date, UTC. The verdict with the latest one counts.")]
    first_contact_at: NotRequired[str]
    received_at: Annotated[str, Field(description="When it was told, UTC.")]


class OutcomeResult(TypedDict):
    """What became of one outcome of a batch: the stored outcome if status is 200, else a problem."""

    position: Annotated[int, Field(description="Its place in the request, from 0.")]
    status: Annotated[int, Field(description="200: stored. 404, 409, 422: nothing stored for it.")]
    outcome: NotRequired[OutcomeAnswer]
    problem: NotRequired[ProblemDetails]


class OutcomesAnswer(TypedDict):
    """One result for each outcome, in the order of the request."""

    n_stored: int
    n_refused: int
    results: list[OutcomeResult]


class VerdictResult(TypedDict):
    """What became of one verdict of a batch: the stored verdict if status is 200, else a problem."""

    position: Annotated[int, Field(description="Its place in the request, from 0.")]
    status: Annotated[int, Field(description="200: stored. 404, 409, 422: nothing stored for it.")]
    verdict: NotRequired[VerdictAnswer]
    problem: NotRequired[ProblemDetails]


class VerdictsAnswer(TypedDict):
    """One result for each verdict, in the order of the request."""

    n_stored: int
    n_refused: int
    results: list[VerdictResult]


def feedback_schemas(definition: LeadDefinition | None, most: int) -> dict[str, Schema]:
    """The schemas of what may be told; the reasons of verdicts are those of the definition, once there is one."""
    return {
        "OutcomeRequest": _OUTCOME,
        "OutcomesRequest": _many("outcomes", "OutcomeRequest", "Outcomes to be stored.", most),
        "VerdictRequest": _verdict(definition),
        "VerdictsRequest": _many("verdicts", "VerdictRequest", "Verdicts to be stored.", most),
    }


def _moment(description: str) -> Schema:
    return {"type": "string", "format": "date-time", "description": description}


def _many(key: str, item: str, description: str, most: int) -> Schema:
    items = {"type": "array", "minItems": 1, "maxItems": most, "items": {"$ref": f"#/components/schemas/{item}"}}
    return _object(description, {key: items}, [key])


def _object(description: str, properties: Schema, required: list[str]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _verdict(definition: LeadDefinition | None) -> Schema:
    agreed = (definition.verdicts.accepted | definition.verdicts.rejected) if definition else {}
    words = [{"value": code, "en": text.en, "de": text.de} for code, text in agreed.items()]
    reason: Schema = {
        "type": "string",
        "description": "A reason code of the definition for this verdict. Left out only if it names none.",
    }
    properties = {
        "lead_id": {"type": "string", "description": "A lead that was handed over."},
        "verdict": {"type": "string", "enum": list(get_args(VerdictWord))},
        "reason": reason | ({"enum": list(agreed), "x-levels": words} if agreed else {}),
        "by": {
            "type": "string",
            "pattern": PSEUDONYM_PATTERN,
            "description": "Who judged, as a pseudonym. Never a name or an e-mail address.",
        },
        "at": _moment("When sales judged."),
        "first_contact_at": _moment("When sales first spoke with the lead, with the time of day."),
    }
    return _object("Sales' answer to a lead that was handed over.", properties, ["lead_id", "verdict", "by", "at"])


_OUTCOME = _object(
    "What became of a lead.",
    {
        "lead_id": {"type": "string", "description": "A lead that was scored."},
        "outcome": {
            "type": "string",
            "enum": list(get_args(OutcomeWord)),
            "description": "open: a win or a loss is taken back.",
        },
        "at": _moment("When the lead was won, lost or opened again, whenever that is told."),
        "value": {"type": "number", "minimum": 0},
        "reason": {"type": "string", "pattern": CODE_PATTERN, "description": "A code of your own."},
    },
    ["lead_id", "outcome", "at"],
)
