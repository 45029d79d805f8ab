"""The curve of wins: by hand, against an independent computation, and against delays that are known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InternalError
from tests.training.delay_worlds import HORIZONS, NEVER, Delays, history_of, simulated_delays
from training.judging.bootstrap import Resampling
from training.maturity.incidence import FEWEST_FOLLOWED, Followed, _Curve, followed

LEADS = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 9), st.booleans()), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def known_delays() -> Delays:
    return simulated_delays()


def leads_of(rows: list[tuple[int, int, bool]]) -> Followed:
    """Leads watched for so many days, closing after so many (unseen if that is later), won or lost."""
    watched = np.array([row[0] for row in rows], dtype=float)
    closed = np.array([row[1] if row[1] < row[0] else np.inf for row in rows], dtype=float)
    won = np.array([row[2] and row[1] < row[0] for row in rows])
    return Followed(watched, closed, won, np.arange(len(rows)).astype(str))


def redistributed_to_the_right(rows: list[tuple[int, int, bool]], days: int) -> Fraction:
    """Efron (1967): all leads have the same mass; one that is no longer watched leaves its own to the later ones."""
    leaves = sorted((min(closed, watched), closed < watched, won) for watched, closed, won in rows)
    mass = [Fraction(1, len(rows))] * len(rows)
    for place, (_, seen, _) in enumerate(leaves):
        later = len(rows) - place - 1
        if not seen and later:
            for other in range(place + 1, len(rows)):
                mass[other] += mass[place] / later
    return sum((m for m, (at, seen, won) in zip(mass, leaves, strict=True) if seen and won and at < days), Fraction(0))


def test_the_curve_by_hand() -> None:
    # five leads: won on day 1; watched until 2; lost on day 3; won on day 4; watched until 9
    leads = leads_of([(9, 1, True), (2, 5, True), (9, 3, False), (9, 4, True), (9, 9, False)])
    # day 1: 1/5 of all. Day 3: of 3 at risk 1 lost, open 4/5 * 2/3. Day 4: of 2 at risk 1 won: 8/15 / 2 = 4/15
    assert leads.won_before([1, 1.5, 4, 4.5, 9]) == pytest.approx([0, 1 / 5, 1 / 5, 1 / 5 + 4 / 15, 7 / 15])


def test_a_win_exactly_at_the_horizon_is_not_before_it() -> None:
    leads = leads_of([(9, 3, True), (9, 5, False)])
    assert leads.won_before([3, 3.001]).tolist() == [0.0, 0.5]


def test_a_lead_watched_until_a_moment_is_not_at_risk_at_it() -> None:
    # the second lead is watched until day 3, exclusive: its win on day 3 could not have been seen
    assert leads_of([(9, 3, True), (3, 8, True), (9, 8, False)]).won_before([9])[0] == pytest.approx(1 / 2)


@given(rows=LEADS, days=st.integers(0, 10))
def test_the_curve_equals_mass_redistributed_to_the_right(rows: list[tuple[int, int, bool]], days: int) -> None:
    found = leads_of(rows).won_before([days])[0]
    assert found == pytest.approx(float(redistributed_to_the_right(rows, days)), abs=1e-12)


@given(rows=LEADS, days=st.integers(0, 10))
def test_where_every_lead_was_watched_to_the_end_the_curve_is_the_plain_share(
    rows: list[tuple[int, int, bool]], days: int
) -> None:
    watched = [(10, closed, won) for _, closed, won in rows]
    plain = sum(won and closed < days for _, closed, won in watched) / len(watched)
    assert leads_of(watched).won_before([days])[0] == pytest.approx(plain, abs=1e-12)


@given(rows=LEADS, times=st.data())
def test_drawing_a_lead_twice_equals_having_it_twice(rows: list[tuple[int, int, bool]], times: st.DataObject) -> None:
    n = np.array(times.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))))
    if not n.any():
        return
    weighted = _Curve.of(leads_of(rows)).won_before(n[None, :].astype(float), [2, 5, 10])[0]
    repeated = leads_of([row for row, k in zip(rows, n, strict=True) for _ in range(k)])
    assert weighted == pytest.approx(repeated.won_before([2, 5, 10]), abs=1e-12)


def test_leads_closed_after_they_were_watched_are_refused() -> None:
    with pytest.raises(InternalError, match="never watched, or closed after"):
        Followed(np.array([3.0]), np.array([3.0]), np.array([True]), np.array(["a"]))
    with pytest.raises(InternalError, match="still open"):
        Followed(np.array([3.0]), np.array([np.inf]), np.array([True]), np.array(["a"]))


def test_nobody_is_followed_for_longer_than_a_hundred_leads_were_watched() -> None:
    watched = np.arange(1.0, 151.0)
    leads = Followed(watched, np.full(150, np.inf), np.zeros(150, dtype=bool), watched.astype(str))
    assert leads.followed_days == 150 - FEWEST_FOLLOWED + 1
    assert (leads.watched_days >= leads.followed_days).sum() == FEWEST_FOLLOWED
    few = Followed(watched[:99], np.full(99, np.inf), np.zeros(99, dtype=bool), watched[:99].astype(str))
    assert few.followed_days == 0


@pytest.mark.parametrize("days", HORIZONS)
def test_the_share_of_wins_is_within_three_percent_where_the_usual_shortcuts_are_not(
    known_delays: Delays, days: int
) -> None:
    # 40,000 leads of 240 days: the standard error is about 1 % of the rate
    leads, truth = followed(known_delays.history), known_delays.won_within(days)
    assert leads.won_before([days])[0] == pytest.approx(truth, rel=0.03)
    seen_won, closed = leads.won & (leads.closed_days < days), np.isfinite(leads.closed_days)
    open_as_lost, open_dropped = seen_won.mean(), seen_won[closed].mean()
    assert open_as_lost < 0.95 * truth
    assert open_dropped > 1.10 * truth


def test_the_interval_holds_the_truth_and_accounts_widen_it(known_delays: Delays) -> None:
    leads = followed(known_delays.history)
    draws = leads.resampled([90], Resampling(n_resamples=150, seed=3))[:, 0]
    assert np.quantile(draws, 0.01) < known_delays.won_within(90) < np.quantile(draws, 0.99)
    rows = np.arange(len(leads)) % 2000  # two thousand leads, each repeated twenty times under one account
    repeated = Followed(leads.watched_days[rows], leads.closed_days[rows], leads.won[rows], rows.astype(str))
    together = repeated.resampled([90], Resampling(n_resamples=60, seed=3))
    assert together.std() > 3 * draws.std()


def test_losses_without_a_date_change_nothing_but_the_noise(known_delays: Delays) -> None:
    frame = known_delays.history.frame.copy()
    lost = (frame["outcome"] == "lost") & (np.arange(len(frame)) % 2 == 0)
    frame["closed"] = frame["closed"].mask(lost)
    leads = followed(known_delays.replaced(frame).history)
    assert leads.won_before([90])[0] == pytest.approx(known_delays.won_within(90), rel=0.03)


def test_who_is_followed_and_for_how_long() -> None:
    day = pd.Timestamp("2025-01-01", tz="UTC")
    history = history_of(
        as_of=[day, day, day + pd.Timedelta(days=5), day + pd.Timedelta(days=30), day],
        closed_days=[2.5, 10.0, NEVER, NEVER, -1.0],
        outcome=["won", "won", "open", "open", "lost"],
        data_end=day + pd.Timedelta(days=10),
    )
    leads = followed(history)
    # the win at the very end of the data is not within it; a lead that begins later, or closed before, is not followed
    assert leads.watched_days.tolist() == [10, 10, 5]
    assert leads.closed_days.tolist() == [2.5, np.inf, np.inf]
    assert leads.won.tolist() == [True, False, False]
