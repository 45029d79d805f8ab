"""Versions of the model: what the gate said of each, how each did against baselines, who promoted what and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from features.text import Text
from serving.cockpit.formats import Reader
from serving.registry import Promotion, RegistryRecord, Told, Version
from serving.store.served import Served, ServedModel

BASELINES: Final = ("base_rate", "one_field_rule", "logistic_regression")
MOST_SERVED: Final = 20


@dataclass(frozen=True, slots=True)
class VersionShown:
    """A version; `losses` are the log losses of itself and of the baselines with their intervals, "–" where unknown."""

    number: int
    created_at: datetime
    aliases: tuple[str, ...]
    in_service: bool
    passed: bool | None
    verdict: Text | None
    losses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """What is known of versions.

    Attributes
    ----------
    name : str
        Of the model in the registry; empty if the bundle came from a directory.
    state : str
        directory, asking, failed (nothing is known), old (a later try failed), or known.
    served : tuple of ServedModel
        What the store knows: which models have scored leads, and since when.
    """

    name: str
    state: str
    asked_at: datetime | None
    failure: str
    versions: tuple[VersionShown, ...]
    promotions: tuple[Promotion, ...]
    served: tuple[ServedModel, ...]
    in_service: str


def record_view(registry: RegistryRecord, served: Served, bundle_id: str, now: datetime, reader: Reader) -> RecordView:
    """What registry and store know at `now`; asking the registry goes on beside the page. Blocks a moment."""
    told = registry.told(now)
    versions: Sequence[Version] = told.record.versions if told.record else ()
    return RecordView(
        name=registry.name,
        state=_state(registry.name, told),
        asked_at=told.asked_at,
        failure=told.failure,
        versions=tuple(_shown(version, bundle_id, reader) for version in versions),
        promotions=told.record.promotions if told.record else (),
        served=tuple(served.newest(MOST_SERVED)),
        in_service=bundle_id,
    )


def _state(name: str, told: Told) -> str:
    if not name:
        return "directory"
    if told.record is None:
        return "asking" if told.is_asking or not told.failure else "failed"
    return "old" if told.failure else "known"


def _shown(version: Version, bundle_id: str, reader: Reader) -> VersionShown:
    names = ("log_loss", *(f"{baseline}.log_loss" for baseline in BASELINES))
    return VersionShown(
        number=version.number,
        created_at=version.created_at,
        aliases=version.aliases,
        in_service=version.bundle_id == bundle_id,
        passed=version.passed,
        verdict=version.verdict,
        losses=tuple(_loss(version.metrics, name, reader) for name in names),
    )


def _loss(metrics: Mapping[str, float], name: str, reader: Reader) -> tuple[str, str]:
    """A log loss and its interval: 0.345, 0.283 to 0.408."""
    if name not in metrics:
        return "–", ""
    low, high = metrics.get(f"{name}.low"), metrics.get(f"{name}.high")
    interval = "" if low is None or high is None else reader.numbers_between(low, high, 3)
    return reader.number(metrics[name], 3), interval
