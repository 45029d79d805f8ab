"""Intervals hold the truth as often as they say, leads of one account included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rates import design_effect as of_residuals
from serving.kpis.counts import NONE, Cell, Population, Share, Shared, State
from serving.kpis.shares import design_effect, ratio_figure, share_figure

WON = Share(NONE, State.WITHIN)
RATIO = Share(NONE, State.WITHIN, weighted=True)


def counted(y: np.ndarray, p: np.ndarray, account: np.ndarray, share: Share) -> Population:
    """What the store would count of these leads."""
    cells = tuple(
        Cell(
            None, "A", State.WITHIN if won else NONE, int((y == won).sum()), p[y == won].sum(), (p[y == won] ** 2).sum()
        )
        for won in (0, 1)
    )
    several = np.flatnonzero(np.bincount(account) > 1)
    rows = np.isin(account, several)
    x = p if share.weighted else np.ones(len(p))
    sum_y, sum_x = np.bincount(account[rows], y[rows]), np.bincount(account[rows], x[rows])
    shared = Shared(
        float(sum_y @ sum_y),
        float(sum_y @ sum_x),
        float(sum_x @ sum_x),
        float(y[rows].sum()),
        float(y[rows] @ x[rows]),
        float(x[rows] @ x[rows]),
    )
    return Population(cells, {"won": shared})


leads = st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.6), st.integers(0, 9)), min_size=2, max_size=40)


@given(leads, st.booleans())
def test_the_design_effect_from_sums_is_the_one_from_each_lead(
    drawn: list[tuple[bool, float, int]], weighted: bool
) -> None:
    y, p, account = (np.array(column) for column in zip(*drawn, strict=True))
    y, share = y.astype(float), Share(NONE, State.WITHIN, weighted=weighted)
    x = p if weighted else np.ones(len(p))
    population = counted(y, p, account, share)
    residual = y - x * y.sum() / x.sum()
    expected = of_residuals(account, residual) if residual @ residual > 1e-9 else 1.0
    assert design_effect(share, population, population.shared["won"]) == pytest.approx(expected)


@pytest.mark.parametrize("leads_per_account", [1, 4])
def test_nine_in_ten_intervals_hold_the_rate_and_the_ratio(leads_per_account: int) -> None:
    """1,500 worlds of 400 leads with a true rate of 12 %; leads of one account lean the same way.

    The tolerance is three standard errors of a share of 1,500, and two points: the design effect is itself estimated.
    """
    draw, worlds = np.random.default_rng(5), 1_500
    n_accounts = 400 // leads_per_account
    account = np.repeat(np.arange(n_accounts), leads_per_account)
    held = {"rate": 0, "ratio": 0}
    for _ in range(worlds):
        rate = draw.beta(1.2, 8.8, n_accounts) if leads_per_account > 1 else np.full(n_accounts, 0.12)
        p = draw.beta(2, 2 * 0.88 / 0.12, 400)
        y = (draw.random(400) < (rate[account] if leads_per_account > 1 else p)).astype(float)
        for name, share in (("rate", WON), ("ratio", RATIO)):
            population = counted(y, p, account, share)
            effect = design_effect(share, population, population.shared["won"])
            figure = (ratio_figure if share.weighted else share_figure)("won", share, population.cells, effect)
            truth = 0.12 if name == "rate" else 0.12 * 400 / p.sum() if leads_per_account > 1 else 1.0
            assert figure.low is not None
            assert figure.high is not None
            held[name] += figure.low <= truth <= figure.high
    for name, count in held.items():
        assert count / worlds == pytest.approx(0.90, abs=0.045), name


def test_ignoring_accounts_would_hold_the_rate_too_rarely() -> None:
    """The same worlds with the design effect left out: the test above can fail."""
    draw, worlds, held = np.random.default_rng(5), 400, 0
    account = np.repeat(np.arange(50), 8)
    for _ in range(worlds):
        y = (draw.random(400) < draw.beta(0.6, 4.4, 50)[account]).astype(float)
        figure = share_figure("won", WON, counted(y, y, account, WON).cells, 1.0)
        held += bool(figure.low is not None and figure.high is not None and figure.low <= 0.12 <= figure.high)
    assert held / worlds < 0.80
