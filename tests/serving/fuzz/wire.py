"""HTTP by hand: bytes over a socket, in pieces and with pauses, as no well-behaved client would send them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from time import sleep
from typing import TypeAlias

import httpx

Piece: TypeAlias = bytes | float
"""Bytes to send, or seconds to wait."""

PATIENCE_S = 20.0
BLOCK = 65_536


def request(
    method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *, version: str = "1.1"
) -> bytes:
    """A request as bytes; a body brings its length and `application/json`, unless the headers say otherwise."""
    told = {"Host": "leads.test"}
    if body is not None:
        told |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    told |= headers or {}
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + (body or b"")


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks, as it is sent without a length."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def exchange(port: int, *pieces: Piece, n_answers: int = 1, patience_s: float = PATIENCE_S) -> bytes:
    """What the server answers to some pieces, until so many answers are whole, it closes, or it stays silent.

    Parameters
    ----------
    patience_s : float
        Longest silence.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as connection:
        with suppress(OSError):  # it may not want to hear the rest; what it said is still there to read
            _send(connection, pieces)
        told = b""
        for block in _received(connection):
            told += block
            if _n_whole(told) >= n_answers:
                break
        return told


def hang_up(port: int, *pieces: Piece) -> None:
    """Send some pieces and leave without waiting for an answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        _send(connection, pieces)


def answers(raw: bytes) -> list[httpx.Response]:
    """The answers that follow each other on one connection.

    Raises
    ------
    ValueError
        If the bytes are no whole answers.
    """
    found = []
    while raw:
        head, separator, raw = raw.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError(f"no whole head: {head[:200]!r}")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        status = int(first.split(" ")[1])
        length = int(dict(headers).get("content-length", "0"))  # type: ignore[arg-type]
        if len(raw) < length:
            raise ValueError(f"an answer of {length} bytes has {len(raw)}")
        asked = httpx.Request("GET", "http://leads.test")
        found.append(httpx.Response(status, headers=headers, content=raw[:length], request=asked))  # type: ignore[arg-type]
        raw = raw[length:]
    return found


def _n_whole(raw: bytes) -> int:
    """How many answers are whole; the leave to go on is none."""
    try:
        return sum(answer.status_code != 100 for answer in answers(raw))
    except ValueError:
        return 0


def _send(connection: socket.socket, pieces: tuple[Piece, ...]) -> None:
    for piece in pieces:
        if isinstance(piece, bytes):
            connection.sendall(piece)
        else:
            sleep(piece)


def _received(connection: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            block = connection.recv(BLOCK)
        except OSError:  # silent, or the connection was torn down
            return
        if not block:
            return
        yield block


class Connection:
    """One kept connection to the server, opened anew whenever it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, raw: bytes) -> httpx.Response:
        """The answer to a whole request.

        Raises
        ------
        OSError
            If there is none.
        """
        kept = self._socket is not None
        try:
            return self._answer_to(raw)
        except OSError:
            self.close()
            if not kept:
                raise
        try:
            return self._answer_to(raw)  # the server had closed it meanwhile, as it may
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _answer_to(self, raw: bytes) -> httpx.Response:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
        with suppress(BrokenPipeError, ConnectionResetError):  # an answer may have come before the end was sent
            self._socket.sendall(raw)
        told = b""
        while not _n_whole(told):
            block = self._socket.recv(BLOCK)
            if not block:
                raise ConnectionResetError(f"closed after {told[:200]!r}")
            told += block
        answer = answers(told)[-1]
        if answer.headers.get("connection", "").lower() == "close" or raw.partition(b" ")[0] == b"HEAD":
            self.close()
        return answer
