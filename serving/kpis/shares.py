"""Shares of leads and wins against expectations, each with how sure it is.

Intervals are of 90 %, by `features.rates`. Leads of one account go together, so each interval is widened by the design
effect over all leads of the answer; groups use the same, as those of training's evaluation do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from features.rates import rate_interval, ratio_interval
from serving.kpis.counts import Cell, Population, Share, Shared, State, holding

LEVEL = 0.90


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; what does not exist is None.

    Attributes
    ----------
    name : str
        Its key in `texts.FIGURES`.
    value, low, high : float, optional
        The ends are those of a 90 % interval.
    n, n_of : int
        Of how many leads, and how many of them are counted.
    expected : float, optional
        Of wins against expectations: the sum of the leads' probabilities.
    """

    name: str
    n: int
    n_of: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the leads of a share: `n` of them, `y` counted; x is 1 or the probability of each."""

    n: int
    y: int
    x: float
    yx: float
    x2: float


def sums(share: Share, cells: Iterable[Cell]) -> Sums:
    """What a share adds up to over `cells`."""
    of = holding(cells, share.of)
    counted = holding(of, share.counted)
    n, y = sum(cell.n for cell in of), sum(cell.n for cell in counted)
    if not share.weighted:
        return Sums(n, y, n, y, n)
    return Sums(n, y, sum(cell.p for cell in of), sum(cell.p for cell in counted), sum(cell.p2 for cell in of))


def design_effect(share: Share, population: Population, shared: Shared) -> float:
    """How many times as much as independent leads' the sum of a share varies, at least 1 (Kish 1965).

    Around the rate that was observed: with the residuals y - r x, single leads add up to the variance of independent
    ones; accounts with several leads add the square of their sum instead of the sum of their squares.
    """
    total = sums(share, population.cells)
    if total.x <= 0:
        return 1.0
    r = total.y / total.x
    independent = total.y - 2 * r * total.yx + r * r * total.x2
    together = shared.yy - 2 * r * shared.yx + r * r * shared.xx
    alone = shared.y2 - 2 * r * shared.y1 + r * r * shared.x2
    return max(1.0, 1 + (together - alone) / independent) if independent > 1e-9 else 1.0


def design_effects(population: Population, shares: Mapping[str, Share]) -> dict[str, float]:
    """The design effect of each share."""
    return {name: design_effect(share, population, population.shared[name]) for name, share in shares.items()}


def share_figure(name: str, share: Share, cells: Iterable[Cell], effect: float) -> Figure:
    """The share of leads with Wilson's interval."""
    total = sums(share, cells)
    return rate_figure(name, total.y, total.n, effect)


def rate_figure(name: str, counted: int, n: int, effect: float = 1.0) -> Figure:
    """`counted` of `n` with Wilson's interval."""
    ends = rate_interval(counted, n, LEVEL, effect)
    if ends is None:
        return Figure(name, n, counted)
    return Figure(name, n, counted, counted / n, *ends)


def ratio_figure(name: str, share: Share, cells: Iterable[Cell], effect: float) -> Figure:
    """Wins observed to wins expected."""
    total = sums(share, cells)
    if total.x <= 0:
        return Figure(name, total.n, total.y)
    ends = ratio_interval(total.y, total.x, total.x2, LEVEL, effect)
    return Figure(name, total.n, total.y, total.y / total.x, *ends, expected=total.x)


def mean_figure(name: str, share: Share, cells: Iterable[Cell]) -> Figure:
    """The mean probability of the same leads; what was said has no interval."""
    total = sums(share, cells)
    if not total.n:
        return Figure(name, 0, total.y)
    return Figure(name, total.n, total.y, total.x / total.n, expected=total.x)


def count_figure(name: str, state: State, cells: Iterable[Cell], of: State) -> Figure:
    """How many leads are in `state`, of those in `of`; a count has no interval."""
    among = holding(cells, of)
    counted = sum(cell.n for cell in holding(among, state))
    n = sum(cell.n for cell in among)
    return Figure(name, n, counted, counted) if n else Figure(name, 0, 0)
