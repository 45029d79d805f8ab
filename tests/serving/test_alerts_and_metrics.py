"""What watching found as callers read it, and the figures for Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from features.model.bundle import Bundle
from features.text import LANGUAGES
from serving import watcher
from serving.metrics import Metrics
from serving.monitoring.hysteresis import Patience
from serving.monitoring.table import alert_table
from serving.monitoring.watch import WatchSettings, evaluate
from serving.monitoring.words import ADVICE
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.monitoring.stored_leads import leads_that_came, store_leads, with_evaluated_skill, without

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LEAD = {"lead_id": "SECRET-7", "account_id": "ACME", "fields": {"source": "fair", "employees": 31}}
CAUSED = {"missing:employees", "score"}  # without employees the probabilities move, too
WATCH = WatchSettings(leads=1_000, days=60, patience=Patience(1, 1))


@pytest.fixture
def watched(bundle: Bundle, sqlite_url: str) -> Iterator[Client]:
    """The application over a store in which the employees have gone missing, evaluated once."""
    with Client(Settings(database_url=sqlite_url, watch_silent="field:source, volume"), bundle, NOW) as client:
        store: Store = client.app.state.service.store
        store_leads(store, bundle, leads_that_came(seed=41, change=without("employees"))[:600], NOW)
        evaluate(with_evaluated_skill(bundle, 0.1), store.watching, WATCH, NOW)
        yield client


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text)
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for f in families for each in f.samples}


def test_before_the_first_evaluation_there_are_no_alerts(client: Client) -> None:
    answer = client.get("/v1/alerts")
    assert answer.json() == {"n_raised": 0, "alerts": []}


def test_alerts_say_what_was_found_what_is_tolerated_and_what_to_do(watched: Client) -> None:
    answer = watched.get("/v1/alerts").json()
    raised = {alert["name"] for alert in answer["alerts"] if alert["raised"]}
    assert {"missing:employees"} <= raised <= CAUSED
    assert answer["n_raised"] == len(raised)
    assert answer["checked_at"] == "2026-09-01T12:00:00.000000Z"
    first, *others = answer["alerts"]
    assert (first["name"], first["kind"], first["field"], first["raised"]) == (
        "missing:employees",
        "missing",
        "employees",
        True,
    )
    assert first["finding"] == "over"
    assert first["low"] > first["tolerated_high"] == 0.05
    assert first["label"] == {"en": "Employees: share without a value", "de": "Beschäftigte: Anteil ohne Angabe"}
    assert first["text"]["de"].startswith("100,0\u00a0% von 600 Leads, im Training 9,8")
    assert first["advice"]["en"] == ADVICE["missing"].en
    untold = next(other for other in others if other["name"] == "calibration")
    assert untold["finding"] == "untold"
    assert "value" not in untold
    assert untold["text"]["en"] == "Not told: too few outcomes yet."
    assert {other["name"] for other in others if other["silent"]} == {"field:source", "volume"}


def test_no_answer_about_alerts_names_a_lead_or_an_account(watched: Client) -> None:
    watched.post("/v1/score", json=LEAD)
    for path in ("/v1/alerts", "/metrics"):
        assert not re.search(r"SECRET-7|ACME|\bL\d+\b", watched.get(path).text)


def test_the_table_of_the_command_lists_what_is_raised_in_either_language(watched: Client, bundle: Bundle) -> None:
    service = watched.app.state.service
    alerts = evaluate(bundle, service.store.watching, WATCH, NOW + timedelta(hours=1))
    for language in LANGUAGES:
        short = alert_table(alerts, bundle.definition, language, everything=False)
        whole = alert_table(alerts, bundle.definition, language, everything=True)
        assert ADVICE["missing"].in_language(language) in short
        assert "calibration" not in short
        assert all(alert.name in whole for alert in alerts)
    assert "AUSGELÖST seit 2026-09-01 12:00 UTC" in alert_table(alerts, bundle.definition, "de", everything=False)


def test_requests_are_counted_by_route_and_status(client: Client) -> None:
    for _ in range(3):
        client.get("/v1/leads/SECRET-7")
    client.get("/nowhere/SECRET-7")
    client.send("BREW", "/v1/model")
    found = samples(client.get("/metrics").text)
    route = "/v1/leads/{lead_id}"
    assert found["lead_http_requests_total", (("method", "GET"), ("route", route), ("status", "404"))] == 3
    assert found["lead_http_requests_total", (("method", "GET"), ("route", "(none)"), ("status", "404"))] == 1
    assert found["lead_http_request_seconds_count", (("route", route),)] == 3
    methods = {dict(labels).get("method") for _, labels in found}
    assert "BREW" not in methods
    assert "other" in methods


def test_scores_are_counted_when_they_are_stored_and_once(client: Client) -> None:
    for _ in range(2):
        client.post("/v1/score", json=LEAD)
    leads = [{"lead_id": f"B{number}", "fields": {}} for number in range(4)]
    client.post("/v1/score/batch", json={"leads": [*leads, leads[0]]})
    found = samples(client.get("/metrics").text)
    assert sum(value for (name, _), value in found.items() if name == "lead_scores_total") == 5
    assert found["lead_store_writes_total", ()] >= 3
    assert found["lead_store_commit_seconds_count", ()] >= 2


def test_metrics_name_the_model_and_the_state_of_every_alert(watched: Client, bundle: Bundle) -> None:
    found = samples(watched.get("/metrics").text)
    info = next(dict(labels) for name, labels in found if name == "lead_model_info")
    assert (info["bundle_id"], info["definition"]) == (bundle.bundle_id, "test-funnel")
    raised = {dict(labels)["alert"]: value for (name, labels), value in found.items() if name == "lead_alert_raised"}
    assert {"missing:employees"} <= {name for name, value in raised.items() if value} <= CAUSED
    assert len(raised) == 14
    assert found["lead_watch_checked_timestamp_seconds", ()] == NOW.timestamp()
    labels = (("alert", "missing:employees"), ("end", "high"), ("field", "employees"), ("kind", "missing"))
    assert found["lead_watch_tolerated", labels] == 0.05
    assert found["lead_store_up", ()] == found["lead_model_ready", ()] == 1


def test_metrics_are_answered_without_a_model_and_without_a_store(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = tmp_path_factory.mktemp("store")
    with Client(Settings(database_url=f"sqlite:///{nowhere / 'scores.db'}", bundle="nowhere"), None, NOW) as client:
        store: Store = client.app.state.service.store
        store.close()
        for file in nowhere.glob("scores.db*"):
            file.unlink()
        nowhere.rmdir()
        found = samples(client.get("/metrics").text)
        assert found["lead_model_ready", ()] == found["lead_store_up", ()] == 0
        nowhere.mkdir()


def test_the_service_evaluates_by_itself_and_leaves_the_turn_to_others(bundle: Bundle, sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, watch_every_s=0.05)
    with Client(settings, bundle, NOW) as client:
        service = client.app.state.service
        deadline = asyncio.run(_until(lambda: bool(service.store.watching.alerts())))
        assert deadline
        checked = {each.checked_at for each in service.store.watching.alerts()}
        assert checked == {NOW}  # the clock stands still: nobody's turn comes again


async def _until(condition: object) -> bool:
    for _ in range(400):
        if condition():  # type: ignore[operator]
            return True
        await asyncio.sleep(0.05)
    return False


def test_a_model_that_is_not_there_is_logged_and_tried_again(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from serving.logs import configure_logs

    configure_logs("info")
    settings = Settings(database_url=sqlite_url, bundle="nowhere", watch_every_s=0.01)
    with Client(settings, None, NOW):
        asyncio.run(_until_logged(capsys, "not watched", 2))


async def _until_logged(capsys: pytest.CaptureFixture[str], event: str, times: int) -> None:
    lines: list[str] = []
    for _ in range(400):
        lines += capsys.readouterr().out.splitlines()
        if sum(json.loads(line)["event"] == event for line in lines if line.startswith("{")) >= times:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"{event} was not logged {times} times")


def test_counting_a_request_costs_microseconds() -> None:
    import timeit

    metrics = Metrics()
    metrics.answered("POST", "/v1/score", 200, 0.001)
    best = min(timeit.repeat(lambda: metrics.answered("POST", "/v1/score", 200, 0.001), number=2_000, repeat=5)) / 2_000
    assert best < 50e-6  # some 2 on a quiet machine; the bound only catches what is wrong by design


def test_what_is_silent_is_read_from_the_settings() -> None:
    assert watcher.watch_settings(Settings(watch_silent="volume, field:source,")).silent == {"volume", "field:source"}
    assert watcher.watch_settings(Settings()).silent == frozenset()
