"""Lists of leads stay quick, whatever they are filtered by: what is filtered by stands in the index that sorts them.

Region stands in an index of its own: with it, a row of the other one could be longer than PostgreSQL allows.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

SORTED = ["probability", "lead_id"]
FILTERED = "grade handover outcome verdict handed_over_at handover_grade first_contact_at source campaign".split()


def upgrade() -> None:
    """Create both, and drop the one that only sorted."""
    op.create_index("ix_leads_worklist", "leads", [*SORTED, *FILTERED])
    op.create_index("ix_leads_region_probability_lead_id", "leads", ["region", *SORTED])
    op.drop_index("ix_leads_probability_lead_id", "leads")


def downgrade() -> None:
    """The index that only sorts."""
    op.create_index("ix_leads_probability_lead_id", "leads", SORTED)
    op.drop_index("ix_leads_region_probability_lead_id", "leads")
    op.drop_index("ix_leads_worklist", "leads")
