"""From the base probability to a lead's: the waterfall, and the same fields in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.charts.waterfall import Step, waterfall
from serving.cockpit.formats import Reader
from serving.cockpit.views.shares import FieldShare, total

STRONGEST_OF_A_GROUP = 4
STRONGEST_IN_WORDS = 5


@dataclass(frozen=True, slots=True)
class Group:
    """The fields that one team owns, the largest absolute points first.

    Attributes
    ----------
    owner : str
        `marketing`, `sales`, or empty for fields that the definition in service does not know.
    points : float
        Of all of them together.
    """

    owner: str
    points: float
    fields: tuple[FieldShare, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a lead has its probability.

    Attributes
    ----------
    base_points, points : float
        Base probability and probability in percentage points; base plus all groups' points is the probability.
    strongest, others : tuple of FieldShare
        In words, the largest absolute points first.
    lacking : tuple of FieldShare
        Fields whose value is missing, rare or new.
    lacking_points : float
        What those that are missing add up to.
    """

    base_points: float
    points: float
    groups: tuple[Group, ...]
    picture: Picture
    strongest: tuple[FieldShare, ...]
    others: tuple[FieldShare, ...]
    lacking: tuple[FieldShare, ...]
    lacking_points: float


def explained(fields: Sequence[FieldShare], base: float, probability: float, reader: Reader) -> Explained:
    """The explanation of one stored score, for one reader. Draws: call it from a thread.

    Parameters
    ----------
    base, probability : float
        The base probability and the lead's, between 0 and 1.
    """
    groups = grouped(fields)
    lacking = tuple(share for share in fields if share.note)
    return Explained(
        base_points=100 * base,
        points=100 * probability,
        groups=groups,
        picture=_picture(groups, base, probability, reader),
        strongest=tuple(fields[:STRONGEST_IN_WORDS]),
        others=tuple(fields[STRONGEST_IN_WORDS:]),
        lacking=lacking,
        lacking_points=total(share for share in lacking if share.note == "missing"),
    )


def grouped(fields: Sequence[FieldShare]) -> tuple[Group, ...]:
    """The fields by the team that owns them, marketing's first; no empty group."""
    owners = [owner for owner in ("marketing", "sales", "") if any(share.owner == owner for share in fields)]
    return tuple(
        Group(owner, total(own), own) for owner in owners for own in [tuple(s for s in fields if s.owner == owner)]
    )


def steps(groups: Sequence[Group], base: float, probability: float, reader: Reader) -> list[Step]:
    """Base, each group with its strongest fields and one step for its others, and the lead: it all adds up."""
    t, level = Catalogue(reader), 100 * base
    found = [Step(t("lead.waterfall.base"), 0.0, level, "level", reader.percent(base, 1))]
    for group in groups:
        heading = t(f"lead.owners.{group.owner or 'nobody'}")
        found.append(Step(heading, level, level, "heading", reader.points(group.points)))
        for name, points in _of_group(group, reader):
            found.append(Step(name, level, level + points, "step", reader.points(points)))
            level += points
    return [*found, Step(t("lead.waterfall.lead"), 0.0, 100 * probability, "level", reader.percent(probability, 1))]


def _of_group(group: Group, reader: Reader) -> list[tuple[str, float]]:
    """The strongest fields of a group, and all its others as one, unless that would be a single one."""
    shown = len(group.fields) if len(group.fields) <= STRONGEST_OF_A_GROUP + 1 else STRONGEST_OF_A_GROUP
    named = [(f"{reader.text(s.label)}: {reader.text(s.value)}", s.points) for s in group.fields[:shown]]
    rest = group.fields[shown:]
    return [*named, (Catalogue(reader)("lead.waterfall.rest", n=len(rest)), total(rest))] if rest else named


def _picture(groups: Sequence[Group], base: float, probability: float, reader: Reader) -> Picture:
    t = Catalogue(reader)
    return waterfall(
        steps(groups, base, probability, reader),
        reader.language,
        title=t("lead.waterfall.title"),
        says=t("lead.waterfall.says", base=reader.percent(base, 1), probability=reader.percent(probability, 1)),
        columns=(t("lead.waterfall.step"), t("lead.waterfall.points")),
    )
