"""When recalibration is due: false alarms on quiet periods, detection of shifts, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from features.rates import rate_interval, ratio_interval
from training.judging.metrics import Floats
from training.upkeep.due import Due, DueSettings, due_of
from training.upkeep.due_words import HEADER, level_line, rows, sentences, slope_line

MEAN = -2.0  # log-odds; some 16 % win


def leads(
    rng: np.random.Generator, n: int, *, ratio: float = 1.0, slope: float = 1.0, spread: float = 0.6
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.datetime64]]:
    """Outcomes of leads whose rate is `ratio` times what was said, or whose slope is another at the same rate.

    Two leads an account on average; half of the accounts win (1 + spread) times as often, half (1 - spread) times.
    """
    x = rng.normal(MEAN, 1, n)
    said = 1 / (1 + np.exp(-x))
    true = 1 / (1 + np.exp(-(MEAN + slope * (x - MEAN))))
    true *= ratio * said.sum() / true.sum()
    account = rng.integers(0, n // 2, n)
    true = np.clip(true * rng.choice([1 - spread, 1 + spread], n // 2)[account], 0, 1)
    when = np.datetime64("2025-01-01") + np.sort(rng.integers(0, 150, n))
    return (rng.random(n) < true).astype(float), said, account, when


def share_due(n_looks: int, n: int, seed: int, **world: float) -> float:
    rng = np.random.default_rng(seed)
    return float(np.mean([due_of(*leads(rng, n, **world)).verdict == "due" for _ in range(n_looks)]))


@pytest.mark.parametrize("n", [400, 2_000])
@pytest.mark.parametrize("ratio", [1 / 1.1, 1.1])
def test_at_the_edge_of_the_tolerance_at_most_three_looks_in_a_hundred_are_false_alarms(n: int, ratio: float) -> None:
    # Of 1,000 looks at 3 %: 30, standard error 5.4
    assert share_due(1_000, n, seed=n, ratio=ratio) <= 0.03 + 2 * 0.0054


def test_a_slope_at_the_edge_of_its_tolerance_raises_no_more_false_alarms() -> None:
    assert share_due(500, 2_000, seed=4, slope=0.8) <= 0.03 + 2 * 0.0076


def test_a_champion_that_is_right_is_left_alone() -> None:
    assert share_due(500, 2_000, seed=5) <= 0.004


@pytest.mark.parametrize(
    ("n", "world", "least"),
    [
        (1_500, {"ratio": 0.7}, 0.75),
        (1_500, {"ratio": 1.4}, 0.9),
        (600, {"ratio": 0.5}, 0.95),
        (3_000, {"slope": 0.5}, 0.95),
    ],
)
def test_shifts_are_found(n: int, world: dict[str, float], least: float) -> None:
    assert share_due(150, n, seed=6, **world) >= least


def test_a_shift_that_is_recent_is_found_in_the_newest_leads_before_it_shows_in_all() -> None:
    rng = np.random.default_rng(7)
    quiet, bad = leads(rng, 12_000, spread=0.0), leads(rng, 1_000, ratio=0.5, spread=0.0)
    together = [np.concatenate(each) for each in zip(quiet[:2], bad[:2], strict=True)]
    when = np.concatenate([quiet[3], bad[3] + 150])
    found = due_of(*together, np.arange(13_000), when)
    assert found.because == ("newest",)


def test_fewer_than_forty_expected_wins_are_too_few_to_tell() -> None:
    rng = np.random.default_rng(8)
    found = due_of(*leads(rng, 200))
    assert found.whole is not None
    assert found.whole.expected < 40
    assert found.verdict == "too few"
    assert due_of([], [], [], np.empty(0, "datetime64[D]")) == Due("too few", (), None, None, None, (), DueSettings())


def test_few_wins_where_many_were_expected_are_due_not_too_few() -> None:
    y, p, account, when = leads(np.random.default_rng(9), 600)
    assert due_of(np.zeros_like(y), p, account, when).because == ("rate", "newest")
    assert y.sum() > 40


def test_the_interval_is_wilsons_where_all_leads_have_the_same_probability() -> None:
    for wins in (0, 3, 40, 100):
        low, high = ratio_interval(wins, 100 * 0.2, 100 * 0.2**2, 0.95, design_effect=1.5)
        wilson = rate_interval(wins, 100, 0.95, 1.5)
        assert wilson is not None
        assert (0.2 * low, 0.2 * high) == pytest.approx(wilson, abs=1e-12)


def test_the_interval_covers_the_true_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(10)
    p = 1 / (1 + np.exp(-rng.normal(MEAN, 1, 500)))
    wins = (rng.random((4_000, 500)) < 0.8 * p).sum(1)
    ends = np.array([ratio_interval(float(each), float(p.sum()), float(p @ p), 0.9) for each in wins])
    covered = float(np.mean((ends[:, 0] <= 0.8) & (ends[:, 1] >= 0.8)))
    assert covered == pytest.approx(0.9, abs=0.02)  # standard error .005; wins are whole numbers


def test_leads_of_one_account_that_win_together_make_the_interval_wider() -> None:
    y, p, _, when = leads(np.random.default_rng(11), 1_000, spread=0.0)
    order = np.argsort(y, kind="stable")  # wins side by side
    together = due_of(y[order], p[order], np.arange(1_000) // 10, when).whole
    apart = due_of(y[order], p[order], np.arange(1_000), when).whole
    assert together is not None
    assert apart is not None
    assert together.interval[1] - together.interval[0] > 1.5 * (apart.interval[1] - apart.interval[0])


def test_the_answer_is_said_in_both_languages_with_the_figures() -> None:
    found = due_of(*leads(np.random.default_rng(12), 2_000, ratio=0.6))
    verdict, *why = sentences(found)
    assert verdict.en == "Recalibration is due."
    assert verdict.de == "Rekalibrieren ist fällig."
    assert why[0].en.startswith("Fewer wins than said among all 2,000 later leads: ")
    assert why[0].de.startswith("Weniger gewonnen als vorhergesagt unter allen 2.000 späteren Leads: ")
    assert "at most 3 false alarms in 100 looks" in level_line(found).en
    assert "höchstens 3 Fehlalarme" in level_line(found).de
    assert slope_line(found).de.startswith("Steigung der Kalibrierung: ")
    table = rows(found, "de")
    assert [len(row) for row in table] == [len(HEADER)] * (5 + 2)  # January to May, the newest, all
    assert table[0][0] == "01.01.2025 bis 31.01.2025"
    assert table[-1][:2] == ("alle", "2.000")


def test_a_slope_says_which_way_the_probabilities_are_wrong() -> None:
    extreme = due_of(*leads(np.random.default_rng(13), 6_000, slope=0.4))
    timid = due_of(*leads(np.random.default_rng(14), 6_000, slope=1.6))
    assert "slope" in extreme.because
    assert "too extreme" in sentences(extreme)[-1].en
    assert "slope" in timid.because
    assert "zu zaghaft" in sentences(timid)[-1].de
