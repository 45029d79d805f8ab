"""The cockpit over HTTP: a guarded application with a key of each role, and a visitor with a cookie of their own."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from serving.auth.keys import Role
from tests.serving.auth.conftest import guarded, keys, sqlite_store  # noqa: F401  (fixtures of the guarded service)
from tests.serving.client import Client

HOST = "http://leads.test"


class Visitor:
    """A browser without scripts: keeps its cookie, sends forms as a page of ours does."""

    def __init__(self, client: Client, language: str = "en") -> None:
        self.client = client
        self.cookies: dict[str, str] = {}
        self.language = language

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._kept(self.client.get(path, headers=self._headers() | headers))

    def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form; headers named here replace those that a browser sends."""
        return self._kept(self.client.post(path, data=form, headers=self._headers() | {"Origin": HOST} | headers))

    def post_signed(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form of a page, with what only the page knows."""
        return self.post(path, {"csrf": self.csrf(), **form}, **headers)

    def csrf(self) -> str:
        """What the forms of this visitor's pages carry."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get("/cockpit/model").text)
        assert found is not None
        return found[1]

    def sign_in(self, key: str) -> httpx.Response:
        return self.post("/cockpit/sign-in", {"key": key, "next": ""})

    def sign_in_as(self, role: str) -> httpx.Response:
        return self.post("/cockpit/sign-in", {"role": role, "next": ""})

    def _headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        # Sent even if empty: the client under it would otherwise send the cookies of whoever came before.
        return {"Accept-Language": self.language, "Cookie": cookie}

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        for sent in answer.headers.get_list("set-cookie"):
            name, _, value = sent.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if "Max-Age=0" in sent:
                del self.cookies[name]
        return answer


@pytest.fixture
def visitor(client: Client) -> Visitor:
    """Somebody at the demo, not signed in."""
    return Visitor(client)


@pytest.fixture
def visit(client: Client) -> Callable[..., Visitor]:
    """Somebody at the demo, signed in with a role."""

    def signed_in(role: str, language: str = "en") -> Visitor:
        visitor = Visitor(client, language)
        assert visitor.sign_in_as(role).status_code == 303
        return visitor

    return signed_in


Start = Callable[..., Client]
Keys = dict[Role, str]
