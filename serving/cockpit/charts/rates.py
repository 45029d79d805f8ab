"""Shares with their intervals, by month or by grade, and what was predicted for the same leads beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from features.text import Language
from serving.cockpit.charts.drawing import INK, NEUTRAL, OBSERVED, PAPER, PREDICTED, Picture, drawn, rows_of

if TYPE_CHECKING:
    import altair as alt

    from serving.cockpit.charts.drawing import Chart

WIDTH, HEIGHT = 560, 220
DIGITS = 4
MOST_LEVEL = 6
"""More names than these stand at an angle."""


class Rate(NamedTuple):
    """A share of one group of leads; None where there is nothing to show."""

    name: str
    observed: float | None
    low: float | None
    high: float | None
    predicted: float | None = None

    def rounded(self) -> Rate:
        """As exactly as it is drawn, so that a drawing is kept while nothing is to be seen of a change."""
        values = (None if value is None else round(value, DIGITS) for value in self[1:])
        return Rate(self.name, *values)


class Mark(NamedTuple):
    """A share from elsewhere, drawn as a line across with its name."""

    value: float
    name: str


class Table(NamedTuple):
    """The same values in the reader's words."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def rates(
    shown: Sequence[Rate],
    language: Language,
    *,
    title: str,
    says: str,
    table: Table,
    mark: Mark | None = None,
    over_time: bool = True,
) -> Picture:
    """The shares in the order given, as a picture with its table. Blocks: call it from a thread.

    Parameters
    ----------
    over_time : bool
        Whether the groups follow each other, so that a line may lead from one to the next.
    """
    svg = drawn(_chart, language, tuple(rate.rounded() for rate in shown), mark, over_time)
    return Picture(svg, title, says, *table)


def _chart(_: Language, shown: tuple[Rate, ...], mark: Mark | None, over_time: bool) -> Chart:
    import altair as alt

    values = [value for rate in shown for value in rate[1:] if value is not None]
    largest = max([0.1, *values, *([mark.value] if mark else [])])
    scale = alt.Scale(domain=[0, min(1.0, largest * 1.08)], nice=False, clamp=True)
    axis = alt.Axis(format=".0%", tickCount=5, title=None, domain=False)
    angle = -35 if len(shown) > MOST_LEVEL else 0
    x = alt.X("name:N").title(None).sort(None).axis(labelAngle=angle, labelLimit=130)
    base = alt.Chart(rows_of([rate._asdict() for rate in shown])).encode(x=x)
    parts = [*_across(mark, scale, axis), *_predictions(base, shown, scale, axis), *_dots(base, scale, axis, over_time)]
    return alt.layer(*parts).properties(width=WIDTH, height=HEIGHT)


def _across(mark: Mark | None, scale: alt.Scale, axis: alt.Axis) -> list[alt.Chart]:
    import altair as alt

    if mark is None:
        return []
    base = alt.Chart(rows_of([mark._asdict()])).encode(y=alt.Y("value:Q", scale=scale, axis=axis))
    line = base.mark_rule(color=NEUTRAL, strokeDash=[6, 4], strokeWidth=1.5)
    return [
        line,
        base.mark_text(align="left", dx=4, dy=-7, color=INK, fontSize=11).encode(text="name:N", x=alt.value(0)),
    ]


def _predictions(base: alt.Chart, shown: Sequence[Rate], scale: alt.Scale, axis: alt.Axis) -> list[alt.Chart]:
    """A bar across at each prediction, told from the dots by its shape as well as by its colour."""
    import altair as alt

    if all(rate.predicted is None for rate in shown):
        return []
    ticks = base.mark_tick(color=PREDICTED, thickness=4, orient="horizontal", width=28)
    return [ticks.encode(y=alt.Y("predicted:Q", scale=scale, axis=axis))]


def _dots(base: alt.Chart, scale: alt.Scale, axis: alt.Axis, over_time: bool) -> list[alt.Chart]:
    import altair as alt

    y = alt.Y("observed:Q", scale=scale, axis=axis)
    ends = base.mark_rule(color=OBSERVED, strokeWidth=2)
    line = base.mark_line(color=OBSERVED, strokeWidth=1.5, strokeDash=[3, 3])
    dots = base.mark_point(color=OBSERVED, filled=True, size=70, opacity=1, stroke=PAPER, strokeWidth=1)
    interval = ends.encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    return [interval, *([line.encode(y=y)] if over_time else []), dots.encode(y=y)]
