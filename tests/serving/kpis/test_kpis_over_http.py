"""The figures as a caller asks for them: from scores, outcomes and verdicts that came over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.model.bundle import Bundle, open_bundle
from serving.kpis.texts import FIGURES
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.kpis.histories import agreed, keep, random_rows
from tests.serving.small_model import write_small_bundle

NOW = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
LIKELY = {"source": "fair", "employees": 5_000, "demo_requested": False, "customer_since": "2025-01-20"}
UNLIKELY = {"source": "cold", "employees": 1, "demo_requested": True, "customer_since": "2021-01-01"}


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    place: Path = tmp_path_factory.mktemp("bundles") / "reported"
    return open_bundle(write_small_bundle(place, agreed()))


@pytest.fixture
def service(reported: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), reported, NOW, store=store) as client:
        yield client


def told(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def a_story(client: Client) -> None:
    """GO is handed over, contacted after two hours, accepted and won; LATE is won late; NURTURE stays."""
    for lead_id, fields in (("GO", LIKELY), ("LATE", LIKELY), ("NURTURE", UNLIKELY)):
        told(client.post("/v1/score", json={"lead_id": lead_id, "fields": fields}))
    contact, verdict = NOW + timedelta(hours=2), NOW + timedelta(hours=3)
    client.now = NOW + timedelta(days=180)
    told(
        client.post(
            "/v1/verdicts",
            json={
                "lead_id": "GO",
                "verdict": "accepted",
                "reason": "fits",
                "by": "rep-1",
                "at": verdict.isoformat(),
                "first_contact_at": contact.isoformat(),
            },
        )
    )
    for lead_id, days in (("GO", 30), ("LATE", 120)):
        at = (NOW + timedelta(days=days)).isoformat()
        told(client.post("/v1/outcomes", json={"lead_id": lead_id, "outcome": "won", "at": at}))


def test_a_story_is_told_as_it_happened(service: Client) -> None:
    a_story(service)
    answer = told(service.get("/v1/kpis?from=2026-02-01&to=2026-03-01&by=source"))
    assert [step["n"] for step in answer["funnel"]] == [3, 2, 1, 1, 2]
    won = answer["conversion"]["observed"]
    assert (won["n"], won["n_of"]) == (3, 1), "a win after the horizon is not a win within it"
    assert answer["follow_up"]["in_time"]["value"] == 0.5
    assert answer["follow_up"]["overdue"]["value"] == 0, "a lead that was won is not overdue"
    assert answer["acceptance"]["rate"]["value"] == 1.0
    assert {row["group"]: row["n_leads"] for row in answer["table"]["rows"]} == {"fair": 2, "cold": 1}
    assert answer["table"]["rows"][0]["label"] == {"en": "Trade fair", "de": "Messe"}
    assert answer["table"]["rows"][0]["thin"] is True


def test_a_first_contact_long_before_1970_is_counted_all_the_same(service: Client) -> None:
    told(service.post("/v1/score", json={"lead_id": "GO", "fields": LIKELY}))
    service.now += timedelta(days=1)
    verdict = {"lead_id": "GO", "verdict": "accepted", "reason": "fits", "by": "rep-1", "at": NOW.isoformat()}
    told(service.post("/v1/verdicts", json={**verdict, "first_contact_at": "1900-01-02T00:00:00Z"}))
    answer = told(service.get("/v1/kpis?from=2026-02-01&to=2026-03-01"))
    assert [step["n"] for step in answer["funnel"]] == [1, 1, 1, 1, 0]


def test_a_value_with_control_characters_is_scored_and_counted_without_them(service: Client) -> None:
    fields = {**LIKELY, "source": "Fair\x00 \x1b[1m2026\x85!"}
    lead = told(service.post("/v1/score", json={"lead_id": "NUL", "fields": fields}))
    assert lead["handover"] in ("go", "nurture")
    batch = told(service.post("/v1/score/batch", json={"leads": [{"lead_id": "NUL2", "fields": fields}]}))
    assert batch["n_scored"] == 1
    table = told(service.get("/v1/kpis?from=2026-02-01&to=2026-03-01&by=source"))["table"]
    assert [(row["group"], row["n_leads"]) for row in table["rows"]] == [("Fair\ufffd \ufffd[1m2026\ufffd!", 2)]


def test_the_period_is_in_days_of_the_agreement_and_its_end_is_exclusive(service: Client) -> None:
    service.now = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # half past midnight on the first of March in Berlin
    told(service.post("/v1/score", json={"lead_id": "L", "fields": LIKELY}))
    for period, n in (("from=2026-02-01&to=2026-03-01", 0), ("from=2026-03-01&to=2026-03-02", 1)):
        assert told(service.get(f"/v1/kpis?{period}"))["funnel"][0]["n"] == n
    table = told(service.get("/v1/kpis?by=month"))["table"]
    assert [row["group"] for row in table["rows"]] == ["2026-03"]


def test_without_a_period_it_is_the_twelve_calendar_months_up_to_today(service: Client) -> None:
    answer = told(service.get("/v1/kpis"))
    assert (answer["start"], answer["end"]) == ("2025-03-01", "2026-02-04")
    answer = told(service.get("/v1/kpis?to=2026-01-01"))
    assert (answer["start"], answer["end"]) == ("2025-01-01", "2026-01-01")


def test_nothing_is_null_and_every_figure_says_what_it_is(service: Client, database_url: str) -> None:
    keep(database_url, random_rows(300, seed=1))
    answer = told(service.get("/v1/kpis?by=source"))
    assert {each["name"] for each in answer["definitions"]} == set(FIGURES)
    figures = list(figures_in(answer))
    assert {figure["name"] for figure in figures} == set(FIGURES)
    for figure in figures:
        assert {"n", "n_of", "start", "end", "matured_only"} <= set(figure)
        assert ("value" in figure) == (figure["n"] > 0) or figure["name"] == "median_hours"
    assert "null" not in service.get("/v1/kpis?by=source").text


def figures_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "n_of" in value:
            yield value
        for part in value.values():
            yield from figures_in(part)
    if isinstance(value, list):
        for part in value:
            yield from figures_in(part)


@pytest.mark.parametrize("asked", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_a_table_can_be_downloaded_as_csv(service: Client, database_url: str, asked: dict[str, Any]) -> None:
    keep(database_url, [row | {"source": row["source"] or "=HYPERLINK(1)"} for row in random_rows(200, seed=2)])
    params = {"by": "source", "limit": "2", **asked.get("params", {})}
    headers = {"Accept-Language": "de", **asked.get("headers", {})}
    answer = service.get("/v1/kpis", params=params, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "leads-by-source-2025-03-01-2026-02-04.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    table = told(service.get("/v1/kpis?by=source&limit=2"))["table"]
    assert [row["zeile"] for row in rows] == ["gruppe", "gruppe", "rest", "gesamt"]
    assert [int(row["n_leads"]) for row in rows[:2]] == [row["n_leads"] for row in table["rows"]]
    assert float(rows[-1]["annahme_wert"]) == table["total"]["acceptance"]["value"]
    assert (rows[-1]["bezeichnung"], rows[-1]["wenige"]) == ("Alle Leads", "nein")
    english = service.get("/v1/kpis", params=params, headers={**asked.get("headers", {}), "Accept-Language": "en"})
    (*_, last) = csv.DictReader(io.StringIO(english.content.decode("utf-8-sig")))
    assert (last["row"], last["label"], last["thin"]) == ("total", "All leads", "false")
    assert (last["acceptance_value"], list(last.values())[4:]) == (
        rows[-1]["annahme_wert"],
        list(rows[-1].values())[4:],
    )
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    full = service.get("/v1/kpis", params={"by": "source", "format": "csv"}).content.decode()
    assert "'=HYPERLINK(1)" in full


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("from=yesterday&to=2026-13-01", ["from", "to"]),
        ("from=2026-02-02&to=2026-02-02", ["from"]),
        ("from=2010-01-01", ["from"]),
        ("by=colour&limit=0&offset=-1", ["by", "limit", "offset"]),
        ("by=campaign&campaign=x", ["by", "campaign"]),
        ("by=month&by=grade", ["by"]),
        ("sort=up&limit=1e3", ["limit", "sort"]),
        ("format=xml", ["format"]),
        ("format=csv", ["by"]),
        ("source=" + "x" * 201, ["source"]),
        ("source=%00", ["source"]),
    ],
)
def test_every_fault_of_a_query_is_told(service: Client, query: str, places: list[str]) -> None:
    answer = service.get(f"/v1/kpis?{query}", headers={"Accept-Language": "de"})
    assert answer.status_code == 422
    found = [problem["where"] for problem in answer.json()["problems"]]
    assert sorted(found) == sorted(f"parameter {place}" for place in places)
    assert all(problem["expected"] for problem in answer.json()["problems"])


def test_the_simulator_answers_for_the_leads_of_a_window(service: Client, database_url: str) -> None:
    rows = random_rows(800, seed=4)
    keep(database_url, rows)
    window = "from=2025-03-01&to=2026-02-04"
    narrow, wide = (told(service.get(f"/v1/handover?{window}&capacity_per_week={n}")) for n in (2, 6))
    assert narrow["threshold"] > wide["threshold"]
    assert narrow["wins"]["expected"] < wide["wins"]["expected"]
    n = sum(row["first_scored_at"] >= datetime(2025, 2, 28, 23, tzinfo=UTC) for row in rows)
    assert narrow["n_leads"] == wide["n_leads"] == n
    assert narrow["n_handed_over"] == int(2 * narrow["weeks"])
    assert sum(load["leads_per_week"] for load in wide["workload"]) == pytest.approx(wide["handed_over_per_week"])
    everything = wide["wins"]["expected"] + wide["wins_left_behind"]["expected"]
    assert everything == pytest.approx(
        sum(row["first_probability"] for row in rows if row["first_scored_at"] >= datetime(2025, 2, 28, 23, tzinfo=UTC))
    )


def test_without_a_rule_the_agreement_itself_is_tried(service: Client) -> None:
    answer = told(service.get("/v1/handover"))
    assert answer["threshold"] == 0.3
    assert "capacity_per_week" not in answer
    assert answer["n_leads"] == 0


def test_a_threshold_of_0_hands_every_lead_over_and_one_of_1_none(service: Client, database_url: str) -> None:
    keep(database_url, random_rows(200, seed=5))
    everything, nothing = (told(service.get(f"/v1/handover?threshold={end}")) for end in ("0", "1"))
    assert everything["n_handed_over"] == everything["n_leads"] > 100
    assert everything["wins_left_behind"] == {"expected": 0, "low": 0, "high": 0}
    assert (nothing["n_handed_over"], nothing["threshold"]) == (0, 1)


def test_the_document_says_which_rules_are_answered(service: Client) -> None:
    told_of = {
        each["name"]: each["schema"]
        for each in told(service.get("/openapi.json"))["paths"]["/v1/handover"]["get"]["parameters"]
    }
    threshold, capacity = told_of["threshold"], told_of["capacity_per_week"]
    for value in (threshold["minimum"], threshold["maximum"]):
        assert service.get(f"/v1/handover?threshold={value}").status_code == 200
    assert service.get(f"/v1/handover?capacity_per_week={capacity['maximum']}").status_code == 200
    assert service.get(f"/v1/handover?capacity_per_week={capacity['exclusiveMinimum']}").status_code == 422


def test_days_to_come_do_not_make_the_window_longer(service: Client) -> None:
    answer = told(service.get("/v1/handover?from=2026-01-06&to=2026-12-31&capacity_per_week=5"))
    assert answer["weeks"] == pytest.approx((NOW - datetime(2026, 1, 5, 23, tzinfo=UTC)).total_seconds() / 604_800)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("capacity_per_week=0", ["capacity_per_week"]),
        ("capacity_per_week=nan", ["capacity_per_week"]),
        ("capacity_per_week=1_0", ["capacity_per_week"]),
        ("capacity_per_week=1e99", ["capacity_per_week"]),
        ("threshold=1.001", ["threshold"]),
        ("threshold=-0.1", ["threshold"]),
        ("threshold=0.2&capacity_per_week=3", ["threshold"]),
        ("threshold=x&by=month&from=1", ["threshold", "by", "from"]),
    ],
)
def test_every_fault_of_a_rule_is_told(service: Client, query: str, places: list[str]) -> None:
    answer = service.get(f"/v1/handover?{query}")
    assert answer.status_code == 422
    found = [problem["where"] for problem in answer.json()["problems"]]
    assert sorted(found) == sorted(f"parameter {place}" for place in places)
