"""The shapes of the figures as JSON has them. What does not exist is left out, never null."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field

# pydantic, which makes the schemas, reads only this TypedDict before Python 3.12, and brings the package along.
from typing_extensions import TypedDict

from serving.schemas import InBothLanguages, Probability

Step = Literal["scored", "handed_over", "contacted", "accepted", "won"]


class FigureShown(TypedDict):
    """One figure with its denominator, period and interval. Without leads it has no value."""

    name: str
    value: NotRequired[float]
    low: NotRequired[Annotated[float, Field(description="Lower end of the 90 % interval.")]]
    high: NotRequired[Annotated[float, Field(description="Upper end of the 90 % interval.")]]
    n: Annotated[int, Field(description="The leads that it is about.")]
    n_of: Annotated[int, Field(description="How many of them are counted.")]
    expected: NotRequired[Annotated[float, Field(description="Wins expected: the sum of these leads' probabilities.")]]
    start: Annotated[str, Field(description="First day of the period.")]
    end: Annotated[str, Field(description="First day after the period.")]
    matured_only: Annotated[bool, Field(description="True if leads whose horizon is not over are left out.")]
    definition: NotRequired[Annotated[InBothLanguages, Field(description="What is counted. Left out in tables.")]]


class StepShown(TypedDict):
    """A step of the funnel. Counts are of all leads; the shares leave out leads too young for them."""

    step: Step
    label: InBothLanguages
    n: int
    of_before: NotRequired[FigureShown]
    of_first: NotRequired[FigureShown]


class GradeFollowUpShown(TypedDict):
    """The follow-up of the leads handed over with a grade."""

    grade: Literal["A", "B", "C", "D"]
    agreed_hours: NotRequired[float]
    in_time: FigureShown
    median_hours: FigureShown
    overdue: FigureShown


class FollowUpShown(TypedDict):
    """How soon leads are contacted."""

    in_time: FigureShown
    median_hours: FigureShown
    overdue: FigureShown
    by_grade: list[GradeFollowUpShown]


class MarkShown(TypedDict):
    """A value from elsewhere to compare with."""

    value: Probability
    source: InBothLanguages


class RejectionShown(TypedDict):
    """A reason for which leads were rejected, and its share of all rejections."""

    code: str
    label: InBothLanguages
    n: int
    share: FigureShown


class AcceptanceShown(TypedDict):
    """What sales said of the leads handed over."""

    rate: FigureShown
    mark: MarkShown
    without_verdict: FigureShown
    rejections: Annotated[list[RejectionShown], Field(description="The most frequent reason first.")]


class GradeConversionShown(TypedDict):
    """What was predicted for the leads of a grade, and what came."""

    grade: Literal["A", "B", "C", "D"]
    predicted: FigureShown
    observed: FigureShown
    observed_to_expected: FigureShown


class ConversionShown(TypedDict):
    """What was predicted, and what came, for matured leads."""

    predicted: FigureShown
    observed: FigureShown
    observed_to_expected: FigureShown
    by_grade: list[GradeConversionShown]
    n_too_young: Annotated[int, Field(description="Leads left out because their outcome does not count yet.")]
    n_closed_before: Annotated[int, Field(description="Leads left out because they were closed before their score.")]


class GradeCountShown(TypedDict):
    """How many leads had a grade at their first score."""

    grade: Literal["A", "B", "C", "D"]
    n: int


class RowShown(TypedDict):
    """The figures of one group of leads."""

    group: NotRequired[Annotated[str, Field(description="Left out for leads without a value, the rest and the total.")]]
    label: InBothLanguages
    n_groups: Annotated[int, Field(description="How many groups it holds: more than one for the rest and the total.")]
    thin: Annotated[bool, Field(description="True below 30 leads: read nothing into it.")]
    n_leads: int
    n_handed_over: int
    n_contacted: int
    n_accepted: int
    n_won: int
    grades: list[GradeCountShown]
    handed_over: FigureShown
    in_time: FigureShown
    median_hours: FigureShown
    acceptance: FigureShown
    predicted: FigureShown
    observed: FigureShown
    observed_to_expected: FigureShown
    rejections: list[RejectionShown]


class TableShown(TypedDict):
    """The figures by group: a page of rows, all other groups together, and all of them."""

    by: Literal["source", "campaign", "region", "month", "grade"]
    rows: list[RowShown]
    rest: NotRequired[RowShown]
    total: RowShown
    n_groups: int
    limit: int
    offset: int


class FilterShown(TypedDict):
    """Only leads with this value are counted; without a value, those that have none."""

    by: Literal["source", "campaign", "region"]
    value: NotRequired[str]


class DefinitionShown(TypedDict):
    """What a figure is called and what it counts."""

    name: str
    label: InBothLanguages
    text: InBothLanguages


class KpiAnswer(TypedDict):
    """The figures of a period."""

    start: Annotated[str, Field(description="First day of the period.")]
    end: Annotated[str, Field(description="First day after the period.")]
    timezone: str
    now: Annotated[str, Field(description="What was known at this moment counts, UTC.")]
    level: Annotated[float, Field(description="Of the intervals.")]
    horizon_days: NotRequired[int]
    filters: list[FilterShown]
    n_simulated: Annotated[int, Field(description="How many of the leads are simulated.")]
    funnel: list[StepShown]
    follow_up: FollowUpShown
    acceptance: AcceptanceShown
    conversion: ConversionShown
    table: NotRequired[TableShown]
    definitions: list[DefinitionShown]
