"""What a form sent: read with a limit, from a page of ours, by whoever the page was shown to."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from serving.cockpit.origin import FROM_ELSEWHERE, check_origin
from serving.cockpit.session import Session
from serving.errors import ApiError
from serving.service import Service

CSRF: Final = "csrf"
MOST_BYTES: Final = 65_536
MOST_FIELDS: Final = 200
FORM: Final = "application/x-www-form-urlencoded"

Form = Mapping[str, str]


async def signed_form(request: Request) -> Form:
    """The fields of a form of somebody who has signed in; of a field that was sent twice, the last.

    Pages take it as `form: Annotated[Form, Depends(signed_form)]`; then the rest of the page runs in a thread.

    Raises
    ------
    ApiError
        403 if it lacks what only our own page knew, or came from elsewhere; 4xx if it is no form.
    """
    form = await open_form(request)
    session: Session = request.state.session
    if not hmac.compare_digest(form.get(CSRF, "").encode(), session.csrf.encode()):
        raise ApiError("forbidden", detail=FROM_ELSEWHERE)
    return form


async def open_form(request: Request) -> Form:
    """The same for somebody who has not signed in, such as for signing in.

    Raises
    ------
    ApiError
        403 if it came from another site; 4xx if it is no form.
    """
    check_origin(request.headers)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise ApiError("unsupported_media_type")
    raw = await _read(request, Service.of(request).settings.body_timeout_s)
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:  # not UTF-8, or too many fields
        raise ApiError("invalid_request") from error


async def _read(request: Request, timeout_s: float) -> bytes:
    received = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                received += chunk
                if len(received) > MOST_BYTES:
                    raise ApiError("body_too_large")
    except TimeoutError as error:
        raise ApiError("body_too_slow", headers={"Connection": "close"}) from error
    return bytes(received)
