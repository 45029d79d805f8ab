"""What the API and the cockpit do with the agreement, each in one place: propose, consent, decline."""

from __future__ import annotations

from typing import Literal

from serving.agreement.asking import Who, Wish
from serving.agreement.proposing import proposal
from serving.service import Service
from serving.store import Agreement, Answered

Act = Literal["consent", "decline"]


def propose(service: Service, wish: Wish) -> Agreement:
    """The proposal as it is stored; blocks.

    Raises
    ------
    DataError
        If it cannot be proposed, with every reason.
    NotReadyError, StoreDownError
        If there is no model, or the database fails.
    """
    service.agreements.look()  # what was agreed on a moment ago, in another worker
    new = proposal(wish, service.model.scorer.bundle, service.store, service.clock())
    return service.store.agreements.propose(new, service.model.own_definition.definition.version)


def answer_proposal(service: Service, act: Act, proposal_id: int, who: Who, comment: str) -> Agreement:
    """The proposal after a team's answer, which is applied here at once; blocks, and raises as `propose`."""
    own, agreements = service.model.own_definition, service.store.agreements
    answer = Answered(own.name, own.definition.version, proposal_id, who.team, who.key_id, comment, service.clock())
    done = agreements.consent(answer) if act == "consent" else agreements.decline(answer)
    service.agreements.look()
    return done
