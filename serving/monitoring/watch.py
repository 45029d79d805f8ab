"""One evaluation: what came to the store is read as the model in service reads it, checked, and the alerts are kept."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from features.definition import LeadDefinition, facts_fingerprint
from features.encode import Matrix
from features.errors import RecordError
from features.model.bundle import Bundle
from features.target import within
from serving.monitoring.checks import Matured, Recent, Seen, readings
from serving.monitoring.drift import Integers
from serving.monitoring.hysteresis import Patience, State, after
from serving.monitoring.reading import Reading
from serving.monitoring.volume import MOST_DAYS
from serving.store import AlertRecord, Comparable, FirstScore, Watching

TURN_SHARE = 0.9
"""A worker may evaluate when this share of the time between two evaluations has passed since anybody did."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What an evaluation looks at, and when it changes an alert.

    Attributes
    ----------
    leads, days : int
        The newest leads of the last days, at most so many; matured leads are as many.
    silent : frozenset of str
        Names of alerts that are never raised: what changes by design, such as campaigns.
    """

    leads: int
    days: int
    patience: Patience
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands, with what was last found."""

    state: State
    checked_at: datetime
    reading: Reading

    @property
    def name(self) -> str:
        """What it is called."""
        return self.reading.name

    @property
    def was_cleared(self) -> bool:
        """Whether this evaluation cleared it."""
        return not self.state.raised and self.state.since == self.checked_at and self.state.n_under > 1


def evaluate(bundle: Bundle, watching: Watching, settings: WatchSettings, now: datetime) -> list[Alert]:
    """The alerts after one more evaluation at `now`, which is stored; blocks, some 10 ms for each thousand leads.

    Raises
    ------
    StoreDownError
        If the store fails; then no alert has changed.
    """
    found = readings(bundle, _seen(bundle, watching, settings, now))
    return alerts_of(watching.change(partial(_stepped, found=found, now=now, settings=settings)))


def evaluate_in_turn(
    bundle: Bundle, watching: Watching, settings: WatchSettings, now: datetime, every_s: float
) -> list[Alert] | None:
    """The same if nobody else has evaluated, or begun to, within most of `every_s` seconds; else None."""
    if not watching.take_turn(now, now - timedelta(seconds=TURN_SHARE * every_s)):
        return None
    return evaluate(bundle, watching, settings, now)


def alerts_of(records: Iterable[AlertRecord]) -> list[Alert]:
    """Stored alerts, the raised ones first."""
    alerts = [
        Alert(
            State(each.raised, each.since, each.n_over, each.n_under),
            each.checked_at,
            Reading.from_dict(json.loads(each.detail)),
        )
        for each in records
    ]
    return sorted(alerts, key=lambda alert: (not alert.state.raised, alert.name))


def _stepped(
    before: Mapping[str, AlertRecord], *, found: Sequence[Reading], now: datetime, settings: WatchSettings
) -> list[AlertRecord]:
    """The alerts after these findings; those that no check of this model is about are dropped."""
    stepped = []
    for reading in found:
        record = before.get(reading.name)
        state = State(record.raised, record.since, record.n_over, record.n_under) if record else None
        verdict = "under" if reading.name in settings.silent else reading.verdict
        stepped.append(_record(reading, after(state, verdict, now, settings.patience), now))
    return stepped


def _record(reading: Reading, state: State, now: datetime) -> AlertRecord:
    value = reading.value if math.isfinite(reading.value) else None
    detail = json.dumps(reading.to_dict(), allow_nan=False).encode()
    return AlertRecord(reading.name, state.raised, state.since, now, state.n_over, state.n_under, value, detail)


def _seen(bundle: Bundle, watching: Watching, settings: WatchSettings, now: datetime) -> Seen:
    definition = bundle.definition
    zone = ZoneInfo(definition.read.timezone)
    recent = watching.recent(_comparable(definition), now - timedelta(days=settings.days), settings.leads)
    has_outcomes = watching.has_outcomes()
    return Seen(
        recent=_recent(bundle, recent),
        matured=matured_leads(bundle, watching, settings.leads, now) if has_outcomes else None,
        lacks_outcomes=not has_outcomes,
        counts=watching.counts(whole_days(watching.first_scored_at(), now, zone)),
    )


def _comparable(definition: LeadDefinition) -> Comparable:
    return Comparable(definition.fingerprint, facts_fingerprint(definition))


def whole_days(first: datetime | None, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """The midnights between the whole days up to today that volume looks at, none of them before `first`."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(MOST_DAYS, -1, -1)]
    midnights = [midnight(day, zone) for day in days]
    return [moment for moment in midnights if first is not None and moment >= first]


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a day begins on the clocks of `zone`."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _recent(bundle: Bundle, leads: Sequence[FirstScore]) -> Recent:
    matrix, kept = _encoded(bundle, leads)
    return recent_of(bundle, matrix, _accounts(kept))


def recent_of(bundle: Bundle, matrix: Matrix, account: Integers) -> Recent:
    """Encoded leads with all that the model says of them."""
    if not len(matrix):
        return Recent(matrix, account, np.empty(0), None if bundle.familiar is None else np.empty(0, dtype=bool))
    computed = bundle.compute(matrix)
    unlike = None if bundle.familiar is None else np.asarray(computed.strange.any(axis=1))
    return Recent(matrix, account, computed.probability, unlike)


def matured_leads(bundle: Bundle, watching: Watching, most: int, now: datetime) -> Matured | None:
    """The newest leads that matured and came after everything that the model learnt from; None without a horizon.

    Blocks, some 10 ms for each thousand leads.
    """
    definition, manifest = bundle.definition, bundle.manifest
    if definition.target.horizon_days is None:
        return None
    horizon = timedelta(days=definition.target.horizon_days)
    day = manifest.seen_until("shipped", "recalibrated") or manifest.created_at[: len("2026-01-31")]
    since = midnight(date.fromisoformat(day), ZoneInfo(definition.read.timezone))
    found = watching.matured(_comparable(definition), since, now - horizon, most)
    matrix, leads = _encoded(bundle, [lead for lead in found if not lead.was_closed])
    won = [_is_won(lead, lead.as_of + horizon) for lead in leads]
    recent = recent_of(bundle, matrix, _accounts(leads))
    return Matured(np.array(won, dtype=bool), recent.probability, recent.account, tuple(lead.as_of for lead in leads))


def _is_won(lead: FirstScore, end: datetime) -> bool:
    return lead.outcome == "won" and lead.outcome_at is not None and bool(within(lead.outcome_at, end))


def _encoded(bundle: Bundle, leads: Sequence[FirstScore]) -> tuple[Matrix, list[FirstScore]]:
    """The leads as rows, and the leads themselves; without any that this release refuses, an earlier one did not."""
    encoder, rows, kept = bundle.model.encoder, [], []
    for lead in leads:
        try:
            rows.append(encoder.record(json.loads(lead.inputs), lead.as_of).row)
        except RecordError:
            continue
        kept.append(lead)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(encoder.fields)), kept


def _accounts(leads: Sequence[FirstScore]) -> Integers:
    """Accounts as numbers from 0; a lead without one is an account of its own."""
    numbers, fresh = dict[str | int, int](), itertools.count()
    names: list[str | int] = [next(fresh) if lead.account_id is None else lead.account_id for lead in leads]
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
