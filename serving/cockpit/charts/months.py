"""Month by month: what the model said as a line with squares, what was observed as a line with dots and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import OBSERVED, PREDICTED, Picture, drawn, rows_of

if TYPE_CHECKING:
    from serving.cockpit.charts.drawing import Chart

WIDTH, HEIGHT, STEP = 310, 250, 0.05


class Month(NamedTuple):
    """One month: its name as the reader writes it, and shares."""

    name: str
    said: float
    observed: float
    low: float
    high: float


class Names(NamedTuple):
    """What the two lines and the axis are called."""

    said: str
    observed: str
    axis: str


def months(
    shown: Sequence[Month],
    language: Language,
    *,
    names: Names,
    title: str,
    says: str,
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
) -> Picture:
    """Both lines in the order given, as a picture with its table. Blocks."""
    return Picture(drawn(_chart, language, tuple(shown), names), title, says, columns, rows)


def _chart(_: Language, shown: tuple[Month, ...], names: Names) -> Chart:
    import altair as alt

    end = min(1.0, math.ceil(max(max(month.high, month.said) for month in shown) / STEP) * STEP)
    scale, axis = alt.Scale(domain=[0, end], nice=False), alt.Axis(format="%", tickCount=5)
    x = alt.X("name:O", title=None, sort=None, axis=alt.Axis(labelAngle=-40 if len(shown) > 6 else 0, ticks=False))
    y = alt.Y("rate:Q", title=names.axis, axis=axis, scale=scale)
    kinds = [names.said, names.observed]
    long = [
        {"name": month.name, "what": what, "rate": rate}
        for month in shown
        for what, rate in zip(kinds, (month.said, month.observed), strict=True)
    ]
    colour = alt.Color("what:N", title=None, scale=alt.Scale(domain=kinds, range=[PREDICTED, OBSERVED]))
    shape = alt.Shape("what:N", title=None, scale=alt.Scale(domain=kinds, range=["square", "circle"]))
    dash = alt.StrokeDash("what:N", title=None, scale=alt.Scale(domain=kinds, range=[[6, 3], [1, 0]]))
    ends = alt.Chart(rows_of([month._asdict() for month in shown])).mark_rule(color=OBSERVED, strokeWidth=2)
    ends = ends.encode(x=x, y=alt.Y("low:Q", title=names.axis, axis=axis, scale=scale), y2="high:Q")
    base = alt.Chart(rows_of(long)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(strokeWidth=2).encode(strokeDash=dash)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(shape=shape)
    return alt.layer(ends, lines, dots).properties(width=WIDTH, height=HEIGHT)
