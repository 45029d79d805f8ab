"""The agreement (lead.toml): its parts, the checks over the whole, and reading it."""

from features.definition.agreeing import AGREED_PARTS, agreed_parts, facts_fingerprint, with_parts
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
    "AGREED_PARTS",
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
    "agreed_parts",
    "facts_fingerprint",
    "parse_definition",
    "read_definition",
    "with_parts",
]
