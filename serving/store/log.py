"""The log of SQLite's writes (`-wal`), which is emptied of what was removed.

A reader that began before a removal needs the log until it ends. Nobody waits for it: while SQLite waits here, nobody
could write. Emptying the log is tried again later instead.
"""

from __future__ import annotations

import time
from contextlib import closing

from sqlalchemy import Engine

from serving.store.errors import StoreDownError, outside

WAIT_MS = 20
"""Longest wait for readers at one try: writers are held up no longer. Most readers have ended by then."""
RETRY_S = 1.0
PATIENCE_AT_CLOSE_S = 1.0
BETWEEN_TRIES_S = 0.05


class Log:
    """Empties the log, at once or as soon as it can be; on PostgreSQL there is nothing to do.

    Attributes
    ----------
    holds_removed : bool
        Whether the last try was in vain, so that what was removed may still stand in the log.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tried_s = 0.0
        self.holds_removed = False

    def empty(self) -> None:
        """Empty the log of what was removed; if readers need it still, `empty_if_due` and `close` do so later.

        Raises
        ------
        StoreDownError
            If the database fails; it is tried again later all the same.
        """
        if self._engine.name == "sqlite":
            self.holds_removed = True
            self._tried_s = time.monotonic()
            self.holds_removed = not self._emptied()

    def empty_if_due(self) -> None:
        """Try again what was in vain, but not at every commit."""
        if self.holds_removed and time.monotonic() - self._tried_s >= RETRY_S:
            self._try_again()

    def empty_patiently(self, patience_s: float) -> None:
        """Empty the log of what was removed, and try again for so many seconds; writers can go on between the tries.

        Raises
        ------
        StoreDownError
            If the database fails at the first try.
        """
        until_s = time.monotonic() + patience_s
        self.empty()
        while self.holds_removed and time.monotonic() < until_s:
            time.sleep(BETWEEN_TRIES_S)
            self._try_again()

    def close(self) -> None:
        """Try again what was in vain, for about a second."""
        if self.holds_removed:
            try:
                self.empty_patiently(PATIENCE_AT_CLOSE_S)
            except StoreDownError:
                return  # nobody asked for this try

    def _try_again(self) -> None:
        try:
            self.empty()
        except StoreDownError:
            return  # nobody asked for this try, and the next one is due as before

    def _emptied(self) -> bool:
        with outside(), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            (usual_ms,) = cursor.execute("PRAGMA busy_timeout").fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
            try:
                (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {usual_ms}").close()
            return not busy
