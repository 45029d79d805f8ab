"""How long the time that was agreed for the first contact still runs, or what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal[
    "left", "overdue", "in_time", "late", "contacted", "answered", "closed", "not_agreed", "none"
]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Where a lead stands between its handover and the first contact.

    Attributes
    ----------
    state : State
        `left`, `overdue`: nobody has spoken with it, and there is time left, or was. `in_time`, `late`, `contacted`:
        somebody has, and hours were agreed for its grade, or none. `answered`, `closed`: judged or closed without a
        contact that is known. `not_agreed`: no hours for its grade. `none`: never handed over.
    span : timedelta
        The time that is left, by which it was passed, or that it took.
    due_at : datetime, optional
        Until when it was agreed.
    """

    state: State
    span: timedelta = timedelta(0)
    due_at: datetime | None = None

    @property
    def tone(self) -> str:
        """How a page shows it."""
        return {"overdue": "bad", "late": "warn", "left": "", "in_time": "good"}.get(self.state, "")


def follow_up(row: Mapping[str, Any], hours: Mapping[str, float], now: datetime) -> FollowUp:
    """Where a lead stands; the same rules as the list of overdue leads.

    Parameters
    ----------
    row : mapping
        Its row of the table of leads.
    hours : mapping of str to float
        Agreed hours by grade at the handover.
    """
    handed, contact = row["handed_over_at"], row["first_contact_at"]
    if handed is None:
        return FollowUp("none")
    agreed = hours.get(row["handover_grade"])
    due_at = None if agreed is None else handed + timedelta(hours=agreed)
    if contact is not None:
        return _contacted(contact - handed, contact, due_at)
    if row["outcome"] in ("won", "lost"):
        return FollowUp("closed", due_at=due_at)
    if row["verdict"] is not None:
        return FollowUp("answered", due_at=due_at)
    if due_at is None:
        return FollowUp("not_agreed", now - handed)
    return FollowUp("overdue", now - due_at, due_at) if due_at < now else FollowUp("left", due_at - now, due_at)


def _contacted(took: timedelta, contact: datetime, due_at: datetime | None) -> FollowUp:
    took = max(took, timedelta(0))
    if due_at is None:
        return FollowUp("contacted", took)
    return FollowUp("in_time" if contact <= due_at else "late", took, due_at)
