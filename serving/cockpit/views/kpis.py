"""What the page of the figures shows: both teams' figures of a period, each with how it comes about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from features.definition import LeadDefinition
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.bars import Bar, bars
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.charts.rates import Mark, Rate, Table, rates
from serving.cockpit.formats import Reader
from serving.cockpit.views.figures import NOTHING, Teller, Told, in_words
from serving.cockpit.views.period import Controls, Period, controls
from serving.kpis import counting
from serving.kpis.columns import LeadColumns
from serving.kpis.report import kpis
from serving.kpis.shapes import FigureShown, KpiAnswer, RowShown, StepShown

ADDRESS = "/cockpit/kpis"
MOST_MONTHS = 130


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel; the first has no shares."""

    name: str
    n: int
    of_before: Told | None
    of_first: Told | None


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A grade's follow-up and conversion; `agreed` is empty where no hours are."""

    grade: str
    agreed: str
    in_time: Told
    median: Told
    overdue: Told
    predicted: Told
    observed: Told
    ratio: Told


@dataclass(frozen=True, slots=True)
class Reason:
    """Why leads were rejected."""

    name: str
    n: int
    share: Told


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What sales said of the leads handed over; `against_mark` holds the figure against what others report."""

    rate: Told
    without_verdict: Told
    mark: str
    against_mark: str
    tone: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """How the figures went, month by month; None where there is a single month."""

    leads: Picture
    acceptance: Picture
    in_time: Picture
    wins: Picture


@dataclass(frozen=True, slots=True)
class Kpis:
    """The figures of a period, as the page and the printed report show them."""

    level: float
    n_leads: int
    n_simulated: int
    funnel: tuple[Step, ...]
    funnel_drawn: Picture
    acceptance: Acceptance
    in_time: Told
    median: Told
    overdue: Told
    predicted: Told
    observed: Told
    ratio: Told
    ratio_says: str
    n_too_young: int
    n_closed_before: int
    horizon_days: int | None
    grades: tuple[GradeRow, ...]
    by_grade: Picture
    over: Over | None


@dataclass(frozen=True, slots=True)
class KpiView:
    """The page: what may be chosen, and the figures; None where the store holds no lead at all."""

    controls: Controls
    period: Period
    report_address: str
    figures: Kpis | None


def kpi_view(leads: LeadColumns, period: Period, definition: LeadDefinition, now: datetime, reader: Reader) -> KpiView:
    """Everything on the page, for one reader; `leads` are the store's `figures.columns()`."""
    return KpiView(
        controls=controls(period, ADDRESS, leads, definition, reader),
        period=period,
        report_address=period.address("/cockpit/report"),
        figures=kpi_figures(leads, period, definition, now, reader) if len(leads.account) else None,
    )


def kpi_figures(leads: LeadColumns, period: Period, definition: LeadDefinition, now: datetime, reader: Reader) -> Kpis:
    """The figures, by the function that answers the API too."""
    answer = kpis(partial(counting.count, leads), period.query("month", MOST_MONTHS), definition, now)
    tell, conversion = Teller(reader, answer["level"]), answer["conversion"]
    funnel = tuple(_step(step, tell) for step in answer["funnel"])
    return Kpis(
        level=answer["level"],
        n_leads=funnel[0].n,
        n_simulated=answer["n_simulated"],
        funnel=funnel,
        funnel_drawn=_funnel(funnel, reader),
        acceptance=_acceptance(answer, tell),
        in_time=tell.share(answer["follow_up"]["in_time"]),
        median=tell.hours(answer["follow_up"]["median_hours"]),
        overdue=tell.count(answer["follow_up"]["overdue"]),
        predicted=tell.share(conversion["predicted"], digits=1),
        observed=tell.share(conversion["observed"], digits=1),
        ratio=tell.ratio(conversion["observed_to_expected"]),
        ratio_says=_ratio_says(conversion["observed_to_expected"], reader),
        n_too_young=conversion["n_too_young"],
        n_closed_before=conversion["n_closed_before"],
        horizon_days=answer.get("horizon_days"),
        grades=_grades(answer, tell),
        by_grade=_by_grade(answer, tell),
        over=_over(answer, tell),
    )


def _step(step: StepShown, tell: Teller) -> Step:
    before, first = step.get("of_before"), step.get("of_first")
    return Step(
        name=in_words(step["label"], tell.reader),
        n=step["n"],
        of_before=tell.share(before) if before else None,
        of_first=tell.share(first, digits=1) if first else None,
    )


def _funnel(funnel: Sequence[Step], reader: Reader) -> Picture:
    t = Catalogue(reader)
    drawn = [Bar(step.name, float(step.n), reader.whole(step.n)) for step in funnel]
    columns = (t("kpis.funnel.step"), t("kpis.funnel.leads"))
    return bars(drawn, reader.language, title=t("kpis.funnel.drawn"), says=t("kpis.funnel.says"), columns=columns)


def _acceptance(answer: KpiAnswer, tell: Teller) -> Acceptance:
    shown, reader, t = answer["acceptance"], tell.reader, Catalogue(tell.reader)
    mark = shown["mark"]
    compared = _against(shown["rate"], mark["value"])
    reasons = [
        Reason(in_words(each["label"], reader), each["n"], tell.share(each["share"])) for each in shown["rejections"]
    ]
    return Acceptance(
        rate=tell.share(shown["rate"]),
        without_verdict=tell.share(shown["without_verdict"]),
        mark=in_words(mark["source"], reader),
        against_mark=t(f"kpis.acceptance.against.{compared}", mark=reader.percent(mark["value"])),
        tone={"above": "good", "below": "warn"}.get(compared, ""),
        reasons=tuple(reasons),
    )


def _against(figure: FigureShown, mark: float) -> str:
    """Whether a share is surely above or below a mark, or its interval holds it."""
    low, high = figure.get("low"), figure.get("high")
    if low is None or high is None:
        return "unknown"
    return "above" if low > mark else "below" if high < mark else "about"


def _ratio_says(figure: FigureShown, reader: Reader) -> str:
    t = Catalogue(reader)
    return t(f"kpis.wins.ratio.{_against(figure, 1.0)}")


def _grades(answer: KpiAnswer, tell: Teller) -> tuple[GradeRow, ...]:
    both = zip(answer["follow_up"]["by_grade"], answer["conversion"]["by_grade"], strict=True)
    t = Catalogue(tell.reader)
    return tuple(
        GradeRow(
            grade=follow_up["grade"],
            agreed=t("common.figures.hours", hours=tell.reader.number(follow_up["agreed_hours"], 0))
            if "agreed_hours" in follow_up
            else "",
            in_time=tell.share(follow_up["in_time"]),
            median=tell.hours(follow_up["median_hours"]),
            overdue=tell.count(follow_up["overdue"]),
            predicted=tell.share(conversion["predicted"], digits=1),
            observed=tell.share(conversion["observed"], digits=1),
            ratio=tell.ratio(conversion["observed_to_expected"]),
        )
        for follow_up, conversion in both
    )


def _by_grade(answer: KpiAnswer, tell: Teller) -> Picture:
    t = Catalogue(tell.reader)
    parts = answer["conversion"]["by_grade"]
    return rates(
        [_rate(part["grade"], part["observed"], part["predicted"]) for part in parts],
        tell.reader.language,
        title=t("kpis.wins.by_grade"),
        says=t("kpis.wins.by_grade_says"),
        table=_wins_table([(part["grade"], part["predicted"], part["observed"]) for part in parts], tell),
        over_time=False,
    )


def _rate(name: str, observed: FigureShown, predicted: FigureShown | None = None) -> Rate:
    said = predicted.get("value") if predicted else None
    return Rate(name, observed.get("value"), observed.get("low"), observed.get("high"), said)


def _wins_table(rows: Sequence[tuple[str, FigureShown, FigureShown]], tell: Teller) -> Table:
    t = Catalogue(tell.reader)
    columns = ("", t("kpis.table.predicted"), t("kpis.table.observed"), t("kpis.table.interval"), t("kpis.table.leads"))
    told = [
        (name, tell.share(predicted, digits=1), tell.share(observed, digits=1)) for name, predicted, observed in rows
    ]
    cells = [(name, said.value, seen.value, seen.interval or NOTHING, seen.of) for name, said, seen in told]
    return Table(columns, tuple(cells))


def _over(answer: KpiAnswer, tell: Teller) -> Over | None:
    """Month by month; the leads of a month are those first scored in it, or handed over in it."""
    months = answer["table"]["rows"]
    if len(months) < 2:
        return None
    t, drawn = Catalogue(tell.reader), partial(_monthly, months=months, tell=tell)
    mark = answer["acceptance"]["mark"]
    return Over(
        leads=_volume(months, tell.reader),
        acceptance=drawn(
            "acceptance", lambda row: row["acceptance"], mark=Mark(mark["value"], t("kpis.acceptance.mark"))
        ),
        in_time=drawn("in_time", lambda row: row["in_time"]),
        wins=rates(
            [_rate(_month(row, tell.reader), row["observed"], row["predicted"]) for row in months],
            tell.reader.language,
            title=t("kpis.over.wins"),
            says=t("kpis.over.wins_says"),
            table=_wins_table([(_month(row, tell.reader), row["predicted"], row["observed"]) for row in months], tell),
        ),
    )


def _monthly(
    name: str,
    figure: Callable[[RowShown], FigureShown],
    *,
    months: Sequence[RowShown],
    tell: Teller,
    mark: Mark | None = None,
) -> Picture:
    t = Catalogue(tell.reader)
    told = [(_month(row, tell.reader), tell.share(figure(row))) for row in months]
    cells = tuple((month, each.value, each.interval or NOTHING, each.of) for month, each in told)
    columns = ("", t("kpis.table.share"), t("kpis.table.interval"), t("kpis.table.leads"))
    return rates(
        [_rate(_month(row, tell.reader), figure(row)) for row in months],
        tell.reader.language,
        title=t(f"kpis.over.{name}"),
        says=t(f"kpis.over.{name}_says"),
        table=Table(columns, cells),
        mark=mark,
    )


def _volume(months: Sequence[RowShown], reader: Reader) -> Picture:
    t = Catalogue(reader)
    drawn = [Bar(_month(row, reader), float(row["n_leads"]), reader.whole(row["n_leads"])) for row in months]
    columns = (t("kpis.table.month"), t("kpis.funnel.leads"))
    return bars(drawn, reader.language, title=t("kpis.over.leads"), says=t("kpis.over.leads_says"), columns=columns)


def _month(row: RowShown, reader: Reader) -> str:
    return reader.month(row["group"])
