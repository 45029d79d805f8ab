"""From what is wished for to a proposal: its threshold from the leads that came, checked as a whole definition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from features.definition import LeadDefinition, agreed_parts, with_parts
from features.errors import Problem, RecordError
from features.grades import threshold_for
from features.model.bundle import Bundle
from features.text import Text
from serving.agreement.asking import Wish
from serving.kpis.handover import first_day
from serving.kpis.query import Query, read_query, selection
from serving.kpis.supply import Supply, read_supply
from serving.store import NewProposal, ProposalRefusedError, Store

USUAL_WEEKS = 13
FEWEST_LEADS = 30
PERIOD = ("from", "to")


def proposal(wish: Wish, bundle: Bundle, store: Store, now: datetime) -> NewProposal:
    """The proposal to be stored; blocks on the database where a capacity needs leads.

    Parameters
    ----------
    bundle : Bundle
        The model in service, under what is in effect.

    Raises
    ------
    DataError
        If it is outdated, changes nothing, does not hold together, or too few leads came to tell a threshold.
    StoreDownError
        If the database fails.
    """
    definition = bundle.definition
    version = definition.definition.version
    if wish.based_on != version:
        raise ProposalRefusedError.outdated(wish.based_on, version)
    parts = agreed_parts(definition) | dict(wish.parts)
    wished = with_parts(definition, parts, version + 1)
    parts = agreed_parts(wished)
    supply = _supply(wish, wished, store, now)
    threshold = _threshold(wished, supply, bundle.manifest.handover_threshold)
    if parts == agreed_parts(definition) and threshold == bundle.manifest.handover_threshold:
        raise RecordError([NOTHING_CHANGES])
    return NewProposal(
        definition_name=definition.name,
        version=version + 1,
        based_on=version,
        parts=packed(parts),
        threshold=threshold,
        window_start=supply.start if supply else None,
        window_end=supply.end if supply else None,
        n_leads=len(supply.probabilities) if supply else None,
        fingerprint=wished.fingerprint,
        comment=wish.comment,
        proposed_by=wish.who.team,
        proposed_at=now,
        key_id=wish.who.key_id,
    )


def packed(parts: dict[str, Any]) -> bytes:
    """Agreed parts as they are stored: the same parts give the same bytes."""
    return json.dumps(parts, sort_keys=True).encode()


def usual_days(definition: LeadDefinition, now: datetime, weeks: int = USUAL_WEEKS) -> list[tuple[str, str]]:
    """`from` and `to` of the whole days up to today that make up the latest weeks, on the definition's clocks."""
    today = now.astimezone(ZoneInfo(definition.read.timezone)).date()
    return [("from", (today - timedelta(weeks=weeks)).isoformat()), ("to", today.isoformat())]


def supply_of(query: Query, definition: LeadDefinition, store: Store, now: datetime) -> Supply:
    """The leads of a window; blocks on the database."""
    began = first_day(store.watching.first_scored_at(), definition)
    return read_supply(store.figures.probabilities, selection(query, definition, now), now, began)


def _supply(wish: Wish, wished: LeadDefinition, store: Store, now: datetime) -> Supply | None:
    """The leads that turn a capacity into a threshold; None where none has to be told anew."""
    if "handover" not in wish.parts or wished.handover.capacity_per_week is None:
        return None
    days: Sequence[tuple[str, str]] = wish.days or usual_days(wished, now)
    return supply_of(read_query(days, wished, now, known=PERIOD), wished, store, now)


def _threshold(wished: LeadDefinition, supply: Supply | None, in_effect: float) -> float:
    if supply is None:
        return wished.handover.threshold or in_effect
    if len(supply.probabilities) < FEWEST_LEADS:
        raise RecordError([_too_few(len(supply.probabilities))])
    return threshold_for(wished, supply.probabilities, supply.weeks)


def _too_few(n: int) -> Problem:
    what = Text("too few leads came to tell a threshold", "für eine Schwelle kamen zu wenige Leads")
    expected = Text(
        f"a longer window, with at least {FEWEST_LEADS} leads, or a threshold instead of a capacity",
        f"ein längeres Zeitfenster mit mindestens {FEWEST_LEADS} Leads, oder eine Schwelle statt einer Kapazität",
    )
    return Problem("handover.capacity_per_week", what, expected, seen=str(n), code="too_few_leads")


NOTHING_CHANGES = Problem(
    "proposal",
    Text("this is in effect already", "das ist schon in Kraft"),
    Text("another rule of handover, or other hours", "eine andere Übergaberegel oder andere Stunden"),
    code="nothing_changes",
)
