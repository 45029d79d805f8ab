"""What the routes work with: one object, put together by `serving.app` and hung on the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from features.text import Language
from serving.agreement.keeping import AgreementKeeper
from serving.agreement.supplies import Supplies
from serving.auth.guard import Guard
from serving.cockpit.session import Visitors
from serving.errors import ApiError, preferred_language
from serving.gathering import Gathering
from serving.identity import SentKey
from serving.in_service import ModelInService
from serving.metrics import Metrics
from serving.monitoring.later import Later
from serving.registry import RegistryRecord
from serving.settings import Settings
from serving.shadow.shadow import Shadow
from serving.store import Store
from serving.store_state import StoreState

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time in UTC; the only place that asks for it."""
    return datetime.now(UTC)


def sent_key(request: Request) -> SentKey | None:
    """The request's Idempotency-Key, as one of the client whose API key let it in."""
    text = request.headers.get("idempotency-key")
    return None if text is None else SentKey(getattr(request.state, "client", ""), text)


@dataclass(frozen=True)
class Service:
    """Settings, model, store, clock, visitors, guard, and what is counted."""

    settings: Settings
    model: ModelInService
    store: Store
    store_state: StoreState
    gathering: Gathering
    visitors: Visitors
    """Who has signed in to the cockpit."""
    error_page: Callable[[Request, ApiError], Response]
    """What the cockpit's visitors see where other callers get problem details."""
    agreements: AgreementKeeper
    """Who puts the model under what both teams have agreed on since it was trained."""
    supplies: Supplies
    """The leads of past windows, as the simulator of the handover asks for them."""
    later: Later
    """How the model does on leads that came after it."""
    registry: RegistryRecord
    """What the registry knows of the model."""
    clock: Clock = utc_now
    guard: Guard | None = None
    """Who says which callers may; None in the demo, where everybody may."""
    metrics: Metrics = field(default_factory=Metrics)
    shadow: Shadow | None = None
    """Who scores in the shadow, if the settings name a challenger."""

    @staticmethod
    def of(request: Request) -> Service:
        """The service that a request came to."""
        service: Service = request.app.state.service
        return service

    def language(self, request: Request) -> Language:
        """The language in which the caller reads messages."""
        return preferred_language(request.headers.get("accept-language", ""), self.settings.language)
