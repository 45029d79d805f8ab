"""One explained lead over HTTP, stored durably, against what else one would deploy; and a bare insert as the floor.

All servers have one worker and run at once; they are asked in turn, round by round, so that what else the machine does
falls on all alike. wrk asks with another lead each time (benchmarks/speed/load.py). Ours answers with every
contribution and all reasons and has stored the answer before; `mlflow models serve` gives only the probability of a
model of the same size, the tutorial app a probability and SHAP values, both from leads as they are, with their
categories as words; the echo answers the same request with bytes of the size of our answer. Only ratios mean something
elsewhere.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson

from benchmarks.command import NotMeasuredError
from benchmarks.environment import python_of
from benchmarks.report import Bar, Cell, Column, Part, Table
from benchmarks.speed.load import LEAD_ID, Client, Load, client
from benchmarks.speed.model import CATEGORIES, N_HISTORY, NUMBERS, Measured, drawn, measured, requests
from benchmarks.speed.servers import Server, running

PEERS = Path(__file__).parent / "peers"
ENVIRONMENT = Path(".state") / "bench-serving-env"
LOCK = "bench-serving.txt"
N_BODIES = 500
MANY = 32
ROUNDS, SECONDS = 5, 6.0
QUICK_ROUNDS, QUICK_SECONDS = 1, 1.0
N_INSERTS = 300

COLUMNS = (
    Column("server", "server"),
    Column("per_second", f"answers a second at {MANY} connections", "{:,.0f}"),
    Column("p50_ms", "p50 ms", "{:.2f}"),
    Column("p99_ms", "p99 ms", "{:.1f}"),
    Column("alone_ms", "p50 ms at one connection", "{:.2f}"),
    Column("start_s", "first answer after s", "{:.1f}"),
    Column("resident_mb", "resident MB", "{:.0f}"),
)


@dataclass(frozen=True)
class _Asked:
    """A server, how it is asked, and what it said in each round."""

    server: Server
    client: Client
    path: str
    headers: Mapping[str, str]
    many: list[Load]
    alone: list[Load]

    def ask(self, seconds: float) -> None:
        """One round: at many connections, then at one."""
        for connections, said in ((MANY, self.many), (1, self.alone)):
            said.append(
                self.client.ask(
                    self.server.url, connections=connections, seconds=seconds, headers=self.headers, path=self.path
                )
            )


def http(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Answers a second, times to an answer, memory and start of every server, and the bars."""
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    tell("the peers' environment", 0.0)
    python = python_of(ENVIRONMENT, LOCK, "MLflow and SHAP")
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        model = measured(folder)
        asked = _started(stack, folder, model, python, tell)
        inserts: list[float] = []
        for number in range(rounds):
            for place, each in asked.items():
                tell(f"round {number + 1}: {place}", (number + 0.5) / rounds)
                each.ask(seconds)
            inserts.append(_insert_ms(folder))
        rows = [_row(place, each) for place, each in asked.items()]
    insert_ms = statistics.median(inserts)
    notes = [f"A bare durable insert of such a row takes {insert_ms:.2f} ms (median)."]
    found = {str(row["server"]): row for row in rows}
    tables = [Table("Servers, medians over rounds", COLUMNS, rows)]
    return Part("http", "Over HTTP", (__doc__ or "").strip(), tables, _bars(found, insert_ms), notes)


def _started(
    stack: ExitStack, folder: Path, model: Measured, python: Path, tell: Callable[[str, float], None]
) -> dict[str, _Asked]:
    """Every server, started one after the other and warm."""
    leads = requests(N_BODIES)
    bodies = [orjson.dumps({**lead, "lead_id": LEAD_ID}) for lead in leads]
    what_if = [orjson.dumps({name: lead[name] for name in ("as_of", "fields")}) for lead in leads]
    split = [_split(lead["fields"]) for lead in leads]
    kinds = (("lead", bodies), ("what if", what_if), ("mlflow", split))
    ask = {kind: stack.enter_context(client(made)) for kind, made in kinds}
    tell("training the tutorial's model", 0.0)
    _register(python, folder)
    tell("starting the servers", 0.0)
    ours, key = stack.enter_context(_ours(folder, model.place))
    answer = _answer(ours, key, leads[0])
    (folder / "answer").write_bytes(answer)
    uvicorn = ["-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning"]
    echo = stack.enter_context(
        running(
            "echo",
            [sys.executable, *uvicorn, "benchmarks.speed.peers.echo:app"],
            ready="/ready",
            folder=folder,
            settings={"ECHO_ANSWER": str(folder / "answer")},
        )
    )
    tutorial = stack.enter_context(
        running(
            "tutorial",
            [str(python), *uvicorn, "--app-dir", str(PEERS), "tutorial:app"],
            ready="/ready",
            folder=folder,
            settings={"TUTORIAL_MODEL": str(folder / "tutorial.joblib")},
        )
    )
    serve = ["-m", "mlflow", "models", "serve", "-m", str(folder / "mlflow"), "-h", "127.0.0.1", "-p", "{port}"]
    mlflow = stack.enter_context(
        running(
            "mlflow",
            [str(python), *serve, "--env-manager", "local"],
            ready="/ping",
            folder=folder,
            settings={"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
        )
    )
    plain = {"Content-Type": "application/json"}
    return {
        "ours": _Asked(ours, ask["lead"], "/v1/score", plain | {"X-API-Key": key}, [], []),
        "ours, what if": _Asked(ours, ask["what if"], "/v1/what-if", plain | {"X-API-Key": key}, [], []),
        "FastAPI echo": _Asked(echo, ask["lead"], "/v1/score", plain, [], []),
        "tutorial app": _Asked(tutorial, ask["lead"], "/v1/score", plain, [], []),
        "mlflow models serve": _Asked(mlflow, ask["mlflow"], "/invocations", plain, [], []),
    }


@contextmanager
def _ours(folder: Path, bundle: Path) -> Iterator[tuple[Server, str]]:
    """The service as it is run, with a key, and with the compiled functions that an earlier start has kept."""
    settings = {
        "LEAD_BUNDLE": str(bundle),
        "LEAD_DATABASE_URL": f"sqlite:///{folder / 'scores.db'}",
        "LEAD_HOST": "127.0.0.1",
        "LEAD_PORT": "{port}",
        "LEAD_REQUESTS_PER_MINUTE": "10000000",
        "OMP_NUM_THREADS": "1",
    }
    create = [sys.executable, "-m", "serving", "keys", "create", "--client", "bench", "--role", "crm"]
    environment = {**os.environ, **settings, "LEAD_PORT": "0"}
    made = subprocess.run(create, env=environment, capture_output=True, text=True, check=True)
    key = next(word for word in made.stdout.split() if word.startswith("lq_"))
    command = [sys.executable, "-m", "serving"]
    with running("ours, first start", command, ready="/readyz", folder=folder, settings=settings):
        pass
    with running("ours", command, ready="/readyz", folder=folder, settings=settings) as server:
        yield server, key


def _answer(server: Server, key: str, lead: Mapping[str, object]) -> bytes:
    import httpx

    answer = httpx.post(f"{server.url}/v1/score", json=dict(lead), headers={"X-API-Key": key})
    answer.raise_for_status()
    return answer.content


def _split(fields: Mapping[str, Any]) -> bytes:
    """A lead as MLflow's server takes one: every column, what is missing as null."""
    values = [fields.get(name) for name in (*NUMBERS, *CATEGORIES)]
    return orjson.dumps({"dataframe_split": {"columns": [*NUMBERS, *CATEGORIES], "data": [values]}})


def _register(python: Path, folder: Path) -> None:
    """Have the peers train on the history that our model learnt from."""
    leads, won = drawn(np.random.default_rng(0), N_HISTORY)
    leads.assign(won=won).to_parquet(folder / "history.parquet")
    command = [str(python), str(PEERS / "register.py"), str(folder / "history.parquet"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasuredError(f"the tutorial's model failed:\n{done.stderr[-2000:]}")


def _insert_ms(folder: Path) -> float:
    """Milliseconds of one durable insert of a row such as ours stores, into a table with the same indices."""
    path = folder / "inserts.db"
    answer = (folder / "answer").read_bytes()
    took = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, key TEXT UNIQUE, answer BLOB)")
        for number in range(N_INSERTS):
            started = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows (key, answer) VALUES (?, ?)", (f"{time.time_ns()}-{number}", answer))
            connection.execute("COMMIT")
            took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took)


def _row(place: str, asked: _Asked) -> dict[str, Cell]:
    return {
        "server": place,
        "per_second": statistics.median(load.per_second for load in asked.many),
        "p50_ms": statistics.median(load.p50_ms for load in asked.many),
        "p99_ms": statistics.median(load.p99_ms for load in asked.many),
        "alone_ms": statistics.median(load.p50_ms for load in asked.alone),
        "start_s": asked.server.start_s,
        "resident_mb": asked.server.resident_mb(),
    }


def _bars(found: Mapping[str, Mapping[str, Cell]], insert_ms: float) -> list[Bar]:
    def figure(server: str, key: str) -> float:
        return float(str(found[server][key]))

    def at_least(what: str, key: str, server: str, other: str, limit: float) -> Bar:
        ratio = figure(server, key) / figure(other, key)
        return Bar(what, f"{ratio:.2f} times", f"at least {limit:g} times", ratio >= limit)

    def at_most(what: str, ratio: float, limit: float) -> Bar:
        return Bar(what, f"{ratio:.2f} times", f"at most {limit:g} times", ratio <= limit)

    ours, echo, mlflow = "ours", "FastAPI echo", "mlflow models serve"
    floor = insert_ms + figure(echo, "alone_ms")
    return [
        at_least("explained and stored, against mlflow's bare score, answers a second", "per_second", ours, mlflow, 25),
        at_least("the same, against the tutorial app", "per_second", ours, "tutorial app", 35),
        at_least("the same, against a FastAPI echo", "per_second", ours, echo, 0.3),
        at_least("explained and not stored, against a FastAPI echo", "per_second", "ours, what if", echo, 0.6),
        at_most(f"p99 against p50 at {MANY} connections", figure(ours, "p99_ms") / figure(ours, "p50_ms"), 6),
        at_most("p50 at one connection against a bare insert plus the echo", figure(ours, "alone_ms") / floor, 2),
        at_most("resident memory against mlflow's", figure(ours, "resident_mb") / figure(mlflow, "resident_mb"), 0.5),
        at_most("time to the first answer against mlflow's", figure(ours, "start_s") / figure(mlflow, "start_s"), 0.5),
    ]
