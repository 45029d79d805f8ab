"""What becomes of leads: outcomes, verdicts, objections, erasures, exports; keys, alerts, and scores in the shadow.

The table of leads is filled from the scores that are there already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# What the scores of each lead add up to; which campaign they came from stands only in the answers.
FILL_LEADS = """
INSERT INTO leads (lead_id, account_id, first_scored_at, first_key, handed_over_at, handover_key, latest_key,
                   latest_as_of, probability, grade, handover, simulated)
SELECT latest.lead_id, latest.account_id, first.received_at, first.request_key, handed.received_at, handed.request_key,
       latest.request_key, latest.as_of, latest.probability, latest.grade, latest.handover, models.simulated
FROM (SELECT scores.*, row_number() OVER (PARTITION BY lead_id ORDER BY as_of DESC, id DESC) AS place
      FROM scores) latest
JOIN (SELECT scores.*, row_number() OVER (PARTITION BY lead_id ORDER BY id) AS place FROM scores) first
  ON first.lead_id = latest.lead_id AND first.place = 1
LEFT JOIN (SELECT scores.*, row_number() OVER (PARTITION BY lead_id ORDER BY id) AS place
           FROM scores WHERE handover = 'go') handed
  ON handed.lead_id = latest.lead_id AND handed.place = 1
JOIN models ON models.bundle_id = latest.bundle_id
WHERE latest.place = 1
"""


def upgrade() -> None:
    """Create the tables, and fill the one of leads."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "alerts",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("raised", sa.Boolean, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("checked_at", moment, nullable=False),
        sa.Column("n_over", sa.Integer, nullable=False),
        sa.Column("n_under", sa.Integer, nullable=False),
        sa.Column("value", sa.Float(53)),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_alerts"),
    )
    op.create_table(
        "erasures",
        sa.Column("lead_hash", sa.String(64), nullable=False),
        sa.Column("receipt_id", sa.String(32), nullable=False),
        sa.Column("erased_at", moment, nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("receipt", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("lead_hash", name="pk_erasures"),
        sa.UniqueConstraint("receipt_id", name="uq_erasures_receipt_id"),
    )
    op.create_table(
        "exports",
        sa.Column("export_id", sa.String(32), nullable=False),
        sa.Column("exported_at", moment, nullable=False),
        sa.Column("definition_fingerprint", sa.String(64), nullable=False),
        sa.Column("n_leads", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("export_id", name="pk_exports"),
    )
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("client", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment),
        sa.Column("revoked_at", moment),
        sa.Column("last_used_at", moment),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
    )
    op.create_table(
        "leads",
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.Column("account_id", sa.String(128)),
        sa.Column("first_scored_at", moment, nullable=False),
        sa.Column("first_key", sa.String(64), nullable=False),
        sa.Column("handed_over_at", moment),
        sa.Column("handover_key", sa.String(64)),
        sa.Column("latest_key", sa.String(64), nullable=False),
        sa.Column("latest_as_of", moment, nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("grade", sa.String(1), nullable=False),
        sa.Column("handover", sa.String(16), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("source", sa.String(200)),
        sa.Column("campaign", sa.String(200)),
        sa.Column("region", sa.String(200)),
        sa.Column("outcome", sa.String(8)),
        sa.Column("outcome_at", moment),
        sa.Column("value", sa.Float(53)),
        sa.Column("verdict", sa.String(8)),
        sa.Column("verdict_at", moment),
        sa.Column("verdict_reason", sa.String(64)),
        sa.Column("first_contact_at", moment),
        sa.PrimaryKeyConstraint("lead_id", name="pk_leads"),
    )
    op.create_index("ix_leads_account_id", "leads", ["account_id"])
    op.create_index("ix_leads_first_scored_at", "leads", ["first_scored_at"])
    op.create_index("ix_leads_handed_over_at", "leads", ["handed_over_at"])
    op.create_index("ix_leads_probability_lead_id", "leads", ["probability", "lead_id"])
    op.create_table(
        "objections",
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.Column("objected_at", moment, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.PrimaryKeyConstraint("lead_id", name="pk_objections"),
    )
    op.create_table(
        "outcomes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("request_key", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("value", sa.Float(53)),
        sa.Column("reason", sa.String(64)),
        sa.Column("key_id", sa.String(16)),
        sa.Column("received_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sa.UniqueConstraint("request_key", name="uq_outcomes_request_key"),
    )
    op.create_index("ix_outcomes_lead_id_at_id", "outcomes", ["lead_id", "at", "id"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        sa.Column("request_key", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("first_contact_at", moment),
        sa.Column("at", moment, nullable=False),
        sa.Column("key_id", sa.String(16)),
        sa.Column("received_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
        sa.UniqueConstraint("request_key", name="uq_verdicts_request_key"),
    )
    op.create_index("ix_verdicts_lead_id_at_id", "verdicts", ["lead_id", "at", "id"])
    op.create_table(
        "exported_leads",
        sa.Column("export_id", sa.String(32), nullable=False),
        sa.Column("lead_id", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["exports.export_id"], name="fk_exported_leads_export_id"),
        sa.PrimaryKeyConstraint("export_id", "lead_id", name="pk_exported_leads"),
    )
    op.create_index("ix_exported_leads_lead_id", "exported_leads", ["lead_id"])
    op.create_table(
        "shadow_scores",
        sa.Column("request_key", sa.String(64), nullable=False),
        sa.Column("bundle_id", sa.String(64), nullable=False),
        sa.Column("probability", sa.Float(53), nullable=False),
        sa.Column("log_odds", sa.Float(53), nullable=False),
        sa.Column("grade", sa.String(1), nullable=False),
        sa.Column("handover", sa.String(16), nullable=False),
        sa.Column("scored_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["bundle_id"], ["models.bundle_id"], name="fk_shadow_scores_bundle_id"),
        sa.ForeignKeyConstraint(
            ["request_key"], ["scores.request_key"], name="fk_shadow_scores_request_key", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request_key", "bundle_id", name="pk_shadow_scores"),
    )
    op.execute(FILL_LEADS)


def downgrade() -> None:
    """Drop them, with everything in them."""
    for table in (
        "shadow_scores",
        "exported_leads",
        "exports",
        "erasures",
        "objections",
        "verdicts",
        "outcomes",
        "leads",
    ):
        op.drop_table(table)
    op.drop_table("alerts")
    op.drop_table("keys")
