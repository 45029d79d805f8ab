"""Request keys that come again: with the same content they are the same request, with another they are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Known(Protocol):
    """What is stored under a request key."""

    @property
    def request_hash(self) -> str:
        """Hash of the content with which the key came first."""


def reuses_a_key(asked: Iterable[tuple[str, str]], stored: Mapping[str, Known]) -> bool:
    """Whether a key comes with another content than it is stored with, or than it has in the same request.

    Parameters
    ----------
    asked : iterable of (str, str)
        Request keys and hashes of one request.
    stored : mapping of str to Known
        By request key; of keys that are stored.
    """
    hashes: dict[str, str] = {}
    for key, request_hash in asked:
        known = stored[key].request_hash if key in stored else request_hash
        if hashes.setdefault(key, known) != request_hash:
            return True
    return False
