"""What was scored, kept durably: tables, all queries and migrations. SQLite by default, PostgreSQL by URL."""

from serving.store.errors import KeyReusedError, NotMigratedError, StoreDownError
from serving.store.records import ModelRecord, NewScore, Saved
from serving.store.store import Store

__all__ = ["KeyReusedError", "ModelRecord", "NewScore", "NotMigratedError", "Saved", "Store", "StoreDownError"]
