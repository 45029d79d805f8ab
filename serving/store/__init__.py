"""What was scored, kept durably: tables, all queries and migrations. SQLite by default, PostgreSQL by URL."""

from serving.store.errors import KeyReusedError, LeadRefusedError, NotMigratedError, StoreDownError
from serving.store.records import ModelRecord, NewScore, Saved
from serving.store.store import Store

__all__ = [
    "KeyReusedError",
    "LeadRefusedError",
    "ModelRecord",
    "NewScore",
    "NotMigratedError",
    "Saved",
    "Store",
    "StoreDownError",
]
