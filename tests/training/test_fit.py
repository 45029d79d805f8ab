"""Fitting a model: both parts, what a reader is told, and the refit."""

from __future__ import annotations

from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest

from features.encode import EncodedField
from features.text import Text
from tests.training.fit_worlds import FIELDS, leads
from training.recipe.boost import tree_margins
from training.recipe.calibrate import calibrate
from training.recipe.fit import FitSettings, Fitted, fit, refit
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.recipe.sample import FloatArray, Sample

SETTINGS = FitSettings(parts=PartSettings(n_threads=1), rounds=RoundSettings(max_rounds=150, patience_rounds=50))


def trees(fitted: Fitted, matrix: FloatArray) -> FloatArray:
    return tree_margins(lgb.Booster(model_str=fitted.model_text), matrix)


def log_loss(log_odds: FloatArray, target: FloatArray) -> float:
    return float((np.logaddexp(0, log_odds) - target * log_odds).mean())


def test_both_parts_together_find_what_the_linear_part_alone_cannot() -> None:
    # The best possible: the truth's own log loss, with the 10 % of sizes hidden that make it unreachable.
    train, later = leads(6000, 1, interaction=1.0), leads(4000, 2, interaction=1.0)
    fitted = fit(train, FIELDS, SETTINGS)
    linear = fitted.linear.margins(later.matrix)
    together = linear + trees(fitted, later.matrix)
    assert fitted.n_rounds > 0
    assert log_loss(together, later.target) < log_loss(linear, later.target) - 0.02


def test_a_fitted_model_is_calibrated_on_later_leads_of_the_same_world() -> None:
    train, later = leads(8000, 3, interaction=0.5), leads(20_000, 4, interaction=0.5)
    fitted = fit(train, FIELDS, SETTINGS)
    calibration = calibrate(fitted.linear.margins(later.matrix), trees(fitted, later.matrix), later.target)
    assert calibration.calibrator.linear_slope == pytest.approx(1, abs=0.15)
    assert calibration.calibrator.intercept == pytest.approx(0, abs=0.15)


def test_no_trees_are_a_valid_model_whose_margins_are_zero() -> None:
    few = replace(SETTINGS, rounds=replace(SETTINGS.rounds, max_rounds=0))
    train = leads(1000, 5)
    fitted = fit(train, FIELDS, few)
    assert fitted.n_rounds == 0
    assert lgb.Booster(model_str=fitted.model_text).num_trees() == 0
    assert not trees(fitted, train.matrix).any()
    assert any("linear part alone" in note.en for note in fitted.notes)


def test_the_trees_text_leaves_the_linear_part_out() -> None:
    fitted = fit(leads(3000, 6, interaction=1.0), FIELDS, SETTINGS)
    margins = trees(fitted, leads(3000, 6, interaction=1.0).matrix)
    assert abs(margins.mean()) < 0.3  # the linear part alone stands near -1.5


def test_the_same_seed_gives_the_same_model_to_the_last_character() -> None:
    train = leads(2000, 7, interaction=1.0)
    one, other = fit(train, FIELDS, SETTINGS), fit(train, FIELDS, SETTINGS)
    assert one.model_text == other.model_text
    assert one.linear.to_dict() == other.linear.to_dict()


def test_a_refit_keeps_the_rounds_and_learns_from_all_leads() -> None:
    train = leads(3000, 8, interaction=1.0)
    everything = leads(4000, 9, interaction=1.0)
    fitted = fit(train, FIELDS, SETTINGS)
    again = refit(everything, FIELDS, fitted, SETTINGS)
    assert again.n_rounds == fitted.n_rounds > 0
    assert again.choice is fitted.choice
    assert again.linear.intercept != fitted.linear.intercept
    fresh = fit(everything, FIELDS, SETTINGS)
    if fresh.n_rounds == again.n_rounds:
        assert fresh.model_text == again.model_text


def test_few_wins_are_warned_of_in_both_languages_and_unproven_trees_are_left_out() -> None:
    fitted = fit(leads(400, 10, effect=0.3), FIELDS, SETTINGS)
    assert fitted.n_rounds == 0
    warning = fitted.notes[0]
    assert warning.en.startswith("Warning: learnt from only")
    assert warning.de.startswith("Warnung: aus nur")


def test_few_wins_with_a_strong_interaction_still_get_their_trees() -> None:
    # Leads win only where both numbers have the same sign, which no sum of the two can show.
    rng = np.random.default_rng(11)
    one, other = rng.normal(size=700), rng.normal(size=700)
    target = ((one * other > 0) & (rng.random(700) < 0.3)).astype(float)
    fields = (EncodedField("one", "number"), EncodedField("other", "number"))
    sample = Sample(np.column_stack([one, other]), target, np.arange(700), np.arange(700))
    fitted = fit(sample, fields, SETTINGS)
    assert sample.n_won < 120
    assert fitted.choice.is_proven
    assert fitted.n_rounds > 0
    assert "wins (below 120)" in fitted.notes[0].en


def test_too_few_outcomes_to_compare_on_leave_the_linear_part_and_say_so() -> None:
    sample = leads(3000, 12)
    sample = sample.take((sample.target == 0) | (np.arange(3000) < 300))
    fitted = fit(sample, FIELDS, SETTINGS)
    assert (fitted.choice.n_folds, fitted.n_rounds) == (0, 0)
    assert any("Too few outcomes to compare" in note.en for note in fitted.notes)


def test_an_agreed_direction_holds_for_both_parts_together() -> None:
    fields = (replace_direction(FIELDS[0], 1), *FIELDS[1:])
    train = leads(4000, 13, interaction=1.0)
    fitted = fit(train, fields, SETTINGS)
    assert fitted.n_rounds > 0
    at = np.linspace(-4, 4, 200)
    for visits in (-1.0, 1.0):
        for source in (0.0, 2.0, 4.0):
            matrix = np.column_stack([at, np.full(200, visits), np.full(200, source)])
            assert (np.diff(fitted.linear.margins(matrix)) >= 0).all()
            assert (np.diff(trees(fitted, matrix)) >= -1e-12).all()


def replace_direction(field: EncodedField, direction: int) -> EncodedField:
    return replace(field, direction=direction)


def test_progress_never_goes_back_and_ends_at_one() -> None:
    seen: list[tuple[Text, float]] = []
    fit(leads(2000, 14, interaction=1.0), FIELDS, SETTINGS, lambda message, share: seen.append((message, share)))
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert all(message.en and message.de for message, _ in seen)


def test_a_budget_is_measured_by_the_given_clock() -> None:
    ticks = iter(np.arange(0.0, 1000.0))
    short = replace(SETTINGS, budget_seconds=3.5)
    fitted = fit(leads(3000, 15, interaction=1.0), FIELDS, short, clock=lambda: float(next(ticks)))
    # The clock is asked once at the start and once before each look: looks at 1, 2 and 3 seconds happen.
    assert fitted.choice.log_losses.size == 1 + 3
    assert fitted.choice.out_of_time
    assert any("time budget" in note.en for note in fitted.notes)


def test_recency_lets_the_newest_leads_decide() -> None:
    # The meaning of size turns around halfway: old leads win with large size, new ones with small size.
    old, new = leads(3000, 16), leads(3000, 17, effect=-1.0)
    sample = Sample(
        np.vstack([old.matrix, new.matrix]),
        np.append(old.target, new.target),
        np.arange(6000),
        np.arange(6000),
    )
    recent = replace(SETTINGS, parts=replace(SETTINGS.parts, half_life_leads=500.0))
    at = np.array([[-1.0, 0.0, 2.0], [1.0, 0.0, 2.0]])
    assert np.diff(fit(sample, FIELDS, recent).linear.margins(at))[0] < -1
    assert abs(np.diff(fit(sample, FIELDS, SETTINGS).linear.margins(at))[0]) < 0.7


def test_a_half_life_in_leads_goes_before_the_share_and_none_of_both_weighs_all_alike() -> None:
    assert PartSettings().half_life(400) == 400
    assert PartSettings(half_life_share=0.5).half_life(400) == 200
    assert PartSettings(half_life_leads=50).half_life(400) == 50
    assert PartSettings(half_life_share=None).half_life(400) is None
