"""What both teams can agree on without training: the handover rule and the follow-up hours.

Every other part decides what a model learns, or what its probabilities and grades mean: it changes with a new model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from features.definition.agreement import LeadDefinition
from features.definition.reading import parse_definition

AGREED_PARTS = ("handover", "follow_up_hours")
FACTS = ("target", "outcome", "read", "fields")
"""The parts that decide what the fields and the outcome of a lead mean."""


def agreed_parts(definition: LeadDefinition) -> dict[str, Any]:
    """The parts of `definition` that can be agreed on without training, as plain data."""
    data = definition.to_dict()
    return {name: data.get(name, {}) for name in AGREED_PARTS}


def with_parts(definition: LeadDefinition, parts: Mapping[str, Any], version: int) -> LeadDefinition:
    """`definition` as the next version of it, with these parts in place of its own, checked as a whole.

    Parameters
    ----------
    parts : mapping
        `handover`, `follow_up_hours` or both, as plain data; what is not named stays.

    Raises
    ------
    DefinitionError
        With everything that does not hold together.
    """
    data = definition.to_dict()
    changed = {name: dict(part) for name, part in parts.items() if name in AGREED_PARTS}
    data |= changed | {"definition": {**data["definition"], "version": version}}
    return parse_definition(data, source="agreement")


def facts_fingerprint(definition: LeadDefinition) -> str:
    """SHA-256 over what the facts about a lead mean, as 64 hexadecimal digits.

    Leads that were scored under definitions with the same one can be compared, whatever else was agreed.
    """
    data = definition.to_dict()
    facts = {name: data.get(name) for name in FACTS}
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
