"""What is counted for the figures: leads by what has become of them.

Two populations, each with dates of its own: leads by their *first score* (the funnel, conversion), and leads by their
*handover* (follow-up, acceptance). A lead's state is a set of flags; the database counts the leads of each state by
group and grade, and every figure is a sum over states. So all figures of an answer come from the same few counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, auto
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from features.definition import Grade

By: TypeAlias = Literal["source", "campaign", "region", "month", "grade"]
Named: TypeAlias = Literal["source", "campaign", "region"]
BYS: tuple[By, ...] = get_args(By)
NAMED: tuple[Named, ...] = get_args(Named)


class State(IntFlag):
    """What is true of a lead now.

    SETTLED: not handed over, or the agreed hours since have passed; where none are agreed, none have to pass.
    AGREED: hours were agreed for the grade that it was handed over with. OVERDUE: they have passed, and it still waits.
    MATURED: its outcome can be counted, by the rule that training learns by; WITHIN: and it was won within the horizon.
    CLOSED_BEFORE: its outcome was there before the as-of date of its first score.
    """

    HANDED_OVER = auto()
    SETTLED = auto()
    AGREED = auto()
    CONTACTED = auto()
    IN_TIME = auto()
    OVERDUE = auto()
    JUDGED = auto()
    PENDING = auto()
    ACCEPTED = auto()
    WON = auto()
    MATURED = auto()
    WITHIN = auto()
    CLOSED_BEFORE = auto()
    SIMULATED = auto()


NONE = State(0)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of leads: of those that are in all states `of`, those that are in all states `counted` as well.

    With `weighted`, each lead that is among `of` weighs its probability: wins are held against what was expected.
    """

    of: State
    counted: State
    weighted: bool = False


DUE = State.HANDED_OVER | State.SETTLED
FIRST: Mapping[str, Share] = {
    "handed_over": Share(NONE, State.HANDED_OVER),
    "contacted": Share(DUE, State.CONTACTED),
    "contacted_of_all": Share(State.SETTLED, State.HANDED_OVER | State.CONTACTED),
    "accepted": Share(DUE | State.CONTACTED, State.ACCEPTED),
    "accepted_of_all": Share(State.SETTLED, State.HANDED_OVER | State.ACCEPTED),
    "won": Share(State.MATURED | State.HANDED_OVER | State.ACCEPTED, State.WITHIN),
    "won_of_all": Share(State.MATURED, State.WITHIN),
    "observed_to_expected": Share(State.MATURED, State.WITHIN, weighted=True),
}
HANDED: Mapping[str, Share] = {
    "in_time": Share(DUE | State.AGREED, State.IN_TIME),
    "acceptance": Share(State.JUDGED, State.ACCEPTED),
    "without_verdict": Share(State.SETTLED, State.PENDING),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which leads are counted, and by what.

    Attributes
    ----------
    start, end : datetime
        Of the period; half-open.
    now : datetime
        What counts is what is known at this moment.
    by : str, optional
        What groups are formed by; `grade` needs none, because every count is by grade anyway.
    months : tuple of (str, datetime)
        Name and beginning of each month of the period, for `by` month.
    filters : mapping
        Only leads with these values; None for leads without one.
    horizon_days, leads_from :
        From the definition; without a horizon, a lead counts as soon as it is won or lost.
    hours : mapping
        Agreed hours by grade.
    """

    start: datetime
    end: datetime
    now: datetime
    by: By | None = None
    months: tuple[tuple[str, datetime], ...] = ()
    filters: Mapping[Named, str | None] = field(default_factory=dict)
    horizon_days: int | None = None
    leads_from: datetime | None = None
    hours: Mapping[Grade, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """Leads of one group, grade and state: how many, the sum of their probabilities, and of these squared.

    `state` is a `State` as a bare number: flags are held against each other some ten times as quickly so.
    """

    group: str | None
    grade: str
    state: int
    n: int
    p: float
    p2: float


@dataclass(frozen=True, slots=True)
class Shared:
    """What accounts with several leads add to the variance of a share, y counted leads of x.

    `yy`, `yx`, `xx` are sums over accounts of products of the account's sums; `y2`, `y1`, `x2` the same sums of
    products over single leads (y is 0 or 1, so y² is y).
    """

    yy: float
    yx: float
    xx: float
    y2: float
    y1: float
    x2: float


@dataclass(frozen=True, slots=True)
class Population:
    """The cells of a population, and for each share what its accounts have in common."""

    cells: tuple[Cell, ...]
    shared: Mapping[str, Shared]


@dataclass(frozen=True, slots=True, eq=False)
class Wait:
    """How long the leads of one group and grade waited for their first contact, or still wait.

    Attributes
    ----------
    minutes : ndarray of int, (n_leads,)
        Whole minutes since the handover.
    contacted : ndarray of bool, (n_leads,)
        Whether they ended with a contact.
    """

    group: str | None
    grade: str
    minutes: npt.NDArray[np.int32]
    contacted: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Leads rejected for a reason."""

    group: str | None
    grade: str
    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that the figures of an answer are made of, read at one moment."""

    first: Population
    handed: Population
    waits: tuple[Wait, ...]
    rejected: tuple[Rejected, ...]


def holding(cells: Iterable[Cell], states: State) -> list[Cell]:
    """The cells whose leads are in all of `states`."""
    wanted = states.value
    return [cell for cell in cells if cell.state & wanted == wanted]


def n_leads(cells: Iterable[Cell], states: State = NONE) -> int:
    """How many leads are in all of `states`."""
    return sum(cell.n for cell in holding(cells, states))


def merged(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """The same leads without their groups: figures over all of them then add up few cells."""
    total: dict[tuple[str, int], tuple[int, float, float]] = {}
    for cell in cells:
        n, p, p2 = total.get((cell.grade, cell.state), (0, 0.0, 0.0))
        total[cell.grade, cell.state] = n + cell.n, p + cell.p, p2 + cell.p2
    return tuple(Cell(None, grade, state, *sums) for (grade, state), sums in total.items())
