"""Where the cockpit begins, and in which language it speaks."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse

from features.text import LANGUAGES
from serving.auth.access import COCKPIT
from serving.cockpit.navigation import first_page
from serving.cockpit.session import own_path
from serving.cockpit.viewer import LANGUAGE_COOKIE, Viewer
from serving.errors import ApiError

router = APIRouter(include_in_schema=False)
YEAR_S = 365 * 86_400


@router.get("/")
async def get_root() -> RedirectResponse:
    """The way to the cockpit, for people who open the service in a browser."""
    return RedirectResponse(COCKPIT, 303)


@router.get(COCKPIT)
async def get_home(request: Request) -> RedirectResponse:
    """The way to the page that the visitor's role begins with."""
    return RedirectResponse(first_page(Viewer.of(request).role), 303)


@router.get("/cockpit/language/{language}")
async def choose_language(request: Request) -> RedirectResponse:
    """Back to where the visitor was, in the language that they chose; their browser remembers it."""
    language = request.path_params["language"]
    if language not in LANGUAGES:
        raise ApiError("not_found")
    wanted = request.query_params.get("next", "")
    response = RedirectResponse(wanted if wanted.startswith("/cockpit/sign-in") else own_path(wanted), 303)
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, path=COCKPIT, samesite="lax", httponly=True)
    return response
