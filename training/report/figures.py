"""Figures of an evaluation, in German and English: draws what `judging.evaluate` computed, and computes nothing.

Colours are Okabe and Ito's (2008), told apart by colour-blind readers; what was observed is orange, what the model
said is blue, everywhere. Numbers and months stand in the reader's format. `svg` has no background, so that it fits a
light and a dark page; `png` is white. `Words`, `heading`, `inline_values`, `axis_end` and `finished` are the look, for
whoever draws further figures of the same family.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from features.text import Language, Text
from training.judging.evaluate import Evaluation
from training.judging.tables import RateRow

Chart = alt.LayerChart | alt.FacetChart | alt.VConcatChart  # altair's own type of a layered chart is a union

PREDICTED, OBSERVED, NEUTRAL = "#0072B2", "#D55E00", "#888888"
_TEXT = "#444444"
_WIDTH, _HEIGHT = 460, 260
_FONT = "Helvetica, Arial, Liberation Sans, sans-serif"

_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez".split(),
}
_LONG_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
}
_DAYS = {
    "en": "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(),
    "de": "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag".split(),
}


def reliability(evaluation: Evaluation, language: Language) -> Chart:
    """Share of wins against mean probability by bin, with intervals, above a histogram of the probabilities."""
    told = Words(language)
    top = axis_end([row.interval[1] for row in evaluation.reliability], evaluation.histogram[-1][1])
    rows = inline_values(_rate_values(evaluation.reliability))
    x = alt.X("mean:Q").title(None).axis(format="%", tickCount=6).scale(domain=[0, top], nice=False, clamp=True)
    y_title = told(en="Share of wins observed", de="Beobachteter Anteil gewonnener Leads")
    y = alt.Y("observed:Q").title(y_title).axis(format="%", tickCount=6).scale(domain=[0, top], nice=False)
    base = alt.Chart(rows)
    perfect = alt.Chart(inline_values([{"mean": 0, "observed": 0}, {"mean": top, "observed": top}]))
    line = perfect.mark_line(color=NEUTRAL, strokeDash=[5, 4], strokeWidth=1.5).encode(x=x, y=y)
    ends = base.mark_rule(color=OBSERVED, strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q").title(y_title), y2="high:Q")
    points = base.mark_point(color=OBSERVED, filled=True, size=55, opacity=1).encode(x=x, y=y)
    title = heading(
        told(en="Do the probabilities hold?", de="Stimmen die Wahrscheinlichkeiten?"),
        told(
            en="Points on the dashed line: as many won as was said. Bars: interval.",
            de="Punkte auf der gestrichelten Linie: So viele gewonnen wie gesagt. Balken: Intervall.",
        ),
    )
    upper = alt.layer(line, ends, points).properties(width=_WIDTH, height=_HEIGHT)
    both: Chart = alt.vconcat(upper, _histogram(evaluation, top, told), spacing=8).properties(title=title)
    return finished(both, language)


def _histogram(evaluation: Evaluation, top: float, told: Words) -> alt.Chart:
    bars = [{"from": low, "to": high, "n": count} for low, high, count in evaluation.histogram]
    x_title = told(en="Probability said by the model", de="Vom Modell genannte Wahrscheinlichkeit")
    x = alt.X("from:Q").title(x_title).axis(format="%", tickCount=6).scale(domain=[0, top], nice=False, clamp=True)
    y = alt.Y("n:Q").title(told(en="Leads", de="Leads")).axis(format=",d", tickCount=3)
    drawn = alt.Chart(inline_values(bars)).mark_bar(color=PREDICTED, opacity=0.85, binSpacing=0)
    shown: alt.Chart = drawn.encode(x=x, x2="to:Q", y=y, y2=alt.datum(0)).properties(width=_WIDTH, height=70)
    return shown


def lift_curve(evaluation: Evaluation, language: Language) -> Chart:
    """Share of all wins among the best leads, against the share that working the list by lot would give."""
    told = Words(language)
    rows = [
        {"share": row.share, "won": row.share_of_wins, "low": row.interval[0], "high": row.interval[1]}
        for row in evaluation.lift
        if row.share_of_wins is not None and row.interval is not None
    ]
    x_title = told(en="Share of leads worked, from the top", de="Anteil bearbeiteter Leads, von oben")
    x = alt.X("share:Q").title(x_title).axis(format="%", tickCount=10).scale(domain=[0, 1])
    y_title = told(en="Share of all wins found", de="Gefundener Anteil aller gewonnenen Leads")
    y = alt.Y("won:Q").title(y_title).axis(format="%", tickCount=6).scale(domain=[0, 1])
    base = alt.Chart(inline_values(rows))
    band = base.mark_area(color=PREDICTED, opacity=0.22).encode(x=x, y=alt.Y("low:Q").title(y_title), y2="high:Q")
    curve = base.mark_line(color=PREDICTED, strokeWidth=2.5).encode(x=x, y=y)
    lot = alt.Chart(inline_values([{"share": 0, "won": 0}, {"share": 1, "won": 1}]))
    by_lot = lot.mark_line(color=NEUTRAL, strokeDash=[5, 4], strokeWidth=1.5).encode(x=x, y=y)
    title = heading(
        told(en="How much working from the top is worth", de="Was es bringt, von oben zu arbeiten"),
        told(en="Dashed: leads taken by lot. Band: interval.", de="Gestrichelt: Leads nach Los. Band: Intervall."),
    )
    drawn = alt.layer(by_lot, band, curve).properties(width=_WIDTH, height=_HEIGHT + 40, title=title)
    return finished(drawn, language)


def importance(fields: Sequence[tuple[Text, float]], language: Language) -> Chart:
    """Mean absolute points of each field, strongest first; `fields` holds label and points."""
    told = Words(language)
    rows = [{"field": textwrap.fill(label.in_language(language), 36), "points": points} for label, points in fields]
    largest = max((points for _, points in fields), default=0.0) or 1.0  # a model may listen to nothing
    x_title = told(
        en="Mean change of the probability, in points", de="Mittlere Änderung der Wahrscheinlichkeit, in Punkten"
    )
    x = alt.X("points:Q").title(x_title).axis(tickCount=6).scale(domain=[0, largest * 1.1], nice=False)
    y = alt.Y("field:N").title(None).sort("-x").axis(labelLimit=300, labelPadding=6, ticks=False, domain=False)
    base = alt.Chart(inline_values(rows)).encode(x=x, y=y)
    bars = base.mark_bar(color=PREDICTED, height={"band": 0.7})
    numbers = base.mark_text(align="left", dx=4, fontSize=11).encode(text=alt.Text("points:Q", format=".1f"))
    title = heading(
        told(en="What the model listens to", de="Worauf das Modell hört"),
        told(
            en="How far a field moves a lead's probability on average, up or down",
            de="Wie weit ein Feld die Wahrscheinlichkeit im Mittel bewegt, nach oben oder unten",
        ),
    )
    drawn = alt.layer(bars, numbers).properties(width=_WIDTH - 60, height={"step": 30}, title=title)
    return finished(drawn, language)


def monthly(evaluation: Evaluation, language: Language) -> Chart:
    """Mean probability and share of wins month by month, with intervals, above the number of leads.

    Not for data without dates: `evaluation.monthly` is then empty, and so is the figure.
    """
    told = Words(language)
    said, won = told(en="said by the model", de="vom Modell genannt"), told(en="observed", de="beobachtet")
    long = [
        {"month": row.key, "rate": rate, "what": what, "n": row.n}
        for row in evaluation.monthly
        for what, rate in ((said, row.mean_probability), (won, row.observed))
    ]
    top = axis_end([max(row.interval[1], row.mean_probability) for row in evaluation.monthly], 0.0)
    x = _month_axis(evaluation.monthly)
    y_title = told(en="Share of wins", de="Anteil gewonnener Leads")
    y = alt.Y("rate:Q").title(y_title).axis(format="%", tickCount=6).scale(domain=[0, top], nice=False)
    colour = alt.Color("what:N").title(None).scale(domain=[said, won], range=[PREDICTED, OBSERVED])
    colour = colour.legend(orient="top", direction="horizontal", symbolType="circle")
    base = alt.Chart(inline_values(long)).encode(x=x.axis(None), color=colour)
    lines = base.mark_line(strokeWidth=2, point={"filled": True, "size": 45}).encode(y=y)
    ends = alt.Chart(inline_values(_rate_values(evaluation.monthly, "month"))).mark_rule(
        color=OBSERVED, strokeWidth=1.5
    )
    ends = ends.encode(x=x.axis(None), y=alt.Y("low:Q").title(y_title), y2="high:Q")
    title = heading(
        told(en="Said and observed, month by month", de="Genannt und beobachtet, Monat für Monat"),
        told(en="By as-of date. Bars: interval.", de="Nach Stichtag. Balken: Intervall."),
    )
    upper = alt.layer(ends, lines).properties(width=_WIDTH, height=_HEIGHT - 40)
    both: Chart = alt.vconcat(upper, _lead_counts(evaluation.monthly, told), spacing=8).properties(title=title)
    return finished(both, language)


def _lead_counts(rows: Sequence[RateRow], told: Words) -> alt.Chart:
    bars = alt.Chart(inline_values([{"month": row.key, "n": row.n} for row in rows])).mark_bar(
        color=NEUTRAL, opacity=0.7
    )
    y = alt.Y("n:Q").title(told(en="Leads", de="Leads")).axis(format=",d", tickCount=3)
    shown: alt.Chart = bars.encode(x=_month_axis(rows), y=y).properties(width=_WIDTH, height=60)
    return shown


def _month_axis(rows: Sequence[RateRow]) -> alt.X:
    """Months as equal steps in the order of time; labelled straight where they fit, upright where they do not."""
    crowded = len(rows) > 8
    axis = alt.Axis(format="%b %Y", formatType="time", labelAngle=-90 if crowded else 0, ticks=False)
    return alt.X("utcyearmonth(month):O").title(None).axis(axis)


def svg(chart: Chart) -> str:
    """The figure as SVG text without a background."""
    return str(vl_convert.vegalite_to_svg(_specification(chart, None), vl_version=_VEGA_LITE))


def png(chart: Chart, scale: float = 2.0) -> bytes:
    """The figure as a white PNG, `scale` times its size in CSS pixels."""
    return bytes(vl_convert.vegalite_to_png(_specification(chart, "white"), vl_version=_VEGA_LITE, scale=scale))


_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def _specification(chart: Chart, background: str | None) -> str:
    drawn: dict[str, Any] = chart.to_dict()
    drawn["background"] = background
    return json.dumps(drawn)


class Words:
    """Texts that stand beside each other where they are used, read in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, *, en: str, de: str) -> str:
        """The text of the two that is in the reader's language."""
        return Text(en=en, de=de).in_language(self.language)


def inline_values(rows: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    """The rows as a chart's data, in the chart itself: a figure needs no other file."""
    return alt.InlineData(values=[dict(row) for row in rows])


def _rate_values(rows: Sequence[RateRow], key: str = "bin") -> list[dict[str, Any]]:
    return [
        {
            key: row.key,
            "mean": row.mean_probability,
            "observed": row.observed,
            "low": row.interval[0],
            "high": row.interval[1],
        }
        for row in rows
    ]


def axis_end(ends: Sequence[float], least: float) -> float:
    """The end of an axis of shares: the next 5 % above everything shown."""
    reached = max([least, *ends], default=1.0)
    return min(1.0, -(-reached // 0.05) * 0.05)


def heading(text: str, subtitle: str) -> alt.TitleParams:
    """A title with what to look for below it, both at the left edge."""
    return alt.TitleParams(text=text, subtitle=subtitle, anchor="start", frame="bounds", offset=12)


def finished(chart: Chart, language: Language) -> Chart:
    """The chart with our look and the reader's number and month formats."""
    axis = alt.AxisConfig(
        labelFontSize=11,
        labelColor=_TEXT,
        labelFlush=False,
        titleFontSize=12,
        titleFontWeight="normal",
        titleColor=_TEXT,
        titlePadding=8,
        gridColor=NEUTRAL,
        gridOpacity=0.25,
        domainColor=NEUTRAL,
        tickColor=NEUTRAL,
    )
    chart.config = alt.Config(
        font=_FONT,
        locale=_locale(language),
        lineBreak="\n",
        padding=10,
        axis=axis,
        view=alt.ViewConfig(stroke=None),
        legend=alt.LegendConfig(labelFontSize=11, labelColor=_TEXT),
        title=alt.TitleConfig(fontSize=15, color="#222222", subtitleFontSize=11.5, subtitleColor="#555555"),
    )
    return chart


def _locale(language: Language) -> dict[str, Any]:
    """D3's description of the reader's numbers and dates; a no-break space stands before the percent sign."""
    separators = {"decimal": ",", "thousands": "."} if language == "de" else {"decimal": ".", "thousands": ","}
    dates = {"dateTime": "%A, %e. %B %Y, %X", "date": "%d.%m.%Y", "time": "%H:%M:%S"}
    if language == "en":
        dates = {"dateTime": "%A, %e %B %Y, %X", "date": "%Y-%m-%d", "time": "%H:%M:%S"}
    days, months = _DAYS[language], _MONTHS[language]
    return {
        "number": {**separators, "grouping": [3], "currency": ["", "\u00a0€"], "percent": "\u00a0%"},
        "time": {
            **dates,
            "periods": ["AM", "PM"],
            "days": days,
            "shortDays": [day[:2] for day in days],
            "months": _LONG_MONTHS[language],
            "shortMonths": months,
        },
    }
