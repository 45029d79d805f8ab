"""What the store raises; every database error becomes one of these before it leaves this package.

LeadQualityError
├── OutsideError
│   └── StoreDownError      the database does not answer, is full, locked for too long, ...
├── NotReadyError
│   └── NotMigratedError    the tables are not those of this release
└── DataError
    ├── KeyReusedError      an Idempotency-Key came back with another content
    ├── LeadRefusedError    the person objected, or the lead was erased: nothing about it may be stored
    ├── UnknownLeadError    an outcome or a verdict of a lead that has no score
    ├── NotHandedOverError  a verdict on a lead that sales was never given
    ├── UnknownProposalError  an answer to a proposal that was never made
    └── ProposalRefusedError  a proposal, or an answer to one, that came too late or twice
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from features.errors import DataError, NotReadyError, OutsideError, Problem
from features.text import Text


class StoreDownError(OutsideError):
    """The database did not do what was asked, through no fault of the caller."""


class NotMigratedError(NotReadyError):
    """The tables are not those of this release."""


class KeyReusedError(DataError):
    """An Idempotency-Key came back with another content."""

    title = Text(en="The Idempotency-Key was used before", de="Der Idempotency-Key wurde schon verwendet")

    def __init__(self) -> None:
        problem = Problem(
            where="header Idempotency-Key",
            what=Text(
                en="this key came before with another request",
                de="dieser Schlüssel kam schon mit einer anderen Anfrage",
            ),
            expected=Text(
                en="a new key for a new request; the same key only to repeat the same request",
                de="ein neuer Schlüssel für eine neue Anfrage; derselbe nur, um dieselbe Anfrage zu wiederholen",
            ),
            code="idempotency_key_reused",
        )
        super().__init__([problem])


class LeadRefusedError(DataError):
    """Nothing about this lead may be stored."""

    title = Text(en="The lead may not be scored", de="Der Lead darf nicht bewertet werden")

    @classmethod
    def objected(cls, lead_id: str, moment: datetime) -> Self:
        """The person objected."""
        what = Text(f"the person objected on {_day(moment)}", f"die Person hat am {_day(moment)} widersprochen")
        expected = Text("no more scores of this lead", "keine weiteren Scores zu diesem Lead")
        return cls([Problem(where="lead_id", what=what, seen=lead_id, expected=expected, code="objected")])

    @classmethod
    def erased(cls, lead_id: str, moment: datetime) -> Self:
        """The lead was erased."""
        what = Text(f"this lead was erased on {_day(moment)}", f"dieser Lead wurde am {_day(moment)} gelöscht")
        expected = Text("nothing about it, under any request", "nichts mehr zu ihm, in keiner Anfrage")
        return cls([Problem(where="lead_id", what=what, seen=lead_id, expected=expected, code="erased")])


class UnknownLeadError(DataError):
    """No score of the lead is stored, so nothing can be told about it."""

    title = Text(en="There is no such lead", de="Diesen Lead gibt es nicht")

    def __init__(self, lead_id: str) -> None:
        what = Text("no score of this lead is stored", "von diesem Lead ist kein Score gespeichert")
        expected = Text("the lead_id of a lead that was scored", "die lead_id eines Leads, der bewertet wurde")
        super().__init__([Problem("lead_id", what, expected, seen=lead_id, code="unknown_lead")])


class NotHandedOverError(DataError):
    """Sales was never given the lead, so it has no verdict on it."""

    title = Text(en="The lead was not handed over", de="Der Lead wurde nicht übergeben")

    def __init__(self, lead_id: str) -> None:
        what = Text("no score of this lead said go", "kein Score dieses Leads lautete go")
        expected = Text("a lead that was handed over to sales", "ein Lead, der an den Vertrieb übergeben wurde")
        super().__init__([Problem("lead_id", what, expected, seen=lead_id, code="not_handed_over")])


class UnknownProposalError(DataError):
    """No such proposal was made."""

    title = Text(en="There is no such proposal", de="Diesen Vorschlag gibt es nicht")

    def __init__(self, proposal_id: int | str) -> None:
        what = Text("no proposal has this number", "kein Vorschlag hat diese Nummer")
        expected = Text("a proposal_id that GET /v1/agreement lists", "eine proposal_id aus GET /v1/agreement")
        super().__init__([Problem("proposal_id", what, expected, seen=str(proposal_id), code="unknown_proposal")])


class ProposalRefusedError(DataError):
    """The agreement has moved on; nothing was changed."""

    title = Text(en="The agreement has moved on", de="Die Vereinbarung ist inzwischen weiter")

    @classmethod
    def outdated(cls, based_on: int, current: int) -> Self:
        """It is based on a version that is no longer in effect."""
        what = Text(
            f"this is based on version {based_on}, and version {current} is in effect",
            f"dies beruht auf Version {based_on}, in Kraft ist Version {current}",
        )
        expected = Text(f"a proposal based on version {current}", f"ein Vorschlag zu Version {current}")
        return cls([Problem("based_on", what, expected, seen=str(based_on), code="outdated")])

    @classmethod
    def another_open(cls, proposal_id: int) -> Self:
        """Another proposal waits for its answer."""
        what = Text("another proposal is open", "ein anderer Vorschlag ist offen")
        expected = Text(
            f"first an answer to proposal {proposal_id}", f"zuerst eine Antwort auf Vorschlag {proposal_id}"
        )
        return cls([Problem("proposal", what, expected, seen=str(proposal_id), code="another_open")])

    @classmethod
    def closed(cls, in_effect: bool) -> Self:
        """It took effect or ended before."""
        what = (
            Text("both teams have consented already", "beide Teams haben schon zugestimmt")
            if in_effect
            else Text("this proposal has ended", "dieser Vorschlag ist beendet")
        )
        return cls([Problem("proposal_id", what, Text("an open proposal", "ein offener Vorschlag"), code="closed")])

    @classmethod
    def consented_already(cls, team: str) -> Self:
        """The same team consents twice."""
        what = Text("this team has consented already", "dieses Team hat schon zugestimmt")
        expected = Text("the answer of the other team", "die Antwort des anderen Teams")
        return cls([Problem("team", what, expected, seen=team, code="consented_already")])


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


@contextmanager
def outside() -> Iterator[None]:
    """Database errors as `StoreDownError`, named by their class: messages of drivers may quote what was stored."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        name = f"{type(cause).__module__}.{type(cause).__qualname__}"
        raise StoreDownError(Text(f"the database failed: {name}", f"die Datenbank ist gescheitert: {name}")) from error
