"""Choosing the number of rounds: on later leads, with accounts apart, and none where none is right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.fit_worlds import FIELDS, leads
from training.recipe.calibrate import CalibrationSettings
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundChoice, RoundSettings, choose_rounds, rolling_folds
from training.recipe.sample import Sample
from training.recipe.slopes import fit_slopes

PARTS = PartSettings(n_threads=1)
QUICK = RoundSettings(max_rounds=200, patience_rounds=60)


def choose(sample: Sample, settings: RoundSettings = QUICK, looks: int = 1000) -> RoundChoice:
    left = iter(range(looks))
    return choose_rounds(
        sample,
        FIELDS,
        settings,
        PARTS,
        has_time=lambda: next(left, None) is not None,
        progress=lambda _: None,
    )


def hundred(order: np.ndarray, account: np.ndarray) -> Sample:
    return Sample(np.arange(100.0)[:, None], np.tile([0.0, 1.0], 50), account, order)


def test_the_folds_of_a_hundred_leads_are_those_of_the_worked_example() -> None:
    folds = list(rolling_folds(hundred(np.arange(100), np.arange(100)), RoundSettings(min_outcomes=1)))
    seen = [(fit.order.min(), fit.order.max(), look.order.min(), look.order.max()) for fit, look in folds]
    assert seen == [(0, 54, 55, 69), (0, 69, 70, 84), (0, 84, 85, 99)]


def test_leads_of_one_moment_are_never_on_both_sides() -> None:
    for fitted_on, looked_at in rolling_folds(hundred(np.arange(100) // 9, np.arange(100)), RoundSettings()):
        assert fitted_on.order.max() < looked_at.order.min()


def test_an_account_is_never_on_both_sides() -> None:
    account = np.arange(100) % 30
    folds = list(rolling_folds(hundred(np.arange(100), account), RoundSettings(min_outcomes=1)))
    assert len(folds) == 3
    for fitted_on, looked_at in folds:
        assert len(looked_at) == 15
        assert not set(fitted_on.account) & set(looked_at.account)


def test_rows_in_any_order_make_the_same_folds() -> None:
    rng = np.random.default_rng(1)
    rows = rng.permutation(100)
    straight = rolling_folds(hundred(np.arange(100), np.arange(100)), RoundSettings(min_outcomes=1))
    mixed = rolling_folds(hundred(np.arange(100), np.arange(100)).take(rows), RoundSettings(min_outcomes=1))
    for (_, one), (_, other) in zip(straight, mixed, strict=True):
        assert sorted(one.order) == sorted(other.order)


def test_folds_without_enough_outcomes_do_not_count() -> None:
    # Leads 1 to 60 lost and later ones won: only the first fold looks at both, five lost and ten won, but fits on
    # losses alone. With one early win it has both on either side.
    target = (np.arange(100) >= 60).astype(float)
    never = Sample(np.zeros((100, 1)), target, np.arange(100), np.arange(100))
    assert list(rolling_folds(never, RoundSettings(min_outcomes=1))) == []
    target[3] = 1
    assert len(list(rolling_folds(never, RoundSettings(min_outcomes=1)))) == 1
    assert list(rolling_folds(never, RoundSettings(min_outcomes=2))) == []


def test_leads_of_one_single_moment_cannot_be_split_in_time() -> None:
    assert list(rolling_folds(hundred(np.zeros(100), np.arange(100)), RoundSettings(min_outcomes=1))) == []


def test_an_interaction_that_no_sum_of_fields_can_show_gets_trees() -> None:
    choice = choose(leads(4000, 1, interaction=1.0))
    assert choice.n_rounds > 50
    assert choice.is_proven
    assert choice.gain == pytest.approx(choice.log_losses[0] - choice.log_losses.min())


def test_fields_that_add_up_get_no_proven_trees() -> None:
    proven = [choose(leads(2000, seed)).is_proven for seed in range(5)]
    assert sum(proven) == 0


def test_the_budget_ends_the_search_with_the_best_so_far() -> None:
    sample = leads(3000, 1, interaction=1.0)
    short = choose(sample, looks=3)
    assert short.out_of_time
    assert short.n_rounds <= 3 * QUICK.rounds_per_look
    assert short.log_losses.size == 4
    assert choose(sample, looks=0).n_rounds == 0
    assert not choose(sample).out_of_time


def test_the_same_leads_choose_the_same_rounds_by_the_same_losses() -> None:
    sample = leads(1500, 2, interaction=1.0)
    assert choose(sample).log_losses.tolist() == choose(sample).log_losses.tolist()


def test_what_the_folds_said_of_later_leads_is_kept_for_the_rounds_that_were_chosen() -> None:
    choice = choose(leads(3000, 2, interaction=1.5))
    assert choice.n_rounds > 0
    assert len(choice.looked_at) == choice.n_folds == 3
    losses = []
    for fold in choice.margins(choice.n_rounds):
        inputs = (fold.linear + fold.trees)[:, None]
        (slope, shift), _ = fit_slopes(inputs, fold.target, np.ones(len(fold.target)), CalibrationSettings().ridge)
        margins = slope * inputs[:, 0] + shift
        losses.append(np.logaddexp(0, margins) - fold.target * margins)
    assert np.concatenate(losses).mean() == pytest.approx(choice.log_losses.min(), abs=1e-12)


def test_without_rounds_the_folds_say_what_their_linear_parts_say() -> None:
    choice = choose(leads(3000, 2, interaction=1.5))
    for with_trees, without in zip(choice.looked_at, choice.margins(0), strict=True):
        assert with_trees.trees.any()
        assert not without.trees.any()
        assert np.array_equal(with_trees.linear, without.linear)
