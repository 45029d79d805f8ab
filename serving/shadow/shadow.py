"""Scoring in the shadow: off the way of answers, from a queue that is bounded, by numbers alone.

Leads come here after their score is stored. What does not fit into the queue is dropped and counted: no answer
waits. A challenger may have other fields than the champion: those that were not sent are missing to it, and those that
it does not know are not shown to it. A lead whose values it does not allow is left out, and counted.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import orjson

from features import grades
from features.encode import EncodedRecord
from features.errors import LeadQualityError, RecordError
from serving.in_service import ModelInService
from serving.logs import log
from serving.scorer import Scorer
from serving.store import ModelRecord, NewScore, ShadowScore, Store

MOST_WAITING = 10_000
MOST_AT_A_TIME = 500
GATHER_S = 0.1


@dataclass(slots=True)
class Counts:
    """What became of the leads that came, in this process since it started."""

    n_scored: int = 0
    n_dropped: int = 0
    n_unfit: int = 0


class Shadow:
    """Scores leads with a challenger. Its thread starts with the first lead and ends with `close`."""

    def __init__(
        self,
        champion: ModelInService,
        challenger: ModelInService,
        store: Store,
        clock: Callable[[], datetime],
        record_of: Callable[[Scorer], ModelRecord],
    ) -> None:
        self.champion, self.challenger, self.counts = champion, challenger, Counts()
        self._store, self._clock, self._record_of = store, clock, record_of
        self._waiting: queue.Queue[NewScore | None] = queue.Queue(MOST_WAITING)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def offer(self, stored: Sequence[NewScore]) -> None:
        """Take leads whose scores are stored, as far as there is room; never blocks."""
        self._ensure_thread()
        for number, score in enumerate(stored):
            try:
                self._waiting.put_nowait(score)
            except queue.Full:
                self.counts.n_dropped += len(stored) - number
                return

    def close(self) -> None:
        """Score what waits, and end the thread."""
        with self._start:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            time.sleep(GATHER_S)  # what comes meanwhile is scored and stored together: one commit for all
            group, ended = self._with_all_that_wait(first)
            try:
                self._score(group)
            except LeadQualityError as error:
                self.counts.n_dropped += len(group)
                log.warning("not scored in the shadow", n_leads=len(group), reason=str(error))
            except Exception:  # whatever it is: without this thread, what waits would only grow
                self.counts.n_dropped += len(group)
                log.exception("not scored in the shadow", n_leads=len(group))
            if ended:
                return

    def _with_all_that_wait(self, first: NewScore) -> tuple[list[NewScore], bool]:
        group = [first]
        while len(group) < MOST_AT_A_TIME:
            try:
                score = self._waiting.get_nowait()
            except queue.Empty:
                break
            if score is None:
                return group, True
            group.append(score)
        return group, False

    def _score(self, group: Sequence[NewScore]) -> None:
        scorer = self.challenger.scorer
        if scorer.bundle.bundle_id == self.champion.scorer.bundle.bundle_id:
            return  # promoted: there is nothing to compare
        read = [(score, record) for score, record in zip(group, _records(group, scorer), strict=True) if record]
        self.counts.n_unfit += len(group) - len(read)
        if read:
            self.counts.n_scored += self._store.shadows.save(
                self._record_of(scorer), _would_be(read, scorer, self._clock())
            )


def _records(group: Sequence[NewScore], scorer: Scorer) -> Iterator[EncodedRecord | None]:
    """Each lead as the challenger sees it; None if a value of it does not fit."""
    known = scorer.bundle.definition.fields
    for score in group:
        fields = {name: value for name, value in orjson.loads(score.inputs).items() if name in known}
        try:
            yield scorer.encode(fields, score.as_of)
        except RecordError:
            yield None


def _would_be(read: Sequence[tuple[NewScore, EncodedRecord]], scorer: Scorer, scored_at: datetime) -> list[ShadowScore]:
    bundle = scorer.bundle
    explained = bundle.model.explain(np.array([record.row for _, record in read]))
    threshold = bundle.manifest.handover_threshold
    numbers = zip(explained.probability.tolist(), explained.log_odds.tolist(), strict=True)
    return [
        ShadowScore(
            request_key=score.request_key,
            probability=probability,
            log_odds=log_odds,
            grade=grades.grade(probability, bundle.definition),
            handover=grades.handover(probability, threshold),
            scored_at=scored_at,
        )
        for (score, _), (probability, log_odds) in zip(read, numbers, strict=True)
    ]
