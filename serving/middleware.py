"""What wraps every request: its id, its line in the log, and the last resort when something of ours breaks."""

from __future__ import annotations

import asyncio
import re
import time
from itertools import count
from secrets import token_hex

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import ApiError
from serving.headers import Headers, added_to, header
from serving.logs import flush_requests, log, log_request, request_in_logs
from serving.metrics import Metrics
from serving.responses import problem_response

CLIENT_GONE = 499

_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


class RequestLog:
    """Gives each request an id, which its answer, its problem details and its log line carry.

    Parameters
    ----------
    standing : Headers
        What every answer carries besides.
    metrics : Metrics
        Where requests are counted.
    """

    def __init__(self, app: ASGIApp, standing: Headers, metrics: Metrics) -> None:
        self._app = app
        self._standing = standing
        self._metrics = metrics
        # Unique among all processes, and not a call to the system for each request.
        self._ids = (f"{process}-{number:x}" for process in (token_hex(8),) for number in count())
        self._flushes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = header(scope, b"x-request-id")
        request_id = given if _is_request_id(given) else next(self._ids)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = added_to(message["headers"], self._standing)
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        asked = request_in_logs.set(request_id)
        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception:  # whatever it is, the caller gets problem details and the log gets the reason
            log.exception("failed")
            if status:
                raise
            await _internal(Request(scope), receive, send_with_id)
        finally:
            request_in_logs.reset(asked)
        self._count(scope, request_id, status, time.perf_counter() - started)

    def _count(self, scope: Scope, request_id: str, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        self._metrics.answered(scope["method"], route, status, duration_s)
        key_id = scope["state"].get("key_id")
        log_request(request_id, scope["method"], route, status, 1000 * duration_s, key_id=key_id)
        if not self._flushes:  # once for all requests that the loop answers in this turn
            self._flushes = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushes = False
        flush_requests()


async def _internal(request: Request, receive: Receive, send: Send) -> None:
    try:
        response = problem_response(request, ApiError("internal"))
    except Exception:  # the page that says so is broken as well
        log.exception("failed to say so")
        response = Response(status_code=500)
    await response(request.scope, receive, send)
