"""Pages of other origins may ask from a browser only if the operator names their origin; none may by default."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALLOWED_HEADERS = (
    b"Accept-Language, Authorization, Content-Type, Idempotency-Key, If-None-Match, X-API-Key, X-Request-ID"
)
EXPOSED_HEADERS = b"Content-Language, ETag, Retry-After, X-Request-ID"
ALLOWED_METHODS = b"GET, POST, PUT, DELETE"
REMEMBERED_S = b"600"


class Cors:
    """Answers the question of a browser whether it may ask, and marks answers that a page may read.

    Without cookies there is nothing that a browser would send along by itself, so credentials are never allowed.
    Not Starlette's CORSMiddleware: that answers every preflight itself, so a page that is not named gets 400 as plain
    text, not the problem details of any other request without a key.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin", "")
        if origin not in self._origins:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _answer_preflight(origin, send)
        else:
            await self._app(scope, receive, _marking(origin, send))


async def _answer_preflight(origin: str, send: Send) -> None:
    headers = [
        *_allowed(origin),
        (b"access-control-allow-methods", ALLOWED_METHODS),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", REMEMBERED_S),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _marking(origin: str, send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            exposed = (b"access-control-expose-headers", EXPOSED_HEADERS)
            message["headers"] = [*message["headers"], *_allowed(origin), exposed]
        await send(message)

    return marked


def _allowed(origin: str) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
