"""Leads that stand for others: what was drawn by known chances tells of all; where nothing was drawn, nothing moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.model.calibrator import Calibrator, probabilities_of
from tests.conftest import ONE_THREAD, SmallModel
from training.examples import sample_of
from training.learn import learn, ship
from training.pipeline import stands_for_others
from training.recipe.calibrate import calibrate
from training.recipe.importance import effective_number, importance_weights, scaled_to_effective
from training.recipe.level import at_level
from training.recipe.sample import FloatArray, Sample
from training.recipe.slope_history import Margins, slope_evidence

EXPLORED = 0.05


def bent(n_leads: int, seed: int, below: float = 1.8) -> tuple[FloatArray, FloatArray]:
    """Margins, and targets whose log-odds rise by `below` per unit below -1.5 and by .8 above: no slope fits both."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(-2.0, 1.2, n_leads)
    truth = -1.5 + np.where(margins < -1.5, below, 0.8) * (margins + 1.5)
    return margins, (rng.random(n_leads) < probabilities_of(truth)).astype(float)


def chances_of(margins: FloatArray, seed: int) -> tuple[FloatArray, np.ndarray]:
    """The chance of each lead to be worked, the best 30 % for certain, and which of them were."""
    chance = np.where(margins >= np.quantile(margins, 0.7), 1.0, EXPLORED)
    return chance, np.random.default_rng(seed).random(len(margins)) < chance


def test_where_every_lead_was_worked_each_stands_for_itself_exactly() -> None:
    weights = importance_weights(np.ones(1_237))
    assert (weights == 1).all()
    assert (scaled_to_effective(weights) == 1).all()
    assert effective_number(weights) == 1_237


def test_a_weighted_rate_is_that_of_all_leads_and_the_plain_one_is_not() -> None:
    margins, target = bent(400_000, 1)
    chance, worked = chances_of(margins, 2)
    weights = importance_weights(chance[worked])
    # Of 14,000 explored leads 6 % are won: the weighted rate of all is known to .0015.
    assert np.average(target[worked], weights=weights) == pytest.approx(target.mean(), abs=0.005)
    assert target[worked].mean() > 1.5 * target.mean()
    assert weights.sum() == pytest.approx(400_000, rel=0.02)


def test_one_lead_that_was_worked_by_a_freak_does_not_outvote_all_others() -> None:
    chance = np.ones(1_000)
    chance[0] = 1e-9
    weights = importance_weights(chance)
    assert weights[0] / weights.sum() < 1
    assert weights[0] == pytest.approx((1e9 + 999) / 1_000 * np.sqrt(1_000))
    usual = np.where(np.arange(1_000) < 100, EXPLORED, 1.0)
    assert importance_weights(usual).max() == 1 / EXPLORED


def test_a_chance_that_is_the_same_for_all_changes_not_a_bit_of_the_model(small_model: SmallModel) -> None:
    labelled, cut = small_model.labelled, small_model.cut
    halved = replace(labelled, frame=labelled.frame.assign(worked_chance=0.5))
    again = learn(halved, cut, ONE_THREAD)
    shipped = ship(halved, cut, again, ONE_THREAD)
    usual = ship(labelled, cut, small_model.learnt, ONE_THREAD)
    for found, known in ((again.fit, small_model.learnt.fit), (shipped, usual)):
        assert found.model_text == known.model_text
        assert found.model.linear.to_dict() == known.model.linear.to_dict()
        assert found.model.calibrator == known.model.calibrator
    assert (again.calibration.covariance == small_model.learnt.calibration.covariance).all()


def test_the_slope_of_the_worked_leads_is_that_of_all_leads_once_they_are_weighted() -> None:
    margins, target = bent(200_000, 3)
    chance, worked = chances_of(margins, 4)
    none = np.zeros(len(margins))
    of_all = calibrate(margins, none, target).calibrator
    plain = calibrate(margins[worked], none[worked], target[worked]).calibrator
    weighted = calibrate(
        margins[worked], none[worked], target[worked], stands_for=importance_weights(chance[worked])
    ).calibrator
    assert of_all.linear_slope - plain.linear_slope > 0.15
    assert weighted.linear_slope == pytest.approx(of_all.linear_slope, abs=0.04)
    said = weighted.probabilities(margins, none)
    assert said.mean() == pytest.approx(target.mean(), rel=0.05)
    assert plain.probabilities(margins, none).mean() > 1.08 * target.mean()


def test_a_window_claims_no_more_of_its_slope_than_its_weighted_leads_can_know() -> None:
    found, claimed = [], []
    for seed in range(150):
        margins, target = bent(6_000, 100 + seed, below=0.8)
        chance, worked = chances_of(margins, 900 + seed)
        window = Margins(margins[worked], np.zeros(worked.sum()), target[worked], importance_weights(chance[worked]))
        seen = slope_evidence(window)
        found.append(seen.pull[0] / seen.precision[0, 0])
        claimed.append(1 / seen.precision[0, 0])
    # 150 draws know a variance to 12 %.
    assert np.var(found) == pytest.approx(np.mean(claimed), rel=0.35)


def test_the_level_of_a_refit_is_that_of_all_leads_not_of_the_worked_ones() -> None:
    margins, target = bent(300_000, 5)
    chance, worked = chances_of(margins, 6)
    order, none = np.arange(300_000), np.zeros(300_000)
    sample = Sample(margins[:, None], target, order, order, chance).take(worked)
    newest, weights = np.arange(len(sample)) > 0.85 * len(sample), np.ones(len(sample))
    parts = (margins[worked], none[worked])
    plain = replace(sample, worked_chance=np.ones(len(sample)))
    known, unknown = (
        at_level(Calibrator(), parts, each, newest, weights).probabilities(margins, none).mean() / target.mean()
        for each in (sample, plain)
    )
    assert known == pytest.approx(1, abs=0.03)
    assert unknown > 1.06


def test_a_sample_takes_the_chances_along(small_model: SmallModel) -> None:
    frame = small_model.labelled.frame
    chance = np.linspace(0.1, 1, len(frame))
    labelled = replace(small_model.labelled, frame=frame.assign(worked_chance=chance))
    rows = np.array([5, 2, 9])
    assert (sample_of(labelled, small_model.learnt.fit.model.encoder, rows).worked_chance == chance[rows]).all()


def test_the_card_says_that_some_leads_stand_for_others_and_how_many_they_are_worth(small_model: SmallModel) -> None:
    labelled = small_model.labelled
    assert stands_for_others(labelled) == ()
    n_leads = len(labelled.frame)
    chance = np.where(np.arange(n_leads) % 10 == 0, EXPLORED, 1.0)
    (said,) = stands_for_others(replace(labelled, frame=labelled.frame.assign(worked_chance=chance)))
    n_drawn = int((chance < 1).sum())
    worth = (n_leads - n_drawn + 20 * n_drawn) ** 2 / (n_leads - n_drawn + 400 * n_drawn)
    assert f"{n_drawn:,} were drawn by chance" in said.en
    assert f"as sure as from {round(worth):,}." in said.en
    assert "ausgelost" in said.de
