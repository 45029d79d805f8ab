"""Which leads look the same to the model: those whose fields add the same points.

A lead is a point in the space of its fields' points. How far apart two leads are is the sum, over the fields, of the
difference of their points: fields that the model does not listen to do not count, and a field counts as much as it
moves the probability. Scores of other models weigh the same data otherwise, which is part of the distance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from serving.store import ClosedLead

Points = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Alike:
    """A closed lead, held against another lead.

    Attributes
    ----------
    distance : float
        In percentage points, 0 or more.
    shared : tuple of str
        The fields with the same value in both, the one that moves the other lead most first.
    apart : str
        The field whose points differ most; empty if none differ.
    """

    lead: ClosedLead
    distance: float
    shared: tuple[str, ...]
    apart: str


def points_by_field(answer: Mapping[str, Any]) -> dict[str, float]:
    """Each field's points in an answer."""
    return {each["field"]: each["points"] for each in answer["contributions"]}


def distance(one: Points, other: Points) -> float:
    """How far apart two leads are, in percentage points; a field that only one of them has adds nothing to the other.

    >>> distance({"source": 8.0, "employees": -1.0}, {"source": 6.5, "employees": 1.0})
    3.5
    """
    return math.fsum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in {**one, **other})


def most_alike(
    answer: Mapping[str, Any], given: Mapping[str, Any], closed: Iterable[ClosedLead], most: int
) -> list[Alike]:
    """The `most` closed leads next to a lead, the nearest first; among equals, by id.

    Parameters
    ----------
    answer, given : mapping
        The lead's stored answer, and its fields as they came.
    """
    own = points_by_field(answer)
    held = [(lead, points_by_field(orjson.loads(lead.answer))) for lead in closed]
    far = sorted(((distance(own, points), lead.lead_id, lead, points) for lead, points in held), key=lambda at: at[:2])
    return [_alike(own, given, lead, points, how_far) for how_far, _, lead, points in far[:most]]


def _alike(own: Points, given: Mapping[str, Any], lead: ClosedLead, points: Points, how_far: float) -> Alike:
    others: Mapping[str, Any] = orjson.loads(lead.inputs)
    strongest = sorted(own, key=lambda name: -abs(own[name]))
    shared = tuple(name for name in strongest if given.get(name) is not None and given.get(name) == others.get(name))
    gaps = {name: abs(own[name] - points.get(name, 0.0)) for name in own if name not in shared}
    apart = max(gaps, key=gaps.__getitem__, default="")
    return Alike(lead, how_far, shared, apart if gaps.get(apart) else "")
