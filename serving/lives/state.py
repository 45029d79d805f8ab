"""The state of a lead as it is answered, alone and in a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from serving.identity import SCORE_ID_DIGITS
from serving.lives.contradictions import contradictions
from serving.lives.shapes import LeadAnswer, LeadShown
from serving.scorer import in_utc
from serving.store import Life

ALWAYS = ("lead_id", "probability", "grade", "handover", "simulated")
IF_KNOWN = (
    *("account_id", "source", "campaign", "region", "owner", "deal_value"),
    *("handover_grade", "outcome", "value", "verdict"),
)
MOMENTS = ("handed_over_at", "first_contact_at", "outcome_at", "verdict_at")


def lead_shown(row: Mapping[str, Any], hours: Mapping[str, float]) -> LeadShown:
    """A row of the table of leads as it is answered.

    Parameters
    ----------
    hours : mapping of str to float
        Agreed hours until first contact, by grade at the handover.
    """
    shown: Any = {name: row[name] for name in ALWAYS}
    shown |= {"as_of": in_utc(row["latest_as_of"]), "first_scored_at": in_utc(row["first_scored_at"])}
    shown |= {name: row[name] for name in IF_KNOWN if row[name] is not None}
    shown |= {name: in_utc(row[name]) for name in MOMENTS if row[name] is not None}
    if row["deal_value"] is not None:
        shown["expected_value"] = row["by_value"]
    if row["verdict_reason"]:
        shown["verdict_reason"] = row["verdict_reason"]
    if row["handed_over_at"] is not None and row["handover_grade"] in hours:
        shown["due_at"] = in_utc(row["handed_over_at"] + timedelta(hours=hours[row["handover_grade"]]))
    lead: LeadShown = shown
    return lead


def lead_answer(life: Life, hours: Mapping[str, float]) -> LeadAnswer:
    """The state of a lead, with what does not go together in it."""
    answer: LeadAnswer = {
        **lead_shown(life.row, hours),  # type: ignore[typeddict-item]  # mypy reads what may be left out as given
        "score": life.latest_score,
        "score_id": life.row["latest_key"][:SCORE_ID_DIGITS],
        "n_scores": life.n_scores,
        "n_outcomes": len(life.outcomes),
        "n_verdicts": len(life.verdicts),
        "contradictions": contradictions(life),
    }
    if life.objection is not None:
        answer["objected_at"] = in_utc(life.objection.objected_at)
    return answer
