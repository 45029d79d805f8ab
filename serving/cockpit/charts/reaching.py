"""Expected wins over sales' capacity, with their interval, and where a rule stands on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import INK, OBSERVED, PAPER, PREDICTED, drawn, rows_of

if TYPE_CHECKING:
    from serving.cockpit.charts.drawing import Chart

WIDTH, HEIGHT = 620, 280


class Reached(NamedTuple):
    """Wins a week at a capacity, and the ends of their interval."""

    capacity: float
    wins: float
    low: float
    high: float


class Mark(NamedTuple):
    """Where a rule stands; `is_tried` draws it as a diamond instead of a dot."""

    name: str
    capacity: float
    wins: float
    is_tried: bool


class Axes(NamedTuple):
    """What the axes are called."""

    capacity: str
    wins: str


def reaching(points: Sequence[Reached], marks: Sequence[Mark], axes: Axes, language: Language) -> str:
    """The curve as SVG. Blocks: call it from a thread."""
    return drawn(_chart, language, tuple(points), tuple(marks), axes)


def _chart(_: Language, points: tuple[Reached, ...], marks: tuple[Mark, ...], axes: Axes) -> Chart:
    import altair as alt

    curve = alt.Chart(rows_of([point._asdict() for point in points]))
    x = alt.X("capacity:Q").title(axes.capacity).scale(nice=False, zero=True)
    y = alt.Y("wins:Q").title(axes.wins).scale(zero=True)
    band = curve.mark_area(color=PREDICTED, opacity=0.16).encode(x=x, y=alt.Y("low:Q").title(axes.wins), y2="high:Q")
    line = curve.mark_line(color=PREDICTED, strokeWidth=2.5).encode(x=x, y=y)
    layers = [band, line]
    for mark in marks:
        # A dot above the line for what is in effect, a diamond below it for what is tried: they may stand close.
        at = alt.Chart(rows_of([mark._asdict()])).encode(x="capacity:Q", y="wins:Q")
        shape, colour = ("diamond", OBSERVED) if mark.is_tried else ("circle", INK)
        layers.append(at.mark_point(shape=shape, size=140, filled=True, color=colour, stroke=PAPER, opacity=1))
        named = at.encode(text="name:N")
        layers.append(
            named.mark_text(dx=12, dy=16, align="left", color=colour, fontWeight="bold")
            if mark.is_tried
            else named.mark_text(dx=-10, dy=-12, align="right", color=colour, fontWeight="bold")
        )
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
