"""What was scored, and what became of it, kept durably. SQLite by default, PostgreSQL by URL."""

from serving.store.errors import (
    KeyReusedError,
    LeadRefusedError,
    NotHandedOverError,
    NotMigratedError,
    StoreDownError,
    UnknownLeadError,
)
from serving.store.exports import NewExport, PastLead
from serving.store.keys import KeyRecord
from serving.store.records import ModelRecord, NewScore, Outcome, Saved, Verdict
from serving.store.store import Store
from serving.store.told import Told

__all__ = [
    "KeyRecord",
    "KeyReusedError",
    "LeadRefusedError",
    "ModelRecord",
    "NewExport",
    "NewScore",
    "NotHandedOverError",
    "NotMigratedError",
    "Outcome",
    "PastLead",
    "Saved",
    "Store",
    "StoreDownError",
    "Told",
    "UnknownLeadError",
    "Verdict",
]
