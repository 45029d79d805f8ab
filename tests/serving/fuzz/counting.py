"""What stands in the store, table by table, so that a test sees what a request has written."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import sqlalchemy as sa


class Counter:
    """Counts the rows of every table, over one connection of its own."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self._connection = self._engine.connect()
        tables = sa.inspect(self._connection).get_table_names()
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in sorted(tables))
        self._query = sa.text(counts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._engine.dispose()

    def rows(self) -> dict[str, int]:
        """The number of rows of every table."""
        return {row[0]: row[1] for row in self._connection.execute(self._query)}
