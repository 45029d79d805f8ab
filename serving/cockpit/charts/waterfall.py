"""From the base probability to a lead's, step by step: what each field adds or takes, by the team that owns it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import GOOD, OBSERVED, PREDICTED, Picture, drawn, rows_of

if TYPE_CHECKING:
    from serving.cockpit.charts.drawing import Chart

WIDTH, STEP, LETTERS, LINES, LABELS, ROOM = 400, 34, 27, 2, 235, 0.03
HEADING = "\u2009"
"""Stands before the name of a group, so that the axis can tell it from a field's."""


class Step(NamedTuple):
    """One row: a level (from 0), a step from one level to the next, or the heading of a group.

    Attributes
    ----------
    start, end : float
        In percentage points; a heading has neither.
    kind : {"level", "step", "heading"}
    shown : str
        How the reader writes it.
    """

    name: str
    start: float
    end: float
    kind: str
    shown: str


def waterfall(steps: Sequence[Step], language: Language, *, title: str, says: str, columns: tuple[str, str]) -> Picture:
    """The steps in the order given, as a picture with its table. Blocks: call it from a thread."""
    svg = drawn(_chart, language, tuple(steps))
    return Picture(svg, title, says, columns, tuple((step.name, step.shown) for step in steps))


def _chart(_: Language, steps: tuple[Step, ...]) -> Chart:
    import altair as alt

    rows = [_row(number, step) for number, step in enumerate(steps)]
    ends = [end for step in steps for end in (step.start, step.end)]
    low, high = min(ends), max(ends)
    room = (high - low) * ROOM or 1.0
    bold = alt.condition(f"datum.label[0] === '{HEADING}'", alt.value("bold"), alt.value("normal"))
    # As wide as the longest label in the widest font that a reader may have: what is drawn does not know it.
    axis = alt.Axis(
        title=None, labelLimit=LABELS, minExtent=LABELS, labelPadding=8, ticks=False, domain=False, labelFontWeight=bold
    )
    y = alt.Y("name:N", sort=[str(row["name"]) for row in rows], axis=axis)
    scale = alt.Scale(domain=[low - (room if low < 0 else 0), high + room], nice=False, zero=False)
    bars = alt.Chart(rows_of(rows)).mark_bar(height={"band": 0.62}, cornerRadius=2)
    x = alt.X("low:Q", scale=scale, axis=None)
    bars = bars.encode(y=y, x=x, x2="high:Q", color=alt.Color("colour:N", scale=None))
    finished: alt.Chart = bars.properties(width=WIDTH, height={"step": STEP})
    return finished


def _row(number: int, step: Step) -> dict[str, object]:
    """A row; names are told apart by blanks nobody sees, because two fields may be called alike.

    The figure stands beside the name, not at the end of its bar: there, a phone would not show it.
    """
    *before, last = textwrap.wrap(step.name, LETTERS, max_lines=LINES, placeholder="…")
    name = "\n".join([*before, f"{last}\u2003{step.shown}"]) + "\u200b" * number
    return {
        "name": (HEADING if step.kind == "heading" else "") + name,
        "low": min(step.start, step.end),
        "high": max(step.start, step.end),
        "colour": PREDICTED if step.kind == "level" else GOOD if step.end > step.start else OBSERVED,
    }
