"""An agreement on top of a bundle: its threshold, hours, version and fingerprint take the place of the bundle's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.definition import LeadDefinition, with_parts
from features.model.bundle import Bundle
from serving.store import Agreement


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both teams agreed on.

    Attributes
    ----------
    parts : mapping
        `handover` and `follow_up_hours`, as plain data.
    threshold : float
        The lowest probability handed over.
    """

    definition_name: str
    version: int
    parts: Mapping[str, Any]
    threshold: float

    def applies_to(self, definition: LeadDefinition) -> bool:
        """Whether it is about this definition and later than it: a later definition file takes over."""
        return definition.name == self.definition_name and definition.definition.version < self.version


def agreed_of(agreement: Agreement) -> Agreed:
    """What a stored agreement says."""
    parts = json.loads(agreement.parts)
    return Agreed(agreement.definition_name, agreement.version, parts, agreement.threshold)


def under(bundle: Bundle, agreed: Agreed | None) -> Bundle:
    """The bundle under the agreement; as it is, if that is not about its definition or is not later.

    Raises
    ------
    DefinitionError
        If the bundle's definition and what was agreed do not hold together.
    """
    if agreed is None or not agreed.applies_to(bundle.definition):
        return bundle
    return bundle.under(with_parts(bundle.definition, agreed.parts, agreed.version), agreed.threshold)
