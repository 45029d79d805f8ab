"""Each role gets what the table says and nothing else; without a key nobody gets anything, however it is spelt."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI

from features.errors import InternalError
from serving.auth.access import ACCESS, ANY_KEY, OPEN, doors_of, is_page, only
from serving.auth.keys import ROLES, Role
from tests.serving.client import Client

Start = Callable[..., Client]
ROUTES = sorted(route for route in ACCESS if not is_page(route.split()[1]) and route != "GET /")


def request_of(route: str) -> tuple[str, str]:
    method, path = route.split()
    return method, re.sub(r"\{\w+\}", "L-1", path)


@pytest.fixture
def client(guarded: Start) -> Client:
    return guarded()


def test_every_role_may_do_what_the_table_says_and_nothing_else(client: Client, keys: dict[Role, str]) -> None:
    for route in ROUTES:
        for role in ROLES:
            answer = client.send(*request_of(route), headers={"X-API-Key": keys[role]})
            may = ACCESS[route].is_open or role in ACCESS[route].roles
            assert answer.status_code != 401, (route, role)
            assert (answer.status_code == 403) is not may, (route, role)


def test_without_a_key_only_what_is_open_answers(client: Client) -> None:
    for route in ROUTES:
        assert (client.send(*request_of(route)).status_code == 401) is not ACCESS[route].is_open, route
    assert {route for route in ROUTES if ACCESS[route].is_open} == {"GET /healthz", "GET /readyz"}


def test_the_answer_says_how_to_send_a_key(client: Client) -> None:
    answer = client.get("/v1/model", headers={"Accept-Language": "de"})
    assert answer.headers["www-authenticate"] == 'Bearer realm="lead-quality"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:lead-quality:problem:unauthorized"
    assert "X-API-Key: lq_…" in answer.json()["detail"]
    assert answer.json()["title"] == "Kein Zutritt"
    wrong = client.get("/v1/model", headers={"X-API-Key": "lq_wrong"})
    assert wrong.headers["www-authenticate"] == 'Bearer realm="lead-quality", error="invalid_token"'


def test_the_wrong_role_is_told_which_roles_may(client: Client, keys: dict[Role, str]) -> None:
    answer = client.post("/v1/verdicts", headers={"X-API-Key": keys["marketing"]})
    assert answer.status_code == 403
    assert answer.json()["detail"] == (
        "This needs a key with one of these roles: crm, sales. Yours has the role marketing."
    )


@pytest.mark.parametrize(
    "form", [{"X-API-Key": "{}"}, {"Authorization": "Bearer {}"}, {"authorization": "bearer  {} "}]
)
def test_a_key_is_taken_from_either_header(client: Client, keys: dict[Role, str], form: dict[str, str]) -> None:
    headers = {name: value.format(keys["crm"]) for name, value in form.items()}
    assert client.get("/v1/leads/L", headers=headers).status_code == 404


def test_another_way_to_sign_in_does_not_hide_the_key(client: Client, keys: dict[Role, str]) -> None:
    headers = {"Authorization": "Basic YTpi", "X-API-Key": keys["crm"]}
    assert client.get("/v1/leads/L", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "value",
    [
        "",
        "lq_",
        "Bearer",
        "x" * 10_000,
        "lq_aaaaaaaaaaaaaaaa_" + "0" * 64,
        "' OR 1=1 --",
        "\xff\xfe",
        "lq_a\tb",
        "null",
    ],
)
def test_whatever_is_no_key_is_not_let_in(client: Client, value: str) -> None:
    for headers in ({"X-API-Key": value.encode("latin-1")}, {"Authorization": b"Bearer " + value.encode("latin-1")}):
        assert client.get("/v1/leads/L", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "path",
    "/v1//score /v1/score/ /V1/SCORE /v1/score%0a /v1/score%00 /v1/leads/../score //v1/score /v1/score;x /v1%2fscore "
    "/healthz/../v1/score /healthz/ /healthz%0a/v1/score /readyz/x /nowhere /".split(),
)
def test_no_spelling_of_an_address_gets_around_the_table(client: Client, keys: dict[Role, str], path: str) -> None:
    assert client.post(path).status_code == 401
    assert client.post(path, headers={"X-API-Key": keys["sales"]}).status_code in (403, 404, 405)


def test_with_a_key_an_unknown_address_is_404_and_an_unknown_method_405(client: Client, keys: dict[Role, str]) -> None:
    headers = {"X-API-Key": keys["crm"]}
    assert client.get("/nowhere", headers=headers).status_code == 404
    answer = client.get("/v1/score", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def nothing() -> None:
    """A route of the tests."""


def test_a_route_that_the_table_does_not_name_keeps_the_application_from_starting() -> None:
    app = FastAPI(openapi_url=None)
    app.get("/secret")(nothing)
    with pytest.raises(InternalError, match="GET /secret"):
        doors_of(app, {})
    with pytest.raises(InternalError, match="GET /gone"):
        doors_of(app, {"GET /secret": ANY_KEY, "GET /gone": ANY_KEY})


def test_the_first_route_that_fits_decides_as_it_does_for_the_framework() -> None:
    app = FastAPI(openapi_url=None)
    app.get("/things/{name}")(nothing)
    app.get("/things/open")(nothing)
    doors = doors_of(app, {"GET /things/{name}": only("data"), "GET /things/open": OPEN})
    assert doors.need("GET", "/things/open") == doors.need("GET", "/things/other") == only("data")
    assert doors.need("PUT", "/things/open") == ANY_KEY
    assert doors.need("GET", "/things") is None
