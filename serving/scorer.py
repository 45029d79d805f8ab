"""From leads to answers: probability, grade, handover and reasons. No HTTP, no database, no frame.

One lead and a batch take the same path, so their numbers agree bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

from features import grades
from features.encode import EncodedRecord, Matrix
from features.errors import InternalError
from features.familiar import fields_of
from features.model.bundle import Bundle
from features.model.sureness import interval_of
from features.profile import Evidence
from features.reasons import Explanation, Reason, Rest, base_in_words, explain_lead
from features.text import Text
from serving.schemas import (
    Base,
    Contribution,
    EvidenceShown,
    InBothLanguages,
    IntervalShown,
    ModelName,
    ReasonShown,
    RestShown,
    ScoreAnswer,
)

ADDS_UP_TO = 1e-9


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead that fits the definition, ready to be scored.

    Attributes
    ----------
    fields : mapping
        Field names to values, as they came.
    record : EncodedRecord
        The same as the model sees it.
    score_id : str
        Names the score in the store; whoever calls decides on it.
    """

    lead_id: str
    as_of: datetime
    fields: Mapping[str, Any]
    record: EncodedRecord
    account_id: str | None = None
    score_id: str = ""


class _Scored(NamedTuple):
    """The numbers of one lead."""

    contributions: Matrix
    log_odds: float
    probability: float
    interval: IntervalShown | None


class Scorer:
    """Scores leads with one bundle.

    Parameters
    ----------
    bundle : Bundle
    name, version : str, optional
        What the registry calls the model; by default the definition's name and the bundle's id.
    strongest : int
        How many reasons an answer lists before the line for the rest.

    Raises
    ------
    InternalError
        From `score`, if base and contributions do not add up to the log-odds.
    """

    def __init__(self, bundle: Bundle, *, name: str = "", version: str = "", strongest: int = 5) -> None:
        self.bundle = bundle
        self.model_name = _model_name(bundle, name, version)
        self._strongest = strongest
        model = bundle.model
        self._base = Base(
            probability=model.base_probability,
            log_odds=model.base_log_odds,
            text=both(base_in_words(model.base_probability)),
        )

    def encode(self, fields: Mapping[str, Any], as_of: datetime) -> EncodedRecord:
        """The lead's fields as the model sees them; raises RecordError with every field that does not fit."""
        return self.bundle.model.encoder.record(fields, as_of)

    def score(self, leads: Sequence[Lead]) -> list[ScoreAnswer]:
        """The answers for `leads`, in their order."""
        if not leads:
            return []
        matrix = np.array([lead.record.row for lead in leads])
        explained = self.bundle.model.explain(matrix)
        log_odds, probability = explained.log_odds.tolist(), explained.probability.tolist()
        intervals = self._intervals(matrix, log_odds)
        return [
            self._answer(lead, _Scored(explained.contributions[row], log_odds[row], probability[row], intervals[row]))
            for row, lead in enumerate(leads)
        ]

    def warm(self, as_of: datetime) -> None:
        """Score a lead of which nothing is known, so that the first real one finds everything compiled."""
        record = self.encode({}, as_of)
        self.score([Lead("warm", as_of, {}, record)])

    def _answer(self, lead: Lead, scored: _Scored) -> ScoreAnswer:
        self._check_sum(scored)
        definition, probability = self.bundle.definition, scored.probability
        explanation = explain_lead(
            self.bundle,
            lead.record.row,
            scored.contributions,
            probability,
            given=lead.fields,
            strongest=self._strongest,
        )
        answer = ScoreAnswer(
            score_id=lead.score_id,
            lead_id=lead.lead_id,
            as_of=in_utc(lead.as_of),
            probability=probability,
            score=grades.score(probability),
            grade=grades.grade(probability, definition),
            handover=grades.handover(probability, self.bundle.manifest.handover_threshold),
            log_odds=scored.log_odds,
            base=self._base,
            contributions=self._contributions(scored, explanation),
            reasons=[_reason(reason) for reason in explanation.strongest],
            rest=_rest(explanation.rest),
            missing=list(lead.record.missing),
            unknown=list(lead.record.unknown),
            model=self.model_name,
        )
        if scored.interval is not None:
            answer["interval"] = scored.interval
        if self.bundle.familiar is not None:
            answer["unlike_training"] = self._unlike_training(lead)
        if lead.account_id is not None:
            answer["account_id"] = lead.account_id
        if definition.target.horizon_days is not None:
            answer["horizon_days"] = definition.target.horizon_days
        return answer

    def _intervals(self, matrix: Matrix, log_odds: list[float]) -> Sequence[IntervalShown | None]:
        """Where each probability itself lies; None each, if the bundle does not say how sure it is."""
        if self.bundle.sureness is None:
            return [None] * len(log_odds)
        errors = self.bundle.sureness.standard_errors(matrix).tolist()
        found = [interval_of(*each) for each in zip(log_odds, errors, strict=True)]
        return [IntervalShown(low=each.low, high=each.high, level=each.level) for each in found]

    def _unlike_training(self, lead: Lead) -> list[str]:
        """The fields in which the lead is unlike any that the model learnt from."""
        fields, familiar = self.bundle.model.encoder.fields, self.bundle.familiar
        if familiar is None:
            return []
        strangers = familiar.strangers(lead.record.row, self.bundle.profile, fields)
        return [fields[place].name for place in fields_of(strangers)]

    def _contributions(self, scored: _Scored, explanation: Explanation) -> list[Contribution]:
        names, contributions = self.bundle.model.encoder.names, scored.contributions.tolist()
        return [
            Contribution(field=name, contribution=contribution, points=points)
            for name, contribution, points in zip(names, contributions, explanation.points, strict=True)
        ]

    def _check_sum(self, scored: _Scored) -> None:
        gap = self._base["log_odds"] + math.fsum(scored.contributions.tolist()) - scored.log_odds
        if not abs(gap) <= ADDS_UP_TO:  # also true for NaN, which must never be answered
            raise InternalError(f"base and contributions miss the log-odds by {gap}")


def both(text: Text) -> InBothLanguages:
    """A text as JSON has it."""
    return InBothLanguages(en=text.en, de=text.de)


def in_utc(moment: datetime) -> str:
    """A moment as answers write it: ISO, UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _model_name(bundle: Bundle, name: str, version: str) -> ModelName:
    definition, manifest = bundle.definition, bundle.manifest
    return ModelName(
        name=name or definition.name,
        version=version or bundle.bundle_id,
        bundle_id=bundle.bundle_id,
        created_at=manifest.created_at,
        definition={
            "name": definition.name,
            "version": definition.definition.version,
            "fingerprint": definition.fingerprint,
        },
        simulated=manifest.simulated,
        validated_on_later_leads=manifest.validated_on_later_leads,
    )


def _reason(reason: Reason) -> ReasonShown:
    return ReasonShown(
        field=reason.field,
        label=both(reason.label),
        value=both(reason.value),
        contribution=reason.contribution,
        points=reason.points,
        evidence=_evidence(reason.evidence),
        text=both(reason.text),
    )


def _evidence(evidence: Evidence) -> EvidenceShown:
    shown = EvidenceShown(n=evidence.n, won=evidence.won, low=evidence.low, high=evidence.high)
    if evidence.n:
        shown["rate"] = evidence.rate
    return shown


def _rest(rest: Rest) -> RestShown:
    return RestShown(n_fields=rest.n_fields, contribution=rest.contribution, points=rest.points, text=both(rest.text))
