"""Headers that keep browsers from doing harm stand in every answer, and other origins get nothing unless named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from serving.auth.keys import Role
from serving.settings import Settings
from tests.serving.client import Client

Start = Callable[..., Client]
CRM = "https://crm.example.com"


def test_every_kind_of_answer_carries_them(guarded: Start, keys: dict[Role, str]) -> None:
    client, headers = guarded(), {"X-API-Key": keys["crm"]}
    for path, code in (("/healthz", 200), ("/readyz", 503), ("/docs", 200), ("/nowhere", 404), ("/v1/score", 405)):
        answer = client.get(path, headers=headers)
        assert answer.status_code == code
        assert_guarded(answer.headers)
    assert_guarded(client.get("/v1/model").headers)
    assert "x-lead-demo" not in answer.headers
    assert "strict-transport-security" not in answer.headers


def assert_guarded(headers: object) -> None:
    assert {
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-frame-options": "DENY",
        "cross-origin-resource-policy": "same-origin",
    }.items() <= dict(headers).items()  # type: ignore[call-overload]
    policy = dict(headers)["content-security-policy"]  # type: ignore[call-overload]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


def test_the_promise_of_tls_is_sent_only_if_the_operator_says_so(guarded: Start) -> None:
    answer = guarded(hsts_s=31_536_000).get("/healthz")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_demo_is_open_and_every_answer_says_so(client: Client) -> None:
    for path, code in (("/v1/model", 200), ("/v1/leads/L", 404), ("/docs", 200), ("/nowhere", 404)):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["x-lead-demo"]) == (code, "open")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "leads.example.com", ""])
def test_the_demo_is_refused_where_others_could_reach_it(host: str) -> None:
    with pytest.raises(ValidationError, match="LEAD_DEMO"):
        Settings(demo=True, host=host)
    assert Settings(demo=True, host="::1").demo


def test_no_page_of_another_origin_may_ask_by_default(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded()
    asking = {"Origin": CRM, "Access-Control-Request-Method": "POST"}
    assert client.send("OPTIONS", "/v1/score", headers=asking).status_code == 401
    answer = client.get("/v1/leads/L", headers={"Origin": CRM, "X-API-Key": keys["crm"]})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_of_a_named_origin_may_ask_and_no_other(
    guarded: Start, keys: dict[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAD_CORS_ORIGINS", f"{CRM}, http://localhost:3000")
    client = guarded()
    asking = {"Origin": CRM, "Access-Control-Request-Method": "POST"}
    preflight = client.send("OPTIONS", "/v1/score", headers=asking)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == CRM
    assert "X-API-Key" in preflight.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in preflight.headers
    answer = client.get("/v1/leads/L", headers={"Origin": CRM, "X-API-Key": keys["crm"]})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, CRM)
    assert answer.headers["vary"] == "Origin"
    for other in ("https://evil.example.com", f"{CRM}.evil.example", "null", "HTTPS://CRM.EXAMPLE.COM"):
        refused = client.send("OPTIONS", "/v1/score", headers=asking | {"Origin": other})
        assert refused.status_code == 401
        assert "access-control-allow-origin" not in refused.headers
    assert client.get("/v1/leads/L", headers={"Origin": CRM}).status_code == 401


@pytest.mark.parametrize("origins", ["*", "crm.example.com", f"{CRM}/", "https://*.example.com", f"{CRM},*", "null"])
def test_an_origin_is_named_exactly_or_not_at_all(origins: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAD_CORS_ORIGINS", origins)
    with pytest.raises(ValidationError, match="never"):
        Settings()


def test_why_it_is_not_ready_is_told_in_full_only_to_those_who_belong(guarded: Start, keys: dict[Role, str]) -> None:
    client = guarded(bundle="secret-place")

    def told(**headers: str) -> str:
        answer = client.get("/readyz", headers=headers)
        assert answer.status_code == 503
        assert answer.json()["problems"][0]["code"] == "model_not_ready"
        return answer.text

    assert "secret-place" in told()  # from this machine itself
    through_a_proxy = {"X-Forwarded-For": "192.0.2.1"}
    assert "secret-place" not in told(**through_a_proxy)
    assert "secret-place" not in told(**through_a_proxy, **{"X-API-Key": "lq_guess"})
    assert "secret-place" in told(**through_a_proxy, **{"X-API-Key": keys["marketing"]})
