"""Run by alembic: migrations go through the connection that `serving.store.migration` opened."""

from alembic import context

from serving.store.tables import metadata

# SQLite cannot alter most of a table; alembic then copies it.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
