"""Some of the leads of an answer, and the figures about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from serving.kpis.counts import DUE, FIRST, HANDED, Cell, Counts, Rejected, State, Wait, merged
from serving.kpis.shapes import RejectionShown
from serving.kpis.shares import (
    Figure,
    count_figure,
    design_effects,
    mean_figure,
    rate_figure,
    ratio_figure,
    share_figure,
)
from serving.kpis.shown import Shower, words
from serving.kpis.waiting import median_figure


@dataclass(frozen=True, slots=True)
class Group:
    """Leads by their first score, leads by their handover, and how much accounts go together in each figure."""

    first: tuple[Cell, ...]
    handed: tuple[Cell, ...]
    waits: tuple[Wait, ...]
    rejected: tuple[Rejected, ...]
    effects: Mapping[str, float]

    def only(self, keep: Callable[[Cell | Wait | Rejected], bool]) -> Group:
        """The part of it that `keep` chooses."""
        return replace(
            self,
            first=tuple(filter(keep, self.first)),
            handed=tuple(filter(keep, self.handed)),
            waits=tuple(filter(keep, self.waits)),
            rejected=tuple(filter(keep, self.rejected)),
        )

    def of_grade(self, grade: str) -> Group:
        """Leads first scored, or handed over, with this grade."""
        return self.only(lambda part: part.grade == grade)

    def share(self, name: str) -> Figure:
        """A share of leads."""
        if name in FIRST:
            return share_figure(name, FIRST[name], self.first, self.effects[name])
        return share_figure(name, HANDED[name], self.handed, self.effects[name])

    def predicted(self) -> Figure:
        """The mean probability of matured leads."""
        return mean_figure("predicted", FIRST["observed_to_expected"], self.first)

    def ratio(self) -> Figure:
        """Wins observed to wins expected of matured leads."""
        name = "observed_to_expected"
        return ratio_figure(name, FIRST[name], self.first, self.effects[name])

    def median_hours(self) -> Figure:
        """The median hours to the first contact."""
        return median_figure("median_hours", self.waits, self.effects["in_time"])

    def overdue(self) -> Figure:
        """How many leads are overdue now, of those whose agreed hours are over."""
        return count_figure("overdue", State.OVERDUE, self.handed, DUE | State.AGREED)

    def rejections(self, shower: Shower) -> list[RejectionShown]:
        """The reasons for rejection, the most frequent first."""
        counted: Counter[str] = Counter()
        for row in self.rejected:
            counted[row.reason] += row.n
        ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
        total, effect = counted.total(), self.effects["acceptance"]
        return [
            RejectionShown(
                code=code,
                label=words(shower.reason(code)),
                n=n,
                share=shower.figure(rate_figure("rejection", n, total, effect), told=False),
            )
            for code, n in ranked
        ]


def everyone(counts: Counts) -> Group:
    """All leads of an answer."""
    first = replace(counts.first, cells=merged(counts.first.cells))
    handed = replace(counts.handed, cells=merged(counts.handed.cells))
    effects = design_effects(first, FIRST) | design_effects(handed, HANDED)
    return Group(first.cells, handed.cells, counts.waits, counts.rejected, effects)
