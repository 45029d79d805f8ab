"""Stored scores: written once for each request, and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, Engine, select

from features.errors import LeadQualityError
from serving.store import leads
from serving.store.errors import KeyReusedError, LeadRefusedError, outside
from serving.store.observer import Observer
from serving.store.records import ModelRecord, NewScore, Saved
from serving.store.refusals import refused_leads
from serving.store.reuse import reuses_a_key
from serving.store.rows import insert_all, insert_missing, rows_of, where_in
from serving.store.tables import models, objections, scores
from serving.store.writer import Writer

COLUMNS = tuple(name for name in (column.name for column in scores.columns) if name in NewScore.__slots__)
STORED = where_in(select(scores.c.request_key, scores.c.request_hash, scores.c.answer), scores.c.request_key)
KNOWN_MODELS = where_in(select(models.c.bundle_id), models.c.bundle_id)
REFUSED = where_in(
    select(scores.c.request_key).join(objections, objections.c.lead_id == scores.c.lead_id), scores.c.request_key
)
Stored: TypeAlias = Saved | LeadRefusedError


@dataclass(frozen=True, slots=True)
class WantedScores:
    """The scores of one request; they are stored together or not at all."""

    model: ModelRecord
    new: Sequence[NewScore]


class _Known(NamedTuple):
    """What is stored under a request key."""

    request_hash: str
    answer: bytes


class Scores:
    """Scores in the store. Methods block on the database, except `submit`: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer, observer: Observer) -> None:
        self._engine = engine
        self._writer = writer
        self._observer = observer
        self._listener: Callable[[Sequence[NewScore]], object] = lambda _new: None

    def listen(self, listener: Callable[[Sequence[NewScore]], object]) -> None:
        """Tell `listener` of scores once they are stored, each once; it must not block, and what it raises is lost."""
        self._listener = listener

    def save(self, model: ModelRecord, new: Sequence[NewScore]) -> list[Stored]:
        """What is stored for each of `new`, in their order, or why nothing may be; all are committed together.

        Raises
        ------
        KeyReusedError
            If a key is already stored with another content; then nothing is written.
        StoreDownError
            If the database fails; then nothing was acknowledged, and the same request may be sent again.
        """
        stored = self._writer.write(_write, WantedScores(model, new))
        self._told(_not_there_before(new, stored))
        return stored

    def submit(self, requests: Sequence[WantedScores]) -> Future[list[list[Stored] | BaseException]]:
        """The same of several requests that wait together, as a future, for callers that do not block."""
        stored = self._writer.submit(_write, requests)
        stored.add_done_callback(partial(self._tell, requests))
        return stored

    def repeated(self, asked: Mapping[str, str]) -> dict[str, Saved]:
        """What is stored already, by request key; nothing of leads that may not be scored any more.

        Parameters
        ----------
        asked : mapping of str to str
            Request key to request hash.

        Raises
        ------
        KeyReusedError
            If a key is stored with another content.
        """
        with outside(), self._engine.connect() as connection:
            stored = _stored(connection, asked)
            refused = _refused_keys(connection, stored)
        if reuses_a_key(asked.items(), stored):
            raise KeyReusedError
        return {key: Saved(known.answer, repeated=True) for key, known in stored.items() if key not in refused}

    def latest(self, lead_id: str) -> bytes | None:
        """The lead's answer with the latest as-of date, the one stored last among equals; None if it has none."""
        newest_first = (scores.c.as_of.desc(), scores.c.id.desc())
        query = select(scores.c.answer).where(scores.c.lead_id == lead_id).order_by(*newest_first).limit(1)
        with outside(), self._engine.connect() as connection:
            answer: bytes | None = connection.execute(query).scalar()
        return answer

    def _tell(self, requests: Sequence[WantedScores], stored: Future[list[list[Stored] | BaseException]]) -> None:
        if not stored.cancelled():
            outcomes = zip(requests, stored.result(), strict=True)
            written = [(request.new, each) for request, each in outcomes if not isinstance(each, BaseException)]
            self._told([score for new, each in written for score in _not_there_before(new, each)])

    def _told(self, fresh: Sequence[NewScore]) -> None:
        self._observer.scored(fresh)
        if fresh:
            self._listener(fresh)


def _not_there_before(new: Sequence[NewScore], stored: Sequence[Stored]) -> list[NewScore]:
    """The scores that this request stored, each once: a lead may stand in it twice."""
    fresh = {
        score.request_key: score
        for score, each in zip(new, stored, strict=True)
        if isinstance(each, Saved) and not each.repeated
    }
    return list(fresh.values())


def _write(connection: Connection, requests: Sequence[WantedScores]) -> list[list[Stored] | LeadQualityError]:
    """Store what is new of each request; one whose key was used for something else leaves nothing behind."""
    everything = [score for wanted in requests for score in wanted.new]
    stored = _stored(connection, [score.request_key for score in everything])
    refused = refused_leads(connection, [score.lead_id for score in everything])
    results: list[list[Stored] | LeadQualityError] = []
    new: list[tuple[ModelRecord, NewScore]] = []
    for wanted in requests:
        if reuses_a_key([(score.request_key, score.request_hash) for score in wanted.new], stored):
            results.append(KeyReusedError())
            continue
        fresh = _fresh(wanted, stored, refused)
        stored |= {key: _Known(score.request_hash, score.answer) for key, score in fresh.items()}
        new += [(wanted.model, score) for score in fresh.values()]
        results.append([_told(score, stored, fresh, refused) for score in wanted.new])
    _insert(connection, new)
    return results


def _fresh(
    wanted: WantedScores, stored: Mapping[str, _Known], refused: Mapping[str, LeadRefusedError]
) -> dict[str, NewScore]:
    """The scores of a request that are to be stored, by request key."""
    fresh: dict[str, NewScore] = {}
    for score in wanted.new:
        if score.request_key not in stored and score.lead_id not in refused:
            fresh.setdefault(score.request_key, score)
    return fresh


def _told(
    score: NewScore,
    stored: Mapping[str, _Known],
    fresh: Mapping[str, NewScore],
    refused: Mapping[str, LeadRefusedError],
) -> Stored:
    if score.lead_id in refused:
        return refused[score.lead_id]
    return Saved(stored[score.request_key].answer, repeated=score.request_key not in fresh)


def _insert(connection: Connection, new: Sequence[tuple[ModelRecord, NewScore]]) -> None:
    if not new:
        return
    first_served = {model: score.received_at for model, score in reversed(new)}
    known = {row.bundle_id for row in rows_of(connection, KNOWN_MODELS, [model.bundle_id for model in first_served])}
    missing = [_model_row(model, moment) for model, moment in first_served.items() if model.bundle_id not in known]
    if missing:
        insert_missing(connection, models, missing)
    insert_all(connection, scores, [_row(model, score) for model, score in new])
    leads.count_scores(connection, new)


def _model_row(model: ModelRecord, moment: datetime) -> dict[str, object]:
    return {**asdict(model), "first_served_at": moment}


def _row(model: ModelRecord, score: NewScore) -> dict[str, object]:
    about = {"bundle_id": model.bundle_id, "definition_fingerprint": model.definition_fingerprint}
    return {name: getattr(score, name) for name in COLUMNS} | about


def _refused_keys(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Those of the stored requests whose lead may not be scored any more."""
    return {row.request_key for row in rows_of(connection, REFUSED, list(keys))}


def _stored(connection: Connection, keys: Iterable[str]) -> dict[str, _Known]:
    """What is stored already, by request key."""
    found = rows_of(connection, STORED, list(dict.fromkeys(keys)))
    return {row.request_key: _Known(row.request_hash, row.answer) for row in found}
