"""The page about the model: its figures are those of the bundle and the store, and the card can do nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from features.errors import OutsideError
from features.model.bundle import Bundle
from features.text import Text
from serving.cockpit.formats import Reader
from serving.cockpit.views.model import model_view
from serving.cockpit.views.model_live import live_view
from serving.cockpit.views.model_record import record_view
from serving.monitoring.checks import Matured
from serving.monitoring.later import KEPT, Later, by_month, by_probability, skill_of
from serving.registry import OLD_AFTER, Promotion, Record, RegistryRecord, Version
from serving.scorer import Scorer
from serving.settings import Settings
from serving.store import Store
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor
from tests.serving.conftest import NOW

Visit = Callable[..., Visitor]
EN, DE = Reader("en", ZoneInfo("UTC")), Reader("de", ZoneInfo("UTC"))


def leads(n: int, seed: int = 3) -> Matured:
    draw = np.random.default_rng(seed)
    probability = draw.beta(1, 6, n)
    won = draw.random(n) < probability
    as_of = tuple(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=float(each)) for each in draw.uniform(0, 1400, n))
    return Matured(won, probability, np.arange(n) // 2, as_of)


def test_groups_hold_every_lead_once_and_rise_in_probability() -> None:
    matured = leads(403)
    groups = by_probability(matured)
    assert sum(group.n for group in groups) == 403
    assert sum(group.won for group in groups) == matured.won.sum()
    assert [group.said for group in groups] == sorted(group.said for group in groups)
    assert all(group.interval[0] <= group.rate <= group.interval[1] for group in groups)
    assert by_probability(leads(19)) == ()


def test_months_hold_every_lead_once_in_the_order_of_time() -> None:
    matured = leads(200)
    months = by_month(matured, lambda moment: moment.strftime("%Y-%m"))
    assert [month.name for month in months] == ["2026-01", "2026-02"]
    assert sum(month.n for month in months) == 200


def test_skill_is_the_share_of_the_base_rates_log_loss_that_is_saved() -> None:
    """Two leads: said 0.8 and won, said 0.2 and lost; base rate one half. 1 - ln 0.8 / ln 0.5 = 0.678."""
    found = skill_of(Matured(np.array([True, False]), np.array([0.8, 0.2]), np.arange(2)), 0.5)
    assert found is not None
    assert found.value == pytest.approx(1 - np.log(0.8) / np.log(0.5))
    assert skill_of(Matured(np.array([True]), np.array([0.8]), np.arange(1)), 0.5) is None


def test_the_interval_of_the_skill_covers_what_many_leads_show() -> None:
    """90 % intervals from 400 leads each, 200 times, against the skill on 200,000 leads of the same kind."""
    truth = skill_of(leads(200_000, seed=1), 1 / 7)
    assert truth is not None
    found = [skill_of(leads(400, seed=seed), 1 / 7) for seed in range(2, 202)]
    covered = sum(each.interval[0] <= truth.value <= each.interval[1] for each in found if each)
    assert 0.82 <= covered / 200 <= 0.96


def test_the_view_says_what_the_bundle_says(bundle: Bundle) -> None:
    view = model_view(Scorer(bundle), DE)
    assert (view.n_learnt, view.base_rate, view.threshold) == (3_000, bundle.manifest.base_rate, 0.3)
    assert view.importance.rows[0][0] == "Quelle"
    assert view.metrics[0][:2] == ("Log-Loss", "0,400")
    assert not view.has_card


def test_the_page_reads_in_both_languages_and_warns_that_it_is_simulated(visit: Visit) -> None:
    for language, words in (
        ("en", ("Simulated:", "Do the probabilities")),
        ("de", ("Simuliert:", "Was es vorhersagt")),
    ):
        page = visit("data", language).get("/cockpit/model")
        assert page.status_code == 200
        assert page.headers["content-language"] == language
        assert words[0] in page.text
        assert "—" not in page.text


def test_nobody_is_told_about_live_leads_before_any_has_matured(visit: Visit, client: Client, bundle: Bundle) -> None:
    view = live_view(bundle, client.app.state.service.later, NOW, EN)
    assert view is not None
    assert (view.n, view.calibration, view.figures) == (0, None, ())
    assert "0 live leads have matured so far" in visit("data").get("/cockpit/model").text


def test_a_bundle_without_a_card_has_none_to_show(visit: Visit) -> None:
    visitor = visit("sales")
    assert "/cockpit/model/card" not in visitor.get("/cockpit/model").text
    assert visitor.get("/cockpit/model/card").status_code == 404


def test_the_card_is_sent_as_it_is_and_may_load_and_run_nothing(bundle: Bundle, sqlite_url: str) -> None:
    card = "<!doctype html><title>card</title><script>alert(1)</script>"
    with Client(Settings(database_url=sqlite_url), replace(bundle, cards={"en": card}), NOW) as client:
        visitor = Visitor(client)
        visitor.sign_in_as("marketing")
        answer = visitor.get("/cockpit/model/card")
        assert answer.text == card
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'")
        assert "script-src" not in policy
        assert Visitor(client).get("/cockpit/model/card").status_code == 303


VERSIONS = (
    Version(2, "other", NOW, (), False, Text("Refused.", "Abgelehnt."), {"log_loss": 0.35, "base_rate.log_loss": 0.4}),
    Version(1, "mine", NOW, ("champion",), True, Text("Passed.", "Bestanden."), {}),
)
RECORD = Record(VERSIONS, (Promotion("promotion", 1, None, "Ada", NOW, "Better on later leads", "passed"),))


def settled(registry: RegistryRecord, now: datetime) -> None:
    until = time.monotonic() + 10
    while registry.told(now).is_asking:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_the_registry_told_is_shown_and_kept_until_it_is_old(store_on_sqlite: Store) -> None:
    asked: list[str] = []

    def ask(name: str) -> Record:
        asked.append(name)
        return RECORD

    registry = RegistryRecord("models:/demo@champion", ask)
    settled(registry, NOW)
    view = record_view(registry, store_on_sqlite.served, "mine", NOW, EN)
    assert (view.state, view.name, [version.in_service for version in view.versions]) == (
        "known",
        "demo",
        [False, True],
    )
    assert view.versions[0].losses == (("0.350", ""), ("0.400", ""), ("–", ""), ("–", ""))
    settled(registry, NOW + OLD_AFTER - timedelta(seconds=1))
    assert asked == ["demo"]
    settled(registry, NOW + OLD_AFTER)
    assert asked == ["demo", "demo"]


def test_a_registry_that_does_not_answer_is_said_and_what_it_said_before_stays(store_on_sqlite: Store) -> None:
    answers: list[Record | OutsideError] = [OutsideError("no route"), RECORD, OutsideError("gone")]

    def ask(_: str) -> Record:
        answer = answers.pop(0)
        if isinstance(answer, OutsideError):
            raise answer
        return answer

    registry, states = RegistryRecord("models:/demo/3", ask), []
    for step in range(3):
        now = NOW + step * OLD_AFTER
        settled(registry, now)
        view = record_view(registry, store_on_sqlite.served, "mine", now, EN)
        states.append((view.state, view.failure, len(view.versions)))
    assert states == [("failed", "no route", 0), ("known", "", 2), ("old", "gone", 2)]


def test_a_page_does_not_wait_for_a_slow_registry(store_on_sqlite: Store) -> None:
    def ask(_: str) -> Record:
        time.sleep(2)
        return RECORD

    registry = RegistryRecord("models:/demo@champion", ask)
    started = time.monotonic()
    view = record_view(registry, store_on_sqlite.served, "mine", NOW, EN)
    assert view.state == "asking"
    assert time.monotonic() - started < 1.5


def test_a_bundle_from_a_directory_has_no_record_and_says_so(visit: Visit, store_on_sqlite: Store) -> None:
    view = record_view(RegistryRecord(".state/bundle"), store_on_sqlite.served, "mine", NOW, EN)
    assert (view.state, view.versions) == ("directory", ())
    assert "The bundle came from a directory" in visit("data").get("/cockpit/model").text


def test_the_store_knows_which_models_have_scored(client: Client, visit: Visit) -> None:
    client.post("/v1/score", json={"lead_id": "L1", "fields": {"source": "web"}})
    (served,) = client.app.state.service.store.served.newest(5)
    assert (served.definition_name, served.definition_version, served.first_served_at) == ("test-funnel", 3, NOW)
    part = visit("data").get("/cockpit/model/record", **{"HX-Request": "true"})
    assert "test-funnel 3" in part.text
    assert "<html" not in part.text
    assert "<html" in visit("data").get("/cockpit/model/record").text


@pytest.fixture
def store_on_sqlite(sqlite_url: str) -> Store:
    store = Store(sqlite_url)
    store.migrate()
    return store


def test_live_leads_are_read_once_a_minute_and_again_for_another_model(bundle: Bundle, client: Client) -> None:
    later = Later(client.app.state.service.store.watching)
    first = later.at(bundle, NOW)
    assert later.at(bundle, NOW + KEPT - timedelta(seconds=1)) is first
    assert later.at(bundle, NOW + KEPT) is not first
    assert later.at(replace(bundle, bundle_id="another"), NOW + KEPT) is not later.at(bundle, NOW + KEPT)
