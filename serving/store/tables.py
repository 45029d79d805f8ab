"""The tables. What they hold is described in docs/en/service.md; migrations/ brings a database to this state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC with microseconds; SQLite has no time zones, so it is stored there without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """The moment as the driver takes it."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# SQLite counts up by itself only for a column of its type INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

models = Table(
    "models",
    metadata,
    Column("bundle_id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("definition_name", String(255), nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("definition_fingerprint", String(64), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("first_served_at", Moment, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("request_key", String(64), nullable=False, unique=True),
    Column("request_hash", String(64), nullable=False),
    Column("lead_id", String(128), nullable=False),
    Column("account_id", String(128)),
    Column("as_of", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("bundle_id", String(64), ForeignKey("models.bundle_id"), nullable=False),
    Column("definition_fingerprint", String(64), nullable=False),
    Column("probability", Float(53), nullable=False),
    Column("log_odds", Float(53), nullable=False),
    Column("score", Integer, nullable=False),
    Column("grade", String(1), nullable=False),
    Column("handover", String(16), nullable=False),
    # Bytes, not text: PostgreSQL refuses the character NUL in text, and an answer is repeated byte for byte.
    Column("inputs", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
Index(None, scores.c.lead_id, scores.c.as_of, scores.c.id)
Index(None, scores.c.received_at)
