"""How long the agreed time still runs, on the day of the handover and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.cockpit.views.follow_up import follow_up

HANDED = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
HOURS = {"A": 4.0, "B": 24.0}
H = timedelta(hours=1)


def row(**other: Any) -> dict[str, Any]:
    names = ("handed_over_at", "handover_grade", "first_contact_at", "outcome", "verdict")
    return dict.fromkeys(names) | {"handed_over_at": HANDED, "handover_grade": "A"} | other


@pytest.mark.parametrize(
    ("lead", "now", "state", "span"),
    [
        (row(), HANDED + H, "left", 3 * H),
        (row(), HANDED + 4 * H, "left", 0 * H),  # to the moment: not overdue yet, as in the list of overdue leads
        (row(), HANDED + 52 * H, "overdue", 48 * H),
        (row(handover_grade="B"), HANDED + 52 * H, "overdue", 28 * H),
        (row(handover_grade="D"), HANDED + 52 * H, "not_agreed", 52 * H),
        (row(first_contact_at=HANDED + 3 * H), HANDED + 52 * H, "in_time", 3 * H),
        (row(first_contact_at=HANDED + 5 * H), HANDED + 52 * H, "late", 5 * H),
        (row(first_contact_at=HANDED - 5 * H), HANDED + 52 * H, "in_time", 0 * H),
        (row(first_contact_at=HANDED + 5 * H, handover_grade="D"), HANDED + 52 * H, "contacted", 5 * H),
        (row(verdict="rejected"), HANDED + 52 * H, "answered", 0 * H),
        (row(outcome="won"), HANDED + 52 * H, "closed", 0 * H),
        (row(outcome="open"), HANDED + 5 * H, "overdue", 1 * H),
        (row(handed_over_at=None, handover_grade=None), HANDED, "none", 0 * H),
    ],
)
def test_where_a_lead_stands(lead: dict[str, Any], now: datetime, state: str, span: timedelta) -> None:
    found = follow_up(lead, HOURS, now)
    assert (found.state, found.span) == (state, span)
