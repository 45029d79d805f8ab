"""How a probability went over time: a step for each score, and the colour of a new model's scores unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import INK, NEUTRAL, PREDICTED, Picture, drawn, rows_of

if TYPE_CHECKING:
    from serving.cockpit.charts.drawing import Chart

WIDTH, HEIGHT = 560, 200
MOST_LABELLED = 8


class Point(NamedTuple):
    """One score.

    Attributes
    ----------
    at : str
        The as-of date by the reader's clocks, without a zone, for the axis.
    shown_at, shown, model : str
        As the reader writes them.
    is_first_of_model : bool
        Whether another model scored before.
    """

    at: str
    probability: float
    shown_at: str
    shown: str
    model: str
    is_first_of_model: bool


def course(
    points: Sequence[Point], language: Language, *, title: str, says: str, columns: tuple[str, str, str]
) -> Picture:
    """The scores in the order of their as-of dates, as a picture with its table. Blocks: call it from a thread."""
    svg = drawn(_chart, language, tuple(points))
    rows = tuple((point.shown_at, point.shown, point.model) for point in points)
    return Picture(svg, title, says, columns, rows)


def _dates(span: timedelta) -> str:
    """How dates are written that lie so far apart: the clock counts only within days, the year only over years."""
    if span < timedelta(days=4):
        return "%e %b, %H:%M"
    return "%e %b" if span < timedelta(days=300) else "%b %Y"


def _chart(_: Language, points: tuple[Point, ...]) -> Chart:
    import altair as alt

    labelled = len(points) <= MOST_LABELLED
    rows = [
        {
            "at": point.at,
            "probability": point.probability,
            "shown": point.shown if labelled or number in (0, len(points) - 1) else "",
            "new_model": point.is_first_of_model,
        }
        for number, point in enumerate(points)
    ]
    span = datetime.fromisoformat(points[-1].at) - datetime.fromisoformat(points[0].at)
    top = min(1.0, max(point.probability for point in points) * 1.25 + 0.02)
    base = alt.Chart(rows_of(rows)).encode(
        x=alt.X("at:T")
        .title(None)
        .scale(padding=28)
        .axis(grid=False, tickCount=6, labelOverlap=True, format=_dates(span)),
        y=alt.Y("probability:Q").title(None).scale(domain=[0, top]).axis(format=".0%", tickCount=4),
    )
    lines = base.mark_line(interpolate="step-after", color=PREDICTED, strokeWidth=2)
    dots = base.mark_point(filled=True, opacity=1, size=60, color=PREDICTED).encode(
        shape=alt.condition("datum.new_model", alt.value("square"), alt.value("circle"))
    )
    numbers = base.mark_text(dy=-12, color=INK).encode(text="shown:N")
    rules = base.mark_rule(color=NEUTRAL, strokeDash=[4, 4]).transform_filter("datum.new_model")
    return alt.layer(rules, lines, dots, numbers).properties(width=WIDTH, height=HEIGHT)
