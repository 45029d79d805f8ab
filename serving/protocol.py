"""HTTP as uvicorn speaks it, with bounds on what comes before and after a body: its size, and how long it may take.

The server bounds neither: a client that sends header after header fills the memory, and one that sends nothing holds
its connection for ever. Bodies are bounded where they are read (`serving.body`).
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.errors import PROBLEM_JSON, ApiError, body
from serving.headers import ALWAYS
from serving.logs import log

MOST_HEADERS: Final = 100
MOST_BYTES: Final = 16_384
AROUND_A_HEADER: Final = len(": \r\n")


class _TooLargeError(Exception):
    """The head of a request is larger than it may be; the parser hands it on as an error of its own."""


class BoundedHttp(HttpToolsProtocol):
    """The server's protocol with bounds.

    They are uvicorn's own settings: `h11_max_incomplete_event_size` bytes for address and headers, which its other
    protocol reads, and `timeout_keep_alive` seconds until they are complete.
    """

    _too_long: asyncio.TimerHandle | None = None
    _is_between = True
    """Whether the last request is complete, so that the head of another comes next."""
    _n_bytes = 0
    """Received since the last head, piece of a body or end of a request was complete."""
    _is_too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, and not for ever."""
        super().connection_made(transport)
        self._most_bytes = self.config.h11_max_incomplete_event_size or MOST_BYTES
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; refuse what grows beyond its bound before it is complete."""
        self._n_bytes += len(data)
        super().data_received(data)
        if self._is_between and not self._n_bytes:
            return  # as nearly always: a whole request came
        if self.transport.is_closing():
            return
        if self._n_bytes > self._most_bytes:
            self._is_too_large = True
            self.send_400_response("")
        elif self._is_between or self.cycle.response_complete:
            self._wait()

    def on_headers_complete(self) -> None:
        """Pass a request on if its head is within bounds."""
        self._stop_waiting()
        self._is_between, self._n_bytes = False, 0
        n_bytes = len(self.url) + sum(len(name) + len(value) + AROUND_A_HEADER for name, value in self.headers)
        if n_bytes > self._most_bytes or len(self.headers) > MOST_HEADERS:
            self._is_too_large = True
            raise _TooLargeError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a piece of a body on."""
        self._n_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is the head of another request."""
        self._is_between, self._n_bytes = True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be passed on, and close the connection."""
        if not self._is_too_large:
            super().send_400_response(msg)
            return
        error, request_id = ApiError("request_head_too_large"), uuid4().hex
        log.warning("refused", kind=error.kind.name, request_id=request_id)
        told = body(error, "en", request_id)
        headers = [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-language", b"en"),
            (b"content-length", str(len(told)).encode()),
            (b"connection", b"close"),
            *ALWAYS,
        ]
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[error.kind.status] + lines + b"\r\n" + told)
        self.transport.close()

    def _wait(self) -> None:
        if self._too_long is None:
            self._too_long = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._too_long is not None:
            self._too_long.cancel()
            self._too_long = None
