"""Who is told what the store does: the composition root passes one in, and the store knows nothing of metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from serving.store.records import NewScore


class Observer(Protocol):
    """Told in the thread that writes, after the commit; must be quick and must not raise."""

    def committed(self, n_writes: int, duration_s: float, n_waiting: int) -> None:
        """So many writes shared a transaction that took so long; so many wait by now."""

    def scored(self, new: Sequence[NewScore]) -> None:
        """These scores were stored, none of them before."""


class Nobody:
    """Hears nothing."""

    def committed(self, n_writes: int, duration_s: float, n_waiting: int) -> None:
        """Do nothing."""

    def scored(self, new: Sequence[NewScore]) -> None:
        """Do nothing."""
