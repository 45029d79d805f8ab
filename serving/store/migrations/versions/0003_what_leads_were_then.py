"""In the row of each lead, what its first score said and what the score said that handed it over.

Figures compare what was said then with what became of the lead; looking each score up would cost them seconds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PARTS = {"first": "first_key", "handover": "handover_key"}


def upgrade() -> None:
    """Add the columns, and fill them from the scores."""
    moment = sa.DateTime(timezone=True)
    for part in PARTS:
        op.add_column("leads", sa.Column(f"{part}_as_of", moment))
        op.add_column("leads", sa.Column(f"{part}_probability", sa.Float(53)))
        op.add_column("leads", sa.Column(f"{part}_grade", sa.String(1)))
    for part, key in PARTS.items():
        values = ", ".join(
            f"{part}_{name} = (SELECT {name} FROM scores WHERE scores.request_key = leads.{key})"
            for name in ("as_of", "probability", "grade")
        )
        op.execute(f"UPDATE leads SET {values}")
    # SQLite cannot change a column: there, the table is written anew.
    with op.batch_alter_table("leads") as table:
        for name, type_ in (("as_of", moment), ("probability", sa.Float(53)), ("grade", sa.String(1))):
            table.alter_column(f"first_{name}", existing_type=type_, nullable=False)


def downgrade() -> None:
    """Drop them; the scores still hold what they said."""
    with op.batch_alter_table("leads") as table:
        for part in PARTS:
            for name in ("as_of", "probability", "grade"):
                table.drop_column(f"{part}_{name}")
