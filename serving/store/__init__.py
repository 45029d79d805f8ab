"""What was scored, and what became of it, kept durably. SQLite by default, PostgreSQL by URL."""

from serving.store.agreements import Agreement, Agreements, Answered, NewProposal, Team
from serving.store.closed import ClosedLead
from serving.store.definitions import DefinitionRecord, Definitions
from serving.store.errors import (
    KeyReusedError,
    LeadRefusedError,
    NotHandedOverError,
    NotMigratedError,
    ProposalRefusedError,
    StoreDownError,
    UnknownLeadError,
    UnknownProposalError,
)
from serving.store.exports import NewExport, PastLead
from serving.store.keys import KeyRecord
from serving.store.lives import Happened, Life, Place, ScoreInShort, StoredScore
from serving.store.records import Erasure, LearntFrom, ModelRecord, NewScore, Objection, Outcome, Saved, Verdict
from serving.store.scores import Stored, WantedScores
from serving.store.sessions import SessionRecord
from serving.store.shadow import Pair, ShadowScore
from serving.store.store import Store
from serving.store.told import Told
from serving.store.watching import AlertRecord, Comparable, FirstScore, Watching
from serving.store.worklist import Listed, Order, Part, Wanted

__all__ = [
    "Agreement",
    "Agreements",
    "AlertRecord",
    "Answered",
    "ClosedLead",
    "Comparable",
    "DefinitionRecord",
    "Definitions",
    "Erasure",
    "FirstScore",
    "Happened",
    "KeyRecord",
    "KeyReusedError",
    "LeadRefusedError",
    "LearntFrom",
    "Life",
    "Listed",
    "ModelRecord",
    "NewExport",
    "NewProposal",
    "NewScore",
    "NotHandedOverError",
    "NotMigratedError",
    "Objection",
    "Order",
    "Outcome",
    "Pair",
    "Part",
    "PastLead",
    "Place",
    "ProposalRefusedError",
    "Saved",
    "ScoreInShort",
    "SessionRecord",
    "ShadowScore",
    "Store",
    "StoreDownError",
    "Stored",
    "StoredScore",
    "Team",
    "Told",
    "UnknownLeadError",
    "UnknownProposalError",
    "Verdict",
    "Wanted",
    "WantedScores",
    "Watching",
]
