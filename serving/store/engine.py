"""The connection to the database, set up so that a commit that returned survives a crash, and that deleted is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

WRITES = "lead_writes"
PROBES = 3
"""Signs of life that a silent server may leave unanswered before its connection is given up."""


def open_engine(url: str, timeout_s: float) -> Engine:
    """An engine for `url`; nothing is connected yet.

    Parameters
    ----------
    timeout_s : float
        Longest wait for a connection, a lock or a statement.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, timeout_s)
    timeout_ms = round(1000 * timeout_s)
    options = f"-c timezone=UTC -c synchronous_commit=on -c statement_timeout={timeout_ms} -c lock_timeout={timeout_ms}"
    return create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=timeout_s,
        pool_pre_ping=True,  # a restarted server costs nobody a 503
        hide_parameters=True,  # error messages quote no lead
        connect_args={"connect_timeout": max(2, round(timeout_s)), "options": options, **_signs_of_life(timeout_s)},
    )


def _signs_of_life(timeout_s: float) -> dict[str, int]:
    """Parameters of libpq by which a server that vanished without a word is noticed; its own limits vanish with it."""
    return {
        "keepalives": 1,
        "keepalives_idle": max(1, round(timeout_s)),
        "keepalives_interval": max(1, round(timeout_s / PROBES)),
        "keepalives_count": PROBES,
        "tcp_user_timeout": max(1_000, round(2_000 * timeout_s)),  # in milliseconds, beyond what a statement may take
    }


def _sqlite(url: str, timeout_s: float) -> Engine:
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_timeout=timeout_s, hide_parameters=True, connect_args={"timeout": timeout_s})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # Transactions are begun below, not by the driver, which would begin them too late to take the write lock.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once and waits for it; upgrading a read lock later fails without waiting.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
