"""What sales works at: who works a lead, what its deal would be worth, and lists that stay quick by either order.

Only leads that are handed over and open stand in the two indexes of sales' lists, so they stay small.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

OPEN = "handed_over_at IS NOT NULL AND (outcome IS NULL OR outcome = 'open')"
CLOSED = "outcome IN ('won', 'lost')"
SORTED = ["probability", "lead_id"]
FILTERED = "grade handover outcome verdict handed_over_at handover_grade first_contact_at source campaign".split()
AT_WORK = "grade outcome verdict first_contact_at handed_over_at handover_grade source region owner".split()

OF_REJECTED = "verdict grade source region owner".split()


def upgrade() -> None:
    """Add the columns, sort leads without a deal value by their probability, and create the indexes."""
    for name in ("scores", "leads"):
        op.add_column(name, sa.Column("owner", sa.String(128)))
        op.add_column(name, sa.Column("deal_value", sa.Float(53)))
    op.add_column("leads", sa.Column("by_value", sa.Float(53)))
    op.execute("UPDATE leads SET by_value = probability - 1")
    op.drop_index("ix_leads_worklist", "leads")
    # SQLite cannot change a column: there, the table is written anew.
    with op.batch_alter_table("leads") as table:
        table.alter_column("by_value", existing_type=sa.Float(53), nullable=False)
    op.create_index("ix_leads_worklist", "leads", [*SORTED, *FILTERED, "owner"])
    _partial("ix_leads_open_by_probability", ["probability", "lead_id", *AT_WORK], OPEN)
    _partial("ix_leads_open_by_value", ["by_value", "lead_id", *AT_WORK], OPEN)
    _partial("ix_leads_rejected", ["verdict_at", "lead_id", *OF_REJECTED], "verdict = 'rejected'")
    _partial("ix_leads_closed", SORTED, CLOSED)
    _partial("ix_leads_owner", ["owner"], "owner IS NOT NULL")
    op.create_index("ix_leads_id_prefix", "leads", ["lead_id"], postgresql_ops={"lead_id": "varchar_pattern_ops"})


def downgrade() -> None:
    """Drop them; the scores still hold what they said."""
    for index in ("id_prefix", "owner", "closed", "rejected", "open_by_value", "open_by_probability", "worklist"):
        op.drop_index(f"ix_leads_{index}", "leads")
    with op.batch_alter_table("leads") as table:
        for name in ("by_value", "deal_value", "owner"):
            table.drop_column(name)
    with op.batch_alter_table("scores") as table:
        for name in ("deal_value", "owner"):
            table.drop_column(name)
    op.create_index("ix_leads_worklist", "leads", [*SORTED, *FILTERED])


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "leads", columns, sqlite_where=where, postgresql_where=where)
