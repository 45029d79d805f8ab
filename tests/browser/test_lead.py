"""A lead's page in a browser: why its score is what it is, what changed, and how leads like it ended."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from serving.store import Wanted
from tests.browser.visiting import Watched, language_of, look_at, sign_in, tab_to
from tests.browser.world import Running

Open = Callable[..., Page]
ERASED = {"de": "Dieser Lead wurde gelöscht", "en": "This lead was erased"}
WITHIN = {"de": "innerhalb von 90 Tagen", "en": "within 90 days"}


def best_open_lead(service: Running) -> str:
    return str(service.store.worklist.page(Wanted(part="at_work", verdict="none"), None, 1)[0]["lead_id"])


def lead_with_two_scores(service: Running) -> str:
    rows = service.store.worklist.page(Wanted(), None, 500)
    lives = (service.store.lives.of_lead(str(row["lead_id"])) for row in rows)
    return next(life.row["lead_id"] for life in lives if life is not None and life.n_scores > 1 and life.verdicts)


def test_the_page_says_why_and_how_such_leads_fared(page: Page, service: Running) -> None:
    lead_id = best_open_lead(service)
    sign_in(page, "sales", f"/cockpit/leads/{lead_id}")
    expect(page.locator(".verdict-line")).to_contain_text(WITHIN[language_of(page)])
    expect(page.locator("#why svg")).to_be_visible()
    assert page.locator("#evidence .reason").count() >= 5
    look_at(page, "lead")


def test_every_field_and_every_evidence_is_one_click_away(open_page: Open, service: Running) -> None:
    page = open_page("en")
    lead_id = best_open_lead(service)
    sign_in(page, "marketing", f"/cockpit/leads/{lead_id}")
    page.locator("#why .every-field > summary").click()
    rows = page.locator("#why .every-field tbody tr")
    points = [text.split()[0] for text in page.locator("#why .every-field tbody td.number").all_inner_texts()]
    values = [float(text.replace("−", "-").replace("±", "")) for text in points]
    teams = page.locator("#why .every-field tr.of-team td.number").all_inner_texts()
    of_fields = sum(values) - values[0] - values[-1] - sum(float(text.replace("−", "-")) for text in teams[:-1])
    assert rows.count() == 20 + 4  # base, both teams, this lead
    assert abs(values[0] + of_fields - values[-1]) < 0.005 * 22  # each is shown to the hundredth
    page.locator("#evidence details > summary").click()
    assert page.locator("#evidence .reason:visible").count() == 20


def test_two_scores_are_compared(page: Page, service: Running) -> None:
    lead_id = lead_with_two_scores(service)
    sign_in(page, "marketing", f"/cockpit/leads/{lead_id}")
    look_at(page, "lead-twice-scored", dark=False)
    options = page.locator("#after option")
    page.locator("#before").select_option(index=0)
    page.locator("#after").select_option(index=options.count() - 1)
    page.locator("#course form button").click()
    page.wait_for_url("**before=**#change")
    expect(page.locator("#course")).to_contain_text({"de": "Punkte", "en": "points"}[language_of(page)])


def test_a_similar_lead_is_a_link_to_its_own_page(open_page: Open, service: Running) -> None:
    page = open_page("de")
    sign_in(page, "sales", f"/cockpit/leads/{best_open_lead(service)}")
    expect(page.locator("#similar")).to_contain_text("Wenige Leads beweisen nichts")
    link = page.locator("#similar tbody a").first
    name = link.inner_text()
    link.click()
    page.wait_for_url(f"**/leads/{name}")
    expect(page.locator("h1")).to_have_text(f"Lead {name}")


def test_an_answer_is_given_and_changed_on_the_page_itself_by_keyboard(open_page: Open, service: Running) -> None:
    page = open_page("en")
    lead_id = best_open_lead(service)
    sign_in(page, "sales", f"/cockpit/leads/{lead_id}")
    tab_to(page, "#answer .answer-rejected > summary")
    page.keyboard.press("Space")
    tab_to(page, "#answer button[value=no_budget]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**answered={lead_id}")
    expect(page.locator("#answer")).to_contain_text("No budget")
    expect(page.locator("#answer")).to_contain_text("the latest counts")


def test_objected_and_erased_leads_have_clear_pages(page: Page, service: Running, watched: Watched) -> None:
    watched.allowed.append("410")
    rows = service.store.worklist.page(Wanted(), None, 100)
    objected, erased = (str(row["lead_id"]) for row in rows[60:62])
    assert httpx.post(f"{service.url}/v1/leads/{objected}/objection", json={}).status_code == 200
    assert httpx.delete(f"{service.url}/v1/leads/{erased}").status_code == 200
    sign_in(page, "marketing", f"/cockpit/leads/{objected}")
    expect(page.locator("svg:not(.brand svg)")).to_have_count(0)
    look_at(page, "lead-objected", dark=False)
    page.goto(f"/cockpit/leads/{erased}")
    expect(page.locator("h1")).to_have_text(ERASED[language_of(page)])
    look_at(page, "lead-erased", dark=False)
