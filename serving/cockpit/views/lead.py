"""What the page of one lead shows: how probable, why, what happened, and how leads like it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson

from features.text import Text
from serving.cockpit.formats import Reader
from serving.cockpit.views.course import Course, course_of
from serving.cockpit.views.explained import Explained, explained
from serving.cockpit.views.follow_up import FollowUp, follow_up
from serving.cockpit.views.labels import Codes, Labels, lead_address
from serving.cockpit.views.shares import shares
from serving.cockpit.views.similar import Similar, similar_leads
from serving.cockpit.views.worklist import agreed_hours
from serving.lives.contradictions import contradictions
from serving.scorer import Scorer
from serving.store import Life, Outcome, Store, StoredScore, Verdict

T = TypeVar("T", Outcome, Verdict)


@dataclass(frozen=True, slots=True)
class About:
    """Which lead it is: what is known beside its score.

    Attributes
    ----------
    facts : tuple of (Text, Text)
        What the lead is counted by, such as its source: what that is called, and its value.
    """

    lead_id: str
    address: str
    account_id: str | None
    owner: str | None
    deal_value: float | None
    facts: tuple[tuple[Text, Text], ...]
    handed_over_at: datetime | None
    handover_grade: str | None
    follow_up: FollowUp
    outcome: str
    verdict: str
    can_be_answered: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The lead's latest score.

    Attributes
    ----------
    low, high, level : float, optional
        The interval of the probability itself, if the model tells one.
    expected_value : float, optional
        Probability times deal value.
    """

    probability: float
    low: float | None
    high: float | None
    level: float | None
    horizon_days: int | None
    grade: str
    handover: str
    as_of: datetime
    model_name: str
    model_version: str
    expected_value: float | None
    explained: Explained


@dataclass(frozen=True, slots=True)
class Happened:
    """A verdict or an outcome, as it was told.

    Attributes
    ----------
    kind : {"accepted", "rejected", "won", "lost", "open"}
    counts : bool
        Whether it is the one that counts: the latest of its kind by its own date.
    """

    kind: str
    at: datetime
    reason: Text | None
    by: str
    value: float | None
    first_contact_at: datetime | None
    counts: bool


@dataclass(frozen=True, slots=True)
class LeadView:
    """The page of a lead. Of one whose person objects, no score is shown.

    Attributes
    ----------
    accepted, rejected : Codes
        The reasons of the definition; empty for who may not answer.
    """

    about: About
    objected_at: datetime | None
    standing: Standing | None
    course: Course | None
    happened: tuple[Happened, ...]
    contradictions: tuple[Text, ...]
    similar: Similar | None
    may_answer: bool
    accepted: Codes
    rejected: Codes


def lead_view(
    store: Store,
    scorer: Scorer | None,
    life: Life,
    two: tuple[str, str],
    *,
    now: datetime,
    reader: Reader,
    may_answer: bool,
) -> LeadView:
    """Everything on the page, for one reader. Blocks on the database, and draws.

    Parameters
    ----------
    two : (str, str)
        Names of the two scores to compare; empty for the latest two.
    """
    labels = Labels(scorer)
    about = _about(life.row, labels, agreed_hours(scorer), now)
    latest = None if life.objection else store.lives.latest_two(life.row["lead_id"])[1]
    answerable = may_answer and about.can_be_answered and life.objection is None
    return LeadView(
        about=about,
        objected_at=life.objection.objected_at if life.objection else None,
        standing=_standing(latest, life.row, scorer, reader) if latest else None,
        course=course_of(store, life, two, scorer, reader) if latest else None,
        happened=tuple(_happened(life, labels)),
        contradictions=tuple(Text(each["text"]["en"], each["text"]["de"]) for each in contradictions(life)),
        similar=_similar(store, latest, life.row, scorer) if latest else None,
        may_answer=answerable,
        accepted=labels.reasons("accepted") if answerable else (),
        rejected=labels.reasons("rejected") if answerable else (),
    )


def _about(row: Mapping[str, Any], labels: Labels, hours: Mapping[str, float], now: datetime) -> About:
    outcome = row["outcome"] or "open"
    counted = {by: labels.counted_by(by, row[by]) for by in ("source", "campaign", "region")}
    named = [(labels.name_of(by), value) for by, value in counted.items()]
    return About(
        lead_id=row["lead_id"],
        address=lead_address(row["lead_id"]),
        account_id=row["account_id"],
        owner=row["owner"],
        deal_value=row["deal_value"],
        facts=tuple((name, value) for name, value in named if name is not None and value is not None),
        handed_over_at=row["handed_over_at"],
        handover_grade=row["handover_grade"],
        follow_up=follow_up(row, hours, now),
        outcome=outcome,
        verdict=row["verdict"] or "",
        can_be_answered=row["handed_over_at"] is not None and outcome == "open",
    )


def _standing(score: StoredScore, row: Mapping[str, Any], scorer: Scorer | None, reader: Reader) -> Standing:
    answer = orjson.loads(score.answer)
    interval = answer.get("interval", {})
    fields = shares(answer, score.inputs, score.as_of, scorer)
    return Standing(
        probability=answer["probability"],
        low=interval.get("low"),
        high=interval.get("high"),
        level=interval.get("level"),
        horizon_days=answer.get("horizon_days"),
        grade=answer["grade"],
        handover=answer["handover"],
        as_of=score.as_of,
        model_name=score.model_name,
        model_version=score.model_version,
        expected_value=None if row["deal_value"] is None else row["by_value"],
        explained=explained(fields, answer["base"]["probability"], answer["probability"], reader),
    )


def _similar(store: Store, score: StoredScore, row: Mapping[str, Any], scorer: Scorer | None) -> Similar | None:
    answer = orjson.loads(score.answer)
    return similar_leads(store, score, answer, shares(answer, score.inputs, score.as_of, scorer), row)


def _happened(life: Life, labels: Labels) -> list[Happened]:
    """Verdicts and outcomes, the latest by their own dates first."""
    verdict, outcome = _counting(life.verdicts), _counting(life.outcomes)
    judged = [
        Happened(v.verdict, v.at, labels.reason(v.verdict, v.reason), v.by, None, v.first_contact_at, v is verdict)
        for v in life.verdicts
    ]
    ended = [
        Happened(o.outcome, o.at, labels.told_reason(o.reason), "", o.value, None, o is outcome) for o in life.outcomes
    ]
    return sorted([*judged, *ended], key=lambda each: each.at, reverse=True)


def _counting(told: Sequence[T]) -> T | None:
    """The one with the latest date of its own, among equals the one that came last, as in serving/store/leads.py."""
    return max(enumerate(told), key=lambda each: (each[1].at, each[0]))[1] if told else None
