"""The first tables: models that were served, and every score that was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "models",
        sa.Column("bundle_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("definition_name", sa.String(255), nullable=False),
        sa.Column("definition_version", sa.Integer, nullable=False),
        sa.Column("definition_fingerprint", sa.String(64), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("first_served_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("bundle_id", name="pk_models"),
    )
    op.create_table(
        "scores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("request_key", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.Column("account_id", sa.String(128)),
        sa.Column("as_of", moment, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("bundle_id", sa.String(64), nullable=False),
        sa.Column("definition_fingerprint", sa.String(64), nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("log_odds", sa.Float(53), nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("grade", sa.String(1), nullable=False),
        sa.Column("handover", sa.String(16), nullable=False),
        sa.Column("inputs", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scores"),
        sa.UniqueConstraint("request_key", name="uq_scores_request_key"),
        sa.ForeignKeyConstraint(["bundle_id"], ["models.bundle_id"], name="fk_scores_bundle_id"),
    )
    op.create_index("ix_scores_lead_id_as_of_id", "scores", ["lead_id", "as_of", "id"])
    op.create_index("ix_scores_received_at", "scores", ["received_at"])


def downgrade() -> None:
    """Drop both tables, with every score in them."""
    op.drop_table("scores")
    op.drop_table("models")
