"""The definition as the page tells it in plain words: values and texts, which the template puts into sentences."""

from __future__ import annotations

from dataclasses import dataclass

from features.definition import GRADES, FieldType, Grade, LeadDefinition, Owner
from features.text import Text


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field and when it is known."""

    label: Text
    type: FieldType
    known: str
    sensitive: bool


@dataclass(frozen=True, slots=True)
class GradeLine:
    """A grade: probabilities from `least` to below `below`, and the agreed hours, if there are any."""

    grade: Grade
    least: float
    below: float | None
    hours: float | None


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """What was agreed, as far as people act on it."""

    title: Text
    name: str
    version: int
    fingerprint: str
    timing: str
    horizon_days: int | None
    scoring_point: str
    leads_from: object
    won: str
    lost: str
    grades: tuple[GradeLine, ...]
    fields: dict[Owner, tuple[FieldLine, ...]]
    accepted: tuple[Text, ...]
    rejected: tuple[Text, ...]
    retention_days: int | None


def definition_view(definition: LeadDefinition) -> DefinitionView:
    """The definition in service, as the page tells it."""
    owners: tuple[Owner, ...] = ("marketing", "sales")
    return DefinitionView(
        title=definition.definition.title,
        name=definition.name,
        version=definition.definition.version,
        fingerprint=definition.fingerprint,
        timing=definition.timing,
        horizon_days=definition.target.horizon_days if definition.timing == "dated" else None,
        scoring_point=definition.target.scoring_point,
        leads_from=definition.target.leads_from,
        won=", ".join(definition.outcome.won),
        lost=", ".join(definition.outcome.lost),
        grades=grade_lines(definition),
        fields={owner: _of(owner, definition) for owner in owners},
        accepted=tuple(definition.verdicts.accepted.values()),
        rejected=tuple(definition.verdicts.rejected.values()),
        retention_days=definition.retention.days if definition.retention else None,
    )


def grade_lines(definition: LeadDefinition) -> tuple[GradeLine, ...]:
    """The grades with their cut-offs and hours, A first."""
    cuts = definition.grades
    least, below = (cuts.A, cuts.B, cuts.C, 0.0), (None, cuts.A, cuts.B, cuts.C)
    return tuple(
        GradeLine(grade, low, high, getattr(definition.follow_up_hours, grade))
        for grade, low, high in zip(GRADES, least, below, strict=True)
    )


def _of(owner: Owner, definition: LeadDefinition) -> tuple[FieldLine, ...]:
    return tuple(
        FieldLine(field.label, field.type, field.known, field.sensitive)
        for field in definition.fields.values()
        if field.owner == owner
    )
