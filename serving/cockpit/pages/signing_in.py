"""Signing in with a key of the service, and signing out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from features.text import Text
from serving.auth.access import COCKPIT
from serving.auth.gate import address_of
from serving.cockpit.forms import Form, open_form, signed_form
from serving.cockpit.rendering import page
from serving.cockpit.session import COOKIE, SIGN_IN, SIGN_OUT, own_path
from serving.errors import ApiError
from serving.service import Service

router = APIRouter(include_in_schema=False)
TOLD_IN_THE_FORM = ("unauthorized", "forbidden", "too_many_requests")


@router.get(SIGN_IN)
async def show_sign_in(request: Request) -> Response:
    """The form to sign in with a key; in the demo, a choice of roles."""
    return _shown(request, request.query_params.get("next", ""), None)


@router.post(SIGN_IN)
async def sign_in(request: Request, form: Annotated[Form, Depends(open_form)]) -> Response:
    """On to where the visitor wanted to go, signed in; or the form again, with what was wrong."""
    visitors, next_page = Service.of(request).visitors, form.get("next", "")
    try:
        if visitors.need_a_key:
            token = await visitors.sign_in(form.get("key", ""), address_of(request.scope))
        else:
            token = await visitors.sign_in_as(form.get("role", ""))
    except ApiError as error:
        if error.kind.name not in TOLD_IN_THE_FORM:
            raise
        return _shown(request, next_page, error)
    return _signed_in(request, token, visitors.seconds, own_path(next_page))


@router.post(SIGN_OUT)
async def sign_out(request: Request, _: Annotated[Form, Depends(signed_form)]) -> Response:
    """Back to the form, signed out everywhere this session was used."""
    await Service.of(request).visitors.sign_out(request.state.session)
    response = RedirectResponse(f"{SIGN_IN}?out=1", 303)
    response.delete_cookie(COOKIE, path=COCKPIT, httponly=True, samesite="lax", secure=_is_secure(request))
    return response


def _shown(request: Request, next_page: str, error: ApiError | None) -> Response:
    fault = None if error is None else NO_SUCH_KEY if error.kind.name == "unauthorized" else error.detail
    return page(
        request,
        "signing_in.html",
        status=error.kind.status if error else 200,
        headers={name: value for name, value in error.headers.items() if name == "Retry-After"} if error else None,
        next_page=own_path(next_page) if next_page else "",
        fault=fault,
        has_left=request.query_params.get("out") == "1" and error is None,
        need_a_key=Service.of(request).visitors.need_a_key,
    )


def _signed_in(request: Request, token: str, seconds: int, next_page: str) -> Response:
    response = RedirectResponse(next_page, 303)
    response.set_cookie(
        COOKIE, token, max_age=seconds, path=COCKPIT, httponly=True, samesite="lax", secure=_is_secure(request)
    )
    return response


def _is_secure(request: Request) -> bool:
    """Whether the visitor came by TLS, to us or to the proxy before us."""
    return request.url.scheme == "https"


NO_SUCH_KEY = Text(
    "This key opens nothing. Look whether you have copied all of it; whoever runs the service can make a new one.",
    "Dieser Schlüssel gilt nicht. Prüfen Sie, ob Sie ihn ganz kopiert haben; wer den Dienst betreibt, kann einen neuen "
    "anlegen.",
)
