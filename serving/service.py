"""What the routes work with: one object, put together by `serving.app` and hung on the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.requests import Request

from features.text import Language
from serving.bundles import ModelInService
from serving.errors import preferred_language
from serving.settings import Settings
from serving.store import Store

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time in UTC; the only place that asks for it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    """Settings, model, store and clock."""

    settings: Settings
    model: ModelInService
    store: Store
    clock: Clock = utc_now

    @staticmethod
    def of(request: Request) -> Service:
        """The service that a request came to."""
        service: Service = request.app.state.service
        return service

    def language(self, request: Request) -> Language:
        """The language in which the caller reads messages."""
        return preferred_language(request.headers.get("accept-language", ""), self.settings.language)
