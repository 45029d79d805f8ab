"""The worklist in a browser: the best lead, why, and an answer in two clicks."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from serving.store import Wanted
from tests.browser.visiting import language_of, look_at, screenshot, sign_in, tab_to
from tests.browser.world import Running

Open = Callable[..., Page]
OVERDUE = {"de": "überfällig", "en": "overdue"}
REJECTED = {"de": "abgelehnt", "en": "rejected"}


def ids(page: Page) -> list[str]:
    return page.locator("#leads .lead-name a").all_inner_texts()


def test_the_list_shows_the_best_lead_first_with_what_speaks_for_it(page: Page, service: Running) -> None:
    sign_in(page, "sales")
    assert page.url.endswith("/cockpit/worklist")  # where sales begins
    best = max((row for row in every_open_lead(service)), key=lambda row: (row["by_value"], row["lead_id"]))
    assert ids(page)[0] == best["lead_id"]
    first = page.locator("#leads tbody tr").first
    assert first.locator(".speaks li").count() >= 1
    look_at(page, "worklist")
    first.locator(".answer-rejected > summary").click()
    expect(first.locator("button[value=no_need]")).to_be_visible()
    screenshot(page, "worklist-reasons")


def every_open_lead(service: Running) -> list[dict[str, object]]:
    return service.store.worklist.page(Wanted(part="at_work", verdict="none"), None, 1_000)


def test_two_clicks_store_an_answer_and_marketing_sees_it(page: Page, open_page: Open, service: Running) -> None:
    sign_in(page, "sales", "/cockpit/worklist?order=probability")
    lead_id, n_before = ids(page)[0], len(every_open_lead(service))
    page.locator("#leads tbody tr").first.locator(".answer-rejected > summary").click()
    page.locator("#leads tbody tr").first.locator("button[value=not_reachable]").click()
    page.wait_for_url(f"**answered={lead_id}")
    expect(page.locator(".notice.good")).to_contain_text(lead_id)
    expect(page.locator(".notice.good")).to_contain_text(REJECTED[language_of(page)])
    assert lead_id not in ids(page)
    screenshot(page, "worklist-answered")
    life = service.store.lives.of_lead(lead_id)
    assert life is not None
    assert [(v.verdict, v.reason, v.by) for v in life.verdicts[-1:]] == [
        ("rejected", "not_reachable", "cockpit:demo-sales")
    ]
    assert len(every_open_lead(service)) == n_before - 1
    marketing = open_page("en")
    sign_in(marketing, "marketing", "/cockpit/worklist?shelf=rejected")
    expect(marketing.locator("#leads tbody tr", has_text=lead_id)).to_contain_text("Not reachable")
    expect(marketing.locator(".answer")).to_have_count(0)


def test_every_shelf_fits_and_can_be_read_by_everybody(page: Page) -> None:
    sign_in(page, "marketing", "/cockpit/worklist?shelf=rejected")
    look_at(page, "worklist-rejected", dark=False)
    page.goto("/cockpit/worklist?shelf=all")
    look_at(page, "worklist-all", dark=False)
    page.goto("/cockpit/worklist?grade=A&source=webinar&region=Bayern&owner=team-ch")
    look_at(page, "worklist-empty", dark=False)


def test_filters_and_pages_are_addresses(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "sales", "/cockpit/worklist?shelf=all")
    first = ids(page)
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**after=**")
    second = ids(page)
    assert not set(first) & set(second)
    page.get_by_role("link", name="Back").click()
    page.wait_for_url("**before=**")
    assert ids(page) == first
    page.locator("#grade").select_option("B")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**grade=B**")
    assert page.locator("#leads .grade").count() == page.locator("#leads .grade-b").count() > 0


def test_overdue_leads_alone(open_page: Open) -> None:
    page = open_page("de")
    sign_in(page, "sales", "/cockpit/worklist")
    page.get_by_label("Nur überfällige").check()
    page.get_by_role("button", name="Zeigen").click()
    page.wait_for_url("**overdue=1**")
    contacts = page.locator("#leads .follow-up").all_inner_texts()
    assert contacts
    assert all(OVERDUE["de"] in contact for contact in contacts)


def test_a_lead_is_found_by_the_beginning_of_its_id(open_page: Open) -> None:
    page = open_page("en")
    sign_in(page, "data", "/cockpit/worklist")
    page.get_by_label("Lead's id").fill("NL-00001")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**id=NL-00001**")
    assert len(ids(page)) == 10
    assert all(lead_id.startswith("NL-00001") for lead_id in ids(page))


def test_an_answer_is_given_by_keyboard_alone_and_without_scripts(open_page: Open, service: Running) -> None:
    page = open_page("en")
    sign_in(page, "sales", "/cockpit/worklist?order=probability")
    lead_id = ids(page)[0]
    tab_to(page, ".answer-accepted > summary")
    page.keyboard.press("Enter")
    tab_to(page, "button[value=need_confirmed]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**answered={lead_id}")
    plain = open_page("de", java_script_enabled=False)
    sign_in(plain, "sales", "/cockpit/worklist?order=probability")
    second = ids(plain)[0]
    plain.locator("#leads tbody tr").first.locator(".answer-accepted > summary").click()
    plain.locator("#leads tbody tr").first.locator("button[value=need_confirmed]").click()
    plain.wait_for_url(f"**answered={second}")
    for each in (lead_id, second):
        life = service.store.lives.of_lead(each)
        assert life is not None
        assert life.row["verdict"] == "accepted"
