"""The pages of the figures: their totals are counts over the store, and the report says the same."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from features.text import Language
from serving.cockpit.formats import Reader
from serving.cockpit.views.figures import NOTHING, Told
from serving.cockpit.views.kpis import Kpis, kpi_figures, kpi_view
from serving.cockpit.views.period import WITHOUT, period_of
from serving.cockpit.views.sources import ORDERS, SourcesView, sources_view
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor
from tests.serving.kpis.histories import NOW, Row, agreed, keep, random_rows

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2025, 2, 1), date(2026, 1, 14)
languages = pytest.mark.parametrize("language", ["en", "de"])
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return random_rows(900, seed=12)


@pytest.fixture
def filled(sqlite_url: str, rows: list[Row]) -> Iterator[Store]:
    store = Store(Settings(database_url=sqlite_url).database_url)
    store.migrate()
    keep(sqlite_url, rows)
    yield store
    store.close()


def in_period(moment: datetime | None) -> bool:
    if moment is None:
        return False
    return datetime.combine(FIRST, time(), BERLIN) <= moment < datetime(2026, 1, 15, tzinfo=BERLIN)


def reader(language: Language = "en") -> Reader:
    return Reader(language, BERLIN)


def figures(store: Store, language: Language = "en", **chosen: str) -> Kpis:
    period = period_of(FIRST, LAST, agreed(), NOW, chosen)
    return kpi_figures(store.figures.columns(), period, agreed(), NOW, reader(language))


def sources(store: Store, by: str = "source", order: str = "leads") -> SourcesView:
    period = period_of(FIRST, LAST, agreed(), NOW)
    return sources_view(
        store.figures.columns(),
        period,
        by,
        order,
        definition=agreed(),
        now=NOW,
        reader=reader(),  # type: ignore[arg-type]
    )


def test_the_funnel_of_the_page_is_a_count_over_the_store(filled: Store, rows: list[Row]) -> None:
    first = [row for row in rows if in_period(row["first_scored_at"])]
    handed = [row for row in first if row["handed_over_at"]]
    expected = [
        len(first),
        len(handed),
        sum(row["first_contact_at"] is not None for row in handed),
        sum(row["verdict"] == "accepted" for row in handed),
        sum(row["outcome"] == "won" for row in first),
    ]
    assert [step.n for step in figures(filled).funnel] == expected
    assert expected[0] > 500


def test_acceptance_counts_the_verdicts_of_the_leads_handed_over_in_the_period(filled: Store, rows: list[Row]) -> None:
    judged = [row for row in rows if in_period(row["handed_over_at"]) and row["verdict"]]
    accepted = [row for row in judged if row["verdict"] == "accepted"]
    shown = figures(filled).acceptance
    assert shown.rate.value == f"{round(100 * len(accepted) / len(judged))}\u00a0%"
    assert shown.rate.of == f"{len(accepted)} of {len(judged)} leads"
    assert sum(reason.n for reason in shown.reasons) == len(judged) - len(accepted)


def test_the_mark_is_compared_by_the_interval_and_not_by_the_value(filled: Store) -> None:
    shown = figures(filled).acceptance
    low, high = (int(end) for end in re.findall(r"(\d+)", shown.rate.ends))
    said = "above" if low > 44 else "below" if high < 44 else "holds"
    assert said in shown.against_mark
    assert "Gartner" in shown.mark


@languages
def test_every_figure_says_what_it_is_of_how_many_and_how_sure(filled: Store, language: Language) -> None:
    shown = figures(filled, language)
    steps = [told for step in shown.funnel for told in (step.of_before, step.of_first) if told]
    for told in [*steps, shown.acceptance.rate, shown.in_time, shown.median, shown.observed, shown.ratio]:
        assert isinstance(told, Told)
        assert told.known
        assert told.of
        assert told.ends
        assert re.search(r"90\u00a0?%", told.interval)
        assert len(told.what) > 80


def test_a_filter_counts_only_its_leads_also_those_without_a_source(filled: Store, rows: list[Row]) -> None:
    first = [row for row in rows if in_period(row["first_scored_at"])]
    assert figures(filled, source="web").n_leads == sum(row["source"] == "web" for row in first)
    assert figures(filled, source=WITHOUT).n_leads == sum(row["source"] is None for row in first) > 0


def test_the_rows_of_the_sources_add_up_to_the_store(filled: Store, rows: list[Row]) -> None:
    shown = sources(filled)
    first = [row for row in rows if in_period(row["first_scored_at"])]
    named = {"Trade fair": "fair", "Website": "web", "cold": "cold", "Not stated": None}
    expected = {name: sum(row["source"] == source for row in first) for name, source in named.items()}
    assert {row.name: row.n_leads for row in shown.rows} == expected
    assert shown.total.n_leads == len(first)
    assert shown.total.n_won == sum(row["outcome"] == "won" for row in first)
    for row in [*shown.rows, shown.total]:
        assert sum(part.n for part in row.grades) == row.n_leads


@pytest.mark.parametrize("order", ORDERS)
def test_rows_are_sorted_the_largest_first_and_the_unknown_last(filled: Store, order: str) -> None:
    def value(row: object) -> float:
        told = getattr(row, {"median_hours": "median"}.get(order, order)) if order != "leads" else None
        text = told.value if told is not None else str(row.n_leads)  # type: ignore[attr-defined]
        return float(re.sub(r"[^0-9.]", "", text)) if text != NOTHING else -1.0

    values = [value(row) for row in sources(filled, order=order).rows]
    assert values == sorted(values, reverse=True)


def test_a_row_leads_to_its_leads_in_the_worklist(filled: Store) -> None:
    addresses = {row.name: row.address for row in sources(filled).rows}
    assert addresses["Website"] == "/cockpit/worklist?shelf=all&source=web"
    assert addresses["Not stated"] == ""
    assert {row.address for row in sources(filled, "month", "").rows} == {""}


def test_few_leads_are_marked_and_not_drawn(filled: Store) -> None:
    definition = agreed()
    period = period_of(date(2025, 6, 1), date(2025, 6, 3), definition, NOW)
    view = sources_view(
        filled.figures.columns(), period, "source", "leads", definition=definition, now=NOW, reader=reader()
    )
    assert view.rows
    assert all(row.thin for row in view.rows)
    assert view.drawn is None


def test_an_empty_store_says_what_to_do(store: Store) -> None:
    period = period_of(None, None, agreed(), NOW)
    assert kpi_view(store.figures.columns(), period, agreed(), NOW, reader()).figures is None


@pytest.mark.parametrize("path", ["/cockpit/kpis", "/cockpit/report", "/cockpit/sources", "/cockpit/sources?by=month"])
@languages
def test_the_pages_are_there_before_the_first_lead(visit: Visit, path: str, language: Language) -> None:
    answer = visit("marketing", language).get(path)
    assert answer.status_code == 200
    assert re.search({"en": "as soon as|begin with", "de": "sobald|beginnen mit"}[language], answer.text)


@pytest.mark.parametrize(
    "query", ["from=2026-13-01", "from=2026-02-01&last=2026-01-01", "from=1990-01-01", "by=owner", "order=name"]
)
def test_what_does_not_fit_is_told_in_words(visit: Visit, query: str) -> None:
    answer = visit("marketing").get(f"/cockpit/sources?{query}")
    assert answer.status_code == 422
    assert "That does not fit" in answer.text


def test_the_table_is_downloaded_as_the_api_writes_it(visit: Visit, client: Client) -> None:
    for number in range(3):
        lead = {"lead_id": f"L{number}", "fields": {"source": "fair"}}
        assert client.post("/v1/score", json=lead).status_code == 200
    answer = visit("marketing").get("/cockpit/sources.csv?by=month")
    assert answer.headers["content-type"].startswith("text/csv")
    told = client.get("/v1/kpis?by=month&limit=200", headers={"Accept": "text/csv"})
    assert answer.content == told.content
    *_, total = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert "3" in total


def test_nobody_reads_figures_without_signing_in(visitor: Visitor) -> None:
    for path in ("/cockpit/kpis", "/cockpit/report", "/cockpit/sources", "/cockpit/sources.csv"):
        assert visitor.get(path).status_code == 303
