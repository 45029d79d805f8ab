"""Figures about the service for Prometheus. No label holds anything about a lead, a person or a key.

Counts of all workers are added up: `python -m serving` with several workers gives them a directory to count in
(PROMETHEUS_MULTIPROC_DIR, which prometheus_client reads when it is imported). What the store knows, such as alerts, is
read from it when the figures are asked for, so that every worker answers the same.
"""

from __future__ import annotations

import math
import os
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from serving.monitoring.watch import Alert
from serving.schemas import ModelName
from serving.store import NewScore

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts what happens in this process, and writes everything out when it is asked for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self._requests = Counter(
            "lead_http_requests", "Requests answered.", ("method", "route", "status"), registry=own
        )
        self._seconds = Histogram(
            "lead_http_request_seconds", "Seconds until the answer.", ("route",), buckets=SECONDS, registry=own
        )
        self._scores = Counter("lead_scores", "Scores stored, by what they said.", ("grade", "handover"), registry=own)
        self._commits = Histogram(
            "lead_store_commit_seconds", "Seconds of a transaction of the store.", buckets=SECONDS, registry=own
        )
        self._writes = Counter("lead_store_writes", "Writes committed; several share a transaction.", registry=own)
        self._waiting = Gauge("lead_store_waiting", "Writes that wait.", multiprocess_mode="livesum", registry=own)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one request."""
        key = (method if method in METHODS else "other", route, status)  # callers shall not make it grow
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (self._requests.labels(*key), self._seconds.labels(route))
        found[0].inc()
        found[1].observe(duration_s)

    def scored(self, new: Sequence[NewScore]) -> None:
        """Count scores that were stored."""
        for said, n_scores in Counts((score.grade, score.handover) for score in new).items():
            self._scores.labels(*said).inc(n_scores)

    def committed(self, n_writes: int, duration_s: float, n_waiting: int) -> None:
        """Count one transaction of the store."""
        self._commits.observe(duration_s)
        self._writes.inc(n_writes)
        self._waiting.set(n_waiting)

    def written_out(self, model: ModelName | None, alerts: Sequence[Alert] | None) -> bytes:
        """Everything in Prometheus' text format; blocks.

        Parameters
        ----------
        model : ModelName or None
            The model in service; None while there is none.
        alerts : sequence of Alert or None
            None if the store does not tell.
        """
        registry = CollectorRegistry()
        if DIRECTORY in os.environ:
            _forget_the_dead(Path(os.environ[DIRECTORY]))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(self._registry)
            ProcessCollector(registry=registry)
        registry.register(_Now(model, alerts))
        return generate_latest(registry)


def _forget_the_dead(directory: Path) -> None:
    """Drop what workers that have ended said of themselves; what they had counted stays."""
    for file in directory.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            mark_process_dead(process, str(directory))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass  # it lives, as somebody else's


class _Now:
    """What is read when the figures are asked for."""

    def __init__(self, model: ModelName | None, alerts: Sequence[Alert] | None) -> None:
        self._model = model
        self._alerts = alerts

    def collect(self) -> Iterator[Metric]:
        yield _one("lead_store_up", "Whether the store answers.", float(self._alerts is not None))
        yield _one("lead_model_ready", "Whether a model is in service.", float(self._model is not None))
        if self._model is not None:
            info = InfoMetricFamily("lead_model", "The model in service.")
            info.add_metric([], _labels(self._model))
            yield info
        if self._alerts:
            yield from _about(self._alerts)


def _about(alerts: Sequence[Alert]) -> Iterator[Metric]:
    checked = max(alert.checked_at for alert in alerts).timestamp()
    yield _one("lead_watch_checked_timestamp_seconds", "When was last evaluated, in seconds since 1970.", checked)
    names = ("alert", "kind", "field")
    raised = GaugeMetricFamily("lead_alert_raised", "Whether the alert is raised.", labels=names)
    told = GaugeMetricFamily("lead_watch_value", "What was last found.", labels=names)
    ends = GaugeMetricFamily("lead_watch_interval", "The ends of its interval.", labels=(*names, "end"))
    limits = GaugeMetricFamily("lead_watch_tolerated", "What is tolerated.", labels=(*names, "end"))
    for alert in alerts:
        reading, labels = alert.reading, (alert.name, alert.reading.kind, alert.reading.field)
        raised.add_metric(labels, float(alert.state.raised))
        _add(told, labels, reading.value)
        for end, found, limit in zip(("low", "high"), (reading.low, reading.high), reading.tolerated, strict=True):
            _add(ends, (*labels, end), found)
            _add(limits, (*labels, end), limit)
    yield from (raised, told, ends, limits)


def _add(family: GaugeMetricFamily, labels: Iterable[str], value: float) -> None:
    if math.isfinite(value):
        family.add_metric(tuple(labels), value)


def _one(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _labels(model: ModelName) -> dict[str, str]:
    definition = model["definition"]
    return {
        "name": model["name"],
        "version": model["version"],
        "bundle_id": model["bundle_id"],
        "definition": definition["name"],
        "definition_version": str(definition["version"]),
        "fingerprint": definition["fingerprint"],
    }
