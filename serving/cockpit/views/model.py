"""What the page about the model shows: what it predicts, and how well it did on later leads when it was trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from features.model.bundle import Manifest, Window
from features.text import Text
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.bars import Bar, bars
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.formats import Reader
from serving.scorer import Scorer

LEARNT_FROM: Final = ("shipped", "recalibrated")
USES: Final = ("train", "calibrate", "test", "judged", "shipped", "recalibrated")
SHARES: Final = ("share_of_wins_top_10", "share_of_wins_top_20", "share_of_wins_top_35", "precision_at_capacity")
IN_PERCENT: Final = (*SHARES, "log_loss_skill", "brier_skill")
METRICS: Final = (
    "log_loss_skill",
    "brier_skill",
    "log_loss",
    "brier",
    "calibration_slope",
    "calibration_intercept",
    "observed_to_expected",
    "ece",
    "roc_auc",
    "average_precision",
    *SHARES,
)


class Figure(NamedTuple):
    """One big number in finished words: what it is, of what, how sure, and what it means."""

    name: str
    value: str
    of: str
    interval: str
    what: str


@dataclass(frozen=True, slots=True)
class ModelView:
    """The model in service.

    Attributes
    ----------
    name, version, bundle_id : str
        What the registry calls it; of a bundle from a directory, the definition's name and the bundle's id.
    n_learnt, n_won : int
        Leads that the shipped model learnt from, and how many of them had won.
    base_rate, threshold : float
        Shares.
    warnings : tuple of Text
        What training warned of.
    headline : tuple of Figure
        How well it did on later leads, in short; empty if nothing was measured.
    metrics, windows : tuple of tuple of str
        Rows of tables.
    """

    title: Text
    horizon_days: int | None
    name: str
    version: str
    bundle_id: str
    definition_version: int
    made_at: datetime
    n_learnt: int
    n_won: int
    base_rate: float
    threshold: float
    warnings: tuple[Text, ...]
    has_card: bool
    n_later: int
    headline: tuple[Figure, ...]
    metrics: tuple[tuple[str, ...], ...]
    windows: tuple[tuple[str, ...], ...]
    importance: Picture


def model_view(scorer: Scorer, reader: Reader) -> ModelView:
    """What is known of the model itself, for one reader. Draws a chart, so call it from a thread."""
    bundle, name = scorer.bundle, scorer.model_name
    definition, manifest = bundle.definition, bundle.manifest
    learnt = _learnt(manifest.windows)
    measured = _measured(manifest)
    return ModelView(
        title=definition.definition.title,
        horizon_days=definition.target.horizon_days,
        name=name["name"],
        version=name["version"],
        bundle_id=name["bundle_id"],
        definition_version=name["definition"]["version"],
        made_at=datetime.fromisoformat(manifest.created_at),
        n_learnt=sum(window.n for window in learnt),
        n_won=sum(window.won for window in learnt),
        base_rate=manifest.base_rate,
        threshold=manifest.handover_threshold,
        warnings=manifest.warnings,
        has_card=reader.language in bundle.cards,
        n_later=next((metric["n"] for metric in measured.values()), 0),
        headline=tuple(_headline(measured, reader)),
        metrics=tuple(_metric_row(key, measured[key], reader) for key in METRICS if key in measured),
        windows=tuple(_window_row(window, reader) for window in manifest.windows if window.use in USES),
        importance=_importance(scorer, reader),
    )


def _learnt(windows: Sequence[Window]) -> list[Window]:
    """What the shipped model was fitted on; in older bundles, the windows that were learnt from."""
    shipped = [window for window in windows if window.use in LEARNT_FROM]
    return shipped[-1:] or [window for window in windows if window.use in ("train", "calibrate")]


def _measured(manifest: Manifest) -> Mapping[str, Mapping[str, Any]]:
    """The metrics that have a value."""
    return {
        name: metric
        for name, metric in manifest.metrics.items()
        if isinstance(metric, dict) and metric.get("value") is not None
    }


def _headline(measured: Mapping[str, Mapping[str, Any]], reader: Reader) -> Iterator[Figure]:
    t = Catalogue(reader)
    for key in ("share_of_wins_top_20", "log_loss_skill", "observed_to_expected"):
        if metric := measured.get(key):
            of = t("model.later.of", n=metric["n"], won=metric.get("n_wins", 0))
            value, interval = _shown(key, metric, reader)
            interval = interval and t("model.interval", interval=interval)
            yield Figure(t(f"model.short.{key}"), value, of, interval, t(f"model.what.{key}"))


def _metric_row(key: str, metric: Mapping[str, Any], reader: Reader) -> tuple[str, ...]:
    t = Catalogue(reader)
    value, interval = _shown(key, metric, reader)
    return t(f"model.metrics.{key}"), value, interval or "–", t(f"model.better.{metric.get('direction', 'none')}")


def _shown(key: str, metric: Mapping[str, Any], reader: Reader) -> tuple[str, str]:
    """Value and interval as the reader writes them; the interval is empty where there is none."""
    ends = metric.get("interval")
    if key in IN_PERCENT:
        return reader.percent(metric["value"], 1), reader.between(ends[0], ends[1], 1) if ends else ""
    return reader.number(metric["value"], 3), reader.numbers_between(ends[0], ends[1], 3) if ends else ""


def _window_row(window: Window, reader: Reader) -> tuple[str, ...]:
    t = Catalogue(reader)
    days = [reader.date(datetime.fromisoformat(day).date()) if day else "–" for day in (window.start, window.end)]
    return t(f"model.windows.{window.use}"), *days, reader.whole(window.n), reader.whole(window.won)


def _importance(scorer: Scorer, reader: Reader) -> Picture:
    t, fields = Catalogue(reader), scorer.bundle.definition.fields
    ranked = sorted(scorer.bundle.importance, key=lambda entry: -entry.mean_absolute_points)
    shown = [_bar(reader.text(fields[entry.field].label), entry.mean_absolute_points, reader) for entry in ranked]
    return bars(
        shown,
        reader.language,
        title=t("model.importance.title"),
        says=t("model.importance.says"),
        columns=(t("model.importance.field"), t("model.importance.points")),
    )


def _bar(label: str, points: float, reader: Reader) -> Bar:
    return Bar(label, points, reader.number(points))
