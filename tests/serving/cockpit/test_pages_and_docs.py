"""What holds for every page: it is documented with who may, it says who may not, and what leads say stays text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.auth.access import ACCESS, PEOPLE, is_page
from serving.auth.keys import Role
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor

ROOT = Path(__file__).parents[3]
Visit = Callable[..., Visitor]
ROUTES = sorted(route for route in ACCESS if is_page(route.split()[1]) or route == "GET /")
WORDS = {"en": ("no key", "signed in"), "de": ("kein Schlüssel", "angemeldet")}
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_pages_docs_name_every_page_and_who_may(language: str) -> None:
    text = (ROOT / "docs" / language / "cockpit.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| `")]
    told = {route: row[2] for row in rows for route in re.findall(r"`([A-Z]+ /[^`]*)`", row[1])}
    open_, signed_in = WORDS[language]
    expected = {}
    for route in ROUTES:
        need = ACCESS[route]
        roles = ", ".join(f"`{role}`" for role in sorted(need.roles))
        expected[route] = open_ if need.is_open else signed_in if set(need.roles) == set(PEOPLE) else roles
    assert told == expected


@pytest.mark.parametrize("role", PEOPLE)
def test_every_role_reads_every_page_and_changes_only_what_is_its_own(visit: Visit, role: Role) -> None:
    for route in ROUTES:
        method, pattern = route.split()
        address = re.sub(r"\{\w+\}", "L-1", pattern)
        if not ACCESS[route].by_session or pattern == "/cockpit/sign-out":
            continue
        visitor = visit(role)
        answer = visitor.get(address) if method == "GET" else visitor.post_signed(address, {})
        may = role in ACCESS[route].roles
        assert (answer.status_code == 403) is not may, (route, role, answer.text[-600:])
        assert answer.status_code < 500, (route, answer.text[-600:])
        if method == "GET":
            assert answer.status_code in (200, 303, 404), (route, answer.status_code)


def test_what_a_lead_says_stays_text_on_every_page(client: Client, visit: Visit) -> None:
    lead = {
        "lead_id": "L-1",
        "owner": "team",
        "fields": {"source": HOSTILE, "employees": 5_000, "demo_requested": True},
    }
    assert client.post("/v1/score", json=lead).status_code == 200
    visitor = visit("sales")
    seen = ""
    for route in ROUTES:
        method, pattern = route.split()
        if method == "GET" and ACCESS[route].by_session:
            answer = visitor.get(pattern.replace("{lead_id}", "L-1"))
            if not answer.headers.get("content-type", "text/html").startswith("text/html"):
                assert answer.headers["content-disposition"].startswith("attachment"), pattern
                assert answer.headers["x-content-type-options"] == "nosniff"
                continue
            text = answer.text
            assert "<script>alert" not in text, pattern
            assert "49" + "\"'&" not in text, pattern
            seen += text
    assert "&lt;script&gt;alert(1)" in seen
    for address in (
        "/cockpit/worklist?id=%3Cscript%3Ealert(1)",
        "/cockpit/sign-in?next=/cockpit/%22%3E%3Cscript%3Ealert",
    ):
        assert "<script>alert" not in visitor.get(address).text


def test_no_page_may_be_framed_cached_or_load_anything_from_elsewhere(visit: Visit) -> None:
    visitor = visit("data")
    for route in ROUTES:
        method, pattern = route.split()
        if method == "GET" and ACCESS[route].by_session:
            headers = visitor.get(re.sub(r"\{\w+\}", "L-1", pattern)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-eval" not in policy
            assert ("unsafe-inline" not in policy) or policy.startswith("sandbox;")
            assert headers["cache-control"] == "no-store"


def test_what_pages_load_is_kept_by_browsers_until_it_changes(visitor: Visitor) -> None:
    page = visitor.get("/cockpit/sign-in").text
    addresses = re.findall(r'(?:href|src)="(/cockpit/static/[^"]+)"', page)
    assert {address.rpartition("/")[2] for address in addresses} == {"cockpit.css", "icon.svg", "htmx.min.js"}
    for address in set(addresses):
        answer = visitor.get(address)
        assert "immutable" in answer.headers["cache-control"]
        assert visitor.get(address, **{"If-None-Match": answer.headers["etag"]}).status_code == 304
    older = visitor.get("/cockpit/static/0000/cockpit.css")
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    for name in ("nothing.css", "..%2fassets.py", "htmx.LICENSE"):
        assert visitor.get(f"/cockpit/static/0000/{name}").status_code in (303, 404)


def test_the_vendored_script_is_the_one_that_its_licence_names() -> None:
    for script, licence in (
        ("serving/cockpit/static/htmx.min.js", "serving/cockpit/static/htmx.LICENSE.txt"),
        ("tests/browser/axe/axe.min.js", "tests/browser/axe/LICENSE.txt"),
    ):
        digest = hashlib.sha256((ROOT / script).read_bytes()).hexdigest()
        assert f"SHA-256 {digest}" in (ROOT / licence).read_text()
