"""Who gets in, for how long, and that nobody can act in a visitor's name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from serving.auth.access import ACCESS, PEOPLE, is_page
from serving.auth.keys import Role, key_id_of
from serving.cockpit.session import own_path
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.cockpit.conftest import HOST, Visitor
from tests.serving.conftest import NOW

Start = Callable[..., Client]
PAGES = sorted(route.split()[1] for route, need in ACCESS.items() if need.by_session and route.startswith("GET "))
CHANGES = sorted(route.split()[1] for route in ACCESS if route.startswith("POST ") and is_page(route.split()[1]))


def address_of(pattern: str) -> str:
    return pattern.replace("{lead_id}", "L-1").replace("{lead_id:path}", "L-1")


def test_a_person_signs_in_with_their_key_and_sees_the_first_page_of_their_role(
    guarded: Start, keys: dict[Role, str]
) -> None:
    visitor = Visitor(guarded())
    for role in PEOPLE:
        answer = visitor.sign_in(keys[role])
        assert (answer.status_code, answer.headers["location"]) == (303, "/cockpit")
        assert visitor.get("/cockpit").status_code == 303


def test_the_cookie_is_kept_from_scripts_other_sites_and_the_api(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded(session_hours=2)
    sent = Visitor(client).sign_in(keys["sales"]).headers["set-cookie"]
    assert {"HttpOnly", "Max-Age=7200", "Path=/cockpit", "SameSite=lax"} <= {part.strip() for part in sent.split(";")}
    assert "Secure" not in sent
    cookie = sent.partition(";")[0]
    assert client.get("/v1/model", headers={"Cookie": cookie}).status_code == 401


def test_over_tls_the_cookie_never_travels_without_it(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded()
    answer = client.post(
        "https://leads.test/cockpit/sign-in", data={"key": keys["sales"]}, headers={"Origin": "https://leads.test"}
    )
    assert "Secure" in answer.headers["set-cookie"]


def test_the_key_of_a_crm_is_told_that_it_is_for_a_machine(guarded: Start, keys: dict[Role, str]) -> None:
    visitor = Visitor(guarded(), "de")
    answer = visitor.sign_in(keys["crm"])
    assert answer.status_code == 403
    assert "Dieser Schlüssel gehört einem CRM" in answer.text
    assert visitor.cookies == {}


def test_a_wrong_key_is_told_in_the_form_and_never_shown_again(guarded: Start) -> None:
    wrong = "lq_aaaaaaaaaaaaaaaa_" + "0" * 64
    answer = Visitor(guarded()).sign_in(wrong)
    assert answer.status_code == 401
    assert "This key opens nothing" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert wrong not in answer.text


def test_wrong_keys_at_the_form_and_at_the_api_count_together(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded(wrong_keys_per_minute=3)
    visitor = Visitor(client)
    assert visitor.sign_in("wrong").status_code == 401
    assert client.get("/v1/model", headers={"X-API-Key": "wrong"}).status_code == 401
    assert visitor.sign_in("wrong").status_code == 401
    answer = visitor.sign_in("wrong")
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    assert client.get("/v1/model", headers={"X-API-Key": "wrong"}).status_code == 429
    assert visitor.sign_in(keys["sales"]).status_code == 303


def test_without_a_session_no_page_opens_and_the_way_leads_back(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded()
    for page in [*PAGES, "/cockpit/nowhere"]:
        answer = client.get(address_of(page), headers={"X-API-Key": keys["data"]})
        assert (answer.status_code, answer.text) == (303, "")
        assert answer.headers["location"] == f"/cockpit/sign-in?next={address_of(page)}"
    answer = client.get("/cockpit/model?a=%C3%BC&b=1")
    assert answer.headers["location"] == "/cockpit/sign-in?next=/cockpit/model%3Fa%3D%25C3%25BC%26b%3D1"
    visitor = Visitor(client)
    signed = visitor.post("/cockpit/sign-in", {"key": keys["data"], "next": "/cockpit/model?a=%C3%BC&b=1"})
    assert signed.headers["location"] == "/cockpit/model?a=%C3%BC&b=1"


def test_htmx_is_told_to_load_the_whole_page_for_signing_in(guarded: Start) -> None:
    answer = guarded().get("/cockpit/model", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/cockpit/sign-in")


@pytest.mark.parametrize(
    "wanted",
    "https://evil.example.com //evil.example.com /v1/model /cockpits/x /cockpit/sign-out /cockpit\\evil javascript:x "
    "/cockpit/x\\y /cockpit/a%0d%0ab\r\nX:1 ?x".split(" "),
)
def test_nobody_is_sent_on_to_another_place(wanted: str) -> None:
    assert own_path(wanted) == "/cockpit"


def test_a_session_ends_at_sign_out_for_every_worker(guarded: Start, keys: dict[Role, str]) -> None:
    first, second = guarded(), guarded()
    visitor = Visitor(first)
    visitor.sign_in(keys["marketing"])
    stolen = Visitor(second)
    stolen.cookies = dict(visitor.cookies)
    assert stolen.get("/cockpit").headers["location"] != "/cockpit/sign-in?next=/cockpit"
    answer = visitor.post("/cockpit/sign-out", {"csrf": csrf_of_cookie(visitor)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cockpit/sign-in?out=1")
    assert visitor.cookies == {}
    assert stolen.get("/cockpit").headers["location"] == "/cockpit/sign-in?next=/cockpit"


def csrf_of_cookie(visitor: Visitor) -> str:
    """What stands in the visitor's forms, read from the frame of a page that needs no model."""
    answer = visitor.get("/cockpit/nowhere")
    assert answer.status_code == 404
    return answer.text.partition('name="csrf" value="')[2][:64]


def test_a_session_ends_after_its_hours(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded(session_hours=3)
    visitor = Visitor(client)
    visitor.sign_in(keys["data"])
    client.now = NOW + timedelta(hours=2, minutes=59)
    assert "sign-in" not in visitor.get("/cockpit").headers["location"]
    client.now = NOW + timedelta(hours=3)
    assert "sign-in" in visitor.get("/cockpit").headers["location"]


def test_a_session_ends_when_its_key_is_revoked(guarded: Start, keys: dict[Role, str], sqlite_store: Store) -> None:
    client = guarded()
    visitor = Visitor(client)
    visitor.sign_in(keys["data"])
    assert "sign-in" not in visitor.get("/cockpit").headers["location"]
    sqlite_store.keys.revoke(key_id_of(keys["data"].encode()), NOW)
    deadline = 200
    while "sign-in" not in visitor.get("/cockpit").headers["location"]:
        deadline -= 1
        assert deadline, "a revoked key still opens pages"


def test_sessions_are_stored_by_a_hash_and_expired_ones_go(
    guarded: Start, keys: dict[Role, str], sqlite_url: str
) -> None:
    client = guarded(session_hours=1)
    visitor = Visitor(client)
    visitor.sign_in(keys["sales"])
    token = visitor.cookies["lq_session"]
    assert token.encode() not in b"".join(
        path.read_bytes() for path in sorted(_folder(sqlite_url).glob("scores.db*")) if path.is_file()
    )
    client.now = NOW + timedelta(hours=2)
    Visitor(client).sign_in(keys["sales"])
    assert len(_sessions(sqlite_url)) == 1


@pytest.mark.parametrize("pattern", CHANGES)
def test_no_other_site_can_send_a_form_in_a_visitors_name(visitor: Visitor, pattern: str) -> None:
    visitor.sign_in_as("sales")
    for headers in (
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": HOST, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HOST, "Sec-Fetch-Site": "same-site"},
    ):
        answer = visitor.post(address_of(pattern), {"csrf": csrf_of_cookie(visitor)}, **headers)
        assert answer.status_code == 403, headers
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("pattern", [pattern for pattern in CHANGES if pattern != "/cockpit/sign-in"])
def test_a_form_without_what_the_page_knew_changes_nothing(visitor: Visitor, pattern: str) -> None:
    other = Visitor(visitor.client)
    other.sign_in_as("marketing")
    visitor.sign_in_as("sales")
    for csrf in ("", "0" * 64, csrf_of_cookie(other), "ü"):
        assert visitor.post(address_of(pattern), {"csrf": csrf}).status_code == 403
    assert visitor.get("/cockpit").headers["location"] != "/cockpit/sign-in?next=/cockpit"


def test_what_is_no_form_or_too_much_is_refused(visitor: Visitor) -> None:
    visitor.sign_in_as("sales")
    headers = visitor._headers() | {"Origin": HOST}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, more, code in (
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"a=" + b"x" * 70_000, form, 413),
        (b"&".join(b"a%d=1" % n for n in range(300)), form, 422),
        (b"csrf=%ff%fe", form, 403),
        (b"\xff\xfe", form, 422),
    ):
        answer = visitor.client.post("/cockpit/sign-out", content=body, headers=headers | more)
        assert answer.status_code == code, (body[:20], answer.text)


def test_in_the_demo_a_role_is_chosen_and_nobody_is_a_machine(visitor: Visitor) -> None:
    assert 'value="marketing"' in visitor.get("/cockpit/sign-in").text
    assert visitor.sign_in_as("crm").status_code == 403
    assert visitor.sign_in_as("nobody").status_code == 403
    assert visitor.sign_in_as("data").headers["location"] == "/cockpit"


def test_a_session_of_the_demo_opens_nothing_where_keys_are_needed(
    visitor: Visitor, sqlite_url: str, guarded: Start
) -> None:
    visitor.sign_in_as("data")
    other = Visitor(guarded(database_url=sqlite_url))
    other.cookies = dict(visitor.cookies)
    assert "sign-in" in other.get("/cockpit").headers["location"]
    assert other.sign_in_as("data").status_code in (401, 403)


@pytest.mark.parametrize(
    "cookie", ["lq_session=", "lq_session=x", "lq_session=" + "x" * 5_000, "lq_session=\xff", "=;=;"]
)
def test_a_cookie_that_is_none_of_ours_is_nobody(visitor: Visitor, cookie: str) -> None:
    answer = visitor.client.get("/cockpit/model", headers={"Cookie": cookie.encode("latin-1")})
    assert "sign-in" in answer.headers["location"]


def test_settings_take_no_session_without_an_end() -> None:
    for hours in (0, -1, 10_000):
        with pytest.raises(ValueError, match="session_hours"):
            Settings(session_hours=hours)


def _folder(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///")).parent


def _sessions(sqlite_url: str) -> list[str]:
    engine = sa.create_engine(sqlite_url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.text("SELECT token_hash FROM sessions")).scalars())
    engine.dispose()
    return found
