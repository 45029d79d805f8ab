"""Evaluations of a real store with a real model: shifts raise their alert in stated time, quiet periods raise none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from features.model.bundle import Bundle
from serving.monitoring.hysteresis import Patience
from serving.monitoring.watch import Alert, WatchSettings, evaluate, evaluate_in_turn
from serving.settings import Settings
from serving.store import Comparable, Store
from tests.serving.monitoring.stored_leads import (
    Change,
    every,
    leads_that_came,
    store_leads,
    store_outcomes,
    times,
    with_evaluated_skill,
    with_value,
    without,
)

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)  # the bundle was made in January: leads have matured since
HOUR = timedelta(hours=1)
RAISE_AFTER = 3
SETTINGS = WatchSettings(leads=1_000, days=60, patience=Patience(RAISE_AFTER, 6))
BEFORE = 1_200


def raised(alerts: list[Alert]) -> set[str]:
    return {alert.name for alert in alerts if alert.state.raised}


def of(alerts: list[Alert], name: str) -> Alert:
    return next(alert for alert in alerts if alert.name == name)


def checked(store: Store, bundle: Bundle, times_: int = RAISE_AFTER, start: datetime = NOW) -> list[Alert]:
    """The alerts after so many evaluations, an hour apart."""
    alerts: list[Alert] = []
    for hour in range(times_):
        alerts = evaluate(bundle, store.watching, SETTINGS, start + hour * HOUR)
    return alerts


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = Store(Settings(database_url=sqlite_url).database_url, timeout_s=5)
    store.migrate()
    yield store
    store.close()


def test_a_quiet_store_raises_nothing_and_says_what_it_found(store: Store, bundle: Bundle, database_url: str) -> None:
    came = leads_that_came(seed=21)
    ids = store_leads(store, bundle, came, NOW - 100 * timedelta(days=1))
    store_leads(store, bundle, leads_that_came(seed=22)[:2_000], NOW)
    store_outcomes(database_url, ids, [lead.won for lead in came])
    alerts = checked(store, with_evaluated_skill(bundle, 0.15))
    assert raised(alerts) == set()
    untold = {alert.name for alert in alerts if alert.reading.verdict == "untold"}
    assert untold == {"unlike"}  # this bundle cannot say
    assert of(alerts, "calibration").reading.figures["expected"] > 40
    assert len(alerts) == 4 + 4 + 1 + 5


@pytest.mark.parametrize(
    ("change", "n_leads", "name"),
    [
        (times("employees", 3), 400, "field:employees"),
        (every(2, with_value("source", "cold")), 600, "field:source"),
        (every(3, with_value("source", "tiktok")), 450, "unknown:source"),
        (every(2, without("employees")), 400, "missing:employees"),
        (without("days_ago"), 250, "missing:customer_since"),
        (with_value("demo_requested", False), 500, "field:demo_requested"),
    ],
)
def test_a_shift_of_the_leads_is_raised_within_so_many_leads_and_three_checks(
    sqlite_store: Store, bundle: Bundle, change: Change, n_leads: int, name: str
) -> None:
    came = [*leads_that_came(seed=23)[:BEFORE], *leads_that_came(seed=24, change=change)[:n_leads]]
    store_leads(sqlite_store, bundle, came, NOW)
    assert raised(checked(sqlite_store, bundle, RAISE_AFTER - 1)) == set()
    after = checked(sqlite_store, bundle, 1, NOW + 2 * HOUR)
    assert name in raised(after)
    # What a shift moves besides its own field is the score, and nothing else.
    assert raised(after) <= {name, "score"}


def test_wins_that_fall_short_are_raised_once_a_thousand_leads_have_matured(
    sqlite_store: Store, bundle: Bundle, sqlite_url: str
) -> None:
    came = leads_that_came(seed=25)[:1_000]
    ids = store_leads(sqlite_store, bundle, came, NOW - timedelta(days=91))
    store_outcomes(sqlite_url, ids, [lead.won and place % 2 == 0 for place, lead in enumerate(came)])
    assert raised(checked(sqlite_store, bundle)) == {"calibration"}


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_stream_that_dries_up_is_raised_after_three_days(sqlite_store: Store, bundle: Bundle, share: float) -> None:
    store_leads(sqlite_store, bundle, leads_that_came(seed=26), NOW - timedelta(days=4), per_day=60)
    trickle = leads_that_came(seed=27)[: int(4 * 60 * share)]
    store_leads(sqlite_store, bundle, trickle, NOW, per_day=int(60 * share) or 1)
    alerts = checked(sqlite_store, bundle)
    assert raised(alerts) == {"volume"}
    assert of(alerts, "volume").reading.figures["observed"] <= 3 * 60 * share + 1


def test_leads_that_can_no_longer_be_told_apart_are_raised(sqlite_store: Store, bundle: Bundle) -> None:
    same = {"source": "web", "employees": 55.0, "demo_requested": False, "days_ago": 900.0}
    store_leads(sqlite_store, bundle, leads_that_came(seed=28, change=lambda *_: same)[:1_000], NOW)
    alerts = checked(sqlite_store, with_evaluated_skill(bundle, 0.15))
    assert "performance" in raised(alerts)
    assert of(alerts, "performance").reading.value == pytest.approx(0, abs=1e-3)


def test_a_lead_counts_once_however_often_it_is_scored(sqlite_store: Store, bundle: Bundle) -> None:
    came = leads_that_came(seed=29)[:300]
    store_leads(sqlite_store, bundle, came, NOW)
    before = of(checked(sqlite_store, bundle, 1), "field:source").reading
    leads = sqlite_store.watching.recent(Comparable(bundle.definition.fingerprint, ""), NOW - timedelta(days=60), 1_000)
    assert len(leads) == 300
    assert before.n < 300  # those without the field are no part of its distribution


def test_leads_under_another_definition_are_not_compared(sqlite_store: Store, bundle: Bundle) -> None:
    store_leads(sqlite_store, bundle, leads_that_came(seed=30)[:300], NOW)
    assert sqlite_store.watching.recent(Comparable("another", ""), NOW - timedelta(days=60), 1_000) == []


def test_the_state_survives_a_restart_and_is_cleared_when_all_is_well_again(
    store: Store, bundle: Bundle, database_url: str
) -> None:
    shifted = leads_that_came(seed=31, change=without("employees"))[:600]
    store_leads(store, bundle, shifted, NOW - timedelta(days=30))
    assert "missing:employees" in raised(checked(store, bundle, start=NOW - timedelta(days=29)))
    again = Store(Settings(database_url=database_url).database_url, timeout_s=5)
    store_leads(again, bundle, leads_that_came(seed=32)[:1_000], NOW, per_day=60)
    still = checked(again, bundle, SETTINGS.patience.clear_after - 1)
    assert "missing:employees" in raised(still)
    assert of(still, "missing:employees").state.since == NOW - timedelta(days=29) + 2 * HOUR
    cleared = checked(again, bundle, 1, NOW + timedelta(days=1))
    assert "missing:employees" not in raised(cleared)
    assert of(cleared, "missing:employees").was_cleared
    again.close()


def test_a_check_that_the_model_no_longer_has_is_dropped(sqlite_store: Store, bundle: Bundle) -> None:
    store_leads(sqlite_store, bundle, leads_that_came(seed=33)[:200], NOW)
    checked(sqlite_store, bundle, 1)
    names = {each.name for each in sqlite_store.watching.alerts()}
    kept = sqlite_store.watching.change(lambda before: [each for each in before.values() if each.name != "volume"])
    assert {each.name for each in kept} == names - {"volume"} == {e.name for e in sqlite_store.watching.alerts()}


def test_of_many_that_want_to_evaluate_at_once_one_does(store: Store, bundle: Bundle, database_url: str) -> None:
    other = Store(Settings(database_url=database_url).database_url, timeout_s=5)  # as a second worker has it
    store_leads(store, bundle, leads_that_came(seed=34)[:200], NOW)

    def turn(worker: int) -> bool:
        watching = (store, other)[worker % 2].watching
        return evaluate_in_turn(bundle, watching, SETTINGS, NOW, 3_600) is not None

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(turn, range(6))) == 1
    assert not evaluate_in_turn(bundle, store.watching, SETTINGS, NOW + timedelta(minutes=30), 3_600)
    assert evaluate_in_turn(bundle, other.watching, SETTINGS, NOW + timedelta(minutes=55), 3_600)
    assert "(turn)" not in {each.name for each in store.watching.alerts()}
    other.close()


def test_a_silent_alert_is_told_but_never_raised(sqlite_store: Store, bundle: Bundle) -> None:
    silent = replace(SETTINGS, silent=frozenset({"missing:employees"}))
    store_leads(sqlite_store, bundle, leads_that_came(seed=35, change=without("employees"))[:600], NOW)
    for hour in range(RAISE_AFTER + 1):
        alerts = evaluate(bundle, sqlite_store.watching, silent, NOW + hour * HOUR)
    assert of(alerts, "missing:employees").reading.verdict == "over"
    assert not of(alerts, "missing:employees").state.raised


def test_without_any_lead_nothing_is_told_and_nothing_raised(store: Store, bundle: Bundle) -> None:
    alerts = checked(store, bundle)
    assert {alert.reading.verdict for alert in alerts} == {"untold"}
    assert raised(alerts) == set()


def test_young_leads_and_leads_of_training_say_nothing_about_calibration(
    sqlite_store: Store, bundle: Bundle, sqlite_url: str
) -> None:
    """Only leads whose horizon is over are held against the probabilities, and those none of which the model saw."""
    young = store_leads(sqlite_store, bundle, leads_that_came(seed=36)[:500], NOW)
    store_outcomes(sqlite_url, young, [False] * 500)
    store_leads(sqlite_store, bundle, leads_that_came(seed=37)[:500], datetime(2025, 12, 31, tzinfo=UTC))
    assert of(checked(sqlite_store, bundle, 1), "calibration").reading.n == 0
