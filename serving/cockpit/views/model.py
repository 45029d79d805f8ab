"""What the page about the model shows."""

from __future__ import annotations

from dataclasses import dataclass

from features.text import Text
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.bars import Bar, bars
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.formats import Reader
from serving.scorer import Scorer


@dataclass(frozen=True, slots=True)
class ModelView:
    """The model in service.

    Attributes
    ----------
    base_rate, threshold : float
        Shares.
    n_learnt : int
        Leads that it learnt from.
    """

    title: Text
    horizon_days: int | None
    base_rate: float
    n_learnt: int
    threshold: float
    importance: Picture


def model_view(scorer: Scorer, reader: Reader) -> ModelView:
    """Everything on the page, for one reader."""
    definition, manifest = scorer.bundle.definition, scorer.bundle.manifest
    return ModelView(
        title=definition.definition.title,
        horizon_days=definition.target.horizon_days,
        base_rate=manifest.base_rate,
        n_learnt=sum(window.n for window in manifest.windows if window.use in ("train", "calibrate")),
        threshold=manifest.handover_threshold,
        importance=_importance(scorer, reader),
    )


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
