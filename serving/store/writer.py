"""The one way in: everything that is stored is written here, and committed before its caller is told.

Each process has one writing thread. What waits while it commits goes into the next transaction together, so that
thirty callers share one flush to the disk. On PostgreSQL a lock does between processes what SQLite's does: there is one
writer at a time, and so what a transaction has looked up cannot change before it writes.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from features.errors import LeadQualityError
from features.text import Text
from serving.store.engine import WRITES
from serving.store.errors import StoreDownError, outside
from serving.store.log import Log
from serving.store.observer import Observer

ONE_WRITER = 4_711_202_602  # any constant: the number under which writing processes wait for each other on PostgreSQL
MOST_IN_A_GROUP = 256
GATHERING_S = 0.004
"""How long a group gathers, where the one before was of several: a transaction costs much more than a row of it."""
MOST_WAITING = 10_000
LIMITS_OF_A_GROUP = 3
"""How many of the database's own time limits what is being written may take: for the lock, statements, the commit."""

HELD_UP = Text("the database is held up by other writers", "andere Schreibende halten die Datenbank auf")
UNHEARD_OF = Text(
    "the database does not say what became of a write", "die Datenbank sagt nicht, was aus einem Schreiben wurde"
)
TOO_MANY = Text("too many writes wait for the database", "zu vieles wartet darauf, geschrieben zu werden")

P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")
Write: TypeAlias = Callable[[Connection, Sequence[P]], "list[R | LeadQualityError]"]
"""Writes what several callers want, and says for each what became of it: its result, or why nothing was written for it.

It is called again from the start if the transaction fails, so it changes nothing but the database.
"""


Became: TypeAlias = "R | BaseException"
"""What became of a write: its result, or why there is none."""


@dataclass(frozen=True, slots=True)
class _Job(Generic[P, R]):
    """What one caller wants written, or several who wait together."""

    write: Write[P, R]
    wanted: Sequence[P]
    done: Future[list[Became[R]]] = field(default_factory=Future)


_Single: TypeAlias = "tuple[Write[Any, Any], Any]"
"""One of the writes of a job."""


class Writer:
    """Writes for all threads of this process. Its thread starts with the first write and ends with `close`.

    Parameters
    ----------
    timeout_s : float
        Longest wait for other writers.
    observer : Observer
        Told about each transaction.
    log : Log
        Emptied after a commit if it could not be when something was removed.

    Attributes
    ----------
    last_failed : bool
        Whether the database refused the last transaction.
    """

    def __init__(self, engine: Engine, timeout_s: float, observer: Observer, log: Log) -> None:
        self.last_failed = False
        self._observer = observer
        self._log = log
        self._engine = engine.execution_options(**{WRITES: True})
        self._timeout_s = timeout_s
        self._jobs: queue.Queue[_Job[Any, Any] | None] = queue.Queue(MOST_WAITING)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, write: Write[P, R], wanted: P) -> R:
        """What `write` made of `wanted`, committed; blocks.

        Raises
        ------
        StoreDownError
            If the database fails or is held up. What had begun by then may still be written, so the same has to be
            asked again: every write asked twice is written once.
        LeadQualityError
            What `write` gave as the reason why it wrote nothing.
        """
        (outcome,) = self._waited_for(self.submit(write, [wanted]))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _waited_for(self, done: Future[T]) -> T:
        try:
            return done.result(self._timeout_s)
        except TooLate:
            if done.cancel():
                raise StoreDownError(HELD_UP) from None
        return self._begun(done)

    def _begun(self, done: Future[T]) -> T:
        """What is being written by now; the database's own limits end that, unless nothing is heard of it any more."""
        try:
            return done.result(LIMITS_OF_A_GROUP * self._timeout_s)
        except TooLate:
            raise StoreDownError(UNHEARD_OF) from None

    def submit(self, write: Write[P, R], wanted: Sequence[P]) -> Future[list[Became[R]]]:
        """What became of each of `wanted`, as a future that is done when it is committed; does not block.

        Whoever cancels it while it waits keeps it from being written.

        Raises
        ------
        StoreDownError
            If too much waits already.
        """
        job = _Job(write, wanted)
        self._ensure_thread()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise StoreDownError(TOO_MANY) from None
        return job.done

    def close(self) -> None:
        """End the thread when everything that waits has been written."""
        with self._start:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        expected = 1
        while (job := self._jobs.get()) is not None:
            group, ended = self._with_all_that_wait(job, expected)
            expected = len(group)
            # From here on nobody can give up waiting: what is written is also told.
            group = [each for each in group if each.done.set_running_or_notify_cancel()]
            if group:
                self._write_and_tell(group)
                self._log.empty_if_due()
            if ended:
                return

    def _with_all_that_wait(self, first: _Job[Any, Any], expected: int) -> tuple[list[_Job[Any, Any]], bool]:
        """The first job, and those that wait by now; whether the thread shall end.

        Where the group before was of several, callers that were answered together ask together, and it sleeps a
        little so that more of them share the transaction. A caller that is alone waits for nobody.
        """
        if expected > 1:
            time.sleep(GATHERING_S)  # not woken by each that comes: every change of threads costs as much as a row
        group, n_writes = [first], len(first.wanted)
        while n_writes < MOST_IN_A_GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
            n_writes += len(job.wanted)
        return group, False

    def _write_and_tell(self, group: Sequence[_Job[Any, Any]]) -> None:
        outcomes = iter(self._outcomes([(job.write, wanted) for job in group for wanted in job.wanted]))
        for job in group:
            job.done.set_result(list(itertools.islice(outcomes, len(job.wanted))))

    def _outcomes(self, writes: Sequence[_Single]) -> list[Became[Any]]:
        try:
            outcomes = self._committed(writes)
            self.last_failed = False
            return outcomes
        except BaseException as error:  # whatever it is must reach the callers, not end the only thread that writes
            self.last_failed = isinstance(error, StoreDownError)
            if len(writes) > 1 and not isinstance(error.__cause__, OperationalError):
                # One of them is at fault, and the others shall not suffer for it.
                return [outcome for each in writes for outcome in self._outcomes([each])]
            return [error] * len(writes)

    def _committed(self, writes: Sequence[_Single]) -> list[Became[Any]]:
        started = time.perf_counter()
        with outside(), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ONE_WRITER})
            done = [outcome for outcomes in _written(connection, writes) for outcome in outcomes]
        self._observer.committed(len(writes), time.perf_counter() - started, self._n_waiting())
        return done

    def _n_waiting(self) -> int:
        with self._jobs.mutex:
            return sum(len(job.wanted) for job in self._jobs.queue if job is not None)


def _written(connection: Connection, writes: Sequence[_Single]) -> Iterator[list[Any]]:
    """The results of neighbours that want the same kind of write, which are written together."""
    for write, same in itertools.groupby(writes, key=itemgetter(0)):
        yield write(connection, [wanted for _, wanted in same])
