"""What the report for the meeting shows: the figures of a period and where its leads came from, on paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features.text import Text
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.formats import Reader
from serving.cockpit.views.figures import period_in_words
from serving.cockpit.views.kpis import Kpis, kpi_figures
from serving.cockpit.views.period import Period, reported
from serving.cockpit.views.sources import SourcesView, sources_view, usual_order
from serving.kpis.columns import LeadColumns
from serving.kpis.shown import Shower
from serving.kpis.texts import FIGURES
from serving.scorer import Scorer

MOST_SOURCES = 10
EXPLAINED = (
    "handed_over",
    "contacted",
    "accepted",
    "won",
    "acceptance",
    "without_verdict",
    "in_time",
    "median_hours",
    "overdue",
    "won_of_all",
    "predicted",
    "observed_to_expected",
)


@dataclass(frozen=True, slots=True)
class ReportView:
    """The report of a period.

    Attributes
    ----------
    filters : str
        Which leads only, in words; empty for all.
    sources : SourcesView, optional
        None where the agreement names no source.
    explained : tuple of (str, str)
        Each figure and what it counts.
    """

    agreement: Text
    version: int
    model: str
    period: str
    made_at: datetime
    filters: str
    simulated: bool
    figures: Kpis | None
    sources: SourcesView | None
    explained: tuple[tuple[str, str], ...]


def report_view(leads: LeadColumns, period: Period, scorer: Scorer, now: datetime, reader: Reader) -> ReportView:
    """Everything in the report, for one reader; `leads` are the store's `figures.columns()`."""
    definition = scorer.bundle.definition
    known = bool(len(leads.account))
    by = next(iter(reported(definition)), None)
    return ReportView(
        agreement=definition.definition.title,
        version=definition.definition.version,
        model=f"{scorer.model_name['name']} {scorer.model_name['version']}",
        period=period_in_words(period.start.isoformat(), period.end.isoformat(), reader),
        made_at=now,
        filters=_filters(period, scorer, reader),
        simulated=scorer.model_name["simulated"],
        figures=kpi_figures(leads, period, definition, now, reader) if known else None,
        sources=sources_view(leads, period, by, usual_order(by), definition=definition, now=now, reader=reader)
        if known and by
        else None,
        explained=tuple((reader.text(FIGURES[name].label), reader.text(FIGURES[name].text)) for name in EXPLAINED),
    )


def _filters(period: Period, scorer: Scorer, reader: Reader) -> str:
    t, shower = Catalogue(reader), Shower(period.query(), scorer.bundle.definition)
    named = [
        f"{t(f'common.figures.by.{name}')}: {reader.text(shower.label(name, value))}"
        for name, value in period.filters.items()
    ]
    return ", ".join(named)
