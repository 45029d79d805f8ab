"""Figures over all leads stay quick: what they need of each lead stands in blocks of columns.

The leads that are there are noted as changed, and are put into blocks by the service that runs. Accounts are
looked up nowhere any more, so their index goes: new leads have one less to be sorted into.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tables, and note every lead."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "lead_changes",
        sa.Column("id", number, autoincrement=True),
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lead_changes"),
    )
    op.create_table(
        "lead_places",
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name="pk_lead_places"),
    )
    op.create_index("ix_lead_places_place", "lead_places", ["place"])
    op.create_table(
        "lead_blocks",
        sa.Column("block", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("n_leads", sa.Integer, nullable=False),
        sa.Column("arrays", sa.LargeBinary, nullable=False),
        sa.Column("words", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_lead_blocks"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Arrays of numbers compress badly, and taking them apart again would cost more than reading them.
        op.execute("ALTER TABLE lead_blocks ALTER COLUMN arrays SET STORAGE EXTERNAL")
    op.execute("INSERT INTO lead_changes (lead_id) SELECT lead_id FROM leads ORDER BY first_scored_at, lead_id")
    op.drop_index("ix_leads_account_id", "leads")


def downgrade() -> None:
    """Drop them; the leads hold everything that they were made of."""
    op.create_index("ix_leads_account_id", "leads", ["account_id"])
    op.drop_table("lead_blocks")
    op.drop_index("ix_lead_places_place", "lead_places")
    op.drop_table("lead_places")
    op.drop_table("lead_changes")
