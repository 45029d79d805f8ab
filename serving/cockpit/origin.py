"""Whether a request that changes something comes from a page of ours: what browsers say of it, and no site can fake."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from features.text import Text
from serving.errors import ApiError

OURS = ("same-origin", "none")  # none: the person sent it themselves, by loading the page again


def check_origin(headers: Headers) -> None:
    """Return if the request came from a page of ours.

    Raises
    ------
    ApiError
        403 if it came from elsewhere, or does not say.
    """
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    # Browsers leave the first out where the connection is not secure.
    ours = site in OURS if site else bool(origin) and urlsplit(origin).netloc == headers.get("host")
    if not ours:
        raise ApiError("forbidden", detail=FROM_ELSEWHERE)


FROM_ELSEWHERE = Text(
    "This did not come from a page of the cockpit, so nothing was changed. Open the page here and try again.",
    "Das kam nicht von einer Seite des Cockpits, darum wurde nichts geändert. Öffnen Sie die Seite hier und versuchen "
    "Sie es noch einmal.",
)
