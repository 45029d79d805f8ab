"""The agreement (lead.toml): its parts, the checks over the whole, and reading it."""

from features.definition.agreement import (
    GRADES,
    MOMENTS,
    Columns,
    FieldType,
    Grade,
    Known,
    LeadDefinition,
    LeadField,
    Owner,
    Reading,
    ScoringPoint,
    Timing,
)
from features.definition.reading import parse_definition, read_definition

__all__ = [
    "GRADES",
    "MOMENTS",
    "Columns",
    "FieldType",
    "Grade",
    "Known",
    "LeadDefinition",
    "LeadField",
    "Owner",
    "Reading",
    "ScoringPoint",
    "Timing",
    "parse_definition",
    "read_definition",
]
