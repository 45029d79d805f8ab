"""What is told about leads after their scores: outcomes and verdicts, each stored once, and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Row, Table, select

from features.errors import DataError, LeadQualityError
from serving.store.errors import KeyReusedError, NotHandedOverError, UnknownLeadError, outside
from serving.store.leads import LeadRow, after_outcome, after_verdict, keep, lead_rows
from serving.store.records import Outcome, Verdict
from serving.store.refusals import erased_leads
from serving.store.reuse import reuses_a_key
from serving.store.rows import insert_all, rows_of, where_in
from serving.store.tables import outcomes, verdicts
from serving.store.writer import Writer

T = TypeVar("T", bound=Outcome | Verdict)
Kept: TypeAlias = T | DataError
"""What is stored for a record, which came first if it was told before, or why nothing may be."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """One kind of thing to tell: where it is stored, of which leads, and what it changes in the lead's row."""

    record: type[T]
    table: Table
    refusal: Callable[[LeadRow], DataError | None]
    after: Callable[[LeadRow, T], LeadRow]


class Told(Generic[T]):
    """Outcomes, or verdicts, in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer, kind: Kind[T]) -> None:
        self._engine = engine
        self._writer = writer
        self._kind: Kind[T] = kind
        self._by_key = where_in(select(kind.table), kind.table.c.request_key)

    def save(self, new: Sequence[T]) -> list[Kept[T]]:
        """What is stored for each of `new`, in their order, or why nothing may be; all are committed together.

        Raises
        ------
        KeyReusedError
            If a key is already stored with another content; then nothing is written.
        StoreDownError
            If the database fails; then nothing was acknowledged, and the same request may be sent again.
        """
        return self._writer.write(self._write, new)

    def repeated(self, asked: Mapping[str, str]) -> dict[str, T]:
        """What is stored already, by request key.

        Parameters
        ----------
        asked : mapping of str to str
            Request key to request hash.

        Raises
        ------
        KeyReusedError
            If a key is stored with another content.
        """
        with outside(), self._engine.connect() as connection:
            stored = self._stored(connection, asked)
        if reuses_a_key(asked.items(), stored):
            raise KeyReusedError
        return stored

    def of_lead(self, lead_id: str) -> list[T]:
        """Everything that was told about a lead, in the order in which it came."""
        table = self._kind.table
        query = select(table).where(table.c.lead_id == lead_id).order_by(table.c.id)
        with outside(), self._engine.connect() as connection:
            return [self._record(row) for row in connection.execute(query)]

    def _write(self, connection: Connection, requests: Sequence[Sequence[T]]) -> list[list[Kept[T]] | LeadQualityError]:
        """Store what is new of each request; one whose key was used for something else leaves nothing behind."""
        everything = [record for request in requests for record in request]
        stored = self._stored(connection, [record.request_key for record in everything])
        before = lead_rows(connection, [record.lead_id for record in everything])
        rows = dict(before)
        erased = erased_leads(connection, list(dict.fromkeys(record.lead_id for record in everything)))
        new: list[T] = []
        results: list[list[Kept[T]] | LeadQualityError] = []
        for request in requests:
            if reuses_a_key([(record.request_key, record.request_hash) for record in request], stored):
                results.append(KeyReusedError())
                continue
            refused = [erased.get(record.lead_id) or self._refusal(record, rows) for record in request]
            for record in (record for record, refusal in zip(request, refused, strict=True) if refusal is None):
                if record.request_key not in stored:
                    stored[record.request_key] = record
                    rows[record.lead_id] = self._kind.after(rows[record.lead_id], record)
                    new.append(record)
            told = zip(request, refused, strict=True)
            results.append([refusal or stored[record.request_key] for record, refusal in told])
        self._insert(connection, new, before, rows)
        return results

    def _refusal(self, record: T, rows: Mapping[str, LeadRow]) -> DataError | None:
        row = rows.get(record.lead_id)
        return UnknownLeadError(record.lead_id) if row is None else self._kind.refusal(row)

    def _insert(
        self, connection: Connection, new: Sequence[T], before: Mapping[str, LeadRow], after: Mapping[str, LeadRow]
    ) -> None:
        if new:
            insert_all(connection, self._kind.table, [asdict(record) for record in new])
            keep(connection, before, [after[lead_id] for lead_id in {record.lead_id for record in new}])

    def _stored(self, connection: Connection, keys: Iterable[str]) -> dict[str, T]:
        found = rows_of(connection, self._by_key, list(dict.fromkeys(keys)))
        return {row.request_key: self._record(row) for row in found}

    def _record(self, row: Row[Any]) -> T:
        record: T = self._kind.record(**{name: value for name, value in row._mapping.items() if name != "id"})
        return record


def _of_any_lead(_: LeadRow) -> DataError | None:
    return None


def _of_one_handed_over(row: LeadRow) -> DataError | None:
    return None if row["handed_over_at"] is not None else NotHandedOverError(row["lead_id"])


OUTCOMES = Kind(Outcome, outcomes, _of_any_lead, after_outcome)
VERDICTS = Kind(Verdict, verdicts, _of_one_handed_over, after_verdict)
