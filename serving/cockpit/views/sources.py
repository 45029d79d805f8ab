"""What the page of sources and campaigns shows: what came from where, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import urlencode

from features.definition import LeadDefinition
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.charts.rates import Rate, Table, rates
from serving.cockpit.formats import Reader
from serving.cockpit.views.figures import NOTHING, Teller, Told, in_words
from serving.cockpit.views.period import Controls, Period, controls, reported
from serving.kpis import counting
from serving.kpis.columns import LeadColumns
from serving.kpis.counts import By
from serving.kpis.report import kpis
from serving.kpis.shapes import FigureShown, KpiAnswer, RowShown, TableShown
from serving.kpis.texts import FIGURES

ADDRESS = "/cockpit/sources"
MOST_ROWS = 200
MOST_DRAWN = 12
Order: TypeAlias = tuple[str, Callable[[RowShown], float | None]]


def _value(name: str) -> Callable[[RowShown], float | None]:
    def of(row: RowShown) -> float | None:
        figure: FigureShown = row[name]  # type: ignore[literal-required]  # one of ORDERS below
        return figure.get("value")

    return of


ORDERS: Final[Mapping[str, Callable[[RowShown], float | None]]] = {
    "leads": lambda row: row["n_leads"],
    "predicted": _value("predicted"),
    "observed": _value("observed"),
    "acceptance": _value("acceptance"),
    "in_time": _value("in_time"),
    "median_hours": _value("median_hours"),
}
"""What rows can be sorted by, the largest first; rows without a value stand last."""


@dataclass(frozen=True, slots=True)
class Part:
    """How many leads had a grade at their first score, and which share of all that is."""

    grade: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Row:
    """One source, campaign, region or month.

    Attributes
    ----------
    address : str
        Of the worklist with its leads; empty for the rest and the total.
    thin : bool
        Few leads: nothing is to be read into it.
    rejections : str
        The reasons in words, the most frequent first.
    """

    name: str
    address: str
    thin: bool
    n_leads: int
    n_won: int
    grades: tuple[Part, ...]
    predicted: Told
    observed: Told
    acceptance: Told
    in_time: Told
    median: Told
    rejections: str


@dataclass(frozen=True, slots=True)
class Tab:
    """A way of putting leads together."""

    name: str
    text: str
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; its address sorts by it, and is empty where it cannot be sorted by."""

    text: str
    what: str
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class SourcesView:
    """The page; `rows` are empty where nothing is known yet."""

    tabs: tuple[Tab, ...]
    controls: Controls
    period: Period
    by: By
    by_text: str
    order: str
    columns: Mapping[str, Column]
    rows: tuple[Row, ...]
    rest: Row | None
    total: Row
    n_groups: int
    n_simulated: int
    drawn: Picture | None
    csv_address: str
    months_ago: bool


def bys(definition: LeadDefinition) -> tuple[By, ...]:
    """What leads can be put together by under this agreement."""
    return (*reported(definition), "month")


def sources_answer(leads: LeadColumns, period: Period, by: By, definition: LeadDefinition, now: datetime) -> KpiAnswer:
    """The figures by group, by the function that answers the API too."""
    return kpis(partial(counting.count, leads), period.query(by, MOST_ROWS), definition, now)


def sources_view(
    leads: LeadColumns,
    period: Period,
    by: By,
    order: str,
    *,
    definition: LeadDefinition,
    now: datetime,
    reader: Reader,
) -> SourcesView:
    """Everything on the page, for one reader; `leads` are the store's `figures.columns()`, `order` one of `ORDERS`."""
    answer = sources_answer(leads, period, by, definition, now)
    table, t = answer["table"], Catalogue(reader)
    tell = Teller(reader, answer["level"])
    ranked = _ranked(table, order)
    return SourcesView(
        tabs=tuple(_tab(each, by, period, t) for each in bys(definition)),
        controls=controls(period, ADDRESS, leads, definition, reader),
        period=period,
        by=by,
        by_text=t(f"common.figures.by.{by}"),
        order=order,
        columns=_columns(by, order, period, reader),
        rows=tuple(_row(row, tell, by, definition) for row in ranked),
        rest=_row(table["rest"], tell) if "rest" in table else None,
        total=_row(table["total"], tell),
        n_groups=table["n_groups"],
        n_simulated=answer["n_simulated"],
        drawn=_drawn(ranked, by, tell),
        csv_address=period.address("/cockpit/sources.csv", by=by),
        months_ago=by == "month",
    )


def usual_order(by: By) -> str:
    """Months stand in their own order, everything else by its size."""
    return "" if by == "month" else "leads"


def _ranked(table: TableShown, order: str) -> list[RowShown]:
    if not order:
        return table["rows"]
    value = ORDERS[order]
    return sorted(table["rows"], key=lambda row: (value(row) is None, -(value(row) or 0.0)))


def _tab(by: By, chosen: By, period: Period, t: Catalogue) -> Tab:
    return Tab(by, t(f"common.figures.by.{by}"), period.address(ADDRESS, by=by), by == chosen)


def _columns(by: By, order: str, period: Period, reader: Reader) -> dict[str, Column]:
    t = Catalogue(reader)

    def column(name: str) -> Column:
        what = reader.text(FIGURES[_FIGURE[name]].text) if name in _FIGURE else ""
        address = period.address(ADDRESS, by=by, order=name) if name in ORDERS else ""
        return Column(t(f"sources.columns.{name}"), what, address, name == order)

    return {name: column(name) for name in (*ORDERS, "grades", "rejections")}


_FIGURE: Final = {
    "predicted": "predicted",
    "observed": "won_of_all",
    "acceptance": "acceptance",
    "in_time": "in_time",
    "median_hours": "median_hours",
    "rejections": "rejection",
}


def _row(row: RowShown, tell: Teller, by: By | None = None, definition: LeadDefinition | None = None) -> Row:
    reader = tell.reader
    name = reader.month(row["group"]) if by == "month" else in_words(row["label"], reader)
    return Row(
        name=name,
        address=_worklist(row, by) if by and definition else "",
        thin=row["thin"],
        n_leads=row["n_leads"],
        n_won=row["n_won"],
        grades=tuple(Part(each["grade"], each["n"], each["n"] / max(1, row["n_leads"])) for each in row["grades"]),
        predicted=tell.share(row["predicted"], digits=1),
        observed=tell.share(row["observed"], digits=1),
        acceptance=tell.share(row["acceptance"]),
        in_time=tell.share(row["in_time"]),
        median=tell.hours(row["median_hours"]),
        rejections=", ".join(
            f"{in_words(each['label'], reader)} {reader.whole(each['n'])}" for each in row["rejections"][:3]
        ),
    )


def _worklist(row: RowShown, by: By) -> str:
    """The worklist with the leads of this row; there is no list of a month's leads, nor of those without a source."""
    if by == "month" or "group" not in row:
        return ""
    return f"/cockpit/worklist?{urlencode({'shelf': 'all', by: row['group']})}"


def _drawn(ranked: Sequence[RowShown], by: By, tell: Teller) -> Picture | None:
    """What was predicted and what came, group by group; thin groups are left out of the picture."""
    reader, t = tell.reader, Catalogue(tell.reader)
    shown = [row for row in ranked if not row["thin"] and "value" in row["observed"]][:MOST_DRAWN]
    if len(shown) < 2:
        return None
    named = [(reader.month(row["group"]) if by == "month" else in_words(row["label"], reader), row) for row in shown]
    told = [(name, tell.share(r["predicted"], digits=1), tell.share(r["observed"], digits=1)) for name, r in named]
    columns = (
        t(f"common.figures.by.{by}"),
        t("kpis.table.predicted"),
        t("kpis.table.observed"),
        t("kpis.table.interval"),
    )
    return rates(
        [_rate(name, row) for name, row in named],
        reader.language,
        title=t("sources.drawn"),
        says=t("sources.drawn_says"),
        table=Table(columns, tuple((n, said.value, seen.value, seen.interval or NOTHING) for n, said, seen in told)),
        over_time=by == "month",
    )


def _rate(name: str, row: RowShown) -> Rate:
    observed = row["observed"]
    return Rate(name, observed.get("value"), observed.get("low"), observed.get("high"), row["predicted"].get("value"))
