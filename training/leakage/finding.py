"""What the guard found about a field, and the refusal to train on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from features.errors import LeakError, Problem
from features.text import Text, decimal

Severity = Literal["refuse", "note"]
Kind = Literal[
    "known_too_late",
    "after_as_of",
    "personal",
    "function_of_target",
    "decides_alone",
    "value_decides",
    "filled_by_outcome",
    "constant_after_closing",
    "rewritten_after_closing",
    "filled_after_closing",
    "near_unique",
    "high_cardinality",
    "named_like_later",
]
NEVER_ACCEPTED: frozenset[Kind] = frozenset({"known_too_late", "after_as_of"})
"""No reason makes these right: the model would see what cannot be known when it scores."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one field, with its number.

    Attributes
    ----------
    field : str
        The field's name in the definition.
    kind : Kind
    statistic : str
        What `value` is: `auc`, `lowest_rate`, `fill_difference`, …
    value, limit : float
        What was measured and from where on it counts.
    n : int
        Leads that it was measured on.
    what, advice : Text
        A sentence with the numbers, and what to do.
    severity : {"refuse", "note"}
        Whether training refuses until the field is dropped or accepted.
    """

    field: str
    kind: Kind
    statistic: str
    value: float
    limit: float
    n: int
    what: Text
    advice: Text
    severity: Severity = "refuse"

    @property
    def acceptable(self) -> bool:
        """Whether a written reason may overrule it."""
        return self.kind not in NEVER_ACCEPTED

    @property
    def numbers(self) -> Text:
        """The measurement as it stands in reports: `auc 0.918 (limit 0.800, n 9,240)`."""
        return Text(
            en=f"{self.statistic} {decimal(self.value, 3, 'en')} "
            f"(limit {decimal(self.limit, 3, 'en')}, n {decimal(self.n, 0, 'en')})",
            de=f"{self.statistic} {decimal(self.value, 3, 'de')} "
            f"(Grenze {decimal(self.limit, 3, 'de')}, n {decimal(self.n, 0, 'de')})",
        )


def guard(findings: Iterable[Finding], accepted: Mapping[str, object]) -> tuple[Finding, ...]:
    """The refusing findings that were accepted with a reason, for the model card.

    Parameters
    ----------
    findings : iterable of Finding
        As `find_leaks` returns them; notes pass.
    accepted : mapping of field to reason
        The definition's `accepted_leaks`.

    Raises
    ------
    LeakError
        With every refusing finding that was not accepted, and those that no reason can make right.
    """
    refusing = [finding for finding in findings if finding.severity == "refuse"]
    kept = [finding for finding in refusing if finding.field in accepted and finding.acceptable]
    problems = [_problem(finding, accepted) for finding in refusing if finding not in kept]
    if problems:
        raise LeakError(problems)
    return tuple(kept)


def _problem(finding: Finding, accepted: Mapping[str, object]) -> Problem:
    advice = finding.advice
    if finding.field in accepted:
        advice = Text(
            en=f"{advice.en}; this cannot be accepted by a reason",
            de=f"{advice.de}; das lässt sich durch keine Begründung annehmen",
        )
    return Problem(
        where=f"fields.{finding.field}",
        what=finding.what,
        expected=advice,
        seen=finding.numbers.en,
        code=finding.kind,
        n_rows=finding.n,
    )
