"""The shapes of what the service answers, as JSON has them.

Typed dictionaries: they are the JSON itself, cost nothing to build, and give the OpenAPI document its schemas. What is
not known is left out, never null: clients generated for CRMs cannot read a value that is "either this or null".
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field

# pydantic, which makes the schemas, reads only this TypedDict before Python 3.12, and brings the package along.
from typing_extensions import TypedDict

Probability = Annotated[float, Field(ge=0, le=1)]


class InBothLanguages(TypedDict):
    """A text in English and in German."""

    en: str
    de: str


class DefinitionName(TypedDict):
    """The agreement under which the model was trained."""

    name: str
    version: int
    fingerprint: Annotated[str, Field(description="SHA-256 over everything that was agreed.")]


class ModelName(TypedDict):
    """The model that an answer came from."""

    name: str
    version: str
    bundle_id: Annotated[str, Field(description="First 12 hexadecimal digits of the SHA-256 of its bundle.json.")]
    created_at: str
    definition: DefinitionName
    simulated: Annotated[bool, Field(description="True if it learnt from simulated leads.")]
    validated_on_later_leads: Annotated[bool, Field(description="False if the history had no order in time.")]


class Base(TypedDict):
    """Where every lead starts, before any field speaks."""

    probability: Probability
    log_odds: float
    text: InBothLanguages


class Contribution(TypedDict):
    """What one field adds. Base plus all contributions is log_odds; base plus all points is the probability."""

    field: str
    contribution: Annotated[float, Field(description="In log-odds.")]
    points: Annotated[float, Field(description="In percentage points.")]


class EvidenceShown(TypedDict):
    """How leads of the history with such a value fared; no rate where there are none."""

    n: int
    won: int
    rate: NotRequired[Probability]
    low: Annotated[Probability, Field(description="Lower end of the rate's 90 % interval.")]
    high: Annotated[Probability, Field(description="Upper end of the rate's 90 % interval.")]


class ReasonShown(TypedDict):
    """A contribution in words: what was seen and what the history says about it. Never a cause."""

    field: str
    label: InBothLanguages
    value: InBothLanguages
    contribution: float
    points: float
    evidence: EvidenceShown
    text: InBothLanguages


class RestShown(TypedDict):
    """What the fields that are not among the reasons add up to."""

    n_fields: int
    contribution: float
    points: float
    text: InBothLanguages


class IntervalShown(TypedDict):
    """Where the probability itself lies; not a range of outcomes."""

    low: Probability
    high: Probability
    level: Annotated[float, Field(description="The share of such intervals that hold the probability, over models.")]


ReasonsText = Annotated[
    str, Field(description="Base, reasons and rest as one text, a line each, in the language of Accept-Language.")
]


class Explained(TypedDict):
    """A probability and all of its explanation."""

    as_of: Annotated[str, Field(description="The moment for which the lead was scored, UTC.")]
    probability: Annotated[Probability, Field(description="Of being won within horizon_days of as_of; calibrated.")]
    interval: NotRequired[IntervalShown]
    score: Annotated[int, Field(ge=0, le=100, description="The probability as a whole number from 0 to 100.")]
    grade: Literal["A", "B", "C", "D"]
    handover: Annotated[Literal["go", "nurture"], Field(description="go: to sales now. nurture: keep warming it.")]
    horizon_days: NotRequired[int]
    log_odds: float
    base: Base
    contributions: Annotated[list[Contribution], Field(description="Every field, in the definition's order.")]
    reasons: Annotated[list[ReasonShown], Field(description="The strongest, largest absolute points first.")]
    rest: RestShown
    missing: Annotated[list[str], Field(description="Fields without a value.")]
    unknown: Annotated[list[str], Field(description="Fields whose value is rare or was never seen in the history.")]
    unlike_training: NotRequired[
        Annotated[list[str], Field(description="Fields whose value, gap or combination the history never held.")]
    ]
    model: ModelName


class StoredAnswer(Explained):
    """A lead's probability and all of its explanation, the same for every reader."""

    score_id: Annotated[str, Field(description="Names this stored score.")]
    lead_id: str
    account_id: NotRequired[str]


class WhatIfAnswer(Explained):
    """The probability that a lead with such fields would have; nothing of it is stored."""

    reasons_text: ReasonsText


class ScoreAnswer(StoredAnswer):
    """A lead's probability and all of its explanation."""

    reasons_text: ReasonsText


class ProblemShown(TypedDict):
    """One fault of a request."""

    where: Annotated[str, Field(description="Its place, such as fields.employees or leads[3].lead_id.")]
    field: NotRequired[Annotated[str, Field(description="The definition's field, where it is about one.")]]
    seen: Annotated[str, Field(description="The value found, shortened; empty if nothing was found.")]
    expected: str
    message: str
    code: Annotated[str, Field(description="A stable name for programs.")]


class ProblemDetails(TypedDict):
    """What went wrong (RFC 9457), in the language that Accept-Language asks for, with every fault of the request."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    problems: list[ProblemShown]
    n_problems: Annotated[int, Field(description="All faults found; more than listed if there are very many.")]


class BatchResult(TypedDict):
    """What became of one lead of a batch: a score if status is 200, else a problem."""

    position: Annotated[int, Field(description="Its place in the request, from 0.")]
    status: Annotated[int, Field(description="200: scored and stored. 409, 422: refused, nothing stored for it.")]
    score: NotRequired[ScoreAnswer]
    problem: NotRequired[ProblemDetails]


class BatchAnswer(TypedDict):
    """One result for each lead, in the order of the request."""

    n_scored: int
    n_refused: int
    results: list[BatchResult]


class WindowShown(TypedDict):
    """A stretch of the history and what it was used for; `end` is exclusive; no dates where the history has none."""

    use: str
    start: NotRequired[str]
    end: NotRequired[str]
    n: int
    won: int


class CutsShown(TypedDict):
    """The lowest probability of each grade; what is below C is D."""

    A: Probability
    B: Probability
    C: Probability


class FieldShown(TypedDict):
    """One field that the model reads."""

    name: str
    label: InBothLanguages
    type: Literal["number", "category", "boolean", "date"]
    owner: Literal["marketing", "sales"]
    known: str
    sensitive: bool


class PendingShown(TypedDict):
    """That another model should be in service, but cannot be, and since when that is known."""

    text: InBothLanguages
    since: str


class ModelAnswer(TypedDict):
    """The model in service and what is known about it."""

    model: ModelName
    title: InBothLanguages
    horizon_days: NotRequired[int]
    scoring_point: str
    base_rate: Annotated[Probability, Field(description="Share won among the leads that the model was fitted on.")]
    base_probability: Probability
    handover_threshold: Probability
    grades: CutsShown
    fields: list[FieldShown]
    windows: list[WindowShown]
    metrics: Annotated[dict[str, object], Field(description="Of the evaluation on later leads, as training wrote it.")]
    warnings: list[InBothLanguages]
    pending: NotRequired[PendingShown]


class ReloadAnswer(TypedDict):
    """The model in service after the look."""

    model: ModelName
    changed: Annotated[bool, Field(description="Whether it is another one than before.")]


class ImportanceShown(TypedDict):
    """How much one field moves probabilities."""

    field: str
    label: InBothLanguages
    mean_absolute_points: Annotated[float, Field(description="Mean absolute contribution in percentage points.")]


class ImportanceAnswer(TypedDict):
    """Every field, the one that moves probabilities most first."""

    model: ModelName
    importance: list[ImportanceShown]


class AlertShown(TypedDict):
    """One check: its state, what was found last, and what to do. Figures that could not be told are left out."""

    name: Annotated[str, Field(description="Its stable name, such as volume or missing:employees.")]
    kind: Literal["field", "missing", "unknown", "score", "unlike", "volume", "calibration", "performance"]
    field: NotRequired[Annotated[str, Field(description="The definition's field, where it is about one.")]]
    label: InBothLanguages
    raised: bool
    since: Annotated[str, Field(description="Since when it is raised, or is not; UTC.")]
    silent: Annotated[bool, Field(description="True if the operator decided that it is never raised.")]
    finding: Annotated[
        Literal["over", "between", "under", "untold"],
        Field(description="over: its whole interval lies outside of what is tolerated. untold: too little to tell."),
    ]
    value: NotRequired[float]
    low: NotRequired[Annotated[float, Field(description="Lower end of the interval of value.")]]
    high: NotRequired[Annotated[float, Field(description="Upper end of the interval of value.")]]
    tolerated_low: NotRequired[float]
    tolerated_high: NotRequired[float]
    n: Annotated[int, Field(description="Leads behind value.")]
    n_over: Annotated[int, Field(description="Findings over the limit in a row.")]
    n_under: Annotated[int, Field(description="Findings within the limit in a row.")]
    text: Annotated[InBothLanguages, Field(description="What was found, in one sentence.")]
    advice: Annotated[InBothLanguages, Field(description="What to do if it is raised.")]
    figures: Annotated[dict[str, float], Field(description="Figures beside value, by name.")]


class AlertsAnswer(TypedDict):
    """Every check, those that are raised first; empty until the first evaluation."""

    checked_at: NotRequired[Annotated[str, Field(description="When was last evaluated, UTC.")]]
    n_raised: int
    alerts: list[AlertShown]


class Health(TypedDict):
    """The process answers."""

    status: Literal["live", "ready"]
