"""Which role may do what, in one table. A route that does not stand in it keeps the service from starting.

    open        anybody, without a key: whether the service lives and can score
    any key     a key of any role
    roles       a key of one of these
    signed in   somebody who has signed in to the cockpit, in any role or in one of these; a key opens no page by itself

What each role is for: `crm` is the system that sends leads and what became of them; `sales` and `marketing` read
everything, sales answers with verdicts, and both decide on the agreement; `data` looks after the model and the stored
history. Objection and erasure are a person's right, which reaches us through the CRM or is carried out by whoever looks
after the data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from features.errors import InternalError
from serving.auth.keys import ROLES, Role

COCKPIT: Final = "/cockpit"
PEOPLE: Final[tuple[Role, ...]] = tuple(role for role in ROLES if role != "crm")
"""Who can sign in; the key of a CRM is for a machine."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a caller needs to be let in: nothing if `is_open`, else one of these roles.

    Attributes
    ----------
    by_session : bool
        The role is that of a person who has signed in, not that of a key in a header.
    room : str
        Open addresses of the same room are answered so many at a time together; without one, each has its own.
    """

    roles: tuple[Role, ...]
    is_open: bool = False
    by_session: bool = False
    room: str = ""


OPEN: Final = Need((), is_open=True)
OPEN_PAGE: Final = Need((), is_open=True, room=COCKPIT)
ANY_KEY: Final = Need(ROLES)
SIGNED_IN: Final = Need(PEOPLE, by_session=True)


def only(*roles: Role) -> Need:
    """A key of one of these roles."""
    return Need(roles)


def signed_in_as(*roles: Role) -> Need:
    """A person who has signed in with one of these roles."""
    return Need(roles, by_session=True)


def is_page(path: str) -> bool:
    """Whether an address is one of the cockpit's, whose visitors read pages and sign in.

    >>> [is_page(path) for path in ("/cockpit", "/cockpit/worklist", "/cockpits", "/v1/score")]
    [True, True, False, False]
    """
    return path == COCKPIT or path.startswith(f"{COCKPIT}/")


ACCESS: Mapping[str, Need] = {
    "POST /v1/score": only("crm"),
    "POST /v1/score/batch": only("crm"),
    "POST /v1/what-if": ANY_KEY,
    "GET /v1/leads": ANY_KEY,
    "GET /v1/leads/{lead_id}": ANY_KEY,
    "GET /v1/leads/{lead_id}/score": ANY_KEY,
    "GET /v1/leads/{lead_id}/history": ANY_KEY,
    "GET /v1/leads/{lead_id}/change": ANY_KEY,
    "POST /v1/outcomes": only("crm"),
    "POST /v1/outcomes/batch": only("crm"),
    "POST /v1/verdicts": only("crm", "sales"),
    "POST /v1/verdicts/batch": only("crm", "sales"),
    "DELETE /v1/leads/{lead_id}": only("crm", "data"),
    "POST /v1/leads/{lead_id}/objection": only("crm", "data"),
    "GET /v1/leads/{lead_id}/objection": ANY_KEY,
    "DELETE /v1/leads/{lead_id}/objection": only("crm", "data"),
    "GET /v1/erasures/{receipt_id}": ANY_KEY,
    "GET /v1/kpis": ANY_KEY,
    "GET /v1/handover": ANY_KEY,
    "GET /v1/agreement": ANY_KEY,
    "GET /v1/definitions/{fingerprint}": ANY_KEY,
    "POST /v1/agreement/proposals": only("marketing", "sales"),
    "POST /v1/agreement/proposals/{proposal_id}/consent": only("marketing", "sales"),
    "POST /v1/agreement/proposals/{proposal_id}/decline": only("marketing", "sales"),
    "GET /v1/model": ANY_KEY,
    "GET /v1/model/importance": ANY_KEY,
    "POST /v1/model/reload": only("data"),
    "GET /v1/alerts": ANY_KEY,
    "GET /metrics": only("data"),
    "GET /v1/model/shadow": only("data"),
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /openapi.json": ANY_KEY,
    "GET /openapi-3.0.json": ANY_KEY,
    "GET /openapi-2.0.json": ANY_KEY,
    "GET /swagger.json": ANY_KEY,
    "GET /docs": ANY_KEY,
    # The cockpit: whoever has signed in may see every page.
    "GET /": OPEN_PAGE,
    "GET /cockpit/static/{version}/{name}": OPEN_PAGE,
    "GET /cockpit/language/{language}": OPEN_PAGE,
    "GET /cockpit/sign-in": OPEN_PAGE,
    "POST /cockpit/sign-in": OPEN_PAGE,
    "POST /cockpit/sign-out": SIGNED_IN,
    "GET /cockpit": SIGNED_IN,
    # Worklist and lead.
    "GET /cockpit/worklist": SIGNED_IN,
    "GET /cockpit/leads/{lead_id}": SIGNED_IN,
    "POST /cockpit/leads/{lead_id}/verdict": signed_in_as("sales"),
    # Figures.
    "GET /cockpit/sources": SIGNED_IN,
    "GET /cockpit/sources.csv": SIGNED_IN,
    "GET /cockpit/kpis": SIGNED_IN,
    "GET /cockpit/report": SIGNED_IN,
    # model
    "GET /cockpit/why": SIGNED_IN,
    "GET /cockpit/why.csv": SIGNED_IN,
    "GET /cockpit/agreement": SIGNED_IN,
    "POST /cockpit/agreement/proposals": signed_in_as("marketing", "sales"),
    "POST /cockpit/agreement/proposals/{proposal_id}/{act}": signed_in_as("marketing", "sales"),
    "GET /cockpit/model": SIGNED_IN,
    "GET /cockpit/model/record": SIGNED_IN,
    "GET /cockpit/model/card": SIGNED_IN,
}


class Doors:
    """Finds what a request needs, by the patterns that the framework itself finds routes with.

    Parameters
    ----------
    routes : sequence of (path, pattern, need by method)
        In the order in which the framework tries them.
    """

    def __init__(self, routes: Sequence[tuple[str, re.Pattern[str], Mapping[str, Need]]]) -> None:
        self._routes = routes
        # Searched once: most requests go to an address without parameters.
        self._fixed = {
            (method, path): self._searched(method, path)
            for path, _, needs in routes
            for method in needs
            if "{" not in path
        }

    def need(self, method: str, path: str) -> Need | None:
        """What a request needs; any key, or for a page anybody who has signed in, if the address takes other methods.

        None if nothing is there.
        """
        return self._fixed.get((method, path)) or self._searched(method, path)

    def _searched(self, method: str, path: str) -> Need | None:
        exists = False
        for _, pattern, needs in self._routes:
            if pattern.match(path):
                if method in needs:
                    return needs[method]
                exists = True
        return needed_elsewhere(path) if exists else None


def needed_elsewhere(path: str) -> Need:
    """What a request needs that leads nowhere: without it, nobody learns which addresses exist."""
    return SIGNED_IN if is_page(path) else ANY_KEY


def doors_of(app: FastAPI, access: Mapping[str, Need] = ACCESS) -> Doors:
    """The doors of an application's routes.

    Raises
    ------
    InternalError
        If a route does not stand in the table, or a row of it leads nowhere.
    """
    routes = [(str(route.path), route.path_regex, route.methods or set()) for route in iter_route_contexts(app.routes)]
    _check({f"{method} {path}" for path, _, methods in routes for method in methods}, set(access))
    return Doors([(path, pattern, {m: access[f"{m} {path}"] for m in methods}) for path, pattern, methods in routes])


def _check(routes: set[str], table: set[str]) -> None:
    undeclared, leading_nowhere = sorted(routes - table), sorted(table - routes)
    if undeclared or leading_nowhere:
        raise InternalError(
            f"serving/auth/access.py must say who may use {undeclared}, and must not list {leading_nowhere}"
        )
