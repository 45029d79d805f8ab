"""When a lead's outcome can be counted, and what it counts as: the rule that training learns by and figures count by.

Written for whatever can be compared: moments, columns of a frame, columns of a database. `end` is the as-of date plus
the horizon. Intervals are half-open: a win exactly at the end is outside.

>>> from datetime import datetime, timedelta
>>> as_of = datetime(2025, 1, 20)
>>> end = as_of + timedelta(days=90)
>>> matured(end, datetime(2025, 7, 1)), within(datetime(2025, 5, 5), end)     # won after 105 days: not within
(True, False)
"""

from __future__ import annotations

from typing import Any


def matured(end: Any, known_until: Any) -> Any:
    """Whether the horizon was over when outcomes were last known, whatever the outcome is."""
    return end <= known_until


def within(closed: Any, end: Any) -> Any:
    """Whether a win at `closed` is one within the horizon."""
    return closed < end


def closed_before(latest: Any, as_of: Any) -> Any:
    """Whether the outcome was there before the as-of date: then there was nothing left to predict.

    Parameters
    ----------
    latest : moment or column
        The last moment at which it may have closed: the end of its day where only the day is known.
    """
    return latest < as_of
