"""The leads of a past window as the simulator of the handover ranks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from serving.kpis.counts import Selection

Floats = npt.NDArray[np.float64]
A_WEEK = timedelta(weeks=1)
SHORTEST = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """What came in a window.

    Attributes
    ----------
    probabilities : ndarray of shape (n_leads,)
        What the first scores said, the highest first.
    start, end : datetime
        Of the days that are counted, half-open: none before the first lead, and none to come.
    """

    probabilities: Floats
    start: datetime
    end: datetime

    @property
    def weeks(self) -> float:
        """Length of the window in weeks, at least a day."""
        return max(self.end - self.start, SHORTEST) / A_WEEK


def read_supply(
    probabilities: Callable[[Selection], Sequence[float]], chosen: Selection, now: datetime, began: datetime | None
) -> Supply:
    """The supply of the window that is `chosen`.

    Days before the first lead of all would make the supply look smaller than it is, and so would days to come.

    Parameters
    ----------
    probabilities : callable
        The store's `figures.probabilities`: the highest first.
    began : datetime or None
        The midnight before the first lead of all was scored; None if there is none.

    Raises
    ------
    StoreDownError
        If the database fails.
    """
    start = chosen.start if began is None else min(max(chosen.start, began), now)
    found = np.array(probabilities(chosen), dtype=np.float64)
    return Supply(found, start, max(min(chosen.end, now), start))
