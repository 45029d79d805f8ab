"""The calls of a simulated CRM, taken as they would have been at their time: how the demo comes to have a past.

Each call goes through the same functions as over HTTP, only that the clock shows the moment of the call. What may not
be stored, such as sales' verdict on a lead that was not handed over, is refused as ever, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from features.errors import DataError, Problem
from features.text import Text
from serving.feedback.reading import Arrived
from serving.feedback.telling import OUTCOMES, VERDICTS, Way, tell_many
from serving.identity import Arrival
from serving.scorer import Scorer
from serving.scoring import answered, model_record, score_lead
from serving.store import Store, Told, WantedScores

NOBODY_ASKED = "replay"
Progress = Callable[[date], None]


class NotSimulatedError(DataError):
    """Calls with dates of the past were to be taken by a model of real leads."""

    title = Text("This model is about real leads", "Dieses Modell handelt von echten Leads")


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many calls of each kind there were, and how many of them were refused."""

    scores: int = 0
    verdicts: int = 0
    outcomes: int = 0
    refused: int = 0

    def __add__(self, other: Replayed) -> Replayed:
        return Replayed(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class _Call:
    at: datetime
    kind: str
    body: dict[str, Any]


def replay(path: Path, scorer: Scorer, store: Store, progress: Progress = lambda _day: None) -> Replayed:
    """How many calls of the file were taken, and refused; what was stored before is not stored again.

    Parameters
    ----------
    path : Path
        Lines of JSON with `at`, `kind` (score, verdict or outcome) and `body`, in the order of time.
    progress : callable
        Told each day that begins.

    Raises
    ------
    NotSimulatedError
        If the model is about real leads.
    DataError
        If a lead cannot be scored as it stands there.
    StoreDownError
        If the database fails.
    """
    if not scorer.bundle.definition.simulated:
        raise NotSimulatedError([_not_simulated(scorer)])
    done = Replayed()
    for day, calls in groupby(_read(path), key=lambda call: call.at.date()):
        progress(day)
        done += _day(list(calls), scorer, store)
    return done


def _read(path: Path) -> Iterator[_Call]:
    with path.open("rb") as lines:
        for line in lines:
            call = orjson.loads(line)
            yield _Call(datetime.fromisoformat(call["at"]), call["kind"], call["body"])


def _day(calls: Sequence[_Call], scorer: Scorer, store: Store) -> Replayed:
    """One day's calls; the scores first, for what is told of a lead needs one."""
    by_kind = {kind: [call for call in calls if call.kind == kind] for kind in ("score", "verdict", "outcome")}
    done = Replayed(*(len(of_kind) for of_kind in by_kind.values()))
    _score(by_kind["score"], scorer, store)
    refused = _tell(by_kind["verdict"], VERDICTS, store.verdicts, scorer)
    refused += _tell(by_kind["outcome"], OUTCOMES, store.outcomes, scorer)
    return done + Replayed(refused=refused)


def _score(calls: Sequence[_Call], scorer: Scorer, store: Store) -> None:
    model = model_record(scorer.model_name)
    pending = [score_lead(orjson.dumps(call.body), scorer, received_at=call.at, idempotency_key=None) for call in calls]
    written = store.scores.submit([WantedScores(model, [each.new]) for each in pending]).result()
    for each, stored in zip(pending, written, strict=True):
        if isinstance(stored, BaseException):
            raise stored
        answered(each, stored[0], "en")


def _tell(calls: Sequence[_Call], way: Way[Any], told: Told[Any], scorer: Scorer) -> int:
    """Tell the store of verdicts or outcomes; how many it refused."""
    if not calls:
        return 0
    arrived = Arrived(scorer.bundle.definition, Arrival(calls[-1].at))
    raw = orjson.dumps({way.many: [call.body for call in calls]})
    try:
        answer = tell_many(raw, way, told, arrived, most=len(calls), language="en", request_id=NOBODY_ASKED)
    except DataError:
        return len(calls)  # not one of them fits
    return int(orjson.loads(answer)["n_refused"])


def _not_simulated(scorer: Scorer) -> Problem:
    return Problem(
        where="data_origin",
        what=Text("simulated calls may not stand among real leads", "simulierte Aufrufe dürfen nicht zu echten Leads"),
        seen=scorer.bundle.definition.definition.data_origin,
        expected=Text("a model that learnt from simulated leads", "ein Modell, das aus simulierten Leads gelernt hat"),
        code="not_simulated",
    )
