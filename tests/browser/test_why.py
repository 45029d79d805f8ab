"""Why leads win, in a browser: read, filtered, unfolded by keyboard and downloaded."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.visiting import arrive, language_of, look_at, sign_in, tab_to

Open = Callable[..., Page]


def test_the_page_is_read_in_both_languages_and_widths(page: Page) -> None:
    sign_in(page, "marketing", "/cockpit/why")
    expect(page.locator("h1")).to_have_text({"de": "Warum Leads gewinnen", "en": "Why leads win"}[language_of(page)])
    assert page.locator(".why-field").count() == 20
    look_at(page, "why")


def test_a_marketer_sees_which_values_of_a_field_win(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "marketing", "/cockpit/why?owner=marketing")
    source = page.locator("#field-lead_source")
    if source.get_attribute("open") is None:
        source.locator("summary").click()
    expect(source.locator("tbody tr").first).to_contain_text("Referral")
    expect(source.locator("tbody tr").first).to_contain_text("above")
    expect(source.locator("tbody tr svg").first).to_be_visible()


def test_fields_are_filtered_and_unfolded_by_keyboard(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "sales", "/cockpit/why")
    tab_to(page, '.why-owners a[href="/cockpit/why?owner=sales"]')
    page.keyboard.press("Enter")
    arrive(page, "/cockpit/why?owner=sales")
    assert page.locator(".why-field").count() == 6
    last = page.locator(".why-field").last
    expect(last.locator("table")).to_be_hidden()
    last.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(last.locator("table")).to_be_visible()


def test_the_evidence_is_downloaded_in_the_readers_language(open_page: Open) -> None:
    page = open_page("de")
    sign_in(page, "marketing", "/cockpit/why")
    with page.expect_download() as download:
        page.get_by_role("link", name="Als CSV herunterladen").click()
    assert download.value.suggested_filename == "warum-leads-gewinnen.csv"
    head = download.value.path().read_text(encoding="utf-8-sig").splitlines()[0]
    assert head.startswith("Feld;Team;")
