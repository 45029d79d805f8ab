"""What a training run leaves in MLflow: what it was told, what came out, figures, card, and the bundle as a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.text import LANGUAGES
from training.judging.evaluate import Evaluation
from training.judging.gates import Decision
from training.pipeline import Trained
from training.report import figures
from training.report.card_content import charts

if TYPE_CHECKING:
    from training.tracking import Run


def record(run: Run, trained: Trained, decision: Decision, place: Path) -> int:
    """The number of the version that the bundle in `place` was registered as, after all else was logged."""
    run.params(dict(_flat("", trained.manifest.settings)))
    run.tags(_tags(trained, decision))
    run.metrics(dict(_numbers("", trained.judgement.evaluation)))
    for name, evaluation in trained.judgement.baselines.items():
        run.metrics(dict(_numbers(f"{name}.", evaluation)))
    for language in LANGUAGES:
        for name, chart in charts(trained, language).items():
            run.figure(f"{name}.{language}.svg", figures.svg(chart))
            run.figure(f"{name}.{language}.png", figures.png(chart))
    return run.bundle(place)


def _tags(trained: Trained, decision: Decision) -> dict[str, str]:
    definition = trained.prepared.definition
    return {
        "definition": definition.name,
        "definition.version": str(definition.definition.version),
        "fingerprint": definition.fingerprint,
        "simulated": str(definition.simulated).lower(),
        "validated_on_later_leads": str(trained.prepared.cut.by_time).lower(),
        "gate": "passed" if decision.passed else "refused",
        **{f"window.{w.use}": f"{w.start}..{w.end} n={w.n} won={w.won}" for w in trained.manifest.windows},
    }


def _numbers(prefix: str, evaluation: Evaluation) -> Iterator[tuple[str, float]]:
    """Each metric's value and the ends of its interval, as MLflow names them; what does not exist is left out."""
    for name, metric in evaluation.metrics.items():
        if metric.value is not None:
            yield f"{prefix}{name}", metric.value
        if metric.interval is not None:
            yield f"{prefix}{name}.low", metric.interval[0]
            yield f"{prefix}{name}.high", metric.interval[1]


def _flat(prefix: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value
