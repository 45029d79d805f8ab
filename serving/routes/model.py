"""The model in service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.definition import LeadField
from features.errors import LeadQualityError
from features.model.bundle import Window
from features.text import Text, same
from serving.errors import ApiError
from serving.logs import log
from serving.renewal import take, tell_the_other_workers
from serving.responses import documented, json_response
from serving.schemas import (
    FieldShown,
    ImportanceAnswer,
    ImportanceShown,
    ModelAnswer,
    PendingShown,
    ReloadAnswer,
    WindowShown,
)
from serving.scorer import Scorer, both, in_utc
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
    model = Service.of(request).model
    answer = _model(model.scorer)
    if model.pending is not None:
        answer["pending"] = PendingShown(text=both(NOT_TAKEN), since=in_utc(model.pending.since))
    return json_response(answer)


@router.post(
    "/v1/model/reload",
    operation_id="reloadModel",
    summary="Look for another model now",
    response_model=ReloadAnswer,
    response_description="The model now in service.",
    responses=documented("model_refused", "internal", "not_ready"),
)
async def reload_model(request: Request) -> Response:
    """Puts the bundle that is meant by now into service, if it is another one; without a request being dropped.

    If it cannot be served, the answer is 409 with the reason, and the model in service stays.
    """
    service = Service.of(request)
    if service.settings.workers > 1:
        tell_the_other_workers()
    try:
        changed = await run_in_threadpool(take, service.model, service.clock(), asked=True)
    except LeadQualityError as error:
        log.error("another model could not be put into service", reason=str(error))
        raise ApiError("model_refused", detail=same(str(error))) from error
    return json_response(ReloadAnswer(model=service.model.scorer.model_name, changed=changed))


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


NOT_TAKEN = Text(
    "Another model should be in service, but cannot be: the log says why. It is tried again.",
    "Ein anderes Modell sollte im Einsatz sein, kann es aber nicht: Das Log nennt den Grund. Es wird weiter versucht.",
)
