"""What watching found: alerts that are raised, with what to do, and every check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from features.definition import LeadDefinition
from features.text import Text
from serving.monitoring.watch import Alert, alerts_of
from serving.monitoring.words import advice, finding, title
from serving.store import Watching


@dataclass(frozen=True, slots=True)
class AlertShown:
    """One check: what was looked at, what was found, what to do; `state` is raised, over, fine, untold or silent."""

    name: str
    label: Text
    state: str
    since: datetime
    found: Text
    advice: Text


@dataclass(frozen=True, slots=True)
class AlertsView:
    """Every check, those that are raised first; `checked_at` is None before the first evaluation."""

    checked_at: datetime | None
    raised: tuple[AlertShown, ...]
    others: tuple[AlertShown, ...]
    n_untold: int


def alerts_view(watching: Watching, definition: LeadDefinition, silent: frozenset[str]) -> AlertsView:
    """The alerts as they stand in the store. Blocks."""
    alerts = alerts_of(watching.alerts())
    shown = [_shown(alert, definition, silent) for alert in alerts]
    return AlertsView(
        checked_at=max((alert.checked_at for alert in alerts), default=None),
        raised=tuple(each for each in shown if each.state == "raised"),
        others=tuple(sorted((each for each in shown if each.state != "raised"), key=_order)),
        n_untold=sum(each.state == "untold" for each in shown),
    )


def _shown(alert: Alert, definition: LeadDefinition, silent: frozenset[str]) -> AlertShown:
    reading = alert.reading
    return AlertShown(
        alert.name,
        title(reading, definition),
        _state(alert, silent),
        alert.state.since,
        finding(reading),
        advice(reading),
    )


def _state(alert: Alert, silent: frozenset[str]) -> str:
    if alert.name in silent:
        return "silent"
    if alert.state.raised:
        return "raised"
    verdict = alert.reading.verdict
    return verdict if verdict in ("over", "untold") else "fine"


def _order(alert: AlertShown) -> tuple[int, str]:
    return ("over", "fine", "silent", "untold").index(alert.state), alert.name
