"""The fast lane answers as the routes would: it is a shorter way to the same functions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, Request, Response

from serving.fast_lane import TAKEN, FastLane
from serving.routes import ROUTERS
from tests.serving.client import Client

LEAD = {"lead_id": "L-1", "as_of": "2026-02-01T09:30:00Z", "fields": {"source": "fair", "employees": 120}}
BODIES = {"/v1/score": LEAD, "/v1/what-if": {name: LEAD[name] for name in ("as_of", "fields")}}


def test_every_address_that_it_takes_has_a_route(client: Client) -> None:
    routes = {getattr(route, "path", "") for router in ROUTERS for route in router.routes}
    assert set(TAKEN) == set(BODIES) <= routes
    assert client.app.user_middleware[-1].cls is FastLane


@pytest.mark.parametrize("path", TAKEN)
@pytest.mark.parametrize("body", ["right", {"fields": {"employees": "many", "nothing": 1}}, {}, []])
def test_both_ways_give_the_same_answer(client: Client, path: str, body: Any) -> None:
    sent = BODIES[path] if body == "right" else body
    headers = {"Accept-Language": "de", "X-Request-ID": "r-1"}
    by_lane = client.post(path, json=sent, headers=headers)
    client.app.user_middleware.pop()  # without the lane
    client.app.middleware_stack = None
    by_route = client.post(path, json=sent, headers=headers)
    assert (by_lane.status_code, by_lane.content) == (by_route.status_code, by_route.content)
    assert dict(by_lane.headers) == dict(by_route.headers)


def test_other_methods_and_addresses_go_to_the_framework() -> None:
    router, reached = APIRouter(), []

    @router.post("/v1/score")
    async def score(_: Request) -> Response:
        return Response(b"lane")

    async def framework(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append((scope["type"], scope.get("method"), scope.get("path")))

    async def sent(scope: dict[str, Any]) -> list[Any]:
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        await FastLane(framework, [router])({"headers": [], **scope}, None, send)  # type: ignore[arg-type]
        return messages

    lane = asyncio.run(sent({"type": "http", "method": "POST", "path": "/v1/score"}))
    assert lane[-1]["body"] == b"lane"
    for scope in (
        {"type": "http", "method": "GET", "path": "/v1/score"},
        {"type": "http", "method": "POST", "path": "/v1/score/"},
        {"type": "lifespan"},
    ):
        assert asyncio.run(sent(scope)) == []
    assert len(reached) == 3
