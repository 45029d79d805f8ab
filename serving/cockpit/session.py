"""Who has signed in: a token in a cookie, its hash in the store, and the key that they signed in with.

A session ends at sign-out, when it expires, and when its key is revoked or expires. It stands in the store, so every
worker knows it. The demo needs no key: there, a visitor only says which role they play.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Final, cast
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from features.text import Text
from serving.auth.access import COCKPIT, PEOPLE, Need
from serving.auth.guard import Guard
from serving.auth.keys import Role
from serving.cockpit.origin import check_origin
from serving.errors import ApiError
from serving.store import KeyRecord, SessionRecord
from serving.store.sessions import Sessions

COOKIE: Final = "lq_session"
SIGN_IN: Final = f"{COCKPIT}/sign-in"
SIGN_OUT: Final = f"{COCKPIT}/sign-out"
TOKEN_BYTES: Final = 32
LONGEST_TOKEN: Final = 100


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in, for the length of a request.

    Attributes
    ----------
    client : str
        To which system or team the key was given; empty in the demo.
    csrf : str
        Stands in every form of theirs: whoever does not know their cookie cannot know it.
    """

    role: Role
    client: str
    key_id: str | None
    csrf: str
    token_hash: str


class Visitors:
    """Signs people in and out, and lets in who has signed in.

    Parameters
    ----------
    sessions : Sessions
        Where sessions are stored.
    guard : Guard or None
        Who knows the keys; None in the demo.
    """

    def __init__(
        self, sessions: Sessions, guard: Guard | None, clock: Callable[[], datetime], *, session_hours: float
    ) -> None:
        self._sessions = sessions
        self._guard = guard
        self._clock = clock
        self._lasts = timedelta(hours=session_hours)

    @property
    def need_a_key(self) -> bool:
        """Whether a visitor signs in with a key; in the demo, they choose a role."""
        return self._guard is not None

    @property
    def seconds(self) -> int:
        """How long a session lasts."""
        return int(self._lasts.total_seconds())

    async def sign_in(self, key: str, address: str) -> str:
        """The token of a new session.

        Raises
        ------
        ApiError
            401 if there is no such key, 403 if it is for a machine, 429 after too many wrong ones.
        """
        if self._guard is None:
            raise ApiError("not_found")
        record = await self._guard.holder(key.strip().encode(), address)
        if record.role not in PEOPLE:
            raise ApiError("forbidden", detail=FOR_A_MACHINE)
        return await run_in_threadpool(self._begin, record.role, record)

    async def sign_in_as(self, role: str) -> str:
        """The token of a new session in the demo.

        Raises
        ------
        ApiError
            If this is no demo, or there is no such role.
        """
        if self._guard is not None or role not in PEOPLE:
            raise ApiError("forbidden")
        return await run_in_threadpool(self._begin, role, None)

    async def sign_out(self, session: Session) -> None:
        """End a session, for every worker at once."""
        await run_in_threadpool(self._sessions.end, session.token_hash)

    async def let_in(self, need: Need, scope: Scope) -> Response | None:
        """None if the visitor may pass: their `Session` then stands in the request's state. Else the way to sign in.

        Raises
        ------
        ApiError
            If their role may not, or another site sent them to change something.
        """
        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "HEAD"):
            check_origin(headers)
        session = await self._session(token_of(headers))
        if session is None:
            return _way_to_sign_in(scope, headers)
        scope["state"] |= {"session": session, "key_id": session.key_id}
        if session.role not in need.roles:
            raise ApiError("forbidden")
        return None

    async def _session(self, token: str) -> Session | None:
        if not token:
            return None
        stored = await run_in_threadpool(self._sessions.get, _hash(token))
        if stored is None or stored.expires_at <= self._clock():
            return None
        if self._guard is None:
            return _session(token, stored, "")
        key = self._guard.signed_in_with(stored.key_id) if stored.key_id else None
        return _session(token, stored, key.client) if key else None

    def _begin(self, role: str, key: KeyRecord | None) -> str:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        key_id = key.key_id if key else None
        self._sessions.add(SessionRecord(_hash(token), key_id, role, now, now + self._lasts))
        return token


def token_of(headers: Headers) -> str:
    """The token in the cookie of a request; empty if there is none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel and len(morsel.value) <= LONGEST_TOKEN else ""


def own_path(path: str) -> str:
    """`path` if it is an address of the cockpit to which a visitor may be sent on, else the cockpit's first.

    >>> own_path("/cockpit/leads/7?tab=1"), own_path("//evil.example.com"), own_path("/cockpit/sign-out")
    ('/cockpit/leads/7?tab=1', '/cockpit', '/cockpit')
    """
    fits = path.startswith((f"{COCKPIT}/", f"{COCKPIT}?")) and "\\" not in path and path.isprintable()
    return path if fits and not path.startswith((SIGN_IN, SIGN_OUT)) else COCKPIT


def csrf_of(token: str) -> str:
    """What stands in the forms of the session with this token."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def _session(token: str, stored: SessionRecord, client: str) -> Session:
    return Session(cast(Role, stored.role), client, stored.key_id, csrf_of(token), stored.token_hash)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _way_to_sign_in(scope: Scope, headers: Headers) -> Response:
    """To the page for signing in, which then leads back; to htmx, in the header that makes it load the whole page."""
    query = scope["query_string"].decode("latin-1")
    path = scope.get("raw_path", b"").decode("latin-1") or quote(scope["path"])
    asked = path + (f"?{query}" if query else "")
    back = f"?next={quote(asked, safe='/')}" if scope["method"] == "GET" and own_path(asked) == asked else ""
    if headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": SIGN_IN})
    return RedirectResponse(SIGN_IN + back, 303)


FOR_A_MACHINE = Text(
    "This key belongs to a CRM: it is for a machine. Sign in with a key of marketing, sales or data.",
    "Dieser Schlüssel gehört einem CRM, also einer Maschine. Melden Sie sich mit einem Schlüssel von Marketing, "
    "Vertrieb oder Daten an.",
)
