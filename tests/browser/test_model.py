"""The page about the model: how well it does, what has changed, and how it came to be in service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from features.model.bundle import Bundle
from serving.monitoring.hysteresis import Patience
from serving.monitoring.watch import WatchSettings, evaluate
from tests.browser.visiting import arrive, language_of, look_at, sign_in, tab_to
from tests.browser.world import NOW, Running


@pytest.fixture(scope="module", autouse=True)
def watched_store(service: Running, demo_bundle: Bundle) -> None:
    """Three evaluations have looked at the leads, as the service does by itself."""
    settings = WatchSettings(leads=1_000, days=28, patience=Patience(3, 6))
    for hours in (3, 2, 1):
        evaluate(demo_bundle, service.store.watching, settings, NOW - timedelta(hours=hours))


def test_the_page_says_how_well_the_model_does(page: Page) -> None:
    sign_in(page, "data")
    arrive(page, "/cockpit/model")
    for part in ("predicts", "later", "live", "alerts", "record", "importance"):
        expect(page.locator(f"#{part} h2").first).to_be_visible()
    expect(page.locator("#live svg")).to_have_count(2)
    expect(page.locator(".banner")).to_contain_text({"de": "Simuliert", "en": "Simulated"}[language_of(page)])
    look_at(page, "model")
    for summary in page.locator("details > summary").all():
        summary.click()
    look_at(page, "model-open", dark=False)


def test_every_chart_has_the_same_values_as_a_table_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("en")
    sign_in(page, "data", "/cockpit/model#live")
    tab_to(page, "#live figure summary")
    page.keyboard.press("Enter")
    rows = page.locator("#live figure").first.locator("tbody tr")
    expect(rows.first).to_be_visible()
    n = [int(row.locator("td").nth(2).inner_text().replace(",", "")) for row in rows.all()]
    told = page.locator("#live .figure-of").first.inner_text()
    assert f"{sum(n):,} matured leads" in told


def test_the_card_is_shown_as_training_wrote_it_and_can_do_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page("de")
    sign_in(page, "marketing", "/cockpit/model")
    page.get_by_role("link", name="Modellkarte").click()
    arrive(page, "/cockpit/model/card")
    expect(page.locator(".kind")).to_have_text("Modellkarte")
    assert page.evaluate("origin") == "null"
    page.go_back()
    expect(page.locator("h1")).to_have_text("Das Modell")
