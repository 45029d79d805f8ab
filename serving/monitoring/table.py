"""Alerts as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from features.definition import LeadDefinition
from features.text import Language, Text, whole
from serving.monitoring.reading import Verdict
from serving.monitoring.watch import Alert
from serving.monitoring.words import advice, finding, title

RAISED = Text("RAISED", "AUSGELÖST")
SAID: dict[Verdict, Text] = {
    "over": Text("over the limit", "über der Grenze"),
    "between": Text("near the limit", "nahe der Grenze"),
    "under": Text("quiet", "ruhig"),
    "untold": Text("not told", "keine Aussage"),
}
SINCE = Text("since", "seit")


def alert_table(alerts: Sequence[Alert], definition: LeadDefinition, language: Language, *, everything: bool) -> str:
    """What is raised or was found, a line each with its advice, and one line for the rest; all of it on request."""
    shown = [alert for alert in alerts if everything or alert.state.raised or alert.reading.verdict == "over"]
    lines = [line for alert in shown for line in _lines(alert, definition, language)]
    return "\n".join([*lines, _summary(alerts, len(shown), language)])


def _lines(alert: Alert, definition: LeadDefinition, language: Language) -> Iterator[str]:
    what = (RAISED if alert.state.raised else SAID[alert.reading.verdict]).in_language(language)
    since = ""
    if alert.state.raised:
        since = f" {SINCE.in_language(language)} {alert.state.since:%Y-%m-%d %H:%M} UTC"
    yield f"{what + since:32} {alert.name:32} {title(alert.reading, definition).in_language(language)}"
    yield f"{'':32} {finding(alert.reading).in_language(language)}"
    if alert.state.raised:
        yield f"{'':32} {advice(alert.reading).in_language(language)}"


def _summary(alerts: Sequence[Alert], n_shown: int, language: Language) -> str:
    raised = sum(alert.state.raised for alert in alerts)
    untold = sum(alert.reading.verdict == "untold" for alert in alerts)
    n_checks, others = whole(len(alerts), language), whole(len(alerts) - n_shown, language)
    return Text(
        f"{n_checks} checks, {raised} raised, {untold} not told; {others} not listed.",
        f"{n_checks} Prüfungen, {raised} ausgelöst, {untold} ohne Aussage; {others} nicht aufgeführt.",
    ).in_language(language)
