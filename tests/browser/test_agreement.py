"""The agreement, in a browser: a rule is tried, proposed by one team and consented to by the other."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.visiting import Watched, arrive, language_of, look_at, sign_in, tab_to

Open = Callable[..., Page]


def test_the_page_is_read_in_both_languages_and_widths(page: Page) -> None:
    sign_in(page, "sales", "/cockpit/agreement?capacity=25&weeks=13")
    expect(page.locator("h1")).to_have_text({"de": "Vereinbarung", "en": "Agreement"}[language_of(page)])
    expect(page.locator("#simulator svg").first).to_be_visible()
    look_at(page, "agreement")


def test_changing_capacity_says_what_it_costs_without_loading_the_page_anew(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "sales", "/cockpit/agreement")
    page.evaluate("window.stayed = true")
    page.locator("#try-capacity").fill("12,5")
    page.get_by_role("button", name="Try", exact=True).click()
    said = page.locator("#simulator .notice")
    expect(said).to_contain_text("12.5 leads a week")
    expect(said).to_contain_text(re.compile("fewer leads a week would be handed over,"))
    expect(said).to_contain_text("Of 100 leads handed over, about")
    assert "capacity=12%2C5" in page.url
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(page.locator("#simulator .notice")).to_contain_text("12.5 leads a week")


def test_it_works_without_scripts(open_page: Open) -> None:
    page = open_page("en", java_script_enabled=False)
    sign_in(page, "sales", "/cockpit/agreement")
    page.locator("#try-threshold").fill("30")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("#simulator .notice")).to_contain_text("every lead from 30.0")


def test_both_teams_agree_by_keyboard_and_the_history_says_so(open_page: Open) -> None:
    sales, marketing = open_page("en"), open_page("de", 390)
    sign_in(sales, "sales", "/cockpit/agreement?capacity=20")
    sales.locator("#hours-A").fill("2")
    tab_to(sales, "#propose-comment")
    sales.keyboard.type("One colleague less until May")
    sales.keyboard.press("Tab")
    sales.keyboard.press("Enter")
    sales.wait_for_url("**/cockpit/agreement?told=proposed*")
    expect(sales.locator("#proposal")).to_contain_text("Sales proposes version 2")
    look_at(sales, "agreement-proposed")
    sign_in(marketing, "marketing", "/cockpit/agreement")
    expect(marketing.locator("#proposal")).to_contain_text("Vertrieb schlägt Version 2 vor")
    expect(marketing.locator("#proposal")).to_contain_text("A 2 h")
    look_at(marketing, "agreement-asked")
    marketing.locator("#consent-comment").fill("Bis Mai einverstanden")
    marketing.get_by_role("button", name="Zustimmen").click()
    arrive(marketing, "/cockpit/agreement?told=in_effect")
    expect(marketing.locator("#in-effect h2")).to_have_text("In Kraft: Version 2")
    sales.goto("/cockpit/agreement")
    expect(sales.locator("#in-effect")).to_contain_text("A 2 h")
    expect(sales.locator("#history")).to_contain_text("Bis Mai einverstanden")
    look_at(sales, "agreement-history")


def test_a_proposal_that_does_not_fit_comes_back_with_what_was_typed(open_page: Open, watched: Watched) -> None:
    watched.allowed.append("422")
    page = open_page("de")
    sign_in(page, "marketing", "/cockpit/agreement")
    page.locator("#hours-B").fill("bald")
    page.locator("#propose-comment").fill("Schneller nachfassen")
    page.get_by_role("button", name="Dem anderen Team vorschlagen").click()
    expect(page.get_by_role("alert")).to_contain_text("bald")
    expect(page.locator("#propose-comment")).to_have_value("Schneller nachfassen")
