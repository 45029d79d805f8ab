"""A share with its interval against the overall share, as wide as a table's cell: drawn by hand, for there are many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WIDTH: Final = 180
HEIGHT: Final = 22
MARGIN: Final = 6
MIDDLE: Final = HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Strip:
    """A drawing that stands beside the figures that it shows, so it needs no table of its own."""

    svg: str


def strip(share: float, low: float, high: float, overall: float, most: float) -> Strip:
    """The share as a dot, its interval as a line, and the overall share as a dashed line across.

    Parameters
    ----------
    most : float
        The share at the right end; the same for all strips that are compared.
    """
    x = [_x(value, most) for value in (share, low, high, overall)]
    parts = (
        f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{MIDDLE}" y2="{MIDDLE}" stroke="var(--chart-faint)"/>'
        f'<line x1="{x[3]}" x2="{x[3]}" y1="1" y2="{HEIGHT - 1}" stroke="var(--chart-neutral)" stroke-width="1.5" '
        'stroke-dasharray="3 2"/>'
        f'<line x1="{x[1]}" x2="{x[2]}" y1="{MIDDLE}" y2="{MIDDLE}" stroke="var(--chart-observed)" stroke-width="3"/>'
        f'<circle cx="{x[0]}" cy="{MIDDLE}" r="4.5" fill="var(--chart-observed)"/>'
    )
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return Strip(f'<svg {size} aria-hidden="true" focusable="false">{parts}</svg>')


def _x(share: float, most: float) -> float:
    """Where a share stands, to a tenth of a pixel; what is beyond the right end stands at it."""
    return round(MARGIN + (WIDTH - 2 * MARGIN) * min(share / most, 1.0), 1)
