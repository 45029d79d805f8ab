"""The figures of a period, from what the store counted: the one function behind the API and the cockpit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from features.definition import GRADES, LeadDefinition
from serving.kpis.counts import FIRST, Counts, Selection, State, n_leads
from serving.kpis.group import Group, everyone
from serving.kpis.query import Query, selection
from serving.kpis.shapes import (
    AcceptanceShown,
    ConversionShown,
    FilterShown,
    FollowUpShown,
    GradeConversionShown,
    GradeFollowUpShown,
    KpiAnswer,
    MarkShown,
    StepShown,
)
from serving.kpis.shares import LEVEL
from serving.kpis.shown import Shower, definitions, words
from serving.kpis.table import table
from serving.kpis.texts import GARTNER, STEPS

GARTNER_SHARE = 0.44
STATES: dict[str, State] = {
    "scored": State(0),
    "handed_over": State.HANDED_OVER,
    "contacted": State.HANDED_OVER | State.CONTACTED,
    "accepted": State.HANDED_OVER | State.ACCEPTED,
    "won": State.WON,
}


def kpis(count: Callable[[Selection], Counts], query: Query, definition: LeadDefinition, now: datetime) -> KpiAnswer:
    """The figures that `query` asks for; `count` is the store's `figures.counts`.

    Raises
    ------
    StoreDownError
        If the database fails.
    """
    return report(count(selection(query, definition, now)), query, definition, now)


def report(counts: Counts, query: Query, definition: LeadDefinition, now: datetime) -> KpiAnswer:
    """The figures that follow from `counts`."""
    shower, group = Shower(query, definition), everyone(counts)
    answer = KpiAnswer(
        start=query.start.isoformat(),
        end=query.end.isoformat(),
        timezone=definition.read.timezone,
        now=now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        level=LEVEL,
        filters=[_filter(by, value) for by, value in query.filters.items()],
        n_simulated=n_leads(group.first, State.SIMULATED),
        funnel=_funnel(group, shower),
        follow_up=_follow_up(group, shower),
        acceptance=_acceptance(group, shower),
        conversion=_conversion(group, shower),
        definitions=definitions(),
    )
    if definition.timing == "dated" and definition.target.horizon_days is not None:
        answer["horizon_days"] = definition.target.horizon_days
    if query.by is not None:
        answer["table"] = table(counts, query, query.by, shower)
    return answer


def _filter(by: str, value: str | None) -> FilterShown:
    shown = FilterShown(by=by)  # type: ignore[typeddict-item]  # one of the three, checked when it was read
    if value is not None:
        shown["value"] = value
    return shown


def _funnel(group: Group, shower: Shower) -> list[StepShown]:
    steps: list[StepShown] = []
    for step, states in STATES.items():
        shown = StepShown(step=step, label=words(STEPS[step]), n=n_leads(group.first, states))  # type: ignore[typeddict-item]
        if step in FIRST:
            shown["of_before"] = shower.figure(group.share(step))
            of_first = f"{step}_of_all"
            shown["of_first"] = shower.figure(group.share(of_first if of_first in FIRST else step))
        steps.append(shown)
    return steps


def _follow_up(group: Group, shower: Shower) -> FollowUpShown:
    agreed = shower.definition.follow_up_hours
    by_grade: list[GradeFollowUpShown] = []
    for grade in GRADES:
        part = group.of_grade(grade)
        shown = GradeFollowUpShown(
            grade=grade,
            in_time=shower.figure(part.share("in_time"), told=False),
            median_hours=shower.figure(part.median_hours(), told=False),
            overdue=shower.figure(part.overdue(), told=False),
        )
        hours = getattr(agreed, grade)
        if hours is not None:
            shown["agreed_hours"] = hours
        by_grade.append(shown)
    return FollowUpShown(
        in_time=shower.figure(group.share("in_time")),
        median_hours=shower.figure(group.median_hours()),
        overdue=shower.figure(group.overdue()),
        by_grade=by_grade,
    )


def _acceptance(group: Group, shower: Shower) -> AcceptanceShown:
    return AcceptanceShown(
        rate=shower.figure(group.share("acceptance")),
        mark=MarkShown(value=GARTNER_SHARE, source=words(GARTNER)),
        without_verdict=shower.figure(group.share("without_verdict")),
        rejections=group.rejections(shower),
    )


def _conversion(group: Group, shower: Shower) -> ConversionShown:
    by_grade = []
    for grade in GRADES:
        part = group.of_grade(grade)
        by_grade.append(
            GradeConversionShown(
                grade=grade,
                predicted=shower.figure(part.predicted(), told=False),
                observed=shower.figure(part.share("won_of_all"), told=False),
                observed_to_expected=shower.figure(part.ratio(), told=False),
            )
        )
    closed_before = n_leads(group.first, State.CLOSED_BEFORE)
    return ConversionShown(
        predicted=shower.figure(group.predicted()),
        observed=shower.figure(group.share("won_of_all")),
        observed_to_expected=shower.figure(group.ratio()),
        by_grade=by_grade,
        n_too_young=n_leads(group.first) - n_leads(group.first, State.MATURED) - closed_before,
        n_closed_before=closed_before,
    )
