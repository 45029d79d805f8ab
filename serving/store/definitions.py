"""Every definition that scores were made under, by its fingerprint: what was agreed then can be read for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from features.errors import LeadQualityError
from serving.store.errors import outside
from serving.store.rows import insert_missing, rows_of, where_in
from serving.store.tables import definitions
from serving.store.writer import Writer

KEPT = where_in(select(definitions), definitions.c.fingerprint)


@dataclass(frozen=True, slots=True)
class DefinitionRecord:
    """A definition as it is stored.

    Attributes
    ----------
    facts : str
        `features.definition.facts_fingerprint`: the same for definitions whose leads can be compared.
    text : bytes
        JSON: everything that was agreed.
    """

    fingerprint: str
    name: str
    version: int
    facts: str
    text: bytes
    first_served_at: datetime


class Definitions:
    """Definitions in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def note(self, record: DefinitionRecord) -> None:
        """Keep a definition that comes into service, unless it is kept already."""
        self._writer.write(_note, record)

    def by_fingerprint(self, fingerprints: Iterable[str]) -> dict[str, DefinitionRecord]:
        """Those of the definitions that are kept, by fingerprint."""
        with outside(), self._engine.connect() as connection:
            rows = rows_of(connection, KEPT, sorted(set(fingerprints)))
            return {row.fingerprint: DefinitionRecord(**row._mapping) for row in rows}


def _note(connection: Connection, records: Sequence[DefinitionRecord]) -> list[LeadQualityError | None]:
    insert_missing(connection, definitions, [asdict(record) for record in records])
    return [None] * len(records)
