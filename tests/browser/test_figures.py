"""The figures, the sources and the report in a browser: read, filtered, sorted, unfolded and printed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from serving.cockpit.formats import Reader
from serving.cockpit.viewer import UTC_ZONE
from tests.browser.visiting import language_of, look_at, sign_in, tab_to
from tests.browser.world import Running

Open = Callable[..., Page]
TITLES = {
    "kpis": {"de": "Kennzahlen", "en": "Figures"},
    "sources": {"de": "Quellen und Kampagnen", "en": "Sources and campaigns"},
    "report": {"de": "Lead-Qualität: Bericht für die Sitzung", "en": "Lead quality: report for the meeting"},
}


@pytest.mark.parametrize("name", TITLES)
def test_the_page_is_read_in_both_languages_and_widths(page: Page, name: str) -> None:
    sign_in(page, "marketing", f"/cockpit/{name}")
    expect(page.locator("h1")).to_have_text(TITLES[name][language_of(page)])
    look_at(page, name)


def test_the_funnel_counts_the_leads_of_the_store(open_page: Open, service: Running) -> None:
    page = open_page("en")
    sign_in(page, "sales", "/cockpit/kpis?from=2020-01-01")
    n_leads = len(service.store.figures.columns().account)
    first = page.locator("#funnel table.cards tbody tr").first
    expect(first).to_contain_text(Reader("en", UTC_ZONE).whole(n_leads))


def test_what_a_figure_counts_is_one_click_away_by_keyboard(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "sales", "/cockpit/kpis")
    what = page.locator("#acceptance .explained p").first
    expect(what).to_be_hidden()
    tab_to(page, "#acceptance .explained summary")
    page.keyboard.press("Enter")
    expect(what).to_be_visible()
    expect(what).to_contain_text("Leads without a verdict are left out")


def test_a_filter_stands_in_the_address_and_stays_chosen(open_page: Open) -> None:
    page = open_page("de", java_script_enabled=False)
    sign_in(page, "marketing", "/cockpit/sources?by=month")
    page.get_by_label("Quelle").select_option(index=1)
    page.get_by_role("button", name="Anzeigen").click()
    page.wait_for_url(lambda url: "source=" in url and "by=month" in url)
    assert page.get_by_label("Quelle").input_value()
    expect(page.locator('.tabs a[aria-current="true"]')).to_have_text("Monat")


def test_a_marketer_sorts_by_wins_and_follows_the_best_source_to_its_leads(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "marketing", "/cockpit/sources")
    page.get_by_role("link", name="Won", exact=True).click()
    page.wait_for_url("**order=observed*")
    expect(page.locator("th[aria-sort]")).to_contain_text("Won")
    best = page.locator("table.sources tbody th a").first
    address = best.get_attribute("href")
    best.click()
    page.wait_for_url(f"**{address}")
    assert page.locator("h1").inner_text() == "Worklist"
