"""Columns that must not be used before a person has looked: the leak guard's findings, until none is left."""

from __future__ import annotations

from dataclasses import dataclass

from features.history import History
from training.labels import Labelled, targets
from training.leakage import Finding, find_leaks


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the guard found about a field, and whether the draft leaves the field out because of it."""

    findings: tuple[Finding, ...]

    @property
    def leaves_out(self) -> bool:
        """Whether training would refuse, or the name says that sales fills it in."""
        return any(f.severity == "refuse" or f.kind == "named_like_later" for f in self.findings)


def find_suspects(history: History, labelled: Labelled) -> dict[str, Suspicion]:
    """The fields with findings, by name; what is left without those left out passes the guard."""
    target = targets(history, labelled)
    definition = history.definition
    found: dict[str, Suspicion] = {}
    while definition.fields:
        by_field: dict[str, list[Finding]] = {}
        for finding in find_leaks(history.frame, target, definition=definition):
            by_field.setdefault(finding.field, []).append(finding)
        suspicions = {name: Suspicion(tuple(findings)) for name, findings in by_field.items()}
        found |= suspicions
        left = {name: field for name, field in definition.fields.items() if not _leaves_out(suspicions, name)}
        if len(left) == len(definition.fields):
            break
        definition = definition.model_copy(update={"fields": left})
    return found


def _leaves_out(suspicions: dict[str, Suspicion], name: str) -> bool:
    return name in suspicions and suspicions[name].leaves_out
