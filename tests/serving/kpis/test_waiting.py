"""The wait of leads of which some still wait, against another implementation and against known truth."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf

from serving.kpis.counts import Wait
from serving.kpis.waiting import median_figure, waiting_curve

times = st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.integers(1, 3)), min_size=1, max_size=40)


def waits(minutes: np.ndarray, contacted: np.ndarray) -> list[Wait]:
    halves = np.array_split(np.arange(len(minutes)), 2)
    return [Wait(None, "A", minutes[half].astype(np.int32), contacted[half].astype(bool)) for half in halves]


@given(times)
def test_the_curve_and_its_interval_are_those_of_scipy(drawn: list[tuple[int, bool, int]]) -> None:
    leads = [(minutes, done) for minutes, done, n in drawn for _ in range(n)]
    contacted = [minutes for minutes, done in leads if done]
    still = [minutes for minutes, done in leads if not done]
    curve = waiting_curve(waits(*(np.array(each) for each in zip(*leads, strict=True))), level=0.9)
    assert curve.minutes.tolist() == sorted(set(contacted))
    if not contacted:
        return
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # undefined where none or all wait
        reference = ecdf(CensoredData(uncensored=contacted, right=still)).sf
        ends = reference.confidence_interval(confidence_level=0.9, method="log-log")
    for minutes, waiting, low, high in zip(curve.minutes, curve.waiting, curve.low, curve.high, strict=True):
        at = int(np.searchsorted(reference.quantiles, minutes))
        assert waiting == pytest.approx(reference.probabilities[at])
        if 1e-9 < waiting < 1:
            assert low == pytest.approx(ends.low.probabilities[at])
            assert high == pytest.approx(ends.high.probabilities[at])


def test_the_median_of_leads_that_were_all_contacted_is_the_usual_one() -> None:
    figure = median_figure("median_hours", waits(np.array([60, 120, 180, 240, 300]), np.ones(5)))
    assert (figure.value, figure.n, figure.n_of) == (3.0, 5, 5)


def test_there_is_no_median_while_fewer_than_half_are_contacted() -> None:
    figure = median_figure("median_hours", waits(np.array([60, 120, 600, 600, 600]), np.array([1, 1, 0, 0, 0])))
    assert (figure.value, figure.high, figure.n_of) == (None, None, 2)
    assert figure.low == pytest.approx(1.0), "that it is at least an hour is known"


def test_who_was_contacted_before_the_handover_did_not_wait() -> None:
    assert median_figure("median_hours", waits(np.array([-600, -5, 60]), np.ones(3))).value == 0


@pytest.mark.parametrize("together", [1, 5])
def test_nine_in_ten_intervals_hold_the_median(together: int) -> None:
    """1,000 worlds of 150 leads; true median 24 h, and a third are cut off at random, as leads of last week are.

    With `together`, that many leads are contacted at once, as one account's are: the design effect says so.
    """
    draw, worlds, held = np.random.default_rng(11), 1_000, 0
    for _ in range(worlds):
        wait = np.repeat(draw.exponential(24 / np.log(2), 150 // together), together)
        seen = np.repeat(draw.uniform(2, 100, 150 // together), together)
        minutes = np.floor(60 * np.minimum(wait, seen))
        figure = median_figure("median_hours", waits(minutes, wait <= seen), effect=together)
        assert figure.low is not None
        held += figure.low <= 24 and (figure.high is None or figure.high >= 24 - 1 / 60)
    assert held / worlds == pytest.approx(0.90, abs=0.03)


def test_dropping_leads_that_still_wait_would_halve_the_wait() -> None:
    draw = np.random.default_rng(2)
    wait, seen = draw.exponential(24 / np.log(2), 5_000), draw.uniform(2, 40, 5_000)
    minutes, contacted = np.floor(60 * np.minimum(wait, seen)), wait <= seen
    assert median_figure("median_hours", waits(minutes, contacted)).value == pytest.approx(24, rel=0.07)
    assert median_figure("median_hours", waits(minutes[contacted], contacted[contacted])).value < 13
