"""Whether a candidate may become champion: (candidate, champion, policy) -> decision, with every check on the table.

A check compares intervals, not points: on a few hundred leads a figure moves by chance alone. `required` checks
decide, the others are reported. The module is pure: it reads evaluations and comparisons made on the same later
leads, and `training.promote` acts on what it returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from features.errors import DataError, Problem
from features.text import Language, Text
from training.judging import gate_checks as ask
from training.judging.compare import GradeChanges, Paired
from training.judging.evaluate import Evaluation
from training.judging.gate_checks import Check
from training.judging.gate_policy import Policy

__all__ = ["HEADER", "Candidate", "Champion", "Check", "Decision", "Incomparable", "Override", "Policy", "decide"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model and what is known about it.

    `against_base_rate` and `against_logistic` hold it against the baselines on the evaluation's leads (a is the
    candidate), by segment; `against_logistic` is None where the candidate is the logistic regression.
    `validated_on_later_leads` is False for random folds.
    """

    evaluation: Evaluation
    against_base_rate: Paired
    against_logistic: Paired | None
    validated_on_later_leads: bool


@dataclass(frozen=True, slots=True)
class Champion:
    """The model in use. `paired` holds the candidate (a) against it (b), on later leads that neither learned from."""

    name: str
    paired: Paired
    grade_changes: GradeChanges


@dataclass(frozen=True, slots=True)
class Incomparable:
    """The model in use, where the candidate cannot be held against it fairly, and why not."""

    name: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Override:
    """Who let a refused candidate pass, and why."""

    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict: `passed` when every required check did. An override changes `promotable`, never `passed`."""

    passed: bool
    checks: tuple[Check, ...]
    policy: Policy
    override: Override | None = None

    @property
    def promotable(self) -> bool:
        """Whether the candidate may become champion."""
        return self.passed or self.override is not None

    @property
    def failed(self) -> tuple[Check, ...]:
        """The required checks that the candidate did not pass."""
        return tuple(check for check in self.checks if check.required and not check.passed)

    def overridden(self, reason: str, who: str) -> Decision:
        """The same verdict with a person's decision to promote nevertheless.

        Raises
        ------
        DataError
            If the reason or the name is empty.
        """
        problems = [_empty(place) for place, text in (("reason", reason), ("who", who)) if not text.strip()]
        if problems:
            raise DataError(problems)
        return replace(self, override=Override(reason.strip(), who.strip()))

    def summary(self) -> Text:
        """The verdict in one sentence."""
        if self.passed:
            return Text(en="All required checks passed.", de="Alle erforderlichen Prüfungen sind bestanden.")
        en = " ".join(f"{check.name.en}: {check.explanation.en}" for check in self.failed)
        de = " ".join(f"{check.name.de}: {check.explanation.de}" for check in self.failed)
        refused = Text(en=f"Refused. {en}", de=f"Abgelehnt. {de}")
        if self.override is None:
            return refused
        by = self.override
        return Text(
            en=f"{refused.en} Promoted nevertheless by {by.who}: {by.reason}",
            de=f"{refused.de} Dennoch freigegeben von {by.who}: {by.reason}",
        )

    def rows(self, language: Language) -> tuple[tuple[str, str, str, str, str, str], ...]:
        """The checks for a table: name, value, interval, limit, verdict, explanation, as `HEADER` names them."""
        return tuple(ask.row(check, language) for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The decision as JSON-able data."""
        return {
            "passed": self.passed,
            "promotable": self.promotable,
            "summary": self.summary()._asdict(),
            "checks": [check.to_dict() for check in self.checks],
            "policy": self.policy.to_dict(),
            "override": None if self.override is None else asdict(self.override),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Decision:
        """The decision that `to_dict` wrote."""
        return cls(
            passed=plain["passed"],
            checks=tuple(Check.from_dict(check) for check in plain["checks"]),
            policy=Policy.from_dict(plain["policy"]),
            override=None if plain["override"] is None else Override(**plain["override"]),
        )


HEADER = (
    Text(en="Check", de="Prüfung"),
    Text(en="Value", de="Wert"),
    Text(en="Interval", de="Intervall"),
    Text(en="Limit", de="Grenze"),
    Text(en="Passed?", de="Bestanden?"),
    Text(en="Explanation", de="Erläuterung"),
)


def decide(candidate: Candidate, champion: Champion | Incomparable | None, policy: Policy) -> Decision:
    """Whether the candidate may become champion, with every check in the order in which a person would ask.

    Without a champion, the logistic regression takes its place in the comparison of log loss, and the base rate in
    that of the segments. The base rate of training can be beaten by a better level alone when the rate of wins has
    moved, so the candidate must also rank wins above losses.

    Parameters
    ----------
    candidate : Candidate
    champion : Champion, Incomparable or None
        None for the first model. One that cannot be compared with is a reason to refuse: people decide then.
    policy : Policy
    """
    unknown = [ask.comparable(champion.name, champion.reason)] if isinstance(champion, Incomparable) else []
    champion = None if isinstance(champion, Incomparable) else champion
    rival = champion.paired if champion else candidate.against_base_rate
    checks = [
        *unknown,
        ask.better_than_base_rate(candidate.against_base_rate.log_loss),
        ask.tells_leads_apart(candidate.evaluation),
        *_rivals(candidate, champion, policy),
        ask.calibration_slope(candidate.evaluation, policy),
        ask.observed_to_expected(candidate.evaluation, policy),
        ask.no_segment_falls_apart(rival, champion is not None, policy),
        *([ask.grade_changes(champion.grade_changes, policy)] if champion else []),
        ask.validated_on_later_leads(candidate.validated_on_later_leads, policy),
    ]
    passed = all(check.passed for check in checks if check.required)
    return Decision(passed=passed, checks=tuple(checks), policy=policy)


def _rivals(candidate: Candidate, champion: Champion | None, policy: Policy) -> list[Check]:
    """The champion, and the logistic regression, which decides only where there is no champion."""
    checks = []
    if champion is not None:
        names = Text(en=f"the champion ({champion.name})", de=f"dem Champion ({champion.name})")
        checks.append(
            ask.not_worse(champion.paired.log_loss, names, policy, code="not_worse_than_champion", required=True)
        )
    if candidate.against_logistic is not None:
        names = Text(en="logistic regression", de="der logistischen Regression")
        difference = candidate.against_logistic.log_loss
        checks.append(
            ask.not_worse(difference, names, policy, code="not_worse_than_logistic", required=champion is None)
        )
    return checks


def _empty(place: str) -> Problem:
    return Problem(
        where=f"override.{place}",
        what=Text(en="An override needs a reason and a name", de="Eine Ausnahme braucht Grund und Namen"),
        expected=Text(en="a few words", de="ein paar Worte"),
        code="empty",
    )
