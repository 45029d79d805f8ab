"""The requests that come most often go past the framework's routing, straight to the functions of their routes.

Finding a route, solving dependencies and stacking exits costs the framework as much as a third of an explained lead
takes in all. The routes of these requests need none of it: they read the request and give a response themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import LeadQualityError
from serving.errors import ApiError
from serving.responses import error_response

TAKEN = ("/v1/score", "/v1/what-if")


class FastLane:
    """The middleware next to the routes.

    Parameters
    ----------
    routers : sequence of APIRouter
        Where the routes of `TAKEN` stand; those are asked with POST.
    """

    def __init__(self, app: ASGIApp, routers: Sequence[APIRouter]) -> None:
        self._app = app
        routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
        self._routes = {("POST", route.path): route for route in routes if route.path in TAKEN}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as its route would."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        response = await _answer(route.endpoint, Request(scope, receive, send))
        await response(scope, receive, send)


async def _answer(endpoint: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    try:
        return await endpoint(request)
    except (ApiError, LeadQualityError) as error:
        return await error_response(request, error)
