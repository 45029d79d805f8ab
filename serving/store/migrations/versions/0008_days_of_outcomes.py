"""Until when an outcome may have come: one that names only its day came at some time of that day.

What was told before is taken as it stands, as moments.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns, and fill them from the outcomes' own dates."""
    moment = sa.DateTime(timezone=True)
    op.add_column("outcomes", sa.Column("latest_at", moment))
    op.add_column("leads", sa.Column("outcome_latest_at", moment))
    op.execute("UPDATE outcomes SET latest_at = at")
    op.execute("UPDATE leads SET outcome_latest_at = outcome_at")
    with op.batch_alter_table("outcomes") as table:
        table.alter_column("latest_at", existing_type=moment, nullable=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_column("leads", "outcome_latest_at")
    op.drop_column("outcomes", "latest_at")
