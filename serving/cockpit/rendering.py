"""From finished values to a page: the templates, what every one of them knows, and the headers of a page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from features.errors import NotReadyError
from features.text import LANGUAGES, Language
from serving.auth.access import PEOPLE
from serving.cockpit.assets import address_of_asset
from serving.cockpit.catalogue import Catalogue, texts
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.formats import FILTERS, Reader
from serving.cockpit.navigation import entries
from serving.cockpit.viewer import language_of, viewer_or_none, zone_of
from serving.errors import ApiError
from serving.scorer import Scorer
from serving.service import Service

TEMPLATES: Final = Path(__file__).parent / "templates"
STATIC: Final = Path(__file__).parent / "static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    # With no-referrer, browsers would send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request, Cookie, Accept-Language",
}


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    block: str = "",
    headers: Mapping[str, str] | None = None,
    **shown: Any,
) -> HTMLResponse:
    """A page made from `template` and what it shows.

    Parameters
    ----------
    block : str
        The part of the template that htmx gets instead of the whole page; empty if it gets the whole, too.
    shown : values
        What the template shows; usually one `view`.
    """
    language, zone = language_of(request), zone_of(request)
    made = _environment(language, zone).get_template(template)
    context = made.new_context({**_surroundings(request), **shown})
    wants_part = bool(block) and _wants_a_part(request)
    content = "".join(made.blocks[block](context)) if wants_part else made.render(context)
    return HTMLResponse(content, status, headers={**HEADERS, "Content-Language": language, **(headers or {})})


def document(template: str, reader: Reader, **shown: Any) -> str:
    """A page that stands by itself, such as in a file: with the style sheet in it, and nothing of a visitor.

    `template` extends no other, and shows `stylesheet` where it is given.
    """
    environment = _environment(reader.language, reader.zone)
    stylesheet = Markup((STATIC / "cockpit.css").read_text(encoding="utf-8"))
    return environment.get_template(template).render(stylesheet=stylesheet, **shown)


def error_page(request: Request, error: ApiError) -> HTMLResponse:
    """What went wrong, in words, with what the visitor can do about it."""
    known = texts(language_of(request))
    named = f"errors.{error.kind.name}"
    own_words = f"{named}.title" in known
    return page(
        request,
        "error.html",
        status=error.kind.status,
        headers=error.headers,
        error=error,
        words=named if own_words else "",
        has_own_detail=error.detail != error.kind.detail,
        request_id=request.state.request_id,
    )


def _surroundings(request: Request) -> dict[str, Any]:
    """What every page shows, whatever it is about."""
    path = request.scope["path"]
    viewer = viewer_or_none(request)
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return {
        "viewer": viewer,
        "here": path,
        "address": request.url.path + query,
        "entries": entries() if viewer else (),
        "warnings": _warnings(request),
        "in_demo": not Service.of(request).visitors.need_a_key,
    }


def _warnings(request: Request) -> list[str]:
    """What has to be known of the model before any figure is read: keys of texts."""
    try:
        scorer: Scorer = Service.of(request).model.scorer
    except NotReadyError:
        return ["common.no_model"]
    model = scorer.model_name
    found = ["common.simulated"] if model["simulated"] else []
    return found + ([] if model["validated_on_later_leads"] else ["common.not_validated"])


def _wants_a_part(request: Request) -> bool:
    """Whether htmx asks for a part of the page: not when it follows a link, nor when it restores one it has lost."""
    headers = request.headers
    whole = headers.get("hx-boosted") or headers.get("hx-history-restore-request")
    return headers.get("hx-request") == "true" and not whole


@lru_cache(maxsize=16)
def _environment(language: Language, zone: ZoneInfo) -> Environment:
    """The templates with everything that depends on the reader, put together once for each."""
    reader = Reader(language, zone)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {name: getattr(reader, name) for name in FILTERS}
    environment.globals |= {
        "t": Catalogue(reader),
        "reader": reader,
        "language": language,
        "languages": LANGUAGES,
        "roles": PEOPLE,
        "asset": address_of_asset,
        "svg": _svg,
    }
    # Not imported by each template: htmx gets a part of a page, for which nothing is imported.
    environment.globals["ui"] = environment.get_template("macros.html").module
    return environment


def _svg(picture: Picture) -> Markup:
    """The drawing, as our own code made it."""
    return Markup(picture.svg)
