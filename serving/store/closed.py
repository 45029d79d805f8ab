"""Leads that are closed, near a probability: the past that a lead can be held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, exists, select

from serving.store.errors import outside
from serving.store.tables import CLOSED, leads, objections, scores


@dataclass(frozen=True, slots=True)
class ClosedLead:
    """A lead that was won or lost, with what its latest score was made from and said.

    Attributes
    ----------
    outcome : {"won", "lost"}
    inputs, answer : bytes
        JSON: the fields as they came, and the whole answer.
    """

    lead_id: str
    account_id: str | None
    outcome: str
    outcome_at: datetime
    probability: float
    grade: str
    inputs: bytes
    answer: bytes


class ClosedLeads:
    """Closed leads in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def near(self, probability: float, most: int, *, without: str) -> list[ClosedLead]:
        """At most `most` closed leads on either side of a probability, those next to it first on each side.

        Parameters
        ----------
        without : str
            The id of the lead that is held against them. Leads whose person objects are left out, too.
        """
        above = leads.c.probability >= probability, leads.c.probability.asc()
        below = leads.c.probability < probability, leads.c.probability.desc()
        with outside(), self._engine.connect() as connection:
            return [lead for side in (above, below) for lead in _side(connection, *side, most, without)]


def _side(
    connection: Connection, beyond: ColumnElement[bool], order: ColumnElement[float], most: int, without: str
) -> list[ClosedLead]:
    """The leads on one side: found in the index first, and only then looked up with their answers."""
    objects = exists().where(objections.c.lead_id == leads.c.lead_id)
    next_to_it = (
        select(leads.c.lead_id)
        .where(CLOSED, beyond, leads.c.lead_id != without, ~objects)
        .order_by(order, leads.c.lead_id)
        .limit(most)
        .subquery()
    )
    names = [leads.c[name] for name in ("lead_id", "account_id", "outcome", "outcome_at", "probability", "grade")]
    query = (
        select(*names, scores.c.inputs, scores.c.answer)
        .join(next_to_it, next_to_it.c.lead_id == leads.c.lead_id)
        .join(scores, scores.c.request_key == leads.c.latest_key)
        .order_by(order, leads.c.lead_id)
    )
    return [ClosedLead(**row._mapping) for row in connection.execute(query)]
