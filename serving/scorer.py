"""From leads to answers: probability, grade, handover and reasons. No HTTP, no database, no frame.

One lead and a batch take the same path, so their numbers agree bit for bit. Everything is computed in one call of
compiled code; the words for a value are put together when it comes first, and kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import orjson

from features import grades
from features.definition import Grade
from features.encode import EncodedRecord
from features.errors import InternalError
from features.grades import Handover
from features.model.bundle import Bundle
from features.model.kernel import Computed
from features.model.sureness import LEVEL
from features.profile import Evidence
from features.reasons import Rest, Saying, base_in_words, rest_of, saying, strongest_first
from features.text import Text
from serving.answers import in_both_languages
from serving.schemas import (
    Base,
    Contribution,
    EvidenceShown,
    Explained,
    InBothLanguages,
    IntervalShown,
    ModelName,
    ReasonShown,
    RestShown,
)

T = TypeVar("T")
ADDS_UP_TO = 1e-9
MOST_SAYINGS = 4_096  # kept, of some 2 kB each: numbers have no end of values


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead that fits the definition, ready to be scored.

    Attributes
    ----------
    lead_id : str
        Empty for what is asked "what if", which is about no lead: its answer is without ids.
    fields : mapping
        Field names to values, as they came.
    record : EncodedRecord
        The same as the model sees it.
    score_id : str
        Names the score in the store; whoever calls decides on it.
    owner, deal_value : optional
        Who works the lead, and what the deal would be worth. The model sees neither.
    """

    lead_id: str
    as_of: datetime
    fields: Mapping[str, Any]
    record: EncodedRecord
    account_id: str | None = None
    score_id: str = ""
    owner: str | None = None
    deal_value: float | None = None


class Scored(NamedTuple):
    """The answer to one lead, and what of it the store keeps by itself.

    Attributes
    ----------
    answer : bytes
        A `StoredAnswer` as JSON, in both languages and without `reasons_text`: what is stored. Of no lead, `Explained`.
    reasons_text : Text
        What is added in one language when the answer leaves (serving/answers.py).
    """

    answer: bytes
    reasons_text: Text
    probability: float
    log_odds: float
    score: int
    grade: Grade
    handover: Handover


class _Said(NamedTuple):
    """A saying, and the parts of a reason that it settles, as JSON."""

    saying: Saying
    label: InBothLanguages
    value: InBothLanguages
    evidence: EvidenceShown


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
        self._base_text = base_in_words(model.base_probability)
        self._base = _as_json(
            Base(probability=model.base_probability, log_odds=model.base_log_odds, text=both(self._base_text))
        )
        self._model = _as_json(self.model_name)
        self._names = model.encoder.names
        self._horizon_days = bundle.definition.target.horizon_days
        self._kept = lru_cache(maxsize=MOST_SAYINGS)(self._said)

    def encode(self, fields: Mapping[str, Any], as_of: datetime) -> EncodedRecord:
        """The lead's fields as the model sees them; raises RecordError with every field that does not fit."""
        return self.bundle.model.encoder.record(fields, as_of)

    def score(self, leads: Sequence[Lead]) -> list[Scored]:
        """The answers for `leads`, in their order."""
        if not leads:
            return []
        computed = self.bundle.compute(np.array([lead.record.row for lead in leads]))
        return [self._scored(lead, computed, row) for row, lead in enumerate(leads)]

    def warm(self, as_of: datetime) -> None:
        """Score a lead of which nothing is known, so that the first real one finds everything compiled."""
        record = self.encode({}, as_of)
        self.score([Lead("warm", as_of, {}, record)])

    def _scored(self, lead: Lead, computed: Computed, row: int) -> Scored:
        explained, text = self._explained(lead, computed, row)
        return Scored(
            orjson.dumps({**_ids(lead), **explained}),
            text,
            explained["probability"],
            explained["log_odds"],
            explained["score"],
            explained["grade"],
            explained["handover"],
        )

    def _explained(self, lead: Lead, computed: Computed, row: int) -> tuple[Explained, Text]:
        """The answer, and what of it is said in words."""
        contributions, points = computed.contributions[row].tolist(), computed.points[row].tolist()
        log_odds, probability = float(computed.log_odds[row]), float(computed.probability[row])
        self._check_sum(contributions, log_odds)
        order = strongest_first(points)
        listed, others = order[: self._strongest], order[self._strongest :]
        reasons = [self._reason(lead, column, contributions[column], points[column]) for column in listed]
        rest = rest_of([contributions[column] for column in others], [points[column] for column in others])
        explained = Explained(
            as_of=in_utc(lead.as_of),
            probability=probability,
            score=grades.score(probability),
            grade=grades.grade(probability, self.bundle.definition),
            handover=grades.handover(probability, self.bundle.manifest.handover_threshold),
            log_odds=log_odds,
            base=self._base,
            contributions=self._contributions(contributions, points),
            reasons=reasons,
            rest=_rest(rest),
            missing=list(lead.record.missing),
            unknown=list(lead.record.unknown),
            model=self._model,
        )
        self._add_optional(explained, computed, row)
        return explained, in_both_languages(
            self._base_text, [reason["text"] for reason in reasons], rest.text, len(others)
        )

    def _add_optional(self, explained: Explained, computed: Computed, row: int) -> None:
        """What only some bundles or definitions have."""
        if len(computed.low):
            explained["interval"] = IntervalShown(
                low=float(computed.low[row]), high=float(computed.high[row]), level=LEVEL
            )
        if len(computed.strange):
            explained["unlike_training"] = [self._names[column] for column in np.flatnonzero(computed.strange[row])]
        if self._horizon_days is not None:
            explained["horizon_days"] = self._horizon_days

    def _contributions(self, contributions: Sequence[float], points: Sequence[float]) -> list[Contribution]:
        return [
            {"field": name, "contribution": contribution, "points": share}
            for name, contribution, share in zip(self._names, contributions, points, strict=True)
        ]

    def _reason(self, lead: Lead, column: int, contribution: float, points: float) -> ReasonShown:
        name, code = self._names[column], float(lead.record.row[column])
        if name in lead.record.unknown:  # such a value is called by its own name, and there is no end of them
            said = self._said(column, code, lead.fields.get(name))
        else:
            said = self._kept(column, None if math.isnan(code) else code)
        return {
            "field": name,
            "label": said.label,
            "value": said.value,
            "contribution": contribution,
            "points": points,
            "evidence": said.evidence,
            "text": both(said.saying.text(points)),
        }

    def _said(self, column: int, code: float | None, raw: object = None) -> _Said:
        """What is said of a value; None is a missing number, since NaN is no key."""
        found = saying(self.bundle, column, math.nan if code is None else code, raw)
        label, value = _as_json(both(found.label)), _as_json(both(found.value))
        return _Said(found, label, value, _as_json(_evidence(found.evidence)))

    def _check_sum(self, contributions: Sequence[float], log_odds: float) -> None:
        gap = self.bundle.model.base_log_odds + math.fsum(contributions) - log_odds
        if not abs(gap) <= ADDS_UP_TO:  # also true for NaN, which must never be answered
            raise InternalError(f"base and contributions miss the log-odds by {gap}")


def _as_json(part: T) -> T:
    """The same for whoever writes the answer as JSON, and only for them: it is written already."""
    return cast(T, orjson.Fragment(orjson.dumps(part)))


def both(text: Text) -> InBothLanguages:
    """A text as JSON has it."""
    return {"en": text.en, "de": text.de}


def in_utc(moment: datetime) -> str:
    """A moment as answers write it: ISO, UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _ids(lead: Lead) -> dict[str, str]:
    """Which score of whom it is, as the answer says it; nothing for no lead."""
    if not lead.lead_id:
        return {}
    ids = {"score_id": lead.score_id, "lead_id": lead.lead_id}
    return ids if lead.account_id is None else {**ids, "account_id": lead.account_id}


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


def _evidence(evidence: Evidence) -> EvidenceShown:
    shown = EvidenceShown(n=evidence.n, won=evidence.won, low=evidence.low, high=evidence.high)
    if evidence.n:
        shown["rate"] = evidence.rate
    return shown


def _rest(rest: Rest) -> RestShown:
    return RestShown(n_fields=rest.n_fields, contribution=rest.contribution, points=rest.points, text=both(rest.text))
