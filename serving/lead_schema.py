"""The request as JSON Schema, from the definition of the model in service: fields, types, levels, labels, ranges.

What a schema says here is for people and for tools that import it; what is accepted is decided by the encoder alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from features.definition import LeadField
from features.encode import FIRST_LEVEL_CODE, LONGEST_VALUE, EncodedField
from features.model.bundle import Bundle
from features.profile import FieldProfile
from features.text import Text, same
from serving.intake import ID_PATTERN, WHAT_IF_KEYS
from serving.scorer import Scorer, in_utc

LONGEST_DESCRIPTION = 1_200  # Salesforce refuses descriptions of 1,333 characters and more
MOST_EXAMPLES = 5

Schema = dict[str, Any]


def lead_schemas(scorer: Scorer | None, max_batch_leads: int) -> dict[str, Schema]:
    """The schemas ScoreRequest, WhatIfRequest, BatchRequest and LeadFields; no fields while there is no model."""
    fields = _fields(scorer.bundle) if scorer else {}
    request: Schema = {
        "type": "object",
        "description": "One lead to be scored.",
        "properties": {
            "lead_id": _identifier("The lead's id in your system. Never an e-mail address or a name."),
            "account_id": _identifier("The id of the company that the lead belongs to."),
            "owner": _identifier("The sales team or territory that works the lead. Never a person's name."),
            "deal_value": {
                "type": "number",
                "minimum": 0,
                "description": "What the deal would be worth if the lead were won; the model does not see it.",
            },
            "as_of": {
                "type": "string",
                "format": "date-time",
                "description": "The moment for which the lead is scored: only facts known before it. Default: now.",
            },
            "fields": {"$ref": "#/components/schemas/LeadFields"},
        },
        "required": ["lead_id", "fields"],
        "additionalProperties": False,
    }
    what_if = {
        "type": "object",
        "description": "A lead that need not exist.",
        "properties": {name: request["properties"][name] for name in WHAT_IF_KEYS},
        "required": ["fields"],
        "additionalProperties": False,
    }
    batch = {
        "type": "object",
        "description": "Leads to be scored.",
        "properties": {
            "leads": {
                "type": "array",
                "minItems": 1,
                "maxItems": max_batch_leads,
                "items": {"$ref": "#/components/schemas/ScoreRequest"},
            }
        },
        "required": ["leads"],
        "additionalProperties": False,
    }
    lead_fields = {
        "type": "object",
        "description": "What is known about the lead. Leave out what is not known.",
        "properties": fields,
        "additionalProperties": False,
    }
    return {"ScoreRequest": request, "WhatIfRequest": what_if, "BatchRequest": batch, "LeadFields": lead_fields}


def lead_examples(scorer: Scorer) -> dict[str, Schema]:
    """Synthetic requests that this model scores: a complete lead, and one of which little is known."""
    as_of = datetime.fromisoformat(scorer.bundle.manifest.created_at)
    fields = _typical_values(scorer.bundle, as_of)
    some = dict(list(fields.items())[: max(1, len(fields) // 3)])
    complete = {"lead_id": "EXAMPLE-1", "account_id": "EXAMPLE-A", "as_of": in_utc(as_of), "fields": fields}
    return {
        "complete": {"summary": "A lead of which everything is known", "value": complete},
        "sparse": {"summary": "A lead of which little is known", "value": {"lead_id": "EXAMPLE-2", "fields": some}},
    }


def _identifier(description: str) -> Schema:
    return {"type": "string", "pattern": ID_PATTERN, "description": description}


def _fields(bundle: Bundle) -> dict[str, Schema]:
    agreed = bundle.definition.fields
    return {field.name: _field(field, agreed[field.name]) for field in bundle.model.encoder.fields}


def _field(field: EncodedField, agreed: LeadField) -> Schema:
    schema: Schema = {"title": agreed.label.en, "x-label-en": agreed.label.en, "x-label-de": agreed.label.de}
    schema["x-owner"] = agreed.owner
    if agreed.type == "number":
        schema |= {"type": "number"} | _range(agreed)
    elif agreed.type == "boolean":
        schema |= {"type": "boolean"}
    elif agreed.type == "date":
        schema |= {"type": "string", "examples": ["2026-01-31", "2026-01-31T09:30:00Z"]}
    else:
        schema |= _levels(field, agreed)
    described = _described(field, agreed)
    return schema | {"description": described.en, "x-description-de": described.de}


def _described(field: EncodedField, agreed: LeadField) -> Text:
    """What stands beside a field; the English form names the German label too, as mixed teams read it."""
    label, unit = agreed.label, agreed.unit
    words = Text(
        f"{label.en} / {label.de}" + (f" ({unit.en} / {unit.de})." if unit else "."),
        f"{label.de} ({unit.de})." if unit else f"{label.de}.",
    )
    more, note = _NOTES.get(agreed.type, NOTHING), NOTHING
    if agreed.type == "category":
        known = ", ".join(field.levels)
        more, note = (Text(f" Known values: {known}.", f" Bekannte Werte: {known}.") if known else NOTHING), _OTHERS
    en, de = (
        _shortened(first + second, LONGEST_DESCRIPTION - len(third)) + third
        for first, second, third in zip(words, more, note, strict=True)
    )
    return Text(en, de)


def _range(agreed: LeadField) -> Schema:
    bounds = {"minimum": agreed.at_least, "maximum": agreed.at_most}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _levels(field: EncodedField, agreed: LeadField) -> Schema:
    """A text with its levels as examples and as an extension; no enum, because other values are scored too."""
    named = []
    for level in field.levels:
        words = agreed.values.get(level)
        named.append({"value": level, "en": words.en if words else level, "de": words.de if words else level})
    schema: Schema = {"type": "string", "maxLength": LONGEST_VALUE, "x-levels": named}
    return schema | ({"examples": list(field.levels[:MOST_EXAMPLES])} if field.levels else {})


def _typical_values(bundle: Bundle, as_of: datetime) -> Schema:
    """For each field its most common level, or the middle of its ranges: of no real lead, but of a usual one."""
    values: Schema = {}
    for field, profile in zip(bundle.model.encoder.fields, bundle.profile.fields, strict=True):
        agreed = bundle.definition.fields[field.name]
        value = _typical_level(field, profile) if field.kind == "category" else _middle(profile, agreed)
        if value is None:
            continue
        if agreed.type == "boolean":
            value = value == "true"
        elif agreed.type == "date":
            value = in_utc(as_of - timedelta(days=max(0.0, float(value))))
        values[field.name] = value
    return values


def _typical_level(field: EncodedField, profile: FieldProfile) -> str | None:
    counts = profile.n[FIRST_LEVEL_CODE:]
    return field.levels[counts.index(max(counts))] if counts else None


def _middle(profile: FieldProfile, agreed: LeadField) -> float:
    middle = profile.edges[len(profile.edges) // 2] if profile.edges else agreed.at_least or 0.0
    lowest = agreed.at_least if agreed.at_least is not None else middle
    highest = agreed.at_most if agreed.at_most is not None else middle
    value = min(max(middle, lowest), highest)
    return int(value) if value == int(value) else value


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


NOTHING = same("")
_NOTES = {
    "date": Text(
        " A date or a date with time, not after as_of.", " Ein Datum oder Datum mit Uhrzeit, nicht nach as_of."
    )
}
_OTHERS = Text(" Other values are scored as rare or new.", " Andere Werte zählen als selten oder neu.")
