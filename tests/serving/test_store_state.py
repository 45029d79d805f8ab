"""The database is asked once for all who want to know whether it can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.pool import Pool

from serving.store import Store
from serving.store_state import FRESH_S, StoreState


@contextmanager
def counted() -> Iterator[list[object]]:
    """The connections taken from any pool within the block."""
    taken: list[object] = []

    def note(connection: object, *_: object) -> None:
        taken.append(connection)

    sa.event.listen(Pool, "checkout", note)
    try:
        yield taken
    finally:
        sa.event.remove(Pool, "checkout", note)


def test_a_hundred_askers_within_a_second_cost_the_database_one_question(sqlite_url: str) -> None:
    now_s = 0.0

    async def ask() -> None:
        nonlocal now_s
        state = StoreState(store, lambda: now_s)
        with counted() as taken:
            assert await asyncio.gather(*(state.error() for _ in range(100))) == [None] * 100
            once = len(taken)
            await state.error()
            assert len(taken) == once
            now_s += FRESH_S
            await state.error()
            assert len(taken) == 2 * once > 0

    with_tables = Store(sqlite_url, timeout_s=5)
    with_tables.migrate()
    with_tables.close()
    store = Store(sqlite_url, timeout_s=5)
    asyncio.run(ask())
    store.close()


def test_what_was_wrong_is_forgotten_after_a_second(sqlite_url: str) -> None:
    now_s = 0.0

    async def ask() -> None:
        nonlocal now_s
        state = StoreState(store, lambda: now_s)
        assert "migrate" in str(await state.error())
        store.migrate()
        now_s += FRESH_S
        assert await state.error() is None

    store = Store(sqlite_url, timeout_s=5)
    asyncio.run(ask())
    store.close()
