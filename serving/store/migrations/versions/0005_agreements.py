"""What both teams agree on between two trainings, and each definition that scores were made under.

The definitions of scores that are there already come when a model with one of them is in service again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create both tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "agreements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("definition_name", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("based_on", sa.Integer, nullable=False),
        sa.Column("parts", sa.LargeBinary, nullable=False),
        sa.Column("threshold", sa.Float(53), nullable=False),
        sa.Column("window_start", moment),
        sa.Column("window_end", moment),
        sa.Column("n_leads", sa.Integer),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("comment", sa.String(2000), nullable=False),
        sa.Column("proposed_by", sa.String(16), nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("marketing_key", sa.String(16)),
        sa.Column("marketing_at", moment),
        sa.Column("sales_key", sa.String(16)),
        sa.Column("sales_at", moment),
        sa.Column("effective_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("ending", sa.String(16)),
        sa.Column("ended_key", sa.String(16)),
        sa.Column("answer_comment", sa.String(2000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agreements"),
    )
    op.create_index("ix_agreements_definition_name_id", "agreements", ["definition_name", "id"])
    op.create_table(
        "definitions",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("facts", sa.String(64), nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("first_served_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_definitions"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("definitions")
    op.drop_index("ix_agreements_definition_name_id", "agreements")
    op.drop_table("agreements")
