"""Leads of the past that look the same to the model, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from features.rates import rate_interval
from features.text import Text
from serving.cockpit.views.labels import lead_address
from serving.cockpit.views.shares import FieldShare
from serving.lives.likeness import Alike, most_alike
from serving.store import Store, StoredScore

CANDIDATES_ON_A_SIDE = 100
COUNTED = 20
SHOWN = 6
MOST_SHARED = 3
LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class SimilarLead:
    """A closed lead that looks the same.

    Attributes
    ----------
    distance : float
        In percentage points.
    shares : tuple of (Text, Text)
        Labels and values of the strongest fields that both have in common.
    apart : Text, optional
        The field that tells the two apart most.
    same_account : bool
        Whether both belong to the same company.
    """

    lead_id: str
    address: str
    outcome: str
    outcome_at: datetime
    probability: float
    grade: str
    distance: float
    shares: tuple[tuple[Text, Text], ...]
    apart: Text | None
    same_account: bool


@dataclass(frozen=True, slots=True)
class Similar:
    """How leads ended that look the same.

    Attributes
    ----------
    n, n_won : int
        Of the nearest closed leads, at most `COUNTED`.
    low, high : float
        Interval of the share that was won, at `level`.
    """

    n: int
    n_won: int
    low: float
    high: float
    level: float
    leads: tuple[SimilarLead, ...]


def similar_leads(
    store: Store, score: StoredScore, answer: Mapping[str, Any], fields: Sequence[FieldShare], row: Mapping[str, Any]
) -> Similar | None:
    """The closed leads next to a lead; None if there is none. Blocks on the database.

    Parameters
    ----------
    row : mapping
        The lead's row of the table of leads.
    """
    candidates = store.closed.near(score.probability, CANDIDATES_ON_A_SIDE, without=row["lead_id"])
    nearest = most_alike(answer, orjson.loads(score.inputs), candidates, COUNTED)
    n_won = sum(each.lead.outcome == "won" for each in nearest)
    interval = rate_interval(n_won, len(nearest), LEVEL)
    if interval is None:
        return None
    by_name = {share.name: share for share in fields}
    shown = tuple(_shown(each, by_name, row["account_id"]) for each in nearest[:SHOWN])
    return Similar(len(nearest), n_won, *interval, LEVEL, shown)


def _shown(alike: Alike, fields: Mapping[str, FieldShare], account_id: str | None) -> SimilarLead:
    lead = alike.lead
    return SimilarLead(
        lead_id=lead.lead_id,
        address=lead_address(lead.lead_id),
        outcome=lead.outcome,
        outcome_at=lead.outcome_at,
        probability=lead.probability,
        grade=lead.grade,
        distance=alike.distance,
        shares=tuple((fields[name].label, fields[name].value) for name in alike.shared[:MOST_SHARED]),
        apart=fields[alike.apart].label if alike.apart else None,
        same_account=account_id is not None and lead.account_id == account_id,
    )
