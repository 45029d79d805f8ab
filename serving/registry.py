"""What the registry knows of the model in service: its versions, the gate's verdicts, who promoted what and why.

MLflow is asked in a process of its own, by `serving.bundles`, beside the requests: a page gets what was last learnt,
and asking begins when that is old. What is read here is what training writes: tags of versions, and the record of
promotions, of which only those entries count that had seen the one before them (training/promotions.py says why).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from features.errors import LeadQualityError, OutsideError
from features.text import Text
from serving.bundles import RECORD, ask_registry, model_uri

OLD_AFTER: Final = timedelta(minutes=5)
PATIENCE_S: Final = 0.25
"""A page waits so long for an answer that is on its way; later ones get it at once."""

Kind = Literal["promotion", "rollback"]


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version.

    Attributes
    ----------
    passed : bool or None
        What the gate said when it was trained; None if it was not asked.
    verdict : Text or None
        The same in a sentence.
    metrics : mapping of str to float
        Of its run: `log_loss`, `log_loss.low`, and those of the baselines such as `base_rate.log_loss`.
    """

    number: int
    bundle_id: str
    created_at: datetime
    aliases: tuple[str, ...]
    passed: bool | None
    verdict: Text | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Promotion:
    """Who made which version champion, when and why; `verdict` is passed, overridden, or empty for a rollback."""

    kind: Kind
    version: int
    replaces: int | None
    who: str
    at: datetime
    reason: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Record:
    """Versions and promotions, the newest first."""

    versions: tuple[Version, ...]
    promotions: tuple[Promotion, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known now.

    Attributes
    ----------
    record : Record or None
        What was last learnt.
    asked_at : datetime or None
        When.
    failure : str
        Why the last try failed; empty if it did not.
    is_asking : bool
        Whether an answer is on its way.
    """

    record: Record | None = None
    asked_at: datetime | None = None
    failure: str = ""
    is_asking: bool = False


class RegistryRecord:
    """The record of one model, asked again when it is old. Methods may be called from any thread.

    Parameters
    ----------
    source : str
        As LEAD_BUNDLE names the model; a directory has no record.
    ask : callable
        Asks the registry for a model's name, and blocks.
    """

    def __init__(self, source: str, ask: Callable[[str], Record] | None = None) -> None:
        match = model_uri(source)
        self._name = match["name"] if match else ""
        self._ask = ask or record_of
        self._told = Told()
        self._old_at: datetime | None = None
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name in the registry; empty if the bundle came from a directory."""
        return self._name

    def told(self, now: datetime) -> Told:
        """What is known at `now`; begins to ask if that is old, and waits a moment if nothing is known."""
        if not self._name:
            return Told()
        with self._lock:
            if self._asking is None and (self._old_at is None or now >= self._old_at):
                self._asking = threading.Thread(target=self._learn, args=(now,), name="registry-record", daemon=True)
                self._asking.start()
            asking = self._asking
        if asking is not None and self._told.record is None:
            asking.join(PATIENCE_S)
        told = self._told
        return Told(told.record, told.asked_at, told.failure, self._asking is not None)

    def _learn(self, now: datetime) -> None:
        try:
            self._told = Told(self._ask(self._name), now)
        except LeadQualityError as error:
            self._told = Told(self._told.record, self._told.asked_at, str(error).rstrip("."))
        finally:
            with self._lock:
                self._asking, self._old_at = None, now + OLD_AFTER


def record_of(name: str) -> Record:
    """What the registry knows of a model; blocks for some seconds.

    Raises
    ------
    OutsideError
        If it does not answer, or answers something else than training writes.
    """
    plain = ask_registry(RECORD, name, what=f"reading the record of {name}")
    try:
        return _record(plain)
    except (KeyError, TypeError, ValueError) as error:
        raise OutsideError(f"the registry's record of {name} cannot be read: {error!r}") from error


def _record(plain: Mapping[str, Any]) -> Record:
    versions = [_version(each) for each in plain["versions"]]
    promotions = [_promotion(each) for each in _that_count(plain["promotions"])]
    return Record(tuple(versions), tuple(reversed(promotions)))


def _version(plain: Mapping[str, Any]) -> Version:
    tags = plain["tags"]
    decision = json.loads(tags["gate.decision"]) if "gate.decision" in tags else None
    return Version(
        number=plain["number"],
        bundle_id=tags.get("bundle_id", ""),
        created_at=datetime.fromtimestamp(plain["created_at_ms"] / 1000, UTC),
        aliases=tuple(plain["aliases"]),
        passed=decision["passed"] if decision else None,
        verdict=Text(**decision["summary"]) if decision else None,
        metrics=plain["metrics"],
    )


def _that_count(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries that took effect, oldest first: each saw the one that counted before it."""
    counted: list[Mapping[str, Any]] = []
    for entry in entries:
        if not counted or int(entry["after"]) >= int(counted[-1]["position"]):
            counted.append(entry)
    return counted


def _promotion(plain: Mapping[str, Any]) -> Promotion:
    return Promotion(
        kind="rollback" if plain["kind"] == "rollback" else "promotion",
        version=int(plain["version"]),
        replaces=int(plain["replaces"]) if plain["replaces"] else None,
        who=plain["who"],
        at=datetime.fromisoformat(plain["at"]),
        reason=plain["reason"],
        verdict=plain["verdict"],
    )
