"""Two models on the same leads."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.judging.compare import compare, grade_changes
from training.judging.metrics import Floats, brier, log_loss


def leads(n: int, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-rng.normal(-1.5, 1.2, n)))
    return (rng.random(n) < probability).astype(float), probability


def test_the_difference_is_that_of_the_metrics_and_changes_sign_with_the_sides() -> None:
    target, a = leads(800, 1)
    b = np.full(800, 0.2)
    there, back = (compare(target, x, y, np.arange(800)) for x, y in ((a, b), (b, a)))
    expected = float(log_loss(target, a) - log_loss(target, b))
    assert there.log_loss.value == pytest.approx(expected)
    assert back.log_loss.value == pytest.approx(-expected)
    assert there.brier.value == pytest.approx(float(brier(target, a) - brier(target, b)))
    assert there.log_loss.share == pytest.approx(expected / float(log_loss(target, b)))
    mirrored = tuple(-end for end in reversed(back.log_loss.interval or ()))
    assert there.log_loss.interval == pytest.approx(mirrored)


def test_a_model_held_against_itself_differs_by_exactly_nothing() -> None:
    target, a = leads(100, 2)
    same = compare(target, a, a, np.arange(100))
    assert (same.log_loss.value, same.log_loss.interval, same.log_loss.standard_error) == (0, (0, 0), 0)


def test_the_standard_error_is_that_of_the_textbook_where_leads_are_independent() -> None:
    target, a = leads(2000, 3)
    b = a / (a + 1.2 * (1 - a))  # the odds divided by 1.2
    gap = -np.log(np.where(target == 1, a, 1 - a)) + np.log(np.where(target == 1, b, 1 - b))
    found = compare(target, a, b, np.arange(2000), n_resamples=2000)
    assert found.log_loss.standard_error == pytest.approx(gap.std() / np.sqrt(2000), rel=0.06)


def test_the_paired_interval_is_far_tighter_than_the_models_own() -> None:
    target, a = leads(2000, 4)
    found = compare(target, a, np.clip(a * 1.05, 0, 1), np.arange(2000))
    own = np.where(target == 1, -np.log(a), -np.log(1 - a)).std() / np.sqrt(2000)
    assert found.log_loss.standard_error is not None
    assert found.log_loss.standard_error < own / 5


def test_a_segments_difference_is_that_of_its_leads_alone() -> None:
    target, a = leads(900, 5)
    b, label = np.full(900, 0.25), np.repeat(["fair", "web", "fax"], (500, 370, 30))
    found = compare(target, a, b, np.arange(900), segments={"source": label})
    alone = compare(target[:500], a[:500], b[:500], np.arange(500))
    fair = next(s for s in found.segments if s.label == "fair")
    assert fair.log_loss.value == pytest.approx(alone.log_loss.value)
    assert fair.log_loss.standard_error == pytest.approx(alone.log_loss.standard_error, rel=0.15)
    assert {s.label: s.thin for s in found.segments} == {"fair": False, "web": False, "fax": True}
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_interval_of_the_difference_covers_the_truth_as_often_as_it_says() -> None:
    # The expected difference given the probabilities is known; 200 simulations have a standard error of 2 %.
    rng = np.random.default_rng(6)
    covered = 0
    for seed in range(200):
        truth = 1 / (1 + np.exp(-rng.normal(-1, 1, 600)))
        a, b = truth, np.clip(truth * 1.3, 0, 0.99)
        expected = float(np.mean(truth * np.log(b / a) + (1 - truth) * np.log((1 - b) / (1 - a))))
        target = (rng.random(600) < truth).astype(float)
        low, high = compare(target, a, b, np.arange(600), seed=seed, n_resamples=300).log_loss.interval or (0, 0)
        covered += low <= expected <= high
    assert 0.84 <= covered / 200 <= 0.97  # the leads' own spread is resampled too, which widens it a little


def test_grade_changes_count_both_directions() -> None:
    found = grade_changes(np.array(list("AABC")), np.array(list("ABAC")))
    assert (found.n, found.better, found.worse, found.share) == (4, 1, 1, 0.5)


def test_a_difference_on_worked_leads_is_that_on_all_leads_once_each_stands_for_its_share() -> None:
    rng = np.random.default_rng(8)
    truth = 1 / (1 + np.exp(-rng.normal(-1.5, 1.2, 40_000)))
    target = (rng.random(40_000) < truth).astype(float)
    other, account = np.where(truth > 0.4, truth, 0.6 * truth), np.arange(40_000)
    chance = np.where(truth > 0.4, 1.0, 0.1)
    worked = rng.random(40_000) < chance
    every = compare(target, truth, other, account, n_resamples=50).log_loss
    weighted = compare(
        target[worked], truth[worked], other[worked], account[worked], stands_for=1 / chance[worked], n_resamples=200
    ).log_loss
    plain = compare(target[worked], truth[worked], other[worked], account[worked], n_resamples=50).log_loss
    assert weighted.interval is not None
    assert weighted.interval[0] < every.value < weighted.interval[1]
    assert abs(plain.value) < 0.6 * abs(every.value)  # both are alike where most leads were worked
