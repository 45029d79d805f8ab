"""How the model in service does on live leads that it had not seen, and whose outcomes are known by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.model.bundle import Bundle
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.calibration import Axes, Point, calibration
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.charts.months import Month, Names, months
from serving.cockpit.formats import Reader
from serving.cockpit.views.model import Figure
from serving.monitoring.calibration import calibration_of
from serving.monitoring.later import LEVEL, MOST_LEADS, Group, Later, by_month, by_probability, skill_of


@dataclass(frozen=True, slots=True)
class LiveView:
    """Said and observed.

    Attributes
    ----------
    n, won : int
        Matured leads that came after everything the model learnt from, and how many of them had won in time.
    figures : tuple of Figure
    calibration, months : Picture or None
        None as long as there are too few leads.
    """

    n: int
    won: int
    most: int
    figures: tuple[Figure, ...]
    calibration: Picture | None
    months: Picture | None


def live_view(bundle: Bundle, later: Later, now: datetime, reader: Reader) -> LiveView | None:
    """The figures at `now`; None if the agreement has no horizon. Blocks."""
    matured = later.at(bundle, now)
    if matured is None:
        return None
    groups = by_probability(matured)
    by_months = by_month(matured, lambda moment: moment.astimezone(reader.zone).strftime("%Y-%m"))
    figures = []
    if found := calibration_of(matured.won, matured.probability, matured.account, (1 - LEVEL) / 2):
        figures.append(_ratio(found.observed, found.expected, found.interval, len(matured.won), reader))
    if skill := skill_of(matured, bundle.manifest.base_rate):
        of, interval = (skill.n, skill.won), reader.between(*skill.interval, 1)
        figures.append(_figure("log_loss_skill", reader.percent(skill.value, 1), of, interval, reader))
    return LiveView(
        n=len(matured.won),
        won=int(matured.won.sum()),
        most=MOST_LEADS,
        figures=tuple(figures),
        calibration=_calibration(groups, reader) if groups else None,
        months=_months(by_months, reader) if groups else None,
    )


def _ratio(observed: int, expected: float, interval: tuple[float, float], n: int, reader: Reader) -> Figure:
    between = reader.numbers_between(*interval)
    return _figure("observed_to_expected", reader.number(observed / expected, 2), (n, observed), between, reader)


def _figure(key: str, value: str, of: tuple[int, int], interval: str, reader: Reader) -> Figure:
    t = Catalogue(reader)
    told = t("model.live.of", n=of[0], won=of[1])
    return Figure(t(f"model.short.{key}"), value, told, t("model.interval", interval=interval), t(f"model.what.{key}"))


def _calibration(groups: Sequence[Group], reader: Reader) -> Picture:
    t = Catalogue(reader)
    return calibration(
        [Point(group.said, group.rate, *group.interval) for group in groups],
        reader.language,
        axes=Axes(t("model.said"), t("model.observed")),
        title=t("model.live.calibration.title"),
        says=t("model.live.calibration.says"),
        columns=_heads(t),
        rows=tuple(_row(reader.percent(group.said, 1), group, reader) for group in groups),
    )


def _months(groups: Sequence[Group], reader: Reader) -> Picture:
    t = Catalogue(reader)
    return months(
        [Month(reader.month(group.name), group.said, group.rate, *group.interval) for group in groups],
        reader.language,
        names=Names(t("model.said"), t("model.observed"), t("model.rate")),
        title=t("model.live.months.title"),
        says=t("model.live.months.says"),
        columns=(t("model.month"), *_heads(t)),
        rows=tuple((reader.month(group.name), *_row(reader.percent(group.said, 1), group, reader)) for group in groups),
    )


def _heads(t: Catalogue) -> tuple[str, ...]:
    return t("model.said"), t("model.observed"), t("model.interval_name"), t("model.leads"), t("model.won")


def _row(said: str, group: Group, reader: Reader) -> tuple[str, ...]:
    interval = reader.between(*group.interval, 1)
    return said, reader.percent(group.rate, 1), interval, reader.whole(group.n), reader.whole(group.won)
