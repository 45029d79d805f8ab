"""Requests of one loop: together into the store and back, alone without waiting, each with its own result."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from serving.gathering import MOST_IN_A_GROUP, Gathering, Written
from serving.settings import Settings
from serving.store import KeyReusedError, NewScore, Saved, Store, StoreDownError, WantedScores
from tests.serving.store.test_store import MODEL, SCORE


class Groups:
    """Hears how many writes each transaction had, and how many scores were told of."""

    def __init__(self) -> None:
        self.writes: list[int] = []
        self.told: list[int] = []

    def committed(self, n_writes: int, duration_s: float, n_waiting: int) -> None:  # noqa: ARG002
        self.writes.append(n_writes)

    def scored(self, new: Sequence[NewScore]) -> None:
        self.told.append(len(new))


class Desk:
    """Takes groups as a store does, and counts them."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def submit(self, group: Sequence[WantedScores]) -> Written:
        self.taken.append(len(group))
        written: Written = Future()
        written.set_result([[Saved(b"", repeated=False)]] * len(group))
        return written


def wanted(key: str, request_hash: str = "h") -> WantedScores:
    return WantedScores(MODEL, [replace(SCORE, request_key=key, request_hash=request_hash, lead_id=f"L{key}")])


@pytest.fixture
def groups() -> Groups:
    return Groups()


@pytest.fixture
def told_store(database_url: str, groups: Groups) -> Iterator[Store]:
    store = Store(Settings(database_url=database_url).database_url, observer=groups)
    store.migrate()
    yield store
    store.close()


def test_requests_that_come_together_share_a_transaction_and_are_told_together(
    told_store: Store, groups: Groups
) -> None:
    async def run() -> list[list[object]]:
        gathering = Gathering(told_store.scores.submit, 5)
        return list(await asyncio.gather(*(gathering.stored(wanted(f"k{number}")) for number in range(40))))

    answers = asyncio.run(run())
    assert answers == [[Saved(SCORE.answer, repeated=False)]] * 40
    assert (groups.writes, groups.told) == ([40], [40])


def test_a_request_that_comes_while_the_loop_is_busy_still_joins_the_group(told_store: Store, groups: Groups) -> None:
    async def later(gathering: Gathering, number: int) -> None:
        for _ in range(number):  # one more turn of the loop for each
            await asyncio.sleep(0)
        await gathering.stored(wanted(f"k{number}"))

    async def run() -> None:
        gathering = Gathering(told_store.scores.submit, 5)
        await asyncio.gather(*(later(gathering, number) for number in range(8)))

    asyncio.run(run())
    assert groups.writes == [8]


def test_a_request_that_is_alone_waits_for_nobody() -> None:
    desk = Desk()

    async def run() -> None:
        waiting = asyncio.create_task(Gathering(desk.submit, 5).stored(wanted("alone")))
        for _ in range(4):  # turns of the loop, and no time at all
            await asyncio.sleep(0)
        assert desk.taken == [1]
        await waiting

    asyncio.run(run())


def test_a_loop_that_never_rests_stores_all_the_same() -> None:
    desk = Desk()

    async def run() -> None:
        gathering = Gathering(desk.submit, 5)
        tasks = []
        for number in range(3 * MOST_IN_A_GROUP):
            tasks.append(asyncio.create_task(gathering.stored(wanted(f"k{number}"))))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    asyncio.run(run())
    assert sum(desk.taken) == 3 * MOST_IN_A_GROUP
    assert max(desk.taken) <= MOST_IN_A_GROUP + 1


@pytest.mark.parametrize("fault", [StoreDownError("too many writes wait"), ZeroDivisionError()])
def test_what_cannot_be_submitted_is_told_to_all_who_wait(fault: Exception) -> None:
    def submit(_: Sequence[WantedScores]) -> Written:
        raise fault

    async def run() -> list[object]:
        gathering = Gathering(submit, 5)
        asked = [gathering.stored(wanted(key)) for key in ("a", "b")]
        return list(await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5))

    assert asyncio.run(run()) == [fault, fault]


def test_a_refusal_touches_nobody_else_of_the_group(told_store: Store) -> None:
    async def run() -> list[object]:
        gathering = Gathering(told_store.scores.submit, 5)
        await gathering.stored(wanted("a"))
        asked = [gathering.stored(each) for each in (wanted("a", "another"), wanted("b"), wanted("a"))]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    reused, stored, again = asyncio.run(run())
    assert isinstance(reused, KeyReusedError)
    assert stored == [Saved(SCORE.answer, repeated=False)]
    assert again == [Saved(SCORE.answer, repeated=True)]


def test_a_request_that_was_given_up_leaves_the_others_of_its_group_alone(told_store: Store) -> None:
    async def run() -> list[object]:
        gathering = Gathering(told_store.scores.submit, 5)
        tasks = [asyncio.create_task(gathering.stored(wanted(key))) for key in ("a", "b")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    given_up, stored = asyncio.run(run())
    assert isinstance(given_up, asyncio.CancelledError)
    assert stored == [Saved(SCORE.answer, repeated=False)]


def test_a_store_that_is_held_up_fails_the_whole_group_and_writes_nothing_of_what_waited(tmp_path: Path) -> None:
    path, held = tmp_path / "held.db", threading.Event()
    store = Store(f"sqlite:///{path}", timeout_s=30)
    store.migrate()

    async def run() -> tuple[list[object], float]:
        gathering = Gathering(store.scores.submit, 0.2)
        first = asyncio.create_task(gathering.stored(wanted("begun")))
        await asyncio.sleep(0.05)  # its transaction waits for the lock by now
        began = time.monotonic()
        asked = [gathering.stored(wanted(f"k{number}")) for number in range(3)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
        took_s = time.monotonic() - began
        held.set()
        await asyncio.gather(first, return_exceptions=True)
        return list(failed), took_s

    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        release = threading.Thread(target=lambda: (held.wait(10), other.rollback()))
        release.start()
        failed, took_s = asyncio.run(run())
        release.join()
    store.close()
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT request_key FROM scores").scalars().all()
    engine.dispose()
    assert [type(each) for each in failed] == [StoreDownError] * 3
    assert 0.1 < took_s < 5
    assert kept == ["begun"]
