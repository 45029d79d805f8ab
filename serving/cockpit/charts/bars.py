"""Horizontal bars with their values beside them: how much of something, the most first."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import INK, PREDICTED, Picture, drawn, rows_of

if TYPE_CHECKING:
    from serving.cockpit.charts.drawing import Chart

WIDTH, STEP, LETTERS = 210, 30, 24


class Bar(NamedTuple):
    """One bar: its name, how long it is, and how the reader writes that."""

    name: str
    value: float
    shown: str


def bars(bars: Sequence[Bar], language: Language, *, title: str, says: str, columns: tuple[str, str]) -> Picture:
    """The bars in the order given, as a picture with its table. Blocks: call it from a thread."""
    svg = drawn(_chart, language, tuple(bars))
    return Picture(svg, title, says, columns, tuple((bar.name, bar.shown) for bar in bars))


def _chart(_: Language, bars: tuple[Bar, ...]) -> Chart:
    import altair as alt

    rows = [{"name": textwrap.fill(bar.name, LETTERS), "value": bar.value, "shown": bar.shown} for bar in bars]
    largest = max((bar.value for bar in bars), default=0.0) or 1.0
    x = alt.X("value:Q").title(None).axis(None).scale(domain=[0, largest * 1.15], nice=False)
    y = alt.Y("name:N").title(None).sort(None).axis(labelLimit=200, labelPadding=8, ticks=False, domain=False)
    base = alt.Chart(rows_of(rows)).encode(x=x, y=y)
    drawn_bars = base.mark_bar(color=PREDICTED, height={"band": 0.66}, cornerRadiusEnd=2)
    numbers = base.mark_text(align="left", dx=6, color=INK).encode(text="shown:N")
    return alt.layer(drawn_bars, numbers).properties(width=WIDTH, height={"step": STEP})
