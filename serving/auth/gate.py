"""Stands before every route: nobody passes without a key that may, and no more at a time than can be answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import LeadQualityError
from serving.auth.access import Doors, Need, needed_elsewhere
from serving.auth.guard import Guard
from serving.errors import ApiError, api_error
from serving.responses import problem_response

BEARER = b"bearer "
MOST_OPEN_AT_A_TIME = 50
"""Of an address that needs no key. Each has a room of its own: who fills one takes no room from callers with keys."""
WITH_KEY = ""
"""The room of all requests that need a key or a session; no path is empty."""


class Doorkeeper(Protocol):
    """Lets in the cockpit's visitors."""

    async def let_in(self, need: Need, scope: Scope) -> Response | None:
        """None if the visitor may pass, else where they are sent instead.

        Raises
        ------
        ApiError
            If they may not, whoever they are.
        """


class Gate:
    """The middleware that lets requests in.

    Parameters
    ----------
    guard : Guard or None
        Who says whether a caller may; None in the demo, where everybody may do everything.
    doorkeeper : Doorkeeper
        The same for people who have signed in to the cockpit, in the demo too.
    most_at_a_time : int
        Further requests that need a key are answered with 503; those that need none are counted apart.
    """

    def __init__(
        self, app: ASGIApp, doors: Doors, guard: Guard | None, doorkeeper: Doorkeeper, most_at_a_time: int
    ) -> None:
        self._app = app
        self._doors = doors
        self._guard = guard
        self._doorkeeper = doorkeeper
        self._most_at_a_time = most_at_a_time
        self._n_running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say why it may not be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        need = self._doors.need(scope["method"], scope["path"])
        room = (need.room or scope["path"]) if need is not None and need.is_open else WITH_KEY
        try:
            elsewhere = await self._let_in(scope, need)
            self._check_room(room)
        except (ApiError, LeadQualityError) as error:
            # What fails here is reading keys or sessions, whatever the request would have stored.
            elsewhere = problem_response(Request(scope), api_error(error, reads=True))
        if elsewhere is not None:
            await elsewhere(scope, receive, send)
            return
        self._n_running[room] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._n_running[room] -= 1

    async def _let_in(self, scope: Scope, need: Need | None) -> Response | None:
        """None if the caller may pass; where a visitor of the cockpit is sent who has not signed in."""
        elsewhere, known = None, need or needed_elsewhere(scope["path"])
        if known.by_session:
            elsewhere = await self._doorkeeper.let_in(known, scope)
        elif self._guard is not None:
            await _let_in_with_key(scope, known, self._guard)
        if need is None and elsewhere is None:
            raise ApiError("not_found")
        return elsewhere

    def _check_room(self, room: str) -> None:
        if self._n_running[room] >= (self._most_at_a_time if room == WITH_KEY else MOST_OPEN_AT_A_TIME):
            raise ApiError("overloaded")


def key_sent(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The key in the headers of a request: a Bearer token, else X-API-Key; None if there is neither."""
    key = None
    for name, value in headers:
        if name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
            return value[len(BEARER) :].strip()
        if name == b"x-api-key":
            key = value.strip()
    return key


async def _let_in_with_key(scope: Scope, need: Need, guard: Guard) -> None:
    """Return if the caller may; the id of the key and its role then stand in the request's state."""
    key, address = key_sent(scope["headers"]), address_of(scope)
    record = await (guard.recognized(key, address) if need.is_open else guard.admit(need, key, address))
    if record is not None:
        scope["state"] |= {"key_id": record.key_id, "client": record.client, "role": record.role}


def address_of(scope: Scope) -> str:
    """The network address that a request came from; empty if the server does not say."""
    return scope["client"][0] if scope.get("client") else ""
