"""Intervals: what they cover, measured by simulation with fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import InternalError
from features.rates import rate_interval
from training.judging.bootstrap import Accounts, Resampling, interval
from training.judging.metrics import log_loss, recalibration


def test_each_resample_draws_as_many_accounts_as_there_are() -> None:
    accounts = Accounts.of(np.array(["a", "b", "b", "c"]))
    drawn = np.concatenate(list(accounts.draws(Resampling(n_resamples=200))))
    assert drawn.shape == (200, 3)
    assert (drawn.sum(1) == 3).all()
    assert drawn.mean() == pytest.approx(1)


def test_leads_of_one_account_are_drawn_together() -> None:
    accounts = Accounts.of(np.array([7, 3, 7, 7]))
    weight = np.concatenate(list(accounts.lead_weights(Resampling(n_resamples=50))))
    assert (weight[:, 0] == weight[:, 2]).all()
    assert (weight[:, 0] == weight[:, 3]).all()
    assert (weight[:, 0] + weight[:, 1] == 2).all()


def test_the_same_seed_draws_the_same_and_another_seed_does_not() -> None:
    accounts = Accounts.of(np.arange(40))
    first, again, other = (np.concatenate(list(accounts.draws(Resampling(9, seed=s)))) for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_the_draws_do_not_depend_on_how_many_are_held_at_once() -> None:
    accounts = Accounts.of(np.arange(2000))  # 750 resamples of 2,000 leads are one block, so 1,000 are two
    together = np.concatenate(list(accounts.draws(Resampling(1000))))
    blocks = list(accounts.draws(Resampling(1000)))
    assert len(blocks) == 2
    rng = np.random.default_rng(0)
    alone = [np.bincount(rng.integers(0, 2000, 2000), minlength=2000) for _ in range(1000)]
    assert (together == np.array(alone)).all()


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_account_is_an_error_and_not_one_large_company(missing: object) -> None:
    with pytest.raises(InternalError, match="without an account"):
        Accounts.of(np.array(["a", missing], dtype=object))


def test_the_slopes_interval_covers_the_true_slope_as_often_as_it_says() -> None:
    # 90 % interval, 200 simulations of 800 leads: the share covered has a standard error of 2 %; 84 to 96 % is 3.
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(200):
        x = rng.normal(-1, 1.2, 800)
        target = (rng.random(800) < 1 / (1 + np.exp(-(0.3 + 0.8 * x)))).astype(float)
        probability = 1 / (1 + np.exp(-x))
        accounts = Accounts.of(np.arange(800))
        weights = accounts.lead_weights(Resampling(200, seed=seed))
        draws = np.concatenate([recalibration(target, probability, w).slope for w in weights])
        ends = interval(draws, 0.8, 0.90)
        assert ends is not None
        covered += ends[0] <= 0.8 <= ends[1]
    assert 0.84 <= covered / 200 <= 0.96


def test_blocks_by_account_cover_where_resampling_leads_does_not() -> None:
    # 200 accounts of five leads that win or lose together: log loss against its expectation; tolerance as above.
    rng = np.random.default_rng(12)
    covered = {"accounts": 0, "leads": 0}
    probability = np.repeat(np.tile([0.2, 0.4], 100), 5)
    truth = float(np.mean([-p * np.log(p) - (1 - p) * np.log(1 - p) for p in (0.2, 0.4)]))
    for seed in range(200):
        target = np.repeat(rng.random(200) < probability[::5], 5).astype(float)
        for name, account in (("accounts", np.arange(1000) // 5), ("leads", np.arange(1000))):
            weights = Accounts.of(account).lead_weights(Resampling(300, seed=seed))
            draws = np.concatenate([log_loss(target, probability, w) for w in weights])
            ends = interval(draws, 0.0, 0.90)
            assert ends is not None
            covered[name] += ends[0] <= truth <= ends[1]
    assert 0.84 <= covered["accounts"] / 200 <= 0.96
    assert covered["leads"] / 200 < 0.70  # 1.645 / sqrt(5) = .74 standard errors: 54 %


def test_an_interval_that_most_resamples_cannot_support_is_none() -> None:
    draws = np.full(100, 1.0)
    draws[:6] = np.nan
    assert interval(draws, 1.0, 0.9) is None
    assert interval(draws[1:96], 1.0, 0.9) is None
    assert interval(draws[3:], 1.0, 0.9) == (1.0, 1.0)
    assert interval(draws[6:], float("nan"), 0.9) is None


def test_the_basic_interval_mirrors_the_resamples_and_stays_at_or_above_0() -> None:
    draws = np.linspace(0.02, 0.06, 101)  # 5 % and 95 % quantiles at .022 and .058
    low, high = interval(draws, 0.03, 0.90, "basic") or (np.nan, np.nan)
    assert [low, high] == pytest.approx([0.002, 0.038])
    assert interval(draws, 0.01, 0.90, "basic") == (0.0, 0.0)


def test_wilsons_interval_by_hand() -> None:
    # 3 of 10 at 95 %, z = 1.95996: centre (.3 + z^2/20) / (1 + z^2/10) = .35547, half width .24769.
    low, high = rate_interval(3, 10, 0.95) or (np.nan, np.nan)
    assert [low, high] == pytest.approx([0.10779, 0.60322], abs=1e-4)
    assert rate_interval(0, 0, 0.9) is None


def test_the_design_effect_of_leads_that_win_together_is_their_number() -> None:
    rng = np.random.default_rng(13)
    target = np.repeat(rng.random(500) < 0.3, 4).astype(float)
    assert Accounts.of(np.arange(2000) // 4).design_effect(target, np.full(2000, 0.3)) == pytest.approx(4)
    alone = Accounts.of(np.arange(2000)).design_effect(target, np.full(2000, 0.3))
    assert alone == pytest.approx(1)
