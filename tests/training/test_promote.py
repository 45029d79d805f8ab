"""Promotion in a real registry: the gate's word, the record, and several processes at once."""

from __future__ import annotations

import multiprocessing
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from mlflow import MlflowClient

from features.errors import BundleError, DataError, NotReadyError
from features.text import Text, same
from training.judging.gates import Check, Decision, Override, Policy
from training.promote import (
    PromotionConflictError,
    PromotionRefusedError,
    history,
    promote,
    rollback,
    settle,
)
from training.promotions import Promotion, that_count
from training.tracking import Registry, Tracking

MLFLOW = Path(sys.executable).with_name("mlflow")
NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 2, 28, 9, 0, tzinfo=UTC)
SLOPE = Check(
    code="calibration_slope",
    name=Text(en="Calibration slope", de="Kalibrierungssteigung"),
    value=0.4,
    unit="number",
    interval=(0.3, 0.5),
    limit=same("0.80 – 1.25"),
    passed=False,
    required=True,
    explanation=Text(en="Too sure of itself.", de="Zu selbstsicher."),
)
PASSED = Decision(passed=True, checks=(), policy=Policy())
REFUSED = Decision(passed=False, checks=(SLOPE,), policy=Policy())

pytestmark = [
    # SQLAlchemy 2.1 about MLflow 3.17's own models; ends with an MLflow that knows SQLAlchemy 2.1
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    # MLflow 3.17 about the type hints of its own chat models, once per process
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType"),
]


@pytest.fixture
def registry(tracking: Tracking) -> Registry:
    return tracking.registry


@pytest.fixture
def three(register: Callable[[Path], int], small_bundle: Path) -> list[int]:
    return [register(small_bundle) for _ in range(3)]


def make_champion(registry: Registry, version: int, expected: int | None = None) -> Promotion:
    return promote(registry, version, PASSED, expected_champion=expected, who="Anna", at=NOW)


def intended(version: int, after: int, key: str = "somebody else's") -> Promotion:
    """An entry as another process would write it."""
    return Promotion(key=key, kind="promotion", version=version, replaces=None, after=after, who="Ben", at=LATER)


def test_a_challenger_that_passed_becomes_champion_and_leaves_a_trace(registry: Registry, three: list[int]) -> None:
    registry.set_alias("challenger", three[1])
    entry = make_champion(registry, three[1])
    assert registry.champion() == three[1]
    assert registry.alias("challenger") is None
    assert (entry.position, entry.replaces, entry.verdict, entry.at) == (1, None, "passed", NOW)
    assert history(registry)[0].settled
    tags = registry.version(three[1]).tags
    assert tags["promotion.1"] == "Version 2 made champion by Anna, 2026-01-31 09:00 UTC"


def test_a_refused_challenger_stays_out_and_the_error_shows_the_table(registry: Registry, three: list[int]) -> None:
    make_champion(registry, three[0])
    with pytest.raises(PromotionRefusedError) as caught:
        promote(registry, three[1], REFUSED, expected_champion=three[0], who="Anna", at=NOW)
    assert "Calibration slope | 0.40" in str(caught.value)
    assert "Version 2 wird nicht Champion" in caught.value.in_language("de")
    assert "Zu selbstsicher." in caught.value.in_language("de")
    assert "OVERRIDE='why'" in str(caught.value)
    assert "OVERRIDE='warum'" in caught.value.in_language("de")
    assert registry.champion() == three[0]
    assert len(registry.promotions()) == 1


def test_an_override_promotes_and_is_recorded_with_name_and_reason(registry: Registry, three: list[int]) -> None:
    override = Override(reason="Messe beginnt morgen", who="Carla")
    promote(registry, three[0], REFUSED, expected_champion=None, who="Anna", at=NOW, override=override)
    kept = registry.promotions()[0]
    assert (kept.verdict, kept.reason) == ("overridden", "Messe beginnt morgen")
    assert '"who": "Carla"' in kept.decision
    assert "Messe beginnt morgen" in registry.version(three[0]).tags["promotion.1"]


@pytest.mark.parametrize("override", [Override(reason="  ", who="Carla"), Override(reason="Messe", who="")])
def test_an_override_without_reason_or_name_is_refused(
    registry: Registry, three: list[int], override: Override
) -> None:
    with pytest.raises(DataError, match="needs a reason and a name"):
        promote(registry, three[0], REFUSED, expected_champion=None, who="Anna", at=NOW, override=override)
    assert registry.champion() is None


def test_whoever_decided_against_an_old_champion_is_told_who_was_faster(registry: Registry, three: list[int]) -> None:
    make_champion(registry, three[0])
    make_champion(registry, three[1], expected=three[0])
    with pytest.raises(PromotionConflictError) as caught:
        promote(registry, three[2], PASSED, expected_champion=three[0], who="Ben", at=LATER)
    assert "made against version 1, but version 2 is champion now. Version 2 made champion by Anna" in str(caught.value)
    assert "galt gegenüber Version 1, aber jetzt ist Version 2 Champion" in caught.value.in_language("de")
    assert registry.champion() == three[1]


def test_a_champion_is_not_promoted_twice(registry: Registry, three: list[int]) -> None:
    make_champion(registry, three[0])
    with pytest.raises(PromotionConflictError, match="already is champion"):
        make_champion(registry, three[0], expected=three[0])


def test_a_rollback_goes_to_any_version_and_needs_a_reason(registry: Registry, three: list[int]) -> None:
    make_champion(registry, three[0])
    make_champion(registry, three[1], expected=three[0])
    with pytest.raises(DataError, match="needs a reason"):
        rollback(registry, three[0], " ", who="Anna", at=LATER)
    entry = rollback(registry, three[0], "Leads aus der Schweiz falsch bewertet", who="Anna", at=LATER)
    assert registry.champion() == three[0]
    assert (entry.kind, entry.replaces, entry.version) == ("rollback", three[1], three[0])
    assert [each.version for each in history(registry)] == [1, 2, 1]
    assert set(registry.version(three[0]).tags) >= {"promotion.1", "promotion.3"}


def test_a_version_whose_run_never_ended_cannot_become_champion(
    registry: Registry, three: list[int], mlflow_uri: str
) -> None:
    """What a process leaves that is killed while it registers: a version whose run is still under way."""
    MlflowClient(mlflow_uri).update_run(registry.version(three[0]).run_id, status="RUNNING")
    with pytest.raises(NotReadyError, match="did not end well"):
        make_champion(registry, three[0])
    with pytest.raises(NotReadyError, match="no version 9"):
        make_champion(registry, 9)


def test_a_version_whose_bundle_was_changed_cannot_become_champion(registry: Registry, three: list[int]) -> None:
    (registry.download(three[0]) / "linear.json").write_text("{}")
    with pytest.raises(BundleError, match="has been changed"):
        make_champion(registry, three[0])
    assert registry.champion() is None


def test_a_promotion_that_was_recorded_and_not_finished_is_finished_by_the_next(
    registry: Registry, three: list[int]
) -> None:
    make_champion(registry, three[0])
    registry.append(intended(three[1], after=1))  # and then the process was killed
    assert registry.champion() == three[0]
    with pytest.raises(PromotionConflictError, match="Version 2 made champion by Ben"):
        make_champion(registry, three[2], expected=three[0])
    assert registry.champion() == three[1]
    head = settle(registry)
    assert head is not None
    assert head.settled


def test_an_entry_that_came_too_late_never_moves_the_alias(registry: Registry, three: list[int]) -> None:
    make_champion(registry, three[0])
    make_champion(registry, three[1], expected=three[0])
    registry.append(intended(three[2], after=1))  # had not seen the second
    settle(registry)
    assert registry.champion() == three[1]
    make_champion(registry, three[2], expected=three[1])
    assert [each.position for each in history(registry)] == [1, 2, 4]


def test_an_alias_moved_by_hand_is_what_the_next_decision_is_held_against(registry: Registry, three: list[int]) -> None:
    make_champion(registry, three[0])
    registry.set_alias("champion", three[1])
    with pytest.raises(PromotionConflictError, match="version 2 is champion now"):
        make_champion(registry, three[2], expected=three[0])
    assert make_champion(registry, three[2], expected=three[1]).replaces == three[1]


def test_two_who_settle_the_same_promotion_at_once_do_not_disturb_each_other(
    registry: Registry, three: list[int], mlflow_uri: str
) -> None:
    """Both write the same alias and the same tag; MLflow refuses one of them if neither has been there before."""
    for position in range(1, 11):
        registry.append(intended(three[position % 3], after=position - 1, key=str(position)))
        barrier = threading.Barrier(2)

        def finish(barrier: threading.Barrier = barrier) -> Promotion | None:
            own = Registry(mlflow_uri, "lead-quality")
            own.champion()
            barrier.wait(60)
            return settle(own)

        with ThreadPoolExecutor(2) as both:
            heads = [asked.result() for asked in [both.submit(finish), both.submit(finish)]]
        assert [head and head.position for head in heads] == [position] * 2
        assert registry.champion() == three[position % 3]


def compete(uri: str, version: int, rounds: int, barrier: Barrier, told: multiprocessing.Queue[str]) -> None:
    """One person: looks who is champion, waits for the others to have looked, and promotes."""
    registry = Registry(uri, "lead-quality")
    for number in range(rounds):
        expected = registry.champion()
        barrier.wait(120)
        try:
            promote(registry, version, PASSED, expected_champion=expected, who=f"person {version}", at=NOW)
            told.put(f"{number} won {version}")
        except PromotionConflictError:
            told.put(f"{number} told {version}")
        barrier.wait(120)


def race(uri: str, versions: list[int], rounds: int) -> list[str]:
    """What everybody was told, over several rounds of all promoting at once from processes of their own."""
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(len(versions)), context.Queue()
    people = [context.Process(target=compete, args=(uri, each, rounds, barrier, told)) for each in versions]
    for person in people:
        person.start()
    answers = [told.get(timeout=240) for _ in range(rounds * len(people))]
    for person in people:
        person.join(60)
    assert [person.exitcode for person in people] == [0] * len(people)
    return answers


def assert_one_won_each_round(registry: Registry, answers: list[str], rounds: int) -> None:
    winners = sorted(answer.split()[0] for answer in answers if " won " in answer)
    assert winners == [str(number) for number in range(rounds)]
    record = registry.promotions()
    counted = that_count(record)
    assert len(counted) == rounds
    assert [each.replaces for each in counted] == [None, *(each.version for each in counted[:-1])]
    assert all(each.settled for each in counted)
    assert registry.champion() == counted[-1].version


@pytest.mark.slow
def test_of_several_people_promoting_at_once_one_wins_and_the_others_are_told(
    registry: Registry, three: list[int], mlflow_uri: str
) -> None:
    answers = race(mlflow_uri, three, rounds=4)
    assert_one_won_each_round(registry, answers, rounds=4)


@contextmanager
def mlflow_ui(uri: str, artifacts: Path, log: Path) -> Iterator[str]:
    """The address of MLflow as the README starts it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = ["--backend-store-uri", uri, "--default-artifact-root", str(artifacts)]
    command = [str(MLFLOW), "ui", *place, "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address + "/health", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"MLflow did not answer:\n{log.read_text()}")


@pytest.mark.slow
def test_the_same_holds_for_people_who_promote_through_an_mlflow_server(
    registry: Registry, three: list[int], mlflow_uri: str, tmp_path: Path
) -> None:
    with mlflow_ui(mlflow_uri, tmp_path / "artifacts", tmp_path / "log") as address:
        answers = race(address, three[:2], rounds=2)
    assert_one_won_each_round(registry, answers, rounds=2)
