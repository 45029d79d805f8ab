"""An Idempotency-Key belongs to its client: two systems that count up from 1 do not meet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from features.model.bundle import Bundle
from serving.auth.keys import new_key
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.feedback.test_outcomes_and_verdicts import LIKELY

LEAD = {"lead_id": "GO", "fields": LIKELY}
WON = {"lead_id": "GO", "outcome": "won", "at": "2026-02-03T11:00:00Z"}
ACCEPTED = {"lead_id": "GO", "verdict": "accepted", "reason": "need_confirmed", "by": "rep-1", "at": "2026-02-03"}
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/v1/score": (LEAD, {"lead_id": "GO", "fields": {**LIKELY, "employees": 3_000}}),
    "/v1/score/batch": ({"leads": [LEAD]}, {"leads": [LEAD, {"lead_id": "L2", "fields": {}}]}),
    "/v1/outcomes": (WON, {**WON, "outcome": "lost"}),
    "/v1/outcomes/batch": ({"outcomes": [WON]}, {"outcomes": [{**WON, "value": 1}]}),
    "/v1/verdicts": (ACCEPTED, {**ACCEPTED, "by": "rep-2"}),
    "/v1/verdicts/batch": ({"verdicts": [ACCEPTED]}, {"verdicts": [{**ACCEPTED, "by": "rep-2"}]}),
}


class Clients:
    """An application, and the API keys of its clients: one of Salesforce, the one that follows it, and Odoo's."""

    def __init__(self, client: Client, keys: dict[str, str]) -> None:
        self._client, self._keys = client, keys

    def ask(self, name: str, path: str, body: object, number: str = "1") -> httpx.Response:
        headers = {"X-API-Key": self._keys[name], "Idempotency-Key": number}
        return self._client.post(path, json=body, headers=headers)

    def a_day_later(self) -> None:
        self._client.now += timedelta(days=1)


@pytest.fixture
def clients(bundle: Bundle, sqlite_store: Store) -> Iterator[Clients]:
    keys = {}
    for name, owner in (("salesforce", "salesforce"), ("its next", "salesforce"), ("odoo", "odoo")):
        keys[name], record = new_key(owner, "crm", created_at=NOW)
        sqlite_store.keys.add(record)
    with Client(Settings(), bundle, NOW, store=sqlite_store, guarded=True) as client:
        clients = Clients(client, keys)
        assert clients.ask("odoo", "/v1/score", LEAD, "first").status_code == 200
        yield clients


@pytest.mark.parametrize("path", ASKED)
def test_two_clients_may_use_the_same_number_and_one_keeps_its_own_with_its_next_api_key(
    clients: Clients, path: str
) -> None:
    of_one, of_the_other = ASKED[path]
    first, other = clients.ask("salesforce", path, of_one), clients.ask("odoo", path, of_the_other)
    assert (first.status_code, other.status_code) == (200, 200)
    assert first.content != other.content
    clients.a_day_later()
    assert clients.ask("its next", path, of_one).content == first.content
    assert clients.ask("odoo", path, of_the_other).content == other.content
    assert clients.ask("its next", path, of_the_other).json()["type"].endswith("idempotency-key-reused")
