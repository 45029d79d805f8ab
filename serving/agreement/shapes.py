"""What is asked about the agreement and what is answered, as JSON has it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from serving.schemas import DefinitionName, Probability

LONGEST_COMMENT = 2_000
MOST_PER_WEEK = 1_000_000
MOST_HOURS = 8_760
Schema: TypeAlias = dict[str, Any]
TeamWord: TypeAlias = Literal["marketing", "sales"]


class HandoverShown(TypedDict):
    """The rule by which leads go to sales: one of both."""

    capacity_per_week: NotRequired[Annotated[float, Field(description="Leads that sales can take in a week.")]]
    threshold: NotRequired[Annotated[Probability, Field(description="Leads at or above it are handed over.")]]


class HoursShown(TypedDict):
    """Agreed hours from handover to first contact; a grade without an entry has none."""

    A: NotRequired[float]
    B: NotRequired[float]
    C: NotRequired[float]
    D: NotRequired[float]


class PartsShown(TypedDict):
    """What can be agreed on without training."""

    handover: HandoverShown
    follow_up_hours: HoursShown


class SupplyShown(TypedDict):
    """The leads that a threshold was computed from."""

    start: Annotated[str, Field(description="Beginning of the window, UTC.")]
    end: Annotated[str, Field(description="Its end, which does not belong to it, UTC.")]
    n_leads: int


class ConsentShown(TypedDict):
    """A team's consent."""

    team: TeamWord
    key_id: Annotated[str, Field(description="The API key that consented; demo where there are none.")]
    at: str


class ProposalShown(TypedDict):
    """A proposal, and what has become of it."""

    proposal_id: int
    version: Annotated[int, Field(description="What it becomes if both teams consent.")]
    based_on: Annotated[int, Field(description="The version that was in effect when it was made.")]
    state: Annotated[
        Literal["open", "in_effect", "replaced", "declined", "withdrawn", "outdated"],
        Field(description="outdated: another version came into effect before the other team answered."),
    ]
    parts: PartsShown
    threshold: Annotated[Probability, Field(description="The lowest probability handed over that results.")]
    window: NotRequired[SupplyShown]
    fingerprint: Annotated[str, Field(description="Of the definition that results, SHA-256.")]
    comment: str
    proposed_by: TeamWord
    proposed_at: str
    consents: list[ConsentShown]
    effective_at: NotRequired[str]
    ended_at: NotRequired[str]
    answer_comment: NotRequired[Annotated[str, Field(description="What the other team, or who withdrew, said.")]]


class InEffectShown(TypedDict):
    """What is in effect now."""

    definition: DefinitionName
    parts: PartsShown
    threshold: Annotated[Probability, Field(description="Leads at or above it are handed over.")]
    source: Annotated[
        Literal["definition_file", "agreement"],
        Field(description="agreement: both teams agreed on it since the model was trained."),
    ]
    effective_at: NotRequired[Annotated[str, Field(description="Since when, UTC, if it was agreed.")]]


class DefinitionAnswer(TypedDict):
    """Everything that was agreed in one version, as the definition file has it."""

    definition: DefinitionName
    first_served_at: Annotated[str, Field(description="When a model with it first came into service, UTC.")]
    agreed: Annotated[dict[str, object], Field(description="The whole definition, by its sections.")]


class AgreementAnswer(TypedDict):
    """What is in effect, what is proposed, and the history of both."""

    in_effect: InEffectShown
    open: NotRequired[ProposalShown]
    history: Annotated[list[ProposalShown], Field(description="Every proposal, the newest first.")]
    next: NotRequired[Annotated[int, Field(description="Send it as before for the next page.")]]


_NOT_NULL = {"additionalProperties": False, "type": "object"}
_TEAM: Schema = {
    "type": "string",
    "enum": ["marketing", "sales"],
    "description": "Only in the demo, where there are no keys; else the key's role says it.",
}
_COMMENT: Schema = {
    "type": "string",
    "maxLength": LONGEST_COMMENT,
    "description": "Why. Read by both teams; no names of persons.",
}
_HOURS: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_HOURS}

PROPOSAL_REQUEST: Schema = {
    **_NOT_NULL,
    "description": "What shall be agreed on. What is left out stays as it is in effect.",
    "properties": {
        "based_on": {"type": "integer", "description": "The version in effect, as GET /v1/agreement tells it."},
        "handover": {
            **_NOT_NULL,
            "description": "One of both.",
            "properties": {
                "capacity_per_week": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_PER_WEEK},
                "threshold": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            },
        },
        "follow_up_hours": {
            **_NOT_NULL,
            "description": "Hours from handover to first contact; a grade without an entry has none.",
            "properties": dict.fromkeys("ABCD", _HOURS),
        },
        "comment": {**_COMMENT, "minLength": 1},
        "from": {
            "type": "string",
            "format": "date",
            "description": "First day of the window whose leads turn a capacity into a threshold.",
        },
        "to": {"type": "string", "format": "date", "description": "First day after that window."},
        "team": _TEAM,
    },
    "required": ["based_on", "comment"],
}
CONSENT_REQUEST: Schema = {
    **_NOT_NULL,
    "description": "A team's consent to a proposal.",
    "properties": {"comment": _COMMENT, "team": _TEAM},
}
DECLINE_REQUEST: Schema = {
    **_NOT_NULL,
    "description": "Why a proposal is declined or withdrawn.",
    "properties": {"comment": {**_COMMENT, "minLength": 1}, "team": _TEAM},
    "required": ["comment"],
}
SCHEMAS: dict[str, Schema] = {
    "ProposalRequest": PROPOSAL_REQUEST,
    "ConsentRequest": CONSENT_REQUEST,
    "DeclineRequest": DECLINE_REQUEST,
}
