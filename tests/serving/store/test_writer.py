"""The one writing thread: what waits is committed together, and nobody suffers for another's fault."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.errors import LeadQualityError
from serving.settings import Settings
from serving.store import NotMigratedError, StoreDownError
from serving.store.engine import open_engine
from serving.store.log import Log
from serving.store.observer import Nobody
from serving.store.writer import Writer

notes = sa.Table("notes", sa.MetaData(), sa.Column("note", sa.String(40), unique=True), sa.Column("grp", sa.Integer))


class Notes:
    """Writes notes, and counts the transactions in which it did."""

    def __init__(self, engine: sa.Engine) -> None:
        self.groups: list[int] = []
        self.hold, self.held = threading.Event(), threading.Event()
        self.hold.set()
        notes.metadata.create_all(engine)

    def __call__(self, connection: sa.Connection, wanted: Sequence[str]) -> list[str | LeadQualityError]:
        self.held.set()
        self.hold.wait(10)
        if "fault" in wanted:
            raise ZeroDivisionError
        self.groups.append(len(wanted))
        rows = [{"note": note, "grp": len(self.groups)} for note in wanted if note != "refused"]
        if rows:
            connection.execute(sa.insert(notes), rows)
        return [note.upper() if note != "refused" else NotMigratedError("refused") for note in wanted]


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: sa.Engine) -> Iterator[Writer]:
    writer = Writer(engine, 5, Nobody(), Log(engine))
    yield writer
    writer.close()


def written(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(notes.c.note)).scalars())


def test_what_waits_during_a_commit_is_committed_together(engine: sa.Engine, writer: Writer) -> None:
    write = Notes(engine)
    write.hold.clear()
    first = writer.submit(write, ["0"])
    assert write.held.wait(5)
    others = [writer.submit(write, [str(number)]) for number in range(1, 40)]
    write.hold.set()
    assert [done.result(5) for done in [first, *others]] == [[str(number)] for number in range(40)]
    assert write.groups == [1, 39]
    assert len(written(engine)) == 40


def test_a_refusal_and_a_fault_touch_nobody_else(engine: sa.Engine, writer: Writer) -> None:
    write = Notes(engine)
    write.hold.clear()
    held = writer.submit(write, ["a"])
    assert write.held.wait(5)
    refused, fault, twice, good = (writer.submit(write, [note]) for note in ("refused", "fault", "a", "b"))
    write.hold.set()
    assert (held.result(5), good.result(5)) == (["A"], ["B"])
    for done, error in ((refused, NotMigratedError), (fault, ZeroDivisionError), (twice, StoreDownError)):
        (became,) = done.result(5)
        assert isinstance(became, error)
    assert written(engine) == ["a", "b"]


def test_what_comes_in_one_piece_is_committed_together_and_a_fault_in_it_touches_nobody_else(
    engine: sa.Engine, writer: Writer
) -> None:
    write = Notes(engine)
    assert writer.submit(write, ["a", "b", "refused"]).result(5)[:2] == ["A", "B"]
    assert write.groups == [3]
    became = writer.submit(write, ["c", "fault", "a", "d"]).result(5)
    assert (became[0], became[3]) == ("C", "D")
    assert [type(each) for each in became[1:3]] == [ZeroDivisionError, StoreDownError]
    assert written(engine) == ["a", "b", "c", "d"]


def test_who_gave_up_waiting_is_not_written_later(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'notes.db'}", 5)
    writer, write = Writer(engine, 0.2, Nobody(), Log(engine)), Notes(engine)
    write.hold.clear()
    held = writer.submit(write, ["held"])
    assert write.held.wait(5)
    with pytest.raises(StoreDownError, match="held up"):
        writer.write(write, "late")
    write.hold.set()
    assert held.result(5) == ["HELD"]
    writer.close()
    assert written(engine) == ["held"]
    engine.dispose()


def test_nobody_waits_for_ever_for_what_is_being_written(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'notes.db'}", 5)
    writer, write = Writer(engine, 0.1, Nobody(), Log(engine)), Notes(engine)
    write.hold.clear()
    began = time.monotonic()
    with pytest.raises(StoreDownError, match="what became of"):
        writer.write(write, "held")
    assert time.monotonic() - began < 2
    write.hold.set()
    writer.close()
    assert written(engine) == ["held"]
    engine.dispose()


def test_a_server_that_vanishes_without_a_word_is_noticed(postgres_url: str) -> None:
    engine = open_engine(Settings(database_url=postgres_url).database_url, 6)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as tcp:
            assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [tcp.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [6, 2, 3, 12_000]
    engine.dispose()


def test_closing_writes_what_waits_first(engine: sa.Engine) -> None:
    writer, write = Writer(engine, 5, Nobody(), Log(engine)), Notes(engine)
    waiting = [writer.submit(write, [str(number)]) for number in range(20)]
    writer.close()
    assert all(done.done() for done in waiting)
    assert len(written(engine)) == 20


def test_many_threads_share_few_transactions_and_each_is_told_its_own_result(engine: sa.Engine, writer: Writer) -> None:
    write = Notes(engine)
    with ThreadPoolExecutor(32) as threads:
        told = list(threads.map(lambda number: writer.write(write, f"n{number}"), range(640)))
    assert told == [f"N{number}" for number in range(640)]
    assert sum(write.groups) == 640
    assert len(write.groups) < 320
