"""What the store raises; every database error becomes one of these before it leaves this package.

LeadQualityError
├── OutsideError
│   └── StoreDownError      the database does not answer, is full, locked for too long, ...
├── NotReadyError
│   └── NotMigratedError    the tables are not those of this release
└── DataError
    └── KeyReusedError      an Idempotency-Key came back with another content
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def outside() -> Iterator[None]:
    """Database errors as `StoreDownError`, named by their class: messages of drivers may quote what was stored."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreDownError(f"the database failed: {type(cause).__module__}.{type(cause).__qualname__}") from error
