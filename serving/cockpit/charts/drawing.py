"""From an Altair chart to a picture that fits a light and a dark page, drawn once for the same values.

Charts are drawn with stand-in colours, each of which becomes a variable of the style sheet. Altair and its renderer
take a second to load and some 120 MB: they are loaded with the first chart, and never by a service that only scores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from features.text import Language, Text

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart | alt.HConcatChart

PREDICTED: Final = "#0072b2"
OBSERVED: Final = "#d55e00"
NEUTRAL: Final = "#888888"
GOOD: Final = "#009e73"
FAINT: Final = "#c7c7c7"
INK: Final = "#222222"
SOFT_INK: Final = "#555555"
PAPER: Final = "#fefefe"
VARIABLES: Final = {
    PREDICTED: "--chart-predicted",
    OBSERVED: "--chart-observed",
    NEUTRAL: "--chart-neutral",
    GOOD: "--chart-good",
    FAINT: "--chart-faint",
    INK: "--ink",
    SOFT_INK: "--ink-soft",
    PAPER: "--paper",
}
"""Okabe and Ito's (2008) colours, told apart without colour vision: what the model said is blue, what was observed is
orange, everywhere. Each has a brighter form for dark pages in the style sheet."""

FONT: Final = "Helvetica, Arial, Liberation Sans, sans-serif"
"""As wide here, where the room for labels is measured, as in the browser."""

ENLARGED: Final = 1.2
"""Charts are drawn for a phone, some 380 wide, and shown larger where there is room."""

MOST_KEPT: Final = 256

_colour = re.compile('"(' + "|".join(VARIABLES) + ')"', re.IGNORECASE)

_size = re.compile(r'width="([\d.]+)" height="[\d.]+" ')

Row = Mapping[str, Any]
Make = Callable[..., "Chart"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart, and the same values as a table for who cannot see it or wants to know exactly.

    Attributes
    ----------
    svg : str
        The drawing; its colours are variables of the style sheet.
    title : str
        What it shows, as a heading.
    says : str
        What is to be seen in it, in a sentence: read out instead of the drawing.
    columns : tuple of str
        Heads of the table.
    rows : tuple of tuple of str
        Its cells, as the reader writes them.
    """

    svg: str
    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=MOST_KEPT)
def drawn(make: Make, language: Language, *values: Hashable) -> str:
    """The chart `make(language, *values)` as SVG. Blocks for some 100 ms when it is new: call it from a thread.

    Parameters
    ----------
    make : function
        Makes an Altair chart; the same arguments always give the same chart.
    values : hashable
        What it draws: tuples and frozen dataclasses.
    """
    import altair as alt
    import vl_convert

    chart = make(language, *values)
    chart.config = _look(language)
    specification = chart.to_dict()
    specification["background"] = None
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    return _for_the_page(str(vl_convert.vegalite_to_svg(json.dumps(specification), vl_version=version)))


def rows_of(values: Sequence[Row]) -> alt.InlineData:
    """The rows as a chart's data, in the chart itself."""
    import altair as alt

    return alt.InlineData(values=[dict(row) for row in values])


def _for_the_page(svg: str) -> str:
    """The drawing with the page's colours, hidden from screen readers, which get the sentence and the table."""
    coloured = _colour.sub(lambda found: f'"var({VARIABLES[found[1].lower()]})"', svg)
    enlarged = _size.sub(lambda found: f'width="{ENLARGED * float(found[1]):.0f}" ', coloured, count=1)
    return enlarged.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _look(language: Language) -> alt.Config:
    """Quiet axes in the page's colours, and the reader's numbers."""
    import altair as alt

    axis = alt.AxisConfig(
        labelFontSize=12,
        labelColor=SOFT_INK,
        labelFlush=False,
        titleFontSize=12,
        titleFontWeight="normal",
        titleColor=SOFT_INK,
        titlePadding=8,
        gridColor=FAINT,
        gridOpacity=0.6,
        domainColor=NEUTRAL,
        tickColor=NEUTRAL,
    )
    return alt.Config(
        aria=False,
        font=FONT,
        locale=locale_of(language),
        lineBreak="\n",
        # Readers' fonts are wider than the one that names are measured with.
        padding={"left": 18, "right": 14, "top": 4, "bottom": 4},
        axis=axis,
        text=alt.MarkConfig(color=INK, fontSize=12),
        view=alt.ViewConfig(stroke=None),
        legend=alt.LegendConfig(labelFontSize=12, labelColor=INK, orient="top", symbolStrokeWidth=2),
    )


def locale_of(language: Language) -> dict[str, Any]:
    """D3's description of the reader's numbers and months; a no-break space stands before the percent sign."""
    separators = {"decimal": ",", "thousands": "."} if language == "de" else {"decimal": ".", "thousands": ","}
    months = _MONTHS.in_language(language).split()
    return {
        "number": {**separators, "grouping": [3], "currency": ["", ""], "percent": "\u00a0%"},
        "time": {
            "dateTime": "%A, %e %B %Y, %X",
            "date": "%d.%m.%Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": (days := _DAYS.in_language(language).split()),
            "shortDays": [day[:2] for day in days],
            "months": months,
            "shortMonths": [month[:3] for month in months],
        },
    }


_MONTHS = Text(
    "January February March April May June July August September October November December",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
)
_DAYS = Text(
    "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
    "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag",
)
