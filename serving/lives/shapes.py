"""The shapes of answers about the lives of leads."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from serving.feedback.shapes import OutcomeAnswer, OutcomeWord, VerdictAnswer, VerdictWord
from serving.schemas import DefinitionName, InBothLanguages, Probability


class LeadShown(TypedDict):
    """A lead in a list: its latest score, and what has become of it."""

    lead_id: str
    account_id: NotRequired[str]
    as_of: Annotated[str, Field(description="Of the latest score, UTC.")]
    probability: Probability
    grade: Literal["A", "B", "C", "D"]
    handover: Literal["go", "nurture"]
    simulated: bool
    source: NotRequired[str]
    campaign: NotRequired[str]
    region: NotRequired[str]
    owner: NotRequired[Annotated[str, Field(description="The sales team or territory that works the lead.")]]
    deal_value: NotRequired[Annotated[float, Field(description="What the deal would be worth, as it was sent last.")]]
    expected_value: NotRequired[Annotated[float, Field(description="Probability times deal_value.")]]
    first_scored_at: str
    handed_over_at: NotRequired[Annotated[str, Field(description="When a score first said go, UTC.")]]
    handover_grade: NotRequired[Literal["A", "B", "C", "D"]]
    due_at: NotRequired[Annotated[str, Field(description="Until when sales agreed to contact the lead, UTC.")]]
    first_contact_at: NotRequired[str]
    outcome: NotRequired[OutcomeWord]
    outcome_at: NotRequired[str]
    value: NotRequired[float]
    verdict: NotRequired[VerdictWord]
    verdict_at: NotRequired[str]
    verdict_reason: NotRequired[str]


class LeadsAnswer(TypedDict):
    """Leads, the most probable first."""

    leads: list[LeadShown]
    next: NotRequired[Annotated[str, Field(description="Send it as next for the next page; left out on the last.")]]


class Contradiction(TypedDict):
    """What is told about a lead and does not go together."""

    code: Annotated[str, Field(description="A stable name for programs.")]
    text: InBothLanguages


class LeadAnswer(LeadShown):
    """The state of a lead: its latest score, and what has become of it."""

    score: Annotated[int, Field(ge=0, le=100, description="Of the latest score.")]
    score_id: str
    n_scores: int
    n_outcomes: int
    n_verdicts: int
    objected_at: NotRequired[Annotated[str, Field(description="The person objects: no more scores.")]]
    contradictions: list[Contradiction]


class FieldChanged(TypedDict):
    """What one field has to do with a change."""

    field: str
    label: InBothLanguages
    before: InBothLanguages
    after: InBothLanguages
    changed: Annotated[bool, Field(description="False if it moves only together with another field.")]
    points: float
    text: InBothLanguages


class ChangeAnswer(TypedDict):
    """The difference between two scores of a lead."""

    before: Annotated[str, Field(description="The name of the score before.")]
    after: Annotated[str, Field(description="The name of the score after.")]
    points: Annotated[float, Field(description="The difference of the probabilities, in percentage points.")]
    same_model: bool
    divided: Annotated[bool, Field(description="Whether it is known what is due to data and what to the model.")]
    data_points: NotRequired[Annotated[float, Field(description="Because the data changed.")]]
    model_points: NotRequired[Annotated[float, Field(description="Because the model changed.")]]
    fields: NotRequired[Annotated[list[FieldChanged], Field(description="They add up to data_points; largest first.")]]
    text: InBothLanguages


class ScoreShown(TypedDict):
    """A score in a history, without its reasons."""

    score_id: str
    as_of: str
    probability: Probability
    score: int
    grade: Literal["A", "B", "C", "D"]
    handover: Literal["go", "nurture"]
    model_name: str
    model_version: str
    bundle_id: str
    definition: Annotated[DefinitionName, Field(description="The version of the agreement under which it was made.")]


class Happening(TypedDict):
    """Something that came in about a lead: one of score, outcome and verdict."""

    kind: Literal["score", "outcome", "verdict"]
    received_at: str
    score: NotRequired[ScoreShown]
    change: NotRequired[Annotated[ChangeAnswer, Field(description="Against the score that came before.")]]
    outcome: NotRequired[OutcomeAnswer]
    verdict: NotRequired[VerdictAnswer]


class HistoryAnswer(TypedDict):
    """What came in about a lead, in the order in which it came."""

    lead_id: str
    history: list[Happening]
    next: NotRequired[Annotated[str, Field(description="Send it as next for the next page; left out on the last.")]]
