"""What fields and their values are called: by the definition in service, else as they came."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from features.definition import LeadDefinition
from features.text import Text, same
from serving.scorer import Scorer
from serving.store import Order

Codes = tuple[tuple[str, Text], ...]


class Labels:
    """The words of the definition in service; without one, everything is called as it came.

    Parameters
    ----------
    scorer : Scorer or None
        The scorer in service, if there is one.
    """

    def __init__(self, scorer: Scorer | None) -> None:
        self._scorer = scorer
        self._definition: LeadDefinition | None = scorer.bundle.definition if scorer else None

    def field(self, name: str) -> Text:
        """A field's label."""
        return self._definition.fields[name].label if self._knows(name) and self._definition else same(name)

    def owner(self, name: str) -> str:
        """The team that owns a field; empty if the definition in service does not know it."""
        return self._definition.fields[name].owner if self._knows(name) and self._definition else ""

    def counted_by(self, by: str, value: str | None) -> Text | None:
        """A lead's source, campaign or region, in the words of the field that says it."""
        if value is None:
            return None
        field = self._reported(by)
        return (
            self._definition.fields[field].values.get(value, same(value)) if field and self._definition else same(value)
        )

    def name_of(self, by: str) -> Text | None:
        """What the field is called that says a lead's source, campaign or region; None if there is none."""
        field = self._reported(by)
        return self.field(field) if field else None

    def values(self, by: str, chosen: str = "") -> Codes:
        """The values that a list can be filtered by, with their words: those known to the model, and the one chosen."""
        field = self._reported(by)
        if field is None or self._scorer is None:
            return ((chosen, same(chosen)),) if chosen else ()
        known = next((each.levels for each in self._scorer.bundle.model.encoder.fields if each.name == field), ())
        listed = [*known, *([chosen] if chosen and chosen not in known else [])]
        return tuple((value, self.counted_by(by, value) or same(value)) for value in listed)

    def reasons(self, verdict: str) -> Codes:
        """The reason codes of a verdict with their words."""
        return tuple(self._codes(verdict).items())

    def reason(self, verdict: str | None, code: str | None) -> Text | None:
        """A reason in words; by its code, if the definition in service does not know it any more."""
        return self._codes(verdict or "").get(code, same(code)) if code else None

    def told_reason(self, code: str | None) -> Text | None:
        """The reason that came with an outcome, in words if sales has the same among its own."""
        known = {**self._codes("accepted"), **self._codes("rejected")}
        return known.get(code, same(code)) if code else None

    def _codes(self, verdict: str) -> Mapping[str, Text]:
        if self._definition is None:
            return {}
        agreed = self._definition.verdicts
        return {"accepted": agreed.accepted, "rejected": agreed.rejected}.get(verdict, {})

    def _reported(self, by: str) -> str | None:
        agreed = self._definition.reporting if self._definition else None
        return agreed.named().get(by) if agreed else None

    def _knows(self, name: str) -> bool:
        return self._definition is not None and name in self._definition.fields


def lead_address(lead_id: str) -> str:
    """The address of a lead's page."""
    return f"/cockpit/leads/{quote(lead_id, safe='')}"


ORDERS: tuple[Order, ...] = ("by_value", "probability")
