"""The demo's past: what a simulated CRM sent is taken as it would have been at its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.in_service import ModelInService
from serving.replay import NotSimulatedError, replay
from serving.scorer import Scorer
from serving.settings import Settings
from serving.store import Store
from tests.conftest import SmallModel
from tests.serving.small_model import definition, write_small_bundle
from training.simulate.calls import Call, calls, until_now, write_calls

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAYS = 63


def scorer_of(bundle: Path) -> Scorer:
    model = ModelInService(Settings(bundle=str(bundle)))
    model.open(NOW)
    return model.scorer


@pytest.fixture(scope="module")
def scorer(small_model: SmallModel) -> Scorer:
    return scorer_of(small_model.bundle)


@pytest.fixture(scope="module")
def sent() -> list[Call]:
    return calls(until_now(NOW, days=DAYS, seed=2), NOW)


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url, timeout_s=30)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def file(sent: list[Call], tmp_path: Path) -> Path:
    write_calls(sent, tmp_path / "calls.jsonl")
    return tmp_path / "calls.jsonl"


def of_kind(sent: list[Call], kind: str) -> list[Call]:
    return [call for call in sent if call.kind == kind]


def test_every_lead_outcome_and_verdict_is_stored_with_its_own_moment(
    sqlite: Store, scorer: Scorer, sent: list[Call], file: Path
) -> None:
    done = replay(file, scorer, sqlite)
    assert (done.scores, done.outcomes) == (len(of_kind(sent, "score")), len(of_kind(sent, "outcome")))
    first = of_kind(sent, "score")[0]
    life = sqlite.lives.of_lead(first.body["lead_id"])
    assert life is not None
    assert life.row["first_scored_at"] == first.at


def test_sales_verdict_on_a_lead_that_was_not_handed_over_is_refused(
    sqlite: Store, scorer: Scorer, sent: list[Call], file: Path
) -> None:
    done = replay(file, scorer, sqlite)
    stored = sum(len(sqlite.verdicts.of_lead(call.body["lead_id"])) for call in of_kind(sent, "verdict"))
    assert stored == done.verdicts - done.refused
    assert 0 < done.refused < done.verdicts


def test_leads_are_stored_once_however_often_the_calls_are_taken(sqlite: Store, scorer: Scorer, file: Path) -> None:
    first, again = replay(file, scorer, sqlite), replay(file, scorer, sqlite)
    assert (again.scores, again.outcomes) == (first.scores, first.outcomes)


def test_each_day_is_told_as_it_begins(sqlite: Store, scorer: Scorer, file: Path) -> None:
    days = []
    replay(file, scorer, sqlite, days.append)
    assert days == [NOW.date() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def test_simulated_calls_are_not_taken_by_a_model_of_real_leads(sqlite: Store, file: Path, tmp_path: Path) -> None:
    agreed = definition()
    about = agreed.definition.model_copy(update={"data_origin": "real"})
    bundle = write_small_bundle(tmp_path / "real", agreed.model_copy(update={"definition": about}))
    with pytest.raises(NotSimulatedError, match="real"):
        replay(file, scorer_of(bundle), sqlite)
