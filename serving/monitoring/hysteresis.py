"""When findings raise an alert, and when they clear it: only what is found again and again changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from serving.monitoring.reading import Verdict


@dataclass(frozen=True, slots=True)
class Patience:
    """So many findings over the limit in a row raise an alert, so many under the lower one clear it."""

    raise_after: int
    clear_after: int


@dataclass(frozen=True, slots=True)
class State:
    """Whether an alert is raised, since when it is or is not, and the findings in a row that speak against that."""

    raised: bool
    since: datetime
    n_over: int = 0
    n_under: int = 0


def after(before: State | None, verdict: Verdict, now: datetime, patience: Patience) -> State:
    """The state after one more finding.

    A finding between the limits, or one that could not be told, breaks a row and changes nothing else.
    """
    state = before or State(raised=False, since=now)
    n_over = state.n_over + 1 if verdict == "over" else 0
    n_under = state.n_under + 1 if verdict == "under" else 0
    if not state.raised and n_over >= patience.raise_after:
        return State(raised=True, since=now, n_over=n_over)
    if state.raised and n_under >= patience.clear_after:
        return State(raised=False, since=now, n_under=n_under)
    return State(state.raised, state.since, n_over, n_under)
