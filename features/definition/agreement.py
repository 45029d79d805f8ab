"""The agreement that marketing and sales own together: one TOML file, read and checked as a whole.

`lead.toml` says what a lead, a win and a handover are, which columns an export has, and for each field when it becomes
known. Both teams can read it, and no code changes when it does. A column that it does not name never becomes a feature.
docs/en/definition.md explains every entry.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from features.text import Text, same

Known = Literal["creation", "first_touch", "handover", "outcome"]
ScoringPoint = Literal["creation", "first_touch", "handover"]
FieldType = Literal["number", "category", "boolean", "date"]
Owner = Literal["marketing", "sales"]
Grade = Literal["A", "B", "C", "D"]
Timing = Literal["dated", "ordered", "undated"]

MOMENTS: tuple[Known, ...] = get_args(Known)
GRADES: tuple[Grade, ...] = get_args(Grade)
FORMAT_VERSION = 1


def _text(value: object) -> object:
    return same(value) if isinstance(value, str) else value


Words = Annotated[Text, BeforeValidator(_text)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Share = Annotated[float, Field(gt=0, lt=1)]
Values = tuple[str, ...]


class Part(BaseModel):
    """A part of the definition: unknown entries and infinite numbers are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class About(Part):
    """Who agreed on what: the name and version of the definition, and where its data comes from."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    version: Annotated[int, Field(ge=1)]
    title: Words
    data_origin: Literal["real", "simulated"] = "real"


class Target(Part):
    """What is predicted: won within `horizon_days` of the as-of date, from what is known at `scoring_point`.

    `leads_from` leaves out older leads, for a log of outcomes that began late: what it did not record was not lost.
    """

    horizon_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    scoring_point: ScoringPoint = "creation"
    leads_from: date | None = None


class Columns(Part):
    """Which column of an export plays which role; a role without a column is left out.

    `worked_chance` is for a history in which sales worked only some leads: the chance with which each came to be
    worked, 1 if it was handed over, the exploring share if it was drawn at random, empty if nobody worked it.
    """

    outcome: str
    id: str | None = None
    created: str | None = None
    as_of: str | None = None
    closed: str | None = None
    order: str | None = None
    account: str | None = None
    value: str | None = None
    worked_chance: str | None = None

    def named(self) -> dict[str, str]:
        """Role to column, for the roles that have one."""
        return {role: column for role, column in self.model_dump().items() if column is not None}


class OutcomeValues(Part):
    """Which values of the outcome column mean won, lost and not yet known; an empty cell means open."""

    won: Annotated[Values, Field(min_length=1)]
    lost: Values = ()
    open: Values = ()


class Reading(Part):
    """How an export is written; what is not said is found out from the file.

    `missing` lists the placeholders that mean "not answered". `data_end` is the day until which outcomes were recorded
    (exclusive); without it, the latest date in the data.
    """

    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    dates: Literal["ymd", "dmy", "mdy"] | None = None
    timezone: str = "Europe/Berlin"
    missing: Values = ()
    data_end: date | None = None
    closed_before_created: Literal["error", "leave_out"] = "error"


class LeadField(Part):
    """One fact about a lead that the model may see.

    Attributes
    ----------
    column : str
        Its name in an export; the field's own name if not said.
    type : {"number", "category", "boolean", "date"}
        A date becomes the number of days from it to the as-of date.
    known : {"creation", "first_touch", "handover", "outcome"}
        When it becomes known; later than the scoring point, and it is refused.
    direction : {"up", "down"}, optional
        More of it never lowers ("up") or never raises ("down") the probability; of a date, more days since it.
    at_least, at_most : float, optional
        The plausible range of a number; a value outside is an error in the record, not a guess.
    """

    column: str = ""
    type: FieldType
    known: Known
    owner: Owner
    label: Words
    unit: Words | None = None
    direction: Literal["up", "down"] | None = None
    at_least: float | None = None
    at_most: float | None = None
    sensitive: bool = False
    missing: Values = ()
    values: dict[str, Words] = {}


class LeftOut(Part):
    """A column that is not used, and why."""

    reason: Words


class Cuts(Part):
    """The lowest probability of the grades A, B and C; what is below C is D."""

    A: Share
    B: Share
    C: Share


class Handover(Part):
    """When a lead goes to sales: sales' capacity in leads per week, or a fixed probability."""

    capacity_per_week: Annotated[float, Field(gt=0)] | None = None
    threshold: Share | None = None


class Hours(Part):
    """Agreed hours from handover to first contact, per grade."""

    A: Annotated[float, Field(gt=0)] | None = None
    B: Annotated[float, Field(gt=0)] | None = None
    C: Annotated[float, Field(gt=0)] | None = None
    D: Annotated[float, Field(gt=0)] | None = None


class Verdicts(Part):
    """The reason codes with which sales accepts or rejects a lead that was handed over."""

    accepted: dict[Name, Words] = {}
    rejected: dict[Name, Words] = {}


class Reporting(Part):
    """The fields by whose values leads are counted together in KPIs and lists; categories, each optional."""

    source: Name | None = None
    campaign: Name | None = None
    region: Name | None = None

    def named(self) -> dict[str, str]:
        """What leads are counted by, to the field that says it; without what no field says."""
        return {by: field for by, field in self.model_dump().items() if field is not None}


class Retention(Part):
    """How long what is stored about a lead is kept, in days after the last thing that happened to it."""

    days: Annotated[int, Field(ge=30, le=36_500)]


class LeadDefinition(Part):
    """The whole agreement, checked. Build it with `read_definition` or `parse_definition` (reading.py)."""

    format: Literal[1] = 1
    definition: About
    target: Target
    columns: Columns
    outcome: OutcomeValues
    read: Reading = Reading()
    fields: dict[Name, LeadField]
    left_out: dict[str, LeftOut] = {}
    accepted_leaks: dict[Name, Words] = {}
    grades: Cuts
    handover: Handover
    follow_up_hours: Hours = Hours()
    verdicts: Verdicts = Verdicts()
    reporting: Reporting | None = None
    retention: Retention | None = None

    @field_validator("fields")
    @classmethod
    def _columns_default_to_names(cls, fields: dict[str, LeadField]) -> dict[str, LeadField]:
        return {name: f if f.column else f.model_copy(update={"column": name}) for name, f in fields.items()}

    @property
    def timing(self) -> Timing:
        """How time is known: "dated" (horizon and maturity apply), "ordered" (only what came first), "undated"."""
        if self.columns.created and self.columns.closed and self.target.horizon_days:
            return "dated"
        return "ordered" if self.columns.created or self.columns.order else "undated"

    @property
    def name(self) -> str:
        """The definition's name."""
        return self.definition.name

    @property
    def simulated(self) -> bool:
        """Whether everything learnt from this data must say that it is simulated."""
        return self.definition.data_origin == "simulated"

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that was agreed, as 64 hexadecimal digits; comments and order do not count."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `parse_definition` reads back to an equal definition."""
        data: dict[str, Any] = _plain(self)
        return data


def _plain(value: object) -> Any:
    """`value` as JSON can hold it; texts become tables of languages."""
    if isinstance(value, BaseModel):
        return {key: _plain(part) for key, part in value if part is not None}
    if isinstance(value, Text):
        return {"en": value.en, "de": value.de}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
