"""Who looks at a page: role, language, the clocks of the agreement; what pages and forms get to know of the visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request

from features.errors import NotReadyError
from features.text import LANGUAGES, Language
from serving.auth.keys import Role
from serving.cockpit.formats import Reader
from serving.cockpit.session import Session
from serving.service import Service

LANGUAGE_COOKIE: Final = "lq_language"
UTC_ZONE: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who has signed in and reads a page.

    Attributes
    ----------
    client : str
        To which system or team their key was given; empty in the demo.
    csrf : str
        What their forms have to carry.
    """

    role: Role
    client: str
    key_id: str | None
    language: Language
    zone: ZoneInfo
    csrf: str

    @property
    def pseudonym(self) -> str:
        """Under which name their verdicts and decisions are stored: the key's id, which says nothing of a person."""
        return f"cockpit:{self.key_id or f'demo-{self.role}'}"

    @property
    def reader(self) -> Reader:
        """Writes figures for them."""
        return Reader(self.language, self.zone)

    @staticmethod
    def of(request: Request) -> Viewer:
        """Whoever sent this request, which the gate has let in."""
        session: Session = request.state.session
        language, zone = language_of(request), zone_of(request)
        return Viewer(session.role, session.client, session.key_id, language, zone, session.csrf)


def viewer_or_none(request: Request) -> Viewer | None:
    """Whoever sent this request, if they have signed in."""
    return Viewer.of(request) if hasattr(request.state, "session") else None


def language_of(request: Request) -> Language:
    """The language that the visitor chose, else the one that their browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return next((known for known in LANGUAGES if known == chosen), None) or Service.of(request).language(request)


def zone_of(request: Request) -> ZoneInfo:
    """The clocks of the agreement in service; UTC while there is none."""
    try:
        return ZoneInfo(Service.of(request).model.scorer.bundle.definition.read.timezone)
    except NotReadyError:
        return UTC_ZONE
