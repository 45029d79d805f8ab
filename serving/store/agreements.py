"""Agreements in the store: proposals, each team's consent, and what came of them. Nothing of a row is overwritten.

Which version is in effect is decided in the transaction that writes, where nobody else writes: of two people at once,
one wins and the other is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Engine, Select, func, insert, select, update

from features.errors import LeadQualityError
from serving.store.errors import ProposalRefusedError, UnknownProposalError, outside
from serving.store.tables import agreements
from serving.store.writer import Writer

Team: TypeAlias = Literal["marketing", "sales"]
Ending: TypeAlias = Literal["declined", "withdrawn", "outdated"]
at = agreements.c


@dataclass(frozen=True, slots=True)
class NewProposal:
    """A proposal as it is made; it counts as the consent of the team that makes it.

    Attributes
    ----------
    version : int
        What it becomes if both teams consent.
    based_on : int
        The version that was in effect for whoever proposes.
    parts : bytes
        JSON: the parts of the definition that are agreed on.
    threshold : float
        The lowest probability handed over that results, from the `n_leads` leads of the window if it is one.
    fingerprint : str
        Of the definition that results.
    key_id : str
        The API key that proposes; `demo` where there are none.
    """

    definition_name: str
    version: int
    based_on: int
    parts: bytes
    threshold: float
    window_start: datetime | None
    window_end: datetime | None
    n_leads: int | None
    fingerprint: str
    comment: str
    proposed_by: Team
    proposed_at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """A proposal as it is stored, with what has become of it."""

    id: int
    definition_name: str
    version: int
    based_on: int
    parts: bytes
    threshold: float
    window_start: datetime | None
    window_end: datetime | None
    n_leads: int | None
    fingerprint: str
    comment: str
    proposed_by: Team
    proposed_at: datetime
    marketing_key: str | None
    marketing_at: datetime | None
    sales_key: str | None
    sales_at: datetime | None
    effective_at: datetime | None
    ended_at: datetime | None
    ending: Ending | None
    ended_key: str | None
    answer_comment: str

    @property
    def is_open(self) -> bool:
        """Whether it waits for the other team."""
        return self.effective_at is None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a team answers to a proposal.

    Attributes
    ----------
    own_version : int
        Of the definition file that the model in service was trained under.
    """

    definition_name: str
    own_version: int
    proposal_id: int
    team: Team
    key_id: str
    comment: str
    moment: datetime


@dataclass(frozen=True, slots=True)
class _Proposed:
    new: NewProposal
    own_version: int


class Agreements:
    """Agreements in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def in_effect(self, name: str) -> Agreement | None:
        """The latest agreement on the definition `name` that took effect; None if there was none."""
        with outside(), self._engine.connect() as connection:
            return _in_effect(connection, name)

    def open(self, name: str) -> Agreement | None:
        """The proposal that waits for the other team's answer; None if there is none."""
        with outside(), self._engine.connect() as connection:
            return _open(connection, name)

    def get(self, name: str, proposal_id: int) -> Agreement | None:
        """The proposal with this number; None if there is none."""
        with outside(), self._engine.connect() as connection:
            return _one(connection, _of(name).where(at.id == proposal_id))

    def history(self, name: str, most: int, before: int | None = None) -> list[Agreement]:
        """The newest proposals first, at most so many; only those made before the number `before`, if one is given."""
        query = _of(name).order_by(at.id.desc()).limit(most)
        if before is not None:
            query = query.where(at.id < before)
        with outside(), self._engine.connect() as connection:
            return [Agreement(**row._mapping) for row in connection.execute(query)]

    def propose(self, new: NewProposal, own_version: int) -> Agreement:
        """The proposal as it is stored; the same proposal sent again is stored once.

        Parameters
        ----------
        own_version : int
            Of the definition file that the model in service was trained under.

        Raises
        ------
        ProposalRefusedError
            If it is based on a version that is no longer in effect, or another proposal is open.
        StoreDownError
            If the database fails.
        """
        return self._writer.write(_propose, _Proposed(new, own_version))

    def consent(self, answer: Answered) -> Agreement:
        """The proposal with the team's consent; with both, it is in effect from that moment on.

        Raises
        ------
        UnknownProposalError
            If there is no such proposal.
        ProposalRefusedError
            If it is no longer open, is based on a version no longer in effect, or the team has consented already.
        """
        return self._writer.write(_consent, answer)

    def decline(self, answer: Answered) -> Agreement:
        """The proposal, ended: declined by the other team, or withdrawn by the one that made it.

        Raises
        ------
        UnknownProposalError, ProposalRefusedError
            As `consent`.
        """
        return self._writer.write(_decline, answer)


Result: TypeAlias = "list[Agreement | LeadQualityError]"


def _propose(connection: Connection, wanted: Sequence[_Proposed]) -> Result:
    return _each(connection, wanted, _proposed)


def _consent(connection: Connection, wanted: Sequence[Answered]) -> Result:
    return _each(connection, wanted, _consented)


def _decline(connection: Connection, wanted: Sequence[Answered]) -> Result:
    return _each(connection, wanted, _declined)


def _each(connection: Connection, wanted: Sequence[Any], do: Callable[[Connection, Any], Agreement]) -> Result:
    """What became of each; who is refused leaves nothing behind, so the others are not touched by it."""
    results: Result = []
    for one in wanted:
        try:
            results.append(do(connection, one))
        except (ProposalRefusedError, UnknownProposalError) as error:
            results.append(error)
    return results


def _proposed(connection: Connection, wanted: _Proposed) -> Agreement:
    new, waiting = wanted.new, _open(connection, wanted.new.definition_name)
    if waiting is not None and _is_same(waiting, new):
        return waiting
    current = _version(connection, new.definition_name, wanted.own_version)
    if new.based_on != current:
        raise ProposalRefusedError.outdated(new.based_on, current)
    if waiting is not None and waiting.based_on == current:
        raise ProposalRefusedError.another_open(waiting.id)
    if waiting is not None:
        # A newly trained model has brought a later version along: nobody can consent to this one any more.
        _change(connection, waiting.id, ended_at=new.proposed_at, ending="outdated")
    values = asdict(new)
    key_id = values.pop("key_id")
    consent = {f"{new.proposed_by}_key": key_id, f"{new.proposed_by}_at": new.proposed_at}
    made = insert(agreements).values(**values, **consent, answer_comment="").returning(at.id)
    return _stored(connection, new.definition_name, connection.execute(made).scalar_one())


def _consented(connection: Connection, answer: Answered) -> Agreement:
    proposal = _stored(connection, answer.definition_name, answer.proposal_id)
    key, moment = getattr(proposal, f"{answer.team}_key"), getattr(proposal, f"{answer.team}_at")
    if moment is not None and key == answer.key_id and proposal.ended_at is None:
        return proposal  # sent again
    _require_open(connection, proposal, answer)
    if moment is not None:
        raise ProposalRefusedError.consented_already(answer.team)
    other: Team = "sales" if answer.team == "marketing" else "marketing"
    in_effect = {"effective_at": answer.moment} if getattr(proposal, f"{other}_at") is not None else {}
    consent = {f"{answer.team}_key": answer.key_id, f"{answer.team}_at": answer.moment}
    _change(connection, proposal.id, answer_comment=answer.comment, **consent, **in_effect)
    return _stored(connection, answer.definition_name, proposal.id)


def _declined(connection: Connection, answer: Answered) -> Agreement:
    proposal = _stored(connection, answer.definition_name, answer.proposal_id)
    ending: Ending = "withdrawn" if answer.team == proposal.proposed_by else "declined"
    if (proposal.ending, proposal.ended_key) == (ending, answer.key_id):
        return proposal  # sent again
    if not proposal.is_open:
        raise ProposalRefusedError.closed(proposal.effective_at is not None)
    ended = {"ended_at": answer.moment, "ending": ending, "ended_key": answer.key_id}
    _change(connection, proposal.id, answer_comment=answer.comment, **ended)
    return _stored(connection, answer.definition_name, proposal.id)


def _require_open(connection: Connection, proposal: Agreement, answer: Answered) -> None:
    if not proposal.is_open:
        raise ProposalRefusedError.closed(proposal.effective_at is not None)
    current = _version(connection, answer.definition_name, answer.own_version)
    if proposal.based_on != current:
        raise ProposalRefusedError.outdated(proposal.based_on, current)


def _is_same(waiting: Agreement, new: NewProposal) -> bool:
    """Whether the proposal that waits is the one that is made, sent once more."""
    key_id = getattr(waiting, f"{new.proposed_by}_key")
    before = (waiting.proposed_by, key_id, waiting.parts, waiting.comment, waiting.based_on)
    return before == (new.proposed_by, new.key_id, new.parts, new.comment, new.based_on)


def _version(connection: Connection, name: str, own_version: int) -> int:
    """The version in effect: a definition file of a later one takes over from what was agreed before."""
    in_effect = _in_effect(connection, name)
    return max(own_version, in_effect.version if in_effect else 0)


def _stored(connection: Connection, name: str, proposal_id: int) -> Agreement:
    found = _one(connection, _of(name).where(at.id == proposal_id))
    if found is None:
        raise UnknownProposalError(proposal_id)
    return found


def _in_effect(connection: Connection, name: str) -> Agreement | None:
    latest = select(func.max(at.version)).where(at.definition_name == name, at.effective_at.is_not(None))
    return _one(connection, _of(name).where(at.effective_at.is_not(None), at.version == latest.scalar_subquery()))


def _open(connection: Connection, name: str) -> Agreement | None:
    return _one(connection, _of(name).where(at.effective_at.is_(None), at.ended_at.is_(None)))


def _of(name: str) -> Select[Any]:
    return select(agreements).where(at.definition_name == name)


def _one(connection: Connection, query: Select[Any]) -> Agreement | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else Agreement(**row._mapping)


def _change(connection: Connection, proposal_id: int, **values: Any) -> None:
    connection.execute(update(agreements).where(at.id == proposal_id).values(**values))
