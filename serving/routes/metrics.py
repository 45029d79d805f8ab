"""Figures for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from features.errors import LeadQualityError, NotReadyError
from serving.metrics import CONTENT_TYPE
from serving.monitoring.watch import Alert, alerts_of
from serving.schemas import ModelName
from serving.service import Service

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """Counts of all workers, and what the store knows of alerts; answered too if model or store are not there."""
    written = await run_in_threadpool(_written_out, Service.of(request))
    return Response(written, headers={"Content-Type": CONTENT_TYPE})


def _written_out(service: Service) -> bytes:
    return service.metrics.written_out(_model(service), _alerts(service))


def _model(service: Service) -> ModelName | None:
    try:
        return service.model.scorer.model_name
    except NotReadyError:
        return None


def _alerts(service: Service) -> Sequence[Alert] | None:
    try:
        return alerts_of(service.store.watching.alerts())
    except LeadQualityError:
        return None  # lead_store_up says so
