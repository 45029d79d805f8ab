"""A challenger scores the same leads after their answers: it changes none, and what it would have said is compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from features.model.bundle import Bundle, open_bundle
from serving.in_service import ModelInService
from serving.scorer import Scorer
from serving.scoring import model_record
from serving.settings import Settings
from serving.shadow import shadow as shadow_module
from serving.shadow.compare import Comparison, clustered_interval, compare, in_words
from serving.shadow.shadow import Shadow
from serving.store import Erasure, ModelRecord, Objection, Pair, ShadowScore, Store
from serving.store.tables import scores, shadow_scores
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.small_model import definition, write_small_bundle
from tests.serving.store.test_store import MODEL, SCORE

HORIZON = timedelta(days=definition().target.horizon_days or 0)


@pytest.fixture(scope="module")
def other_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A challenger that does not know one of the champion's fields."""
    place = tmp_path_factory.mktemp("bundles") / "other"
    return write_small_bundle(place, definition(without="customer_since"), seed=8)


@pytest.fixture
def shadowed(bundle: Bundle, other_place: Path, sqlite_url: str) -> Iterator[Client]:
    settings = Settings(database_url=sqlite_url, demo=True, shadow=str(other_place))
    with Client(settings, bundle, NOW) as client:
        wait_for(lambda: client.get("/v1/model/shadow").json()["state"] == "scoring")
        yield client


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def n_compared(client: Client) -> int:
    return int(client.get("/v1/model/shadow").json().get("comparison", {"n": 0})["n"])


LEADS = [
    {"lead_id": f"L{n}", "fields": {"source": "web", "employees": 10 * n, "customer_since": "2024-05-01"}}
    for n in range(12)
]


def test_what_a_challenger_would_have_said_is_what_it_says_when_it_is_asked_itself(
    shadowed: Client, other_place: Path, sqlite_url: str, tmp_path: Path
) -> None:
    assert shadowed.post("/v1/score", json=LEADS[0]).status_code == 200
    assert shadowed.post("/v1/score", json=LEADS[0]).status_code == 200  # a repetition is no second score
    assert shadowed.post("/v1/score/batch", json={"leads": LEADS[1:]}).json()["n_scored"] == 11
    wait_for(lambda: n_compared(shadowed) == 12)
    answer = shadowed.get("/v1/model/shadow").json()
    assert answer["counts"] == {"n_scored": 12, "n_dropped": 0, "n_unfit": 0}
    assert (answer["fields_not_sent"], answer["fields_not_shown"]) == ([], ["customer_since"])
    engine = sa.create_engine(sqlite_url)
    query = sa.select(scores.c.lead_id, shadow_scores.c.probability, shadow_scores.c.grade).join_from(
        shadow_scores, scores
    )
    with engine.connect() as connection:
        stored = {row.lead_id: (row.probability, row.grade) for row in connection.execute(query)}
    engine.dispose()
    own = Settings(database_url=f"sqlite:///{tmp_path / 'own.db'}", demo=True)
    with Client(own, open_bundle(other_place), NOW) as challenger:
        for lead in LEADS:
            fields = {name: value for name, value in lead["fields"].items() if name != "customer_since"}
            said = challenger.post("/v1/score", json={**lead, "fields": fields}).json()
            assert stored[str(lead["lead_id"])] == (said["probability"], said["grade"])


def test_without_a_challenger_or_with_one_that_cannot_be_opened_leads_are_scored_all_the_same(
    bundle: Bundle, sqlite_url: str, tmp_path: Path
) -> None:
    for shadow, state in (("", "none"), (str(tmp_path / "nowhere"), "not_ready")):
        with Client(Settings(database_url=sqlite_url, demo=True, shadow=shadow), bundle, NOW) as client:
            assert client.post("/v1/score", json=LEADS[3]).status_code == 200
            assert client.get("/readyz").status_code == 200
            assert client.get("/v1/model/shadow").json()["state"] == state


def test_a_promoted_challenger_has_nothing_left_to_compare(bundle: Bundle, bundle_place: Path, sqlite_url: str) -> None:
    with Client(Settings(database_url=sqlite_url, demo=True, shadow=str(bundle_place)), bundle, NOW) as client:
        wait_for(lambda: client.get("/v1/model/shadow").json()["state"] == "same_as_champion")
        assert client.post("/v1/score", json=LEADS[0]).status_code == 200
        time.sleep(3 * shadow_module.GATHER_S)
        assert "comparison" not in client.get("/v1/model/shadow").json()


def test_what_does_not_fit_into_the_queue_is_dropped_at_once_and_counted(
    bundle_place: Path, other_place: Path, store: Store
) -> None:
    champion, challenger = (ModelInService(Settings(bundle=str(place))) for place in (bundle_place, other_place))
    shadow = Shadow(champion, challenger, store, lambda: NOW, lambda scorer: model_record(scorer.model_name))
    began = time.monotonic()
    shadow.offer([SCORE] * (shadow_module.MOST_WAITING + 700))
    assert time.monotonic() - began < 1
    assert shadow.counts.n_dropped >= 700 - shadow_module.MOST_AT_A_TIME
    champion.open(NOW)
    shadow.close()
    assert shadow.counts.n_dropped == shadow_module.MOST_WAITING + 700  # the challenger was never opened


def test_a_fault_of_ours_in_the_shadow_drops_its_leads_and_the_next_are_scored(
    bundle_place: Path, other_place: Path, sqlite_url: str
) -> None:
    champion, challenger = (ModelInService(Settings(bundle=str(place))) for place in (bundle_place, other_place))
    for model in (champion, challenger):
        model.open(NOW)
    faults = [ZeroDivisionError()]

    def record_of(scorer: Scorer) -> ModelRecord:
        if faults:
            raise faults.pop()
        return model_record(scorer.model_name)

    store = Store(sqlite_url, timeout_s=5)
    store.migrate()
    shadow = Shadow(champion, challenger, store, lambda: NOW, record_of)
    lead = replace(SCORE, request_key="k1", inputs=b'{"employees": 3}')
    store.scores.save(model_record(champion.scorer.model_name), [lead])
    shadow.offer([lead])
    wait_for(lambda: shadow.counts.n_dropped == 1)
    shadow.offer([lead])
    shadow.close()
    store.close()
    assert (shadow.counts.n_scored, shadow.counts.n_dropped) == (1, 1)


def test_a_lead_that_was_erased_meanwhile_leaves_nothing_in_the_shadow(
    bundle_place: Path, other_place: Path, store: Store
) -> None:
    champion, challenger = (ModelInService(Settings(bundle=str(place))) for place in (bundle_place, other_place))
    for model in (champion, challenger):
        model.open(NOW)
    shadow = Shadow(champion, challenger, store, lambda: NOW, lambda scorer: model_record(scorer.model_name))
    known, gone = replace(SCORE, request_key="k1", inputs=b'{"employees": 3}'), replace(SCORE, request_key="k2")
    store.scores.save(model_record(champion.scorer.model_name), [known])
    shadow.offer([known, replace(gone, inputs=b'{"employees": 4}'), replace(gone, inputs=b'{"employees": "x"}')])
    shadow.close()
    assert (shadow.counts.n_scored, shadow.counts.n_unfit) == (1, 1)


def test_of_a_lead_that_has_objected_meanwhile_nothing_is_stored(store: Store) -> None:
    found = [replace(SCORE, request_key=f"k-{lead_id}", lead_id=lead_id) for lead_id in ("GONE", "NO", "YES")]
    store.scores.save(MODEL, found)
    store.objections.object(Objection("NO", NOW, NOW))
    store.erasures.erase(Erasure("GONE", "r" * 32, NOW, ()))
    said = [ShadowScore(each.request_key, 0.4, -0.4, "B", "go", NOW) for each in found]
    challenger = replace(MODEL, bundle_id="b" * 12)
    assert store.shadows.save(challenger, said) == 1
    assert [pair.lead_id for pair in store.shadows.pairs(MODEL.bundle_id, challenger.bundle_id)] == ["YES"]


def pairs(n: int, seed: int, *, better: float) -> list[Pair]:
    """Leads whose wins follow the challenger's probability as far as `better` says, else the champion's."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(n):
        champion, challenger = draw.uniform(0.05, 0.6, 2)
        won = draw.random() < better * challenger + (1 - better) * champion
        said = (champion, "A" if champion > 0.5 else "B", "go", challenger, "A" if challenger > 0.5 else "B", "go")
        outcome = ("won", NOW + timedelta(days=3), NOW + timedelta(days=3)) if won else (None, None, None)
        found.append(Pair(f"L{number}", f"A{number // 2}", NOW, *said, *outcome))
    return found


def compared(given: list[Pair], now: datetime = NOW + HORIZON) -> Comparison:
    found = compare(given, definition(), now)
    assert found is not None
    return found


@pytest.mark.parametrize(("better", "words"), [(1.0, "the challenger is better"), (0.0, "the champion is better")])
def test_who_was_right_is_said_once_enough_leads_have_matured(better: float, words: str) -> None:
    given = pairs(1_500, seed=1, better=better)
    assert words in in_words(compared(given))[-1].en
    young = compared(given, NOW + HORIZON - timedelta(microseconds=1))
    assert young.matured is None
    assert "Too few outcomes" in in_words(young)[-1].en


def test_figures_of_two_leads_as_computed_by_hand() -> None:
    in_time, too_late = NOW + HORIZON - timedelta(seconds=1), NOW + HORIZON
    one = Pair("L1", None, NOW, 0.2, "C", "nurture", 0.4, "B", "go", "won", in_time, in_time)
    two = Pair("L2", None, NOW, 0.5, "A", "go", 0.4, "B", "go", "won", too_late, too_late)
    found = compared([one, two])
    assert found.mean_absolute_points == pytest.approx(15)
    assert (found.other_grade, found.other_handover, found.n) == (1.0, 0.5, 2)
    assert (found.expected_wins, found.would_be_expected_wins) == (pytest.approx(0.7), pytest.approx(0.8))
    assert found.matured is not None
    assert (found.matured.n, found.matured.won, found.matured.interval) == (2, 1, None)
    assert found.matured.log_loss == pytest.approx(-(np.log(0.2) + np.log(0.5)) / 2)
    assert found.matured.would_be_log_loss == pytest.approx(-(np.log(0.4) + np.log(0.6)) / 2)


def test_the_interval_covers_as_often_as_it_says_although_leads_share_accounts() -> None:
    draw = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        shared = np.repeat(draw.normal(0, 1, 100), 4)
        low, high = clustered_interval(shared + draw.normal(0, 1, 400), [f"A{n // 4}" for n in range(400)])
        covered += low <= 0 <= high
    assert 0.86 <= covered / 400 <= 0.94


def test_no_pairs_are_no_comparison() -> None:
    assert compare([], definition(), NOW) is None
