"""How much is answered at a time: who asks without a key takes no room from those who have one."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from serving.app import create_app
from serving.auth.access import doors_of
from serving.auth.gate import MOST_OPEN_AT_A_TIME, Gate
from serving.settings import Settings

ROOM = 3


class Held:
    """An application that answers nobody before it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def statuses(asked: list[tuple[str, str, int]]) -> list[list[int]]:
    """The statuses of so many requests for each address, all of which are there before any is answered."""
    held, app = Held(), create_app(Settings(demo=True))
    gate = Gate(held, doors_of(app), None, app.state.service.visitors, ROOM)
    tasks = [[asyncio.create_task(status(gate, app, method, path)) for _ in range(n)] for method, path, n in asked]
    await asyncio.sleep(0.05)
    held.go.set()
    return [[await task for task in group] for group in tasks]


async def status(gate: Gate, app: FastAPI, method: str, path: str) -> int:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("nobody reads the body")

    async def send(message: Any) -> None:
        sent.append(message)

    asked = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
    await gate({**asked, "client": ("192.0.2.1", 1), "app": app, "state": {"request_id": "R"}}, receive, send)
    return int(sent[0]["status"])


def test_however_many_ask_whether_it_is_ready_callers_with_keys_are_answered() -> None:
    asked = [("GET", "/readyz", 300), ("GET", "/healthz", 1), ("GET", "/v1/model", 5)]
    ready, live, scored = asyncio.run(statuses(asked))
    assert scored == [200] * ROOM + [503] * (5 - ROOM)
    assert live == [200]
    assert ready == [200] * MOST_OPEN_AT_A_TIME + [503] * (300 - MOST_OPEN_AT_A_TIME)


def test_callers_with_keys_take_no_room_from_those_who_ask_whether_it_lives() -> None:
    scored, live = asyncio.run(statuses([("GET", "/v1/model", 10), ("GET", "/healthz", 2)]))
    assert scored.count(503) == 10 - ROOM
    assert live == [200, 200]
