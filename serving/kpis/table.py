"""The figures by group: a page of groups, and all others together, so that the rows always add up to the total."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from features.definition import GRADES
from features.text import Text
from serving.kpis.counts import By, Cell, Counts, Rejected, State, Wait, merged, n_leads
from serving.kpis.group import Group, everyone
from serving.kpis.query import Query
from serving.kpis.shapes import GradeCountShown, RowShown, TableShown
from serving.kpis.shown import Shower, words
from serving.kpis.texts import TOTAL, rest_label

THIN = 30
"""Below this many leads, a rate's interval is some thirty points wide."""

Key: TypeAlias = str | None


def table(counts: Counts, query: Query, by: By, shower: Shower) -> TableShown:
    """The page of groups that `query` asks for, the rest and the total."""
    whole = everyone(counts)
    parts = _parts(counts, by, whole.effects)
    ranked = _ranked(parts, by)
    page = ranked[query.offset : query.offset + query.limit]
    others = [key for key in ranked if key not in set(page)]
    shown = TableShown(
        by=by,
        rows=[_row(parts[key], shower, shower.label(by, key), 1, key) for key in page],
        total=_row(whole, shower, TOTAL, len(ranked)),
        n_groups=len(ranked),
        limit=query.limit,
        offset=query.offset,
    )
    if others:
        rest = _together([parts[key] for key in others])
        shown["rest"] = _row(rest, shower, rest_label(len(others)), len(others))
    return shown


def _parts(counts: Counts, by: By, effects: Mapping[str, float]) -> dict[Key, Group]:
    """The leads of each group; going through all of them once for each would take long with many campaigns."""
    first: dict[Key, list[Cell]] = defaultdict(list)
    handed: dict[Key, list[Cell]] = defaultdict(list)
    waits: dict[Key, list[Wait]] = defaultdict(list)
    rejected: dict[Key, list[Rejected]] = defaultdict(list)
    for cell in counts.first.cells:
        first[_key(cell, by)].append(cell)
    for cell in counts.handed.cells:
        handed[_key(cell, by)].append(cell)
    for wait in counts.waits:
        waits[_key(wait, by)].append(wait)
    for row in counts.rejected:
        rejected[_key(row, by)].append(row)
    return {
        key: Group(
            tuple(first.get(key, ())),
            tuple(handed.get(key, ())),
            tuple(waits.get(key, ())),
            tuple(rejected.get(key, ())),
            effects,
        )
        for key in first.keys() | handed.keys()
    }


def _key(part: Cell | Wait | Rejected, by: By) -> Key:
    return part.grade if by == "grade" else part.group


def _ranked(parts: dict[Key, Group], by: By) -> list[Key]:
    """Months and grades in their own order, other groups by size."""
    if by in ("month", "grade"):
        return sorted(parts, key=lambda key: key or "")
    return sorted(parts, key=lambda key: (-n_leads(parts[key].first), key is None, key or ""))


def _together(groups: Sequence[Group]) -> Group:
    return Group(
        merged(cell for group in groups for cell in group.first),
        merged(cell for group in groups for cell in group.handed),
        tuple(wait for group in groups for wait in group.waits),
        tuple(row for group in groups for row in group.rejected),
        groups[0].effects,
    )


def _row(group: Group, shower: Shower, label: Text, n_groups: int, key: Key = None) -> RowShown:
    n = n_leads(group.first)
    row = RowShown(
        label=words(label),
        n_groups=n_groups,
        thin=n < THIN,
        n_leads=n,
        n_handed_over=n_leads(group.first, State.HANDED_OVER),
        n_contacted=n_leads(group.first, State.HANDED_OVER | State.CONTACTED),
        n_accepted=n_leads(group.first, State.HANDED_OVER | State.ACCEPTED),
        n_won=n_leads(group.first, State.WON),
        grades=[
            GradeCountShown(grade=grade, n=sum(cell.n for cell in group.first if cell.grade == grade))
            for grade in GRADES
        ],
        handed_over=shower.figure(group.share("handed_over"), told=False),
        in_time=shower.figure(group.share("in_time"), told=False),
        median_hours=shower.figure(group.median_hours(), told=False),
        acceptance=shower.figure(group.share("acceptance"), told=False),
        predicted=shower.figure(group.predicted(), told=False),
        observed=shower.figure(group.share("won_of_all"), told=False),
        observed_to_expected=shower.figure(group.ratio(), told=False),
        rejections=group.rejections(shower),
    )
    if key is not None:
        row["group"] = key
    return row
