"""What was said against what was observed: points on the diagonal are as the model said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import NEUTRAL, OBSERVED, Picture, drawn, rows_of

if TYPE_CHECKING:
    from serving.cockpit.charts.drawing import Chart

SIZE, STEP = 300, 0.05


class Point(NamedTuple):
    """A group of leads: mean probability, share won, and the ends of the share's interval."""

    said: float
    observed: float
    low: float
    high: float


class Axes(NamedTuple):
    """What stands at the axes."""

    said: str
    observed: str


def calibration(
    points: Sequence[Point],
    language: Language,
    *,
    axes: Axes,
    title: str,
    says: str,
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
) -> Picture:
    """The points with their intervals and the diagonal, as a picture with its table. Blocks."""
    return Picture(drawn(_chart, language, tuple(points), axes), title, says, columns, rows)


def _chart(_: Language, points: tuple[Point, ...], axes: Axes) -> Chart:
    import altair as alt

    end = min(1.0, math.ceil(max(max(point.high, point.said) for point in points) / STEP) * STEP)
    scale, axis = alt.Scale(domain=[0, end], nice=False), alt.Axis(format="%", tickCount=5)
    x = alt.X("said:Q", title=axes.said, axis=axis, scale=scale)
    y = alt.Y("observed:Q", title=axes.observed, axis=axis, scale=scale)
    diagonal = alt.Chart(rows_of([{"said": 0, "observed": 0}, {"said": end, "observed": end}]))
    line = diagonal.mark_line(color=NEUTRAL, strokeDash=[5, 4], strokeWidth=1.5).encode(x=x, y=y)
    base = alt.Chart(rows_of([point._asdict() for point in points]))
    ends = base.mark_rule(color=OBSERVED, strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", title=axes.observed, axis=axis, scale=scale), y2="high:Q"
    )
    dots = base.mark_point(color=OBSERVED, filled=True, size=70, opacity=1).encode(x=x, y=y)
    return alt.layer(line, ends, dots).properties(width=SIZE, height=SIZE)
