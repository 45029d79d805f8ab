"""Signing in and out, the frame of every page, and what is shown where something goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visiting import Watched, arrive, check_accessible, language_of, look_at, sign_in, tab_to

Open = Callable[..., Page]


def test_a_visitor_chooses_a_role_and_arrives_where_they_wanted(page: Page) -> None:
    page.goto("/cockpit/model?from=a-colleague")
    look_at(page, "sign-in")
    page.locator("button[value=marketing]").click()
    arrive(page, "/cockpit/model?from=a-colleague")
    expect(page.locator(".whose")).to_have_text("Marketing")
    page.get_by_role("button", name={"de": "Abmelden", "en": "Sign out"}[language_of(page)]).click()
    arrive(page, "/cockpit/sign-in?out=1")
    page.goto("/cockpit/model")
    assert "/cockpit/sign-in" in page.url


def test_the_whole_way_goes_by_keyboard(open_page: Open) -> None:
    page = open_page("en")
    page.goto("/cockpit/model")
    tab_to(page, "button[value=sales]")
    page.keyboard.press("Enter")
    arrive(page, "/cockpit/model")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto("/cockpit/model")
    tab_to(page, ".who button")
    page.keyboard.press("Space")
    page.wait_for_url("**/cockpit/sign-in*")


def test_the_language_is_switched_in_place_and_remembered(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "data", "/cockpit/model?a=1")
    page.get_by_role("link", name="Deutsch").click()
    arrive(page, "/cockpit/model?a=1")
    assert language_of(page) == "de"
    page.goto("/cockpit/model")
    assert language_of(page) == "de"


def test_a_page_that_does_not_exist_says_so_in_words(page: Page, watched: Watched) -> None:
    watched.allowed.append("404")
    sign_in(page, "sales")
    answer = page.goto("/cockpit/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text(
        {"de": "Diese Seite gibt es nicht", "en": "There is no such page"}[language_of(page)]
    )
    look_at(page, "not-found", dark=False)


def test_everything_works_without_scripts(open_page: Open) -> None:
    page = open_page("de", java_script_enabled=False)
    sign_in(page, "data", "/cockpit/model")
    expect(page.locator("h1")).to_have_text("Das Modell")


def test_the_check_for_accessibility_finds_what_is_wrong(open_page: Open) -> None:
    page = open_page("en")
    page.goto("/cockpit/sign-in")
    page.evaluate("document.querySelector('main').innerHTML += '<img src=/cockpit/static/x/icon.svg><input>'")
    with pytest.raises(AssertionError, match="image-alt") as raised:
        check_accessible(page)
    assert "label" in str(raised.value)
