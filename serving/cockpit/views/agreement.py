"""The agreement of both teams: what is in effect, what is proposed, what another rule would do, and the history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.definition import GRADES, Grade, agreed_parts
from serving.agreement.telling import State, state_of
from serving.auth.keys import Role
from serving.cockpit.formats import Reader
from serving.cockpit.views.definition import DefinitionView, definition_view
from serving.cockpit.views.simulator import SimulatorView, Tried, simulator_view
from serving.service import Service
from serving.store import Agreement, Team

TEAMS: tuple[Team, ...] = ("marketing", "sales")
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Consent:
    """A team's consent, or that it is waited for."""

    team: Team
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal, and what has become of it.

    Attributes
    ----------
    capacity, threshold : float
        The rule: the first is None where a threshold was agreed on.
    hours : mapping
        By grade; None where there are none.
    n_leads, start, end
        The leads that made a threshold of the capacity; None where none did.
    """

    id: int
    version: int
    based_on: int
    state: State
    capacity: float | None
    threshold: float
    hours: Mapping[Grade, float | None]
    n_leads: int | None
    start: datetime | None
    end: datetime | None
    comment: str
    answer: str
    proposed_by: Team
    proposed_at: datetime
    consents: tuple[Consent, ...]
    effective_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class InEffect:
    """What is in effect: by agreement since `since`, or by the definition file."""

    version: int
    since: datetime | None
    capacity: float | None
    threshold: float
    hours: Mapping[Grade, float | None]


@dataclass(frozen=True, slots=True)
class AgreementView:
    """The page.

    Attributes
    ----------
    own_team : str or None
        For which team the visitor can speak.
    may_propose : bool
        Whether the visitor can propose now: nothing is open, and they speak for a team.
    """

    definition: DefinitionView
    in_effect: InEffect
    simulator: SimulatorView
    asked: Tried
    waiting: ProposalView | None
    history: tuple[ProposalView, ...]
    own_team: Team | None
    may_propose: bool


def agreement_view(service: Service, tried: Tried, now: datetime, role: Role, reader: Reader) -> AgreementView:
    """Everything on the page, for one reader; blocks on the database.

    Raises
    ------
    NotReadyError, StoreDownError
        If there is no model, or the database fails.
    """
    bundle, agreements = service.model.scorer.bundle, service.store.agreements
    definition, version = bundle.definition, bundle.definition.definition.version
    threshold = bundle.manifest.handover_threshold
    history = [proposal_view(each, version) for each in agreements.history(definition.name, MOST_SHOWN)]
    waiting = next((each for each in history if each.state == "open"), None)
    team = next((each for each in TEAMS if each == role), None)
    since = next((each.effective_at for each in history if each.state == "in_effect"), None)
    return AgreementView(
        definition=definition_view(definition),
        in_effect=InEffect(
            version, since, *_rule(agreed_parts(definition), threshold), _hours(agreed_parts(definition))
        ),
        simulator=simulator_view(service.supplies, bundle, tried, now, reader),
        asked=tried,
        waiting=waiting,
        history=tuple(history),
        own_team=team,
        may_propose=team is not None and waiting is None,
    )


def proposal_view(agreement: Agreement, version: int) -> ProposalView:
    """A proposal while `version` is in effect."""
    parts = json.loads(agreement.parts)
    capacity, threshold = _rule(parts, agreement.threshold)
    teams = TEAMS if agreement.proposed_by == "marketing" else TEAMS[::-1]
    return ProposalView(
        id=agreement.id,
        version=agreement.version,
        based_on=agreement.based_on,
        state=state_of(agreement, version),
        capacity=capacity,
        threshold=threshold,
        hours=_hours(parts),
        n_leads=agreement.n_leads,
        start=agreement.window_start,
        end=agreement.window_end,
        comment=agreement.comment,
        answer=agreement.answer_comment,
        proposed_by=agreement.proposed_by,
        proposed_at=agreement.proposed_at,
        consents=tuple(Consent(team, getattr(agreement, f"{team}_at")) for team in teams),
        effective_at=agreement.effective_at,
        ended_at=agreement.ended_at,
    )


def _rule(parts: Mapping[str, Any], threshold: float) -> tuple[float | None, float]:
    return parts["handover"].get("capacity_per_week"), threshold


def _hours(parts: Mapping[str, Any]) -> dict[Grade, float | None]:
    return {grade: parts["follow_up_hours"].get(grade) for grade in GRADES}
