"""Lists of leads: every filter, every page, and quick where there are many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from features.model.bundle import Bundle
from serving.settings import Settings
from serving.store import Store
from serving.store.engine import open_engine
from serving.store.tables import leads
from tests.serving.client import Client
from tests.serving.conftest import NOW

N_MANY = 100_000
SLOWEST_S = 0.5


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


def row(number: int, **other: Any) -> dict[str, Any]:
    """A lead of the table as its scores would leave it; probabilities repeat, so that ids must break ties."""
    probability = (number * 7919 % 1000) / 1000
    handed = NOW - timedelta(hours=number % 40) if number % 3 == 0 else None
    grade = "A" if probability >= 0.5 else "B" if probability >= 0.3 else "C" if probability >= 0.15 else "D"
    values = dict.fromkeys(column.name for column in leads.columns)
    said = {f"{part}_{name}": None for part in ("first", "handover") for name in ("as_of", "probability", "grade")}
    values |= said | {
        "lead_id": f"L{number:06d}",
        "account_id": f"A{number % 5}",
        "first_scored_at": NOW,
        "first_key": f"k{number}",
        "first_as_of": NOW,
        "first_probability": probability,
        "first_grade": grade,
        "latest_key": f"k{number}",
        "latest_as_of": NOW,
        "probability": probability,
        "by_value": probability - 1,
        "grade": grade,
        "handover": "go" if probability >= 0.3 else "nurture",
        "simulated": True,
        "source": ("fair", "web", "cold")[number % 3],
        "handed_over_at": handed,
        "handover_grade": "AB"[number % 2] if handed else None,
        "outcome": (None, "won", "lost", "open")[number % 4],
        "outcome_at": NOW if number % 4 else None,
        "outcome_latest_at": NOW if number % 4 else None,
        "verdict": (None, None, "accepted", "rejected", None)[number % 5],
        "first_contact_at": NOW if number % 7 == 0 else None,
    }
    return values | other


def fill(database_url: str, n_leads: int) -> list[dict[str, Any]]:
    engine = open_engine(Settings(database_url=database_url).database_url, 60)
    rows = [row(number) for number in range(n_leads)]
    with engine.begin() as connection:
        for start in range(0, n_leads, 1_000):
            connection.execute(sa.insert(leads), rows[start : start + 1_000])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()
    return rows


def pages(client: Client, query: str, limit: int) -> list[str]:
    listed, after = [], ""
    while True:
        answer = client.get(f"/v1/leads?limit={limit}{query}{after}")
        assert answer.status_code == 200, answer.text
        listed += [lead["lead_id"] for lead in answer.json()["leads"]]
        if "next" not in answer.json():
            return listed
        after = f"&next={answer.json()['next']}"


def is_overdue(lead: dict[str, Any], now: datetime) -> bool:
    if (
        lead["handed_over_at"] is None
        or lead["first_contact_at"]
        or lead["verdict"]
        or lead["outcome"] in ("won", "lost")
    ):
        return False
    return bool(lead["handed_over_at"] < now - timedelta(hours={"A": 4, "B": 24}[lead["handover_grade"]]))


FILTERS = {
    "": lambda _: True,
    "&grade=A,C": lambda lead: lead["grade"] in "AC",
    "&grade=B&grade=D": lambda lead: lead["grade"] in "BD",
    "&handover=nurture": lambda lead: lead["handover"] == "nurture",
    "&source=web&account_id=A2": lambda lead: (lead["source"], lead["account_id"]) == ("web", "A2"),
    "&outcome=open": lambda lead: lead["outcome"] in (None, "open"),
    "&outcome=won": lambda lead: lead["outcome"] == "won",
    "&verdict=none": lambda lead: lead["verdict"] is None,
    "&verdict=rejected": lambda lead: lead["verdict"] == "rejected",
    "&handed_over=true": lambda lead: lead["handed_over_at"] is not None,
    "&handed_over=false": lambda lead: lead["handed_over_at"] is None,
    "&overdue=true": lambda lead: is_overdue(lead, NOW),
    "&region=nowhere": lambda _: False,
}


def test_every_filter_lists_its_leads_once_over_all_pages_the_most_probable_first(
    service: Client, database_url: str
) -> None:
    rows = fill(database_url, 300)
    for query, fits in FILTERS.items():
        fitting = sorted((lead for lead in rows if fits(lead)), key=lambda lead: (lead["probability"], lead["lead_id"]))
        assert pages(service, query, 7) == [lead["lead_id"] for lead in reversed(fitting)], query


def test_a_lead_whose_person_objects_is_in_no_list(service: Client, database_url: str) -> None:
    fill(database_url, 3)
    assert service.post("/v1/leads/L000001/objection", json={}).status_code == 200
    assert sorted(pages(service, "", 50)) == ["L000000", "L000002"]
    service.send("DELETE", "/v1/leads/L000001/objection")
    assert len(pages(service, "", 50)) == 3


def test_every_fault_of_an_address_comes_at_once(service: Client) -> None:
    answer = service.get("/v1/leads?grade=E&limit=501&next=x&outcome=lost&outcome=won&handed_over=yes&grades=A")
    assert answer.status_code == 422
    places = {problem["where"] for problem in answer.json()["problems"]}
    names = ("grade", "limit", "next", "outcome", "handed_over", "grades")
    assert places == {f"query {name}" for name in names}


@pytest.mark.parametrize(
    "place", ["", "W10", "WzEsMl0", "bnVsbA", "WzFlOTk5LCJMIl0", "Wy0xLDAsMF0", "%00", "ä", "A" * 300]
)
def test_a_place_that_no_page_ended_at_is_refused(service: Client, place: str) -> None:
    service.post("/v1/score", json={"lead_id": "L", "fields": {}})
    assert service.get(f"/v1/leads?next={place}").status_code == 422
    assert service.get(f"/v1/leads/L/history?next={place}").status_code == 422


def test_with_a_hundred_thousand_leads_every_list_is_quick(service: Client, database_url: str) -> None:
    fill(database_url, N_MANY)
    for query in FILTERS:
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            answer = service.get(f"/v1/leads?limit=50{query}")
            seconds.append(time.perf_counter() - started)
        assert answer.status_code == 200
        print(f"{query or 'all':28} {1000 * min(seconds):7.1f} ms")
        assert min(seconds) < SLOWEST_S, query
