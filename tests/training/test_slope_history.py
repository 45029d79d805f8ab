"""Slopes from several windows: pooled where they agree, distrusted where they contradict one another."""

from __future__ import annotations

import numpy as np
import pytest

from features.model.calibrator import probabilities_of
from training.recipe.calibrate import calibrate
from training.recipe.slope_history import Margins, SlopeEvidence, slope_evidence, usual_slopes

PRIOR = {"usual_error": 0.15, "usual_wander": 0.5}


def window(seed: int, n_leads: int = 3_000, slopes: tuple[float, float] = (1.0, 1.0), shift: float = -1.5) -> Margins:
    """Leads whose true log-odds are the margins of both parts times these slopes, and a shift."""
    rng = np.random.default_rng(seed)
    linear, trees = rng.normal(0, 1, n_leads), rng.normal(0, 0.4, n_leads)
    truth = slopes[0] * linear + slopes[1] * trees + shift
    return Margins(linear, trees, (rng.random(n_leads) < probabilities_of(truth)).astype(float))


def evidence(slope: float, precision: float) -> SlopeEvidence:
    """A window that knows both slopes equally well."""
    return SlopeEvidence(np.eye(2) * precision, np.full(2, slope * precision), np.zeros(2), precision)


def test_one_windows_evidence_peaks_at_its_own_slopes() -> None:
    found = slope_evidence(window(1, 200_000, (0.7, 1.4)))
    best = np.linalg.solve(found.precision, found.pull)
    np.testing.assert_allclose(best, [0.7, 1.4], atol=0.05)


def test_a_windows_shift_says_nothing_about_its_slopes() -> None:
    low, high = (slope_evidence(window(2, 100_000, (0.8, 1.2), shift)) for shift in (-2.5, 0.5))
    for found in (low, high):
        np.testing.assert_allclose(np.linalg.solve(found.precision, found.pull), [0.8, 1.2], atol=0.08)


def test_windows_that_agree_count_as_one_large_window() -> None:
    several, spread = usual_slopes([evidence(0.8, 400.0)] * 4, **PRIOR)
    # Pooled precision 1,600 against the prior's 44 at 1; a little wander stays possible.
    assert several[0] == pytest.approx((0.8 * 1_600 + 1.0 * 44.4) / 1_644.4, abs=0.01)
    assert np.sqrt(spread[0, 0]) < 0.06
    assert np.sqrt(usual_slopes([evidence(0.8, 400.0)], **PRIOR)[1][0, 0]) > np.sqrt(spread[0, 0])


def test_where_windows_contradict_one_another_a_large_one_does_not_overrule_the_others() -> None:
    large, small = evidence(0.3, 40_000.0), evidence(1.1, 400.0)
    mixed, spread = usual_slopes([large, small, small, small], **PRIOR)
    pooled = (0.3 * 40_000 + 3 * 1.1 * 400) / 41_200
    assert pooled < 0.35
    assert mixed[0] > 0.7
    assert np.sqrt(spread[0, 0]) > 0.2  # what the next window needs is anybody's guess


def test_trees_that_say_nothing_keep_their_size() -> None:
    silent = window(3)
    silent = Margins(silent.linear, np.zeros(3_000), silent.target)
    slopes, _ = usual_slopes([slope_evidence(silent)] * 3, **PRIOR)
    assert slopes[1] == pytest.approx(1.0, abs=1e-9)


def test_nothing_seen_leaves_slopes_at_one() -> None:
    np.testing.assert_allclose(usual_slopes([], **PRIOR)[0], [1.0, 1.0])


def test_the_next_windows_slope_lies_within_nine_intervals_of_ten() -> None:
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        usual, wander = rng.normal(1, 0.15), abs(rng.normal(0, 0.3))
        found, spread = usual_slopes(
            [evidence(rng.normal(rng.normal(usual, wander), 0.05), 400.0) for _ in range(4)], **PRIOR
        )
        covered.append(abs(rng.normal(usual, wander) - found[0]) <= 1.645 * np.sqrt(spread[0, 0]))
    assert 0.85 <= np.mean(covered) <= 0.97  # the same draw serves both slopes, which makes it a little too sure


def test_earlier_windows_halve_the_error_of_slopes_that_stay_the_same() -> None:
    alone, together = [], []
    for seed in range(20):
        here = window(100 + seed, 1_000, (0.9, 0.9))
        before = [window(200 + 3 * seed + number, 1_500, (0.9, 0.9)) for number in range(3)]
        alone.append(calibrate(here.linear, here.trees, here.target).calibrator.linear_slope)
        together.append(calibrate(here.linear, here.trees, here.target, earlier=before).calibrator.linear_slope)
    misses = [np.sqrt(np.mean((np.array(found) - 0.9) ** 2)) for found in (alone, together)]
    assert misses[1] < 0.6 * misses[0]


def test_the_shift_is_the_newest_windows_own() -> None:
    here, before = window(6, 5_000, shift=-0.5), [window(7, 5_000, shift=-3.0)]
    calibrator = calibrate(here.linear, here.trees, here.target, earlier=before).calibrator
    assert calibrator.probabilities(here.linear, here.trees).mean() == pytest.approx(here.target.mean(), abs=1e-9)


def test_without_trees_one_slope_serves_both_parts() -> None:
    here = window(8)
    none = np.zeros(3_000)
    found = calibrate(here.linear, none, here.target, earlier=[Margins(here.linear, none, here.target)])
    assert found.method == "one slope"
    assert found.calibrator.linear_slope == found.calibrator.tree_slope


def test_the_covariance_says_how_sure_the_log_odds_are_at_the_centre_and_away_from_it() -> None:
    here = window(9, 4_000)
    found = calibrate(here.linear, here.trees, here.target, earlier=[window(10), window(11)])
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()
    seen = slope_evidence(here)
    centre, away = np.array([*seen.centre, 1.0]), np.array([seen.centre[0] + 2, seen.centre[1], 1.0])
    assert centre @ found.covariance @ centre == pytest.approx(1 / seen.information, rel=0.02)
    assert away @ found.covariance @ away > 2 * centre @ found.covariance @ centre
