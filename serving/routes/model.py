"""The model in service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from features.definition import LeadField
from features.model.bundle import Window
from serving.responses import documented, json_response
from serving.schemas import FieldShown, ImportanceAnswer, ImportanceShown, ModelAnswer, WindowShown
from serving.scorer import Scorer, both
from serving.service import Service

router = APIRouter(tags=["model"])


@router.get(
    "/v1/model",
    operation_id="getModel",
    summary="The model in service",
    response_model=ModelAnswer,
    response_description="What is known about the model.",
    responses=documented("internal", "not_ready"),
)
async def get_model(request: Request) -> Response:
    """Name, agreement, windows of training, evaluation on later leads, and warnings."""
    return json_response(_model(Service.of(request).model.scorer))


@router.get(
    "/v1/model/importance",
    operation_id="getImportance",
    summary="Which fields move probabilities most",
    response_model=ImportanceAnswer,
    response_description="Every field, the strongest first.",
    responses=documented("internal", "not_ready"),
)
async def get_importance(request: Request) -> Response:
    """Each field's mean absolute contribution over later leads, in percentage points."""
    scorer = Service.of(request).model.scorer
    labels = scorer.bundle.definition.fields
    ranked = sorted(scorer.bundle.importance, key=lambda entry: -entry.mean_absolute_points)
    importance = [
        ImportanceShown(
            field=entry.field, label=both(labels[entry.field].label), mean_absolute_points=entry.mean_absolute_points
        )
        for entry in ranked
    ]
    return json_response(ImportanceAnswer(model=scorer.model_name, importance=importance))


def _model(scorer: Scorer) -> ModelAnswer:
    definition, manifest = scorer.bundle.definition, scorer.bundle.manifest
    answer = ModelAnswer(
        model=scorer.model_name,
        title=both(definition.definition.title),
        scoring_point=definition.target.scoring_point,
        base_rate=manifest.base_rate,
        base_probability=scorer.bundle.model.base_probability,
        handover_threshold=manifest.handover_threshold,
        grades={"A": definition.grades.A, "B": definition.grades.B, "C": definition.grades.C},
        fields=[_field(name, field) for name, field in definition.fields.items()],
        windows=[_window(window) for window in manifest.windows],
        metrics=_without_null(dict(manifest.metrics)),
        warnings=[both(warning) for warning in manifest.warnings],
    )
    if definition.target.horizon_days is not None:
        answer["horizon_days"] = definition.target.horizon_days
    return answer


def _field(name: str, field: LeadField) -> FieldShown:
    return FieldShown(
        name=name,
        label=both(field.label),
        type=field.type,
        owner=field.owner,
        known=field.known,
        sensitive=field.sensitive,
    )


def _window(window: Window) -> WindowShown:
    shown = WindowShown(use=window.use, n=window.n, won=window.won)
    if window.start:
        shown |= {"start": window.start, "end": window.end}
    return shown


def _without_null(value: Any) -> Any:
    """Plain data without entries that are null: what is not known is left out."""
    if isinstance(value, dict):
        return {key: _without_null(part) for key, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [_without_null(part) for part in value]
    return value
