"""What was acknowledged is there, once: writes from 32 connections, and `kill -9` somewhere in between.

In each repetition the service is killed at a moment drawn by chance, started anew on the same store, and every write
that was not acknowledged is sent again, as CRMs do. Four in five writes are scores, one is the outcome of a lead that
was scored. In the end the store is read without the service.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import sqlalchemy as sa

from benchmarks.report import Bar, Cell, Column, Part, Table
from benchmarks.speed.model import measured, requests
from benchmarks.speed.servers import Server, running
from serving.settings import Settings
from tests.serving.postgres import PostgresMissingError, running_postgres

N_WRITES, N_CONNECTIONS, N_REPETITIONS = 10_000, 32, 10
QUICK_WRITES, QUICK_REPETITIONS = 600, 1
N_TREES = 20  # the store is tried here, not the model
SCORES_PER_OUTCOME = 4
LONGEST_S = 600

COLUMNS = (
    Column("store", "store"),
    Column("repetitions", "repetitions"),
    Column("acknowledged", "writes acknowledged", "{:,}"),
    Column("in_doubt", "cut off by kill -9 and sent again", "{:,}"),
    Column("lost", "lost"),
    Column("twice", "stored twice"),
)


@dataclass
class _Writes:
    """What is to be written, and what became of it."""

    waiting: list[tuple[str, bytes]]
    acknowledged: set[str] = field(default_factory=set)
    in_doubt: int = 0


def kills(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Lost and doubled records on both databases, and the bar."""
    n_writes, repetitions = (QUICK_WRITES, QUICK_REPETITIONS) if quick else (N_WRITES, N_REPETITIONS)
    notes: list[str] = []
    rows = []
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        bundle = measured(folder, n_trees=N_TREES).place
        stores = {"SQLite": f"sqlite:///{folder / 'scores.db'}"}
        try:
            stores["PostgreSQL"] = stack.enter_context(running_postgres())
        except PostgresMissingError as missing:
            notes.append(f"PostgreSQL not measured: {missing}")
        for store, url in stores.items():
            settings = _settings(bundle, url)
            _run("migrate", settings)
            total = _Writes([])
            for number in range(repetitions):
                tell(f"{store}, repetition {number + 1}", number / repetitions)
                asyncio.run(_repetition(number, n_writes, settings, folder, total))
            rows.append(_row(store, url, repetitions, total))
    bad = sum(int(str(row["lost"])) + int(str(row["twice"])) for row in rows)
    both = f"{' and '.join(str(row['store']) for row in rows)}, {repetitions} times {n_writes:,} writes"
    bar = Bar(f"records lost or doubled by kill -9 ({both})", str(bad), "0, on both databases", not bad and not notes)
    return Part("kills", "Killed in between", (__doc__ or "").strip(), [Table("Stores", COLUMNS, rows)], [bar], notes)


async def _repetition(number: int, n_writes: int, settings: Mapping[str, str], folder: Path, total: _Writes) -> None:
    draw = random.Random(number)
    writes = _Writes(_bodies(number, n_writes))
    kill_at = draw.randint(n_writes // 5, n_writes * 4 // 5)
    with _service(settings, folder) as server:
        killer = asyncio.create_task(_kill(server, writes, kill_at))
        await _write_all(server, writes)
        await killer
    with _service(settings, folder) as server:
        await asyncio.wait_for(_write_all(server, writes), LONGEST_S)
    assert not writes.waiting
    total.acknowledged |= writes.acknowledged
    total.in_doubt += writes.in_doubt


async def _kill(server: Server, writes: _Writes, after: int) -> None:
    while len(writes.acknowledged) < after:
        await asyncio.sleep(0.001)
    os.killpg(server.process.pid, signal.SIGKILL)


async def _write_all(server: Server, writes: _Writes) -> None:
    """Write until nothing waits, or the server is gone; what was cut off waits again."""
    await asyncio.gather(*(_connection(server, writes) for _ in range(N_CONNECTIONS)))


async def _connection(server: Server, writes: _Writes) -> None:
    port = int(server.url.rpartition(":")[2])
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        while writes.waiting:
            name, request = writes.waiting.pop()
            try:
                writer.write(request)
                status = await _status(reader)
            except (OSError, asyncio.IncompleteReadError):
                writes.waiting.append((name, request))
                writes.in_doubt += 1
                return
            if status == 200:
                writes.acknowledged.add(name)
            elif status == 404:  # the outcome of a lead whose score is still on its way
                writes.waiting.insert(0, (name, request))
            else:
                raise AssertionError(f"{name} was answered with {status}")
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of an answer, when all of it has been read."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(lengths[0].split(b":")[1]))
    return int(head.split(b" ", 2)[1])


def _bodies(number: int, n_writes: int) -> list[tuple[str, bytes]]:
    """Requests by name, outcomes first: they are taken from the end, so scores are written before them."""
    n_scores = n_writes * SCORES_PER_OUTCOME // (SCORES_PER_OUTCOME + 1)
    leads = requests(500)
    scores = []
    for place in range(n_scores):
        lead_id = f"R{number}-{place}"
        scores.append((f"score {lead_id}", _request("/v1/score", {**leads[place % 500], "lead_id": lead_id})))
    outcomes = []
    for place in range(n_writes - n_scores):
        lead_id = f"R{number}-{n_scores - 1 - place}"
        body = {"lead_id": lead_id, "outcome": "won", "at": "2026-01-20T10:00:00Z", "value": 1000}
        outcomes.append((f"outcome {lead_id}", _request("/v1/outcomes", body)))
    mixed = scores + outcomes
    random.Random(number).shuffle(mixed)
    return mixed


def _request(path: str, body: Mapping[str, object]) -> bytes:
    content = orjson.dumps(body)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _settings(bundle: Path, url: str) -> dict[str, str]:
    return {
        "LEAD_BUNDLE": str(bundle),
        "LEAD_DATABASE_URL": url,
        "LEAD_HOST": "127.0.0.1",
        "LEAD_PORT": "{port}",
        "LEAD_DEMO": "1",
        "LEAD_LOG_LEVEL": "warning",
        "LEAD_WATCH_EVERY_S": "3600",
    }


def _service(settings: Mapping[str, str], folder: Path):  # type: ignore[no-untyped-def]
    return running("service", [sys.executable, "-m", "serving"], ready="/readyz", folder=folder, settings=settings)


def _run(command: str, settings: Mapping[str, str]) -> None:
    environment = {**os.environ, **settings, "LEAD_PORT": "0"}
    subprocess.run([sys.executable, "-m", "serving", command], env=environment, check=True)


def _row(store: str, url: str, repetitions: int, total: _Writes) -> dict[str, Cell]:
    """What the store holds, read without the service."""
    engine = sa.create_engine(Settings(database_url=url).database_url)
    with engine.connect() as connection:
        found = Counter(f"score {lead}" for (lead,) in connection.execute(sa.text("SELECT lead_id FROM scores")))
        found += Counter(f"outcome {lead}" for (lead,) in connection.execute(sa.text("SELECT lead_id FROM outcomes")))
    engine.dispose()
    return {
        "store": store,
        "repetitions": repetitions,
        "acknowledged": len(total.acknowledged),
        "in_doubt": total.in_doubt,
        "lost": len(total.acknowledged - found.keys()),
        "twice": sum(n > 1 for n in found.values()),
    }
