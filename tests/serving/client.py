"""The application as a caller sees it, in this process: started and stopped as a server does, over real requests."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from features.model.bundle import Bundle
from serving.app import create_app
from serving.settings import Settings
from serving.store import Store


class Client:
    """Sends requests to an application whose clock the test holds.

    It is open to everybody, as a demo is, unless the test is about who may: then `guarded` says so.
    """

    def __init__(
        self,
        settings: Settings,
        bundle: Bundle | None,
        now: datetime,
        *,
        store: Store | None = None,
        guarded: bool = False,
    ) -> None:
        self.now = now
        settings = settings if guarded else settings.model_copy(update={"demo": True})
        self.app = create_app(settings, bundle=bundle, store=store, clock=lambda: self.now)

    def __enter__(self) -> Self:
        self._threads = start_blocking_portal()
        self._portal: BlockingPortal = self._threads.__enter__()
        self._life = self._portal.wrap_async_context_manager(self.app.router.lifespan_context(self.app))
        self._life.__enter__()
        # As a server does: an error of ours is answered, not raised through the transport.
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://leads.test")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._portal.call(self._http.aclose)
        self._life.__exit__(kind, error, trace)
        self._threads.__exit__(kind, error, trace)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.send("POST", path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def sent() -> httpx.Response:
            return await self._http.request(method, path, **options)

        return self._portal.call(sent)

    def raw(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        """Post bytes as they are, as JSON unless the headers say otherwise."""
        return self.post(path, content=body, headers={"Content-Type": "application/json", **headers})
