"""What is true of each lead at a moment: its flags, by the rules of `State`."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from features.target import closed_before, matured, within
from serving.kpis.columns import (
    GRADE_CODES,
    MICROSECOND,
    NEVER,
    OUTCOME_CODES,
    VERDICT_CODES,
    Flags,
    Integers,
    LeadColumns,
    microseconds,
)
from serving.kpis.counts import Selection, State

WON, LOST = OUTCOME_CODES.index("won"), OUTCOME_CODES.index("lost")
ACCEPTED, REJECTED = VERDICT_CODES.index("accepted"), VERDICT_CODES.index("rejected")


def states(leads: LeadColumns, selection: Selection) -> Integers:
    """The flags of each lead, added up, (n_leads,)."""
    total = np.zeros(len(leads.first_scored_at), dtype=np.int64)
    for flags in (_followed_up(leads, selection), _judged(leads), _ended(leads, selection)):
        for state, holds in flags.items():
            total += state.value * holds
    return total


def _followed_up(leads: LeadColumns, selection: Selection) -> dict[State, Flags]:
    handed, contacted = leads.handed_over_at != NEVER, leads.first_contact_at != NEVER
    agreed_us = _agreed_us(leads, selection)
    agreed = handed & (agreed_us >= 0)
    # What has not happened is moved to no other moment: the least number would wrap around.
    since = np.where(handed, leads.handed_over_at, 0)
    settled = ~handed | (since <= microseconds(selection.now) - np.maximum(agreed_us, 0))
    waits = ~contacted & (leads.verdict == 0) & ~_closed(leads)
    return {
        State.HANDED_OVER: handed,
        State.SETTLED: settled,
        State.AGREED: agreed,
        State.CONTACTED: contacted,
        State.IN_TIME: agreed & contacted & (leads.first_contact_at <= since + agreed_us),
        State.OVERDUE: agreed & waits & settled,
    }


def _judged(leads: LeadColumns) -> dict[State, Flags]:
    return {
        State.JUDGED: leads.verdict != 0,
        State.PENDING: leads.verdict == 0,
        State.ACCEPTED: leads.verdict == ACCEPTED,
        State.SIMULATED: leads.simulated,
    }


def _ended(leads: LeadColumns, selection: Selection) -> dict[State, Flags]:
    won = leads.outcome == WON
    too_late = _closed(leads) & closed_before(leads.outcome_latest_at, leads.first_as_of)
    counts = _matured(leads, selection) & ~too_late & ~_too_old(leads, selection)
    return {
        State.WON: won,
        State.MATURED: counts,
        State.WITHIN: won & counts & _within(leads, selection),
        State.CLOSED_BEFORE: too_late,
    }


def _closed(leads: LeadColumns) -> Flags:
    closed: Flags = (leads.outcome == WON) | (leads.outcome == LOST)
    return closed


def _matured(leads: LeadColumns, selection: Selection) -> Flags:
    if selection.horizon_days is None:
        return _closed(leads)
    done: Flags = matured(leads.first_as_of + _days_us(selection.horizon_days), microseconds(selection.now))
    return done


def _too_old(leads: LeadColumns, selection: Selection) -> Flags:
    if selection.leads_from is None:
        return np.zeros(len(leads.first_as_of), dtype=np.bool_)
    return leads.first_as_of < microseconds(selection.leads_from)


def _within(leads: LeadColumns, selection: Selection) -> Flags:
    if selection.horizon_days is None:
        return np.ones(len(leads.first_as_of), dtype=np.bool_)
    in_it: Flags = within(leads.outcome_at, leads.first_as_of + _days_us(selection.horizon_days))
    return in_it


def _agreed_us(leads: LeadColumns, selection: Selection) -> Integers:
    """The hours agreed for the grade at the handover, in microseconds; -1 where none are."""
    hours: dict[str, float] = {str(grade): agreed for grade, agreed in selection.hours.items()}
    by_grade = np.array([_hours_us(hours[grade]) if grade in hours else -1 for grade in GRADE_CODES], dtype=np.int64)
    return by_grade[leads.handover_grade]


def _hours_us(hours: float) -> int:
    return timedelta(hours=hours) // MICROSECOND


def _days_us(days: float) -> int:
    return timedelta(days=days) // MICROSECOND
