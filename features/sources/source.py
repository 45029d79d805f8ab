"""The port: what every kind of source does."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from features.sources.table import RawTable


@runtime_checkable
class Source(Protocol):
    """Anywhere that an export can come from."""

    def read(self) -> RawTable:
        """All rows; raises `HistoryError` with every problem when they cannot be read as one table."""
        ...
