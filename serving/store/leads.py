"""The row of each lead: what its scores, outcomes and verdicts add up to.

The history of a lead is never changed; this row is. It is written in the transaction that writes the history, by the
rules below, and could be computed anew from it (`tests/serving/store/test_leads.py` does).

- The latest score is the one with the latest as-of date, among equals the one that came last.
- What the score said that came first stays.
- A lead is handed over by the first score that said `go`, and stays handed over; what that score said stays too.
- The outcome is the one with the latest date of its own, among equals the one that came last; so is the verdict.
- The first contact is the earliest that any verdict names.
- Company, owner and deal value stay as they were sent last: a score that does not name them says nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from serving.store import rows
from serving.store.blocks import COUNTED
from serving.store.records import ModelRecord, NewScore, Outcome, Verdict
from serving.store.tables import lead_changes, leads

LeadRow = dict[str, Any]
COLUMNS = tuple(column.name for column in leads.columns)
WHOLE_ROWS = rows.where_in(select(leads), leads.c.lead_id)


def lead_rows(connection: Connection, lead_ids: Iterable[str]) -> dict[str, LeadRow]:
    """The rows of those leads that have one, by lead id."""
    found = rows.rows_of(connection, WHOLE_ROWS, list(dict.fromkeys(lead_ids)))
    return {row.lead_id: dict(zip(COLUMNS, row, strict=True)) for row in found}


def count_scores(connection: Connection, scored: Sequence[tuple[ModelRecord, NewScore]]) -> None:
    """Bring the rows of leads up to date after new scores, given in the order in which they came."""
    before = lead_rows(connection, [score.lead_id for _, score in scored])
    after = dict(before)
    for model, score in scored:
        after[score.lead_id] = _after_score(after.get(score.lead_id), model, score)
    keep(connection, before, after.values())


def keep(connection: Connection, before: Mapping[str, LeadRow], after: Iterable[LeadRow]) -> None:
    """Write rows of leads, in one order, as every writer does.

    Parameters
    ----------
    before : mapping
        The rows as they were, by lead id; leads without one are new.
    """
    sorted_rows = sorted(after, key=lambda row: str(row["lead_id"]))
    if sorted_rows:
        rows.insert_or_replace(connection, leads, sorted_rows)
    changed = [row["lead_id"] for row in sorted_rows if _counts_otherwise(before.get(row["lead_id"]), row)]
    if changed:
        rows.insert_all(connection, lead_changes, [{"lead_id": lead_id} for lead_id in changed])


def _counts_otherwise(before: LeadRow | None, after: LeadRow) -> bool:
    """Whether the figures see another lead: a later score alone changes none of them."""
    return before is None or any(before[name] != after[name] for name in COUNTED)


def _after_score(row: LeadRow | None, model: ModelRecord, score: NewScore) -> LeadRow:
    row = row or dict.fromkeys(COLUMNS) | {
        "lead_id": score.lead_id,
        "first_scored_at": score.received_at,
        **_said("first", score),
    }
    if score.handover == "go" and row["handed_over_at"] is None:
        row |= {"handed_over_at": score.received_at, **_said("handover", score)}
    if row["latest_as_of"] is not None and score.as_of < row["latest_as_of"]:
        return row
    deal_value = row["deal_value"] if score.deal_value is None else score.deal_value
    return row | {
        "account_id": score.account_id or row["account_id"],
        "owner": score.owner or row["owner"],
        "deal_value": deal_value,
        "by_value": by_value(score.probability, deal_value),
        "latest_key": score.request_key,
        "latest_as_of": score.as_of,
        "probability": score.probability,
        "grade": score.grade,
        "handover": score.handover,
        "simulated": model.simulated,
        "source": score.source,
        "campaign": score.campaign,
        "region": score.region,
    }


def by_value(probability: float, deal_value: float | None) -> float:
    """Where a lead stands in lists by expected value: that, or below 0, the most probable first, if it is not known.

    >>> by_value(0.25, 1000.0), by_value(0.25, None)
    (250.0, -0.75)
    """
    return probability - 1 if deal_value is None else probability * deal_value


def _said(part: str, score: NewScore) -> LeadRow:
    """What a score said, to be compared later with what became of the lead."""
    return {
        f"{part}_key": score.request_key,
        f"{part}_as_of": score.as_of,
        f"{part}_probability": score.probability,
        f"{part}_grade": score.grade,
    }


def after_outcome(row: LeadRow, outcome: Outcome) -> LeadRow:
    """The lead's row once `outcome` came, after everything that the row holds already."""
    if row["outcome_at"] is not None and outcome.at < row["outcome_at"]:
        return row
    return row | {
        "outcome": outcome.outcome,
        "outcome_at": outcome.at,
        "outcome_latest_at": outcome.latest_at,
        "value": outcome.value,
    }


def after_verdict(row: LeadRow, verdict: Verdict) -> LeadRow:
    """The lead's row once `verdict` came, after everything that the row holds already."""
    contacts = [moment for moment in (row["first_contact_at"], verdict.first_contact_at) if moment is not None]
    row = row | {"first_contact_at": min(contacts, default=None)}
    if row["verdict_at"] is not None and verdict.at < row["verdict_at"]:
        return row
    return row | {"verdict": verdict.verdict, "verdict_at": verdict.at, "verdict_reason": verdict.reason}
