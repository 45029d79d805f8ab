"""The tables. What they hold is described in docs/en/service.md; migrations/ brings a database to this state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
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
    and_,
    literal_column,
    or_,
)
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


def stored_moment(value: datetime | None, dialect_name: str) -> Any:
    """A moment as the driver stores it; SQLite stores text."""
    if value is None:
        return None
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return moment.isoformat(" ", "microseconds").removesuffix("+00:00") if dialect_name == "sqlite" else moment


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
    Column("owner", String(128)),
    Column("deal_value", Float(53)),
    # Bytes, not text: PostgreSQL refuses the character NUL in text, and an answer is repeated byte for byte.
    Column("inputs", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
Index(None, scores.c.lead_id, scores.c.as_of, scores.c.id)
Index(None, scores.c.received_at)

# One row for each lead: what its history below adds up to, so that lists and figures over all leads stay quick.
# Written in the transaction of the row that changes it; serving/store/leads.py says by which rules.
leads = Table(
    "leads",
    metadata,
    Column("lead_id", String(128), primary_key=True),
    Column("account_id", String(128)),
    Column("first_scored_at", Moment, nullable=False),
    Column("first_key", String(64), nullable=False),
    Column("first_as_of", Moment, nullable=False),
    Column("first_probability", Float(53), nullable=False),
    Column("first_grade", String(1), nullable=False),
    Column("handed_over_at", Moment),
    Column("handover_key", String(64)),
    Column("handover_as_of", Moment),
    Column("handover_probability", Float(53)),
    Column("handover_grade", String(1)),
    Column("latest_key", String(64), nullable=False),
    Column("latest_as_of", Moment, nullable=False),
    Column("probability", Float(53), nullable=False),
    Column("grade", String(1), nullable=False),
    Column("handover", String(16), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("source", String(200)),
    Column("campaign", String(200)),
    Column("region", String(200)),
    Column("owner", String(128)),
    Column("deal_value", Float(53)),
    # What lists by expected value are sorted by: the expected value, below 0 where the deal's value is not known.
    Column("by_value", Float(53), nullable=False),
    Column("outcome", String(8)),
    Column("outcome_at", Moment),
    Column("outcome_latest_at", Moment),
    Column("value", Float(53)),
    Column("verdict", String(8)),
    Column("verdict_at", Moment),
    Column("verdict_reason", String(64)),
    Column("first_contact_at", Moment),
)
# Lists are sorted by it, and filtered in it: a filter that few leads pass would else look every lead up.
Index(
    "ix_leads_worklist",
    leads.c.probability,
    leads.c.lead_id,
    leads.c.grade,
    leads.c.handover,
    leads.c.outcome,
    leads.c.verdict,
    leads.c.handed_over_at,
    leads.c.handover_grade,
    leads.c.first_contact_at,
    leads.c.source,
    leads.c.campaign,
    leads.c.owner,
)
# Written as constants: with a parameter in its place, no database would see that a partial index will do.
HANDED_OVER_AND_OPEN = and_(
    leads.c.handed_over_at.is_not(None),
    or_(leads.c.outcome.is_(None), leads.c.outcome == literal_column("'open'")),
)
REJECTED = leads.c.verdict == literal_column("'rejected'")
CLOSED = leads.c.outcome.in_([literal_column("'won'"), literal_column("'lost'")])


def _partial(name: str, *columns: ColumnElement[Any], where: ColumnElement[bool]) -> None:
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


# What sales works at is a small part of all leads, so each of its two orders has an index of its own.
for _order, _name in (("probability", "ix_leads_open_by_probability"), ("by_value", "ix_leads_open_by_value")):
    _partial(
        _name,
        leads.c[_order],
        leads.c.lead_id,
        leads.c.grade,
        leads.c.outcome,
        leads.c.verdict,
        leads.c.first_contact_at,
        leads.c.handed_over_at,
        leads.c.handover_grade,
        leads.c.source,
        leads.c.region,
        leads.c.owner,
        where=HANDED_OVER_AND_OPEN,
    )
_partial(
    "ix_leads_rejected",
    leads.c.verdict_at,
    leads.c.lead_id,
    leads.c.verdict,
    leads.c.grade,
    leads.c.source,
    leads.c.region,
    leads.c.owner,
    where=REJECTED,
)
_partial("ix_leads_closed", leads.c.probability, leads.c.lead_id, where=CLOSED)
_partial("ix_leads_owner", leads.c.owner, where=leads.c.owner.is_not(None))
# PostgreSQL finds ids by their beginning only in an index that compares byte by byte, as SQLite always does.
Index("ix_leads_id_prefix", leads.c.lead_id, postgresql_ops={"lead_id": "varchar_pattern_ops"})
Index(None, leads.c.region, leads.c.probability, leads.c.lead_id)
Index(None, leads.c.handed_over_at)
Index(None, leads.c.first_scored_at)

# The figures count over columns of all leads, kept in blocks (serving/store/blocks.py). Which leads have changed since
# their block was written stands in `lead_changes`, in the transaction that changes them; serving/store/counted.py.
lead_changes = Table(
    "lead_changes",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("lead_id", String(128), nullable=False),
)

lead_places = Table(
    "lead_places",
    metadata,
    Column("lead_id", String(128), primary_key=True),
    Column("place", BigInteger, nullable=False),
)
Index(None, lead_places.c.place)

lead_blocks = Table(
    "lead_blocks",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("n_leads", Integer, nullable=False),
    Column("arrays", LargeBinary, nullable=False),
    Column("words", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False, server_default="0"),
)
# Which blocks are as they were is looked up here: behind a block's arrays, it would take as long as reading them.
Index(None, lead_blocks.c.block, lead_blocks.c.version)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("request_key", String(64), nullable=False, unique=True),
    Column("request_hash", String(64), nullable=False),
    Column("lead_id", String(128), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("at", Moment, nullable=False),
    Column("latest_at", Moment, nullable=False),
    Column("value", Float(53)),
    Column("reason", String(64)),
    Column("key_id", String(16)),
    Column("received_at", Moment, nullable=False),
)
Index(None, outcomes.c.lead_id, outcomes.c.at, outcomes.c.id)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("request_key", String(64), nullable=False, unique=True),
    Column("request_hash", String(64), nullable=False),
    Column("lead_id", String(128), nullable=False),
    Column("verdict", String(8), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("first_contact_at", Moment),
    Column("at", Moment, nullable=False),
    Column("key_id", String(16)),
    Column("received_at", Moment, nullable=False),
)
Index(None, verdicts.c.lead_id, verdicts.c.at, verdicts.c.id)

objections = Table(
    "objections",
    metadata,
    Column("lead_id", String(128), primary_key=True),
    Column("objected_at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("key_id", String(16)),
)

# What was erased is gone from every other table; this one knows the lead only by a hash, to keep it away.
erasures = Table(
    "erasures",
    metadata,
    Column("lead_hash", String(64), primary_key=True),
    Column("receipt_id", String(32), nullable=False, unique=True),
    Column("erased_at", Moment, nullable=False),
    Column("key_id", String(16)),
    Column("receipt", LargeBinary, nullable=False),
)

exports = Table(
    "exports",
    metadata,
    Column("export_id", String(32), primary_key=True),
    Column("exported_at", Moment, nullable=False),
    Column("definition_fingerprint", String(64), nullable=False),
    Column("n_leads", Integer, nullable=False),
)

exported_leads = Table(
    "exported_leads",
    metadata,
    Column("export_id", String(32), ForeignKey("exports.export_id"), primary_key=True),
    Column("lead_id", String(128), primary_key=True),
)
Index(None, exported_leads.c.lead_id)

shadow_scores = Table(
    "shadow_scores",
    metadata,
    Column("request_key", String(64), ForeignKey("scores.request_key", ondelete="CASCADE"), primary_key=True),
    Column("bundle_id", String(64), ForeignKey("models.bundle_id"), primary_key=True),
    Column("probability", Float(53), nullable=False),
    Column("log_odds", Float(53), nullable=False),
    Column("grade", String(1), nullable=False),
    Column("handover", String(16), nullable=False),
    Column("scored_at", Moment, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("raised", Boolean, nullable=False),
    Column("since", Moment, nullable=False),
    Column("checked_at", Moment, nullable=False),
    Column("n_over", Integer, nullable=False),
    Column("n_under", Integer, nullable=False),
    Column("value", Float(53)),
    Column("detail", LargeBinary, nullable=False),
)

# Nothing of a row is overwritten: what happens to a proposal fills columns that were empty.
agreements = Table(
    "agreements",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("definition_name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("based_on", Integer, nullable=False),
    Column("parts", LargeBinary, nullable=False),
    Column("threshold", Float(53), nullable=False),
    Column("window_start", Moment),
    Column("window_end", Moment),
    Column("n_leads", Integer),
    Column("fingerprint", String(64), nullable=False),
    Column("comment", String(2000), nullable=False),
    Column("proposed_by", String(16), nullable=False),
    Column("proposed_at", Moment, nullable=False),
    Column("marketing_key", String(16)),
    Column("marketing_at", Moment),
    Column("sales_key", String(16)),
    Column("sales_at", Moment),
    Column("effective_at", Moment),
    Column("ended_at", Moment),
    Column("ending", String(16)),
    Column("ended_key", String(16)),
    Column("answer_comment", String(2000), nullable=False),
)
Index(None, agreements.c.definition_name, agreements.c.id)

definitions = Table(
    "definitions",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("facts", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("first_served_at", Moment, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("secret_hash", String(64), nullable=False),
    Column("client", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
)

# Who has signed in to the cockpit. The visitor's cookie holds the token; only its hash is stored.
sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("key_id", String(16)),
    Column("role", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
Index(None, sessions.c.expires_at)
