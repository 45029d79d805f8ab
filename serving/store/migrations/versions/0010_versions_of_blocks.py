"""Blocks have versions, so that a service reads those anew that have changed since it last looked, and no others."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column, and what it is looked up in."""
    op.add_column("lead_blocks", sa.Column("version", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_lead_blocks_block_version", "lead_blocks", ["block", "version"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_lead_blocks_block_version", "lead_blocks")
    op.drop_column("lead_blocks", "version")
