"""Figures of a backtest, in German and English: draws what `training.replay.backtest` found out, and computes nothing.

What was observed is orange and what our model said is blue, as in `training.report.figures`; the frozen model is
purple, its recalibrated twin green, the base rate grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from features.text import LANGUAGES, Language, Text
from training.judging.evaluate import Evaluation
from training.replay.backtest_result import FROZEN, NAMES, RECALIBRATED, REFITTED, Backtest
from training.report import figures

# The look is training.report.figures' own, so that all figures of a project are one family.
from training.report.figures import (
    NEUTRAL,
    OBSERVED,
    PREDICTED,
    Chart,
    Words,
    axis_end,
    finished,
    heading,
    inline_values,
)

_COLOURS = {REFITTED: PREDICTED, FROZEN: "#882255", RECALIBRATED: "#009E73", "base_rate": NEUTRAL}
_DASHES = {REFITTED: [1, 0], FROZEN: [6, 3], RECALIBRATED: [2, 2], "base_rate": [8, 2, 2, 2]}
_WIDTH, _HEIGHT = 560, 240
_OUTCOME = Text("Observed", "Beobachtet")


def drawn(backtest: Backtest) -> dict[str, bytes | str]:
    """Every figure in both languages by file name, as PNG and as SVG."""
    files: dict[str, bytes | str] = {}
    for language in LANGUAGES:
        for name, figure in _FIGURES.items():
            chart = figure(backtest, language)
            files[f"{name}.{language}.png"] = figures.png(chart)
            files[f"{name}.{language}.svg"] = figures.svg(chart)
    return files


def log_loss_over_time(backtest: Backtest, language: Language) -> Chart:
    """Log loss of each period: ours with its interval as a band, the frozen models and the base rate as lines."""
    told = Words(language)
    rows = [
        {"start": period.start, "what": NAMES[name].in_language(language), **_metric(period.evaluations[name])}
        for period in backtest.periods
        for name in _COLOURS
    ]
    ours = [row for row in rows if row["what"] == NAMES[REFITTED].in_language(language) and row["low"] is not None]
    y_title = told(en="Log loss (lower is better)", de="Log-Loss (niedriger ist besser)")
    y = alt.Y("value:Q").title(y_title).axis(format=".2f", tickCount=6).scale(zero=False)
    band = alt.Chart(inline_values(ours)).mark_area(color=PREDICTED, opacity=0.18)
    band = band.encode(x=_x(backtest), y=alt.Y("low:Q").title(y_title), y2="high:Q")
    lines = alt.Chart(inline_values(rows)).mark_line(strokeWidth=2, point={"filled": True, "size": 30})
    lines = lines.encode(x=_x(backtest), y=y, color=_colour(language), strokeDash=_dash(language))
    title = heading(
        told(en="What ageing costs", de="Was das Altern kostet"),
        told(
            en="Each point: the leads from one origin to the next, scored with what was known then. Band: interval.",
            de="Jeder Punkt: die Leads bis zum nächsten Zeitpunkt, bewertet mit damaligem Wissen. Band: Intervall.",
        ),
    )
    return finished(alt.layer(band, lines).properties(width=_WIDTH, height=_HEIGHT, title=title), language)


def rates_over_time(backtest: Backtest, language: Language) -> Chart:
    """Mean probability of each model against the share of wins, period by period, above the number of leads."""
    told = Words(language)
    names = (REFITTED, FROZEN, RECALIBRATED)
    said: list[dict[str, Any]] = [
        {"start": p.start, "what": NAMES[name].in_language(language), "value": p.rates[name].mean_probability}
        for p in backtest.periods
        for name in names
    ]
    seen = [period.rates[REFITTED] for period in backtest.periods]
    observed: list[dict[str, Any]] = [
        {"start": r.key, "what": _OUTCOME.in_language(language), "value": r.observed} for r in seen
    ]
    intervals = [{"start": r.key, "low": r.interval[0], "high": r.interval[1]} for r in seen]
    top = axis_end([max(r.interval[1] for r in seen), *(r["value"] for r in said)], 0.0)
    y_title = told(en="Share of wins", de="Anteil gewonnener Leads")
    y = alt.Y("value:Q").title(y_title).axis(format="%", tickCount=6).scale(domain=[0, top], nice=False)
    lines = alt.Chart(inline_values([*observed, *said])).mark_line(strokeWidth=2, point={"filled": True, "size": 30})
    lines = lines.encode(x=_x(backtest, labels=False), y=y, color=_colour(language, names, _OUTCOME))
    lines = lines.encode(strokeDash=_dash(language, names, _OUTCOME))
    ends = alt.Chart(inline_values(intervals)).mark_rule(color=OBSERVED, strokeWidth=1.5)
    ends = ends.encode(x=_x(backtest, labels=False), y=alt.Y("low:Q").title(y_title), y2="high:Q")
    title = heading(
        told(en="Said and observed over time", de="Genannt und beobachtet im Lauf der Zeit"),
        told(
            en="Mean probability of each model, and the share of leads that were won. Bars: interval.",
            de="Mittlere Wahrscheinlichkeit jedes Modells und Anteil gewonnener Leads. Balken: Intervall.",
        ),
    )
    upper = alt.layer(ends, lines).properties(width=_WIDTH, height=_HEIGHT)
    both: Chart = alt.vconcat(upper, _counts(backtest, told), spacing=8).properties(title=title)
    return finished(both, language)


def reliability(backtest: Backtest, language: Language) -> Chart:
    """Share of wins against mean probability over all periods, one panel per model."""
    told = Words(language)
    names = (REFITTED, FROZEN, RECALIBRATED)
    rows: list[dict[str, Any]] = [
        {"what": name, "mean": r.mean_probability, "value": r.observed, "low": r.interval[0], "high": r.interval[1]}
        for name in names
        for r in backtest.evaluations[name].reliability
    ]
    top = axis_end([max(row["high"], row["mean"]) for row in rows], 0.0)
    x_title = told(en="Probability said", de="Genannte Wahrscheinlichkeit")
    y_title = told(en="Share of wins observed", de="Beobachteter Anteil gewonnener Leads")
    panels = [_panel([r for r in rows if r["what"] == name], name, top, (x_title, y_title), language) for name in names]
    title = heading(
        told(
            en="Do the probabilities hold, over all periods?",
            de="Stimmen die Wahrscheinlichkeiten, über alle Zeiträume?",
        ),
        told(
            en="Points on the dashed line: as many won as was said. Bars: interval.",
            de="Punkte auf der gestrichelten Linie: So viele gewonnen wie gesagt. Balken: Intervall.",
        ),
    )
    side_by_side: Chart = alt.vconcat(alt.hconcat(*panels, spacing=24)).properties(title=title)
    return finished(side_by_side, language)


_FIGURES = {"log_loss": log_loss_over_time, "rates": rates_over_time, "reliability": reliability}


def _panel(
    rows: list[dict[str, Any]], name: str, top: float, titles: tuple[str, str], language: Language
) -> alt.LayerChart | alt.FacetChart:
    axis: dict[str, Any] = {"format": "%", "tickCount": 4}
    x = alt.X("mean:Q").title(titles[0]).axis(**axis).scale(domain=[0, top], nice=False)
    y = alt.Y("value:Q").title(titles[1] if name == REFITTED else None).axis(**axis).scale(domain=[0, top], nice=False)
    perfect = alt.Chart(inline_values([{"mean": 0, "value": 0}, {"mean": top, "value": top}]))
    line = perfect.mark_line(color=NEUTRAL, strokeDash=[5, 4], strokeWidth=1.5).encode(x=x, y=y)
    base = alt.Chart(inline_values(rows))
    ends = base.mark_rule(color=_COLOURS[name], strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    points = base.mark_point(color=_COLOURS[name], filled=True, size=45, opacity=1).encode(x=x, y=y)
    title = alt.TitleParams(NAMES[name].in_language(language), fontSize=11.5, fontWeight="normal", anchor="start")
    return alt.layer(line, ends, points).properties(width=210, height=240, title=title)


def _counts(backtest: Backtest, told: Words) -> alt.Chart:
    rows = [{"start": period.start, "n": period.n} for period in backtest.periods]
    y = alt.Y("n:Q").title(told(en="Leads", de="Leads")).axis(format=",d", tickCount=3)
    bars = alt.Chart(inline_values(rows)).mark_bar(color=NEUTRAL, opacity=0.7)
    shown: alt.Chart = bars.encode(x=_x(backtest), y=y).properties(width=_WIDTH, height=60)
    return shown


def _x(backtest: Backtest, *, labels: bool = True) -> alt.X:
    """Origins as equal steps in the order of time."""
    if not labels:
        return alt.X("utcyearmonth(start):O").title(None).axis(None)
    crowded = len(backtest.periods) > 8
    axis = alt.Axis(format="%b %Y", formatType="time", labelAngle=-90 if crowded else 0, ticks=False)
    return alt.X("utcyearmonth(start):O").title(None).axis(axis)


def _colour(language: Language, names: tuple[str, ...] = tuple(_COLOURS), outcome: Text | None = None) -> alt.Color:
    labels, colours = _scale(language, names, outcome, _COLOURS, OBSERVED)
    colour = alt.Color("what:N").title(None).scale(domain=labels, range=colours)
    return colour.legend(orient="top", direction="horizontal", columns=2, labelLimit=300, symbolType="stroke")


def _dash(language: Language, names: tuple[str, ...] = tuple(_COLOURS), outcome: Text | None = None) -> alt.StrokeDash:
    labels, dashes = _scale(language, names, outcome, _DASHES, [1, 0])
    return alt.StrokeDash("what:N").title(None).scale(domain=labels, range=dashes)


def _scale(
    language: Language, names: tuple[str, ...], outcome: Text | None, looks: Mapping[str, Any], look_of_outcome: Any
) -> tuple[list[str], list[Any]]:
    labels, shown = [NAMES[name].in_language(language) for name in names], [looks[name] for name in names]
    if outcome is None:
        return labels, shown
    return [outcome.in_language(language), *labels], [look_of_outcome, *shown]


def _metric(evaluation: Evaluation) -> dict[str, float | None]:
    metric = evaluation.metrics["log_loss"]
    low, high = metric.interval or (None, None)
    return {"value": metric.value, "low": low, "high": high}
