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
from serving.store.records import Erasure, LearntFrom, ModelRecord, NewScore, Objection, Outcome, Saved, Verdict
from serving.store.store import Store
from serving.store.told import Told
from serving.store.watching import AlertRecord, FirstScore, Watching

__all__ = [
    "AlertRecord",
    "Erasure",
    "FirstScore",
    "KeyRecord",
    "KeyReusedError",
    "LeadRefusedError",
    "LearntFrom",
    "ModelRecord",
    "NewExport",
    "NewScore",
    "NotHandedOverError",
    "NotMigratedError",
    "Objection",
    "Outcome",
    "PastLead",
    "Saved",
    "Store",
    "StoreDownError",
    "Told",
    "UnknownLeadError",
    "Verdict",
    "Watching",
]
