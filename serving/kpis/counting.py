"""The counts that figures are made of, counted over the columns of all leads.

Groups, grades and states are few, so that leads are put into a place for each combination of them; sorting them would
take longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np

from serving.kpis.columns import GRADE_CODES, NEVER, Bytes, Codes, Flags, Floats, Integers, LeadColumns, microseconds
from serving.kpis.counts import (
    FIRST,
    HANDED,
    Cell,
    Counts,
    Named,
    Population,
    Rejected,
    Selection,
    Share,
    Shared,
    State,
    Wait,
)
from serving.kpis.states import REJECTED, states

N_STATES = 2 * max(state.value for state in State)
MINUTE_US = 60_000_000
HALF = 32
"""Bits of a number that counts two things at once, in half the time."""
FEW_FOR_EACH = 16
"""Places for each lead up to which an array of all places costs less than sorting."""
Labels = Sequence[str | None]


@dataclass(frozen=True)
class _Part:
    """The leads of one population: their places among all leads, and of each its group, grade and state."""

    places: Codes
    group: Codes
    labels: Labels
    grade: Bytes
    state: Integers

    def combined(self, code: Codes, n_codes: int) -> tuple[list[tuple[str | None, str, int]], Codes]:
        """Each combination of group, grade and code that occurs, and for each lead the place of its own among them."""
        found, at = _numbered((self.group * len(GRADE_CODES) + self.grade) * n_codes + code)
        group, rest = np.divmod(found, len(GRADE_CODES) * n_codes)
        grade, number = np.divmod(rest, n_codes)
        each = zip(group.tolist(), grade.tolist(), number.tolist(), strict=True)
        return [(self.labels[g], GRADE_CODES[of], n) for g, of, n in each], at

    def cells(self, p: Floats) -> Iterator[Cell]:
        """The cells of the population; `p` are its leads' probabilities."""
        known, state_of = _numbered(self.state)
        named, at = self.combined(state_of, len(known))
        sums = (np.bincount(at, weight, len(named)).tolist() for weight in (None, p, p * p))
        for (group, grade, state), n, p1, p2 in zip(named, *sums, strict=True):
            yield Cell(group, grade, int(known[state]), int(n), p1, p2)


def count(leads: LeadColumns, selection: Selection) -> Counts:
    """What has become of the leads of `selection`."""
    state = states(leads, selection)
    first = _part(leads, selection, state, leads.first_scored_at, leads.first_grade)
    handed = _part(leads, selection, state, leads.handed_over_at, leads.handover_grade)
    return Counts(
        first=_population(leads, first, leads.by_account, FIRST),
        handed=_population(leads, handed, leads.by_account, HANDED),
        waits=tuple(_waits(leads, handed, selection)),
        rejected=tuple(_rejected(leads, handed)),
    )


def probabilities(leads: LeadColumns, selection: Selection) -> list[float]:
    """What the first scores said of the leads first scored in the period, the highest first."""
    among = _chosen(leads, selection) & _in_period(leads.first_scored_at, selection)
    ranked: list[float] = np.sort(leads.first_probability[among])[::-1].tolist()
    return ranked


def _chosen(leads: LeadColumns, selection: Selection) -> Flags:
    """Which leads have the values that are filtered by."""
    among = np.ones(len(leads.first_scored_at), dtype=np.bool_)
    for name, value in selection.filters.items():
        coded = leads.words[name]
        wanted = [code for code, word in enumerate(coded.words) if word == value]
        among &= np.isin(coded.codes, wanted)
    return among


def _in_period(moment: Integers, selection: Selection) -> Flags:
    begun, ended = moment >= microseconds(selection.start), moment >= microseconds(selection.end)
    inside: Flags = (moment != NEVER) & begun & ~ended
    return inside


def _part(leads: LeadColumns, selection: Selection, state: Integers, moment: Integers, grade: Bytes) -> _Part:
    places = np.flatnonzero(_chosen(leads, selection) & _in_period(moment, selection))
    group, labels = _groups(leads, selection, moment, places)
    return _Part(places, group, labels, grade[places], state[places])


def _groups(leads: LeadColumns, selection: Selection, moment: Integers, places: Codes) -> tuple[Codes, Labels]:
    if selection.by == "month":
        begins = [microseconds(begin) for _, begin in selection.months]
        month = np.searchsorted(begins, moment[places], side="right") - 1
        return np.maximum(month, 0), [name for name, _ in selection.months]
    if selection.by in (None, "grade"):
        return np.zeros(len(places), dtype=np.intp), [None]
    coded = leads.words[cast(Named, selection.by)]
    return coded.codes[places], coded.words


def _population(leads: LeadColumns, part: _Part, by_account: Codes, shares: Mapping[str, Share]) -> Population:
    several, starts = _several(leads, part.places, by_account)
    state, p = np.empty(len(leads.account), dtype=np.int64), leads.first_probability[several]
    state[part.places] = part.state
    of_several = state[several]
    shared = {name: _shared(share, of_several, p, starts) for name, share in shares.items()}
    return Population(tuple(part.cells(leads.first_probability[part.places])), shared)


def _several(leads: LeadColumns, places: Codes, by_account: Codes) -> tuple[Codes, Codes]:
    """The places of leads whose account has several among `places`, by account, and where each account begins."""
    inside = np.zeros(len(leads.account), dtype=np.bool_)
    inside[places] = True
    ordered = by_account[inside[by_account]]
    if not len(ordered):
        return ordered, ordered
    account = leads.account[ordered]
    same = account[1:] == account[:-1]
    several = np.append(same, False) | np.insert(same, 0, False)
    ordered, account = ordered[several], account[several]
    return ordered, np.flatnonzero(np.append(True, account[1:] != account[:-1])[: len(account)])


def _shared(share: Share, state: Integers, p: Floats, starts: Codes) -> Shared:
    """What accounts with several leads add to the variance of a share; the others add nothing."""
    if not len(starts):
        return Shared(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    both = _both(share)[state]
    if share.weighted:
        return _weighted(both, p, starts)
    of_account = np.add.reduceat(both, starts)
    y, x = of_account >> HALF, of_account & (2**HALF - 1)
    n_counted, n_of = float(y.sum()), float(x.sum())
    return Shared(float((y * y).sum()), float((y * x).sum()), float((x * x).sum()), n_counted, n_counted, n_of)


def _weighted(both: Integers, p: Floats, starts: Codes) -> Shared:
    weight, counted = p * (both & 1), (both >> HALF).astype(np.float64)
    y, x = np.add.reduceat(counted, starts), np.add.reduceat(weight, starts)
    # Not by matrix products: those start threads, which cost more than they save here.
    products = (y * y, y * x, x * x, counted, counted * weight, weight * weight)
    return Shared(*(float(product.sum()) for product in products))


@cache
def _both(share: Share) -> Integers:
    """For each state whether it is among those of the share, and in the upper half whether it is counted."""
    every = np.arange(N_STATES, dtype=np.int64)
    of = _in(every, share.of).astype(np.int64)
    return of + ((of & _in(every, share.counted)) << HALF)


def _waits(leads: LeadColumns, handed: _Part, selection: Selection) -> Iterator[Wait]:
    contact = leads.first_contact_at[handed.places]
    contacted = contact != NEVER
    until = np.where(contacted, contact, microseconds(selection.now))
    minutes = (np.maximum(until - leads.handed_over_at[handed.places], 0) // MINUTE_US).astype(np.int32)
    named, at = handed.combined(np.zeros(len(minutes), dtype=np.intp), 1)
    ends = np.cumsum(np.bincount(at, minlength=len(named)))[:-1]
    # Short numbers are sorted in one pass.
    order = np.argsort(at.astype(np.uint16) if len(named) <= np.iinfo(np.uint16).max else at, kind="stable")
    for (group, grade, _), places in zip(named, np.split(order, ends), strict=bool(named)):
        yield Wait(group, grade, minutes[places], contacted[places])


def _rejected(leads: LeadColumns, handed: _Part) -> Iterator[Rejected]:
    reasons = leads.words["verdict_reason"]
    among = leads.verdict[handed.places] == REJECTED
    part = _Part(handed.places[among], handed.group[among], handed.labels, handed.grade[among], handed.state[among])
    named, at = part.combined(reasons.codes[part.places], len(reasons.words))
    for (group, grade, reason), n in zip(named, np.bincount(at, minlength=len(named)).tolist(), strict=True):
        yield Rejected(group, grade, reasons.words[reason] or "", n)


def _in(state: Integers, wanted: State) -> Flags:
    held: Flags = (state & wanted.value) == wanted.value
    return held


def _numbered(keys: Codes) -> tuple[Codes, Codes]:
    """The keys that occur, in order, and of each lead the place of its key among them."""
    highest = int(keys.max(initial=0))
    if highest > FEW_FOR_EACH * (len(keys) + N_STATES):
        found, at = np.unique(keys, return_inverse=True)
        return found, at
    seen = np.zeros(highest + 1, dtype=np.bool_)
    seen[keys] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[keys]
