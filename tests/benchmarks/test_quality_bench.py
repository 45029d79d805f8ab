"""The benchmark's own arithmetic and its paths, on histories small enough to make in a moment."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.contest import Judge, before_refit, loss, peers_said, quick_settings, said
from benchmarks.quality.coverage import DAYS_LATER, SEASONS, _bars, _later, history
from benchmarks.quality.exactness import check
from benchmarks.quality.feedback import (
    FIRST_DAYS,
    HORIZON_DAYS,
    IN_ALL_WORLDS,
    LOOPS,
    PERIOD_DAYS,
    WORLDS,
    _bar,
    _runs,
    _World,
)
from benchmarks.quality.histories import (
    SimulatedLeads,
    cut_by_shares,
    cut_with_gaps,
    demo_definition,
    simulated,
    with_left_out,
)
from benchmarks.quality.leaks import _planted
from benchmarks.quality.monthly import _chosen
from benchmarks.quality.simulated import ece_against
from benchmarks.quality.windows import NAMES, _mean, _mean_bar, _worst_bar
from benchmarks.report import Bar, Column, Part, Table, save
from training.labels import label
from training.learn import Learnt, Settings, learn
from training.recipe.recency import Recency
from training.simulate import Feedback, Simulation, simulate
from training.splits import Split, verify

SETTINGS = quick_settings(Settings())


@pytest.fixture(scope="module")
def leads() -> SimulatedLeads:
    return simulated(Simulation(n_leads=1_500, seed=3, win_rate=0.25))


@pytest.fixture(scope="module")
def cut(leads: SimulatedLeads) -> Split:
    return cut_with_gaps(leads.labelled, 1.0)[1]


@pytest.fixture(scope="module")
def learnt(leads: SimulatedLeads, cut: Split) -> Learnt:
    return learn(leads.labelled, cut, SETTINGS)


def part(name: str = "leaks", *, met: bool = True) -> Part:
    table = Table("Found", (Column("a", "A"), Column("b", "B", "{:.1%}")), [{"a": "x", "b": 0.5}, {"a": "y"}])
    return Part(name, f"About {name}", "What it is.", [table], [Bar("it holds", "1", "2", met)], ["a note"])


# ---- What is written -------------------------------------------------------------------------------------------------


def test_a_bar_that_is_not_met_is_called_missed_in_terminal_and_report(tmp_path: Path) -> None:
    missed = part(met=False)
    assert "MISSED  it holds: 1 (limit 2)" in missed.text()
    report = save(missed, tmp_path, ["leaks"], "Quality").read_text(encoding="utf-8")
    assert "| it holds | 1 | 2 | MISSED |" in report


def test_a_figure_that_does_not_exist_is_a_dash_and_an_interval_is_written_with_to() -> None:
    table = Table("t", (Column("a", "A", "{:.2f}"),), [{"a": None}, {"a": (0.25, 0.5)}])
    assert table.texts() == [["A"], ["–"], ["0.25 to 0.50"]]


def test_parts_of_earlier_runs_stay_in_the_report_in_their_order(tmp_path: Path) -> None:
    save(part("leaks"), tmp_path, ["references", "leaks"], "Quality")
    report = save(part("references"), tmp_path, ["references", "leaks"], "Quality").read_text(encoding="utf-8")
    assert report.index("About references") < report.index("About leaks")
    assert list(json.loads((tmp_path / "report.json").read_text())) == ["references", "leaks"]


# ---- Who is given what -----------------------------------------------------------------------------------------------


def test_shares_are_cut_oldest_first_and_no_account_is_on_two_sides(leads: SimulatedLeads) -> None:
    windows = cut_by_shares(leads.labelled)
    accounts = [set(leads.labelled.frame["account"].iloc[rows]) for _, rows in windows.windows()]
    assert windows.train.max() < windows.calibrate.min() <= windows.calibrate.max() < windows.test.min()
    assert not (accounts[0] & accounts[1])
    assert not (accounts[0] & accounts[2])
    assert not (accounts[1] & accounts[2])
    assert len(windows.test) == len(leads.labelled.frame) - int(0.85 * len(leads.labelled.frame))


def test_an_earlier_moment_sees_only_earlier_leads_and_passes_the_independent_check(leads: SimulatedLeads) -> None:
    earlier, windows = cut_with_gaps(leads.labelled, 0.9)
    assert len(earlier.frame) == int(0.9 * len(leads.labelled.frame))
    verify(earlier, windows)


def test_the_truth_stands_beside_the_labelled_lead_that_it_belongs_to(leads: SimulatedLeads) -> None:
    truth = leads.simulated.truth.set_index("lead_id")["won_within_horizon"]
    of_leads = truth.loc[leads.labelled.frame["lead_id"]].to_numpy()
    assert np.array_equal(of_leads.astype(float), leads.labelled.frame["target"].to_numpy())
    assert np.array_equal(leads.truth("won_within_horizon"), of_leads.astype(float))


def test_every_peer_answers_for_the_leads_that_judge_and_platt_keeps_their_order(
    leads: SimulatedLeads, cut: Split
) -> None:
    found = peers_said(leads.labelled, cut)
    assert len(found) == 8
    assert all(len(probability) == len(cut.test) for probability in found.values())
    raw, platt = found["lightgbm, 70 %"], found["lightgbm, 70 %, Platt"]
    assert not np.array_equal(raw, platt)
    assert np.all(np.diff(platt[np.argsort(raw)]) >= 0)


def test_the_model_before_its_refit_is_another_one_with_the_same_slopes(
    leads: SimulatedLeads, cut: Split, learnt: Learnt
) -> None:
    before = before_refit(learnt, leads.labelled, cut)
    shipped = learnt.fit.model.calibrator
    assert before.calibrator == replace(shipped, intercept=before.calibrator.intercept)  # the level is found anew
    assert not np.array_equal(said(before, leads.labelled, cut.test), said(learnt.fit.model, leads.labelled, cut.test))


def test_a_difference_is_ours_minus_theirs_on_the_same_leads(leads: SimulatedLeads, cut: Split) -> None:
    judge = Judge.of(leads.labelled, cut, n_resamples=50)
    good, bad = leads.true_probability[cut.test], np.full(len(cut.test), 0.9)
    gap = judge.difference(good, bad)
    assert gap.value == pytest.approx(loss(judge.target, good) - loss(judge.target, bad))
    assert gap.interval is not None
    assert gap.interval[1] < 0


# ---- What the bars say ---------------------------------------------------------------------------------------------


def window(behind: float, error: float) -> dict[str, str | float | int]:
    return {"set": "s", "until": 1.0, "behind": behind, "error": error, "ours": 0.5, **dict.fromkeys(NAMES, 0.5)}


def test_a_window_may_be_worse_by_two_percent_or_by_two_standard_errors() -> None:
    assert _worst_bar([window(0.019, 0.0), window(0.08, 0.05)]).met
    assert not _worst_bar([window(0.021, 0.01)]).met
    assert not _worst_bar([window(0.11, 0.05)]).met


def test_the_mean_over_windows_decides_the_other_bar() -> None:
    assert _mean_bar(_mean("all", [window(0.02, 0.01), window(-0.01, 0.01)])).met
    assert not _mean_bar(_mean("all", [window(0.02, 0.01), window(-0.005, 0.01)])).met


def test_calibration_against_the_truth_is_a_mean_gap_by_tenths() -> None:
    truth = np.repeat([0.1, 0.3], 50)
    assert ece_against(truth, truth) == pytest.approx(0)
    assert ece_against(truth, truth + np.repeat([0.02, -0.04], 50)) == pytest.approx(0.03)  # (0.02 + 0.04) / 2


# ---- Paths -----------------------------------------------------------------------------------------------------------


def test_every_lead_is_checked_and_one_that_the_service_reads_differently_is_counted(
    leads: SimulatedLeads, learnt: Learnt
) -> None:
    found = check("sound", leads.labelled, learnt.fit.model)
    assert (found.n, found.encoded_differently, found.scored_differently) == (len(leads.labelled.frame), 0, 0)
    assert found.apart < 1e-9
    level = learnt.fit.model.encoder.to_dict()["country"][0]
    frame = leads.labelled.frame.assign(country=leads.labelled.frame["country"].replace(level, f"{level} "))
    n_spoilt = int((frame["country"] == f"{level} ").sum())  # the service takes white space away, this frame kept it
    spoilt = check("spoilt", replace(leads.labelled, frame=frame), learnt.fit.model)
    assert spoilt.encoded_differently == n_spoilt > 0


def test_all_planted_leaks_are_named_in_the_row_that_is_shown() -> None:
    row = _planted(1_000)
    assert (row["missing"], row["others"]) == ("none", "none")


def test_a_left_out_column_comes_back_as_a_field_and_is_no_longer_left_out() -> None:
    opened = with_left_out(demo_definition(), {"lost_reason": "category"})
    assert "lost_reason" in {field.column for field in opened.fields.values()}
    assert "lost_reason" not in opened.left_out


def test_the_periods_of_the_loop_follow_one_another_when_all_outcomes_are_known() -> None:
    world = _World(1, quick=True)
    first, second, third = (world.period(number) for number in range(3))
    assert (second.start - first.start).days == FIRST_DAYS + HORIZON_DAYS
    assert (third.start - second.start).days == PERIOD_DAYS + HORIZON_DAYS
    assert len({first.seed, second.seed, third.seed}) == 3
    assert {one.drift.origin for one in (first, second, third)} == {first.start}
    assert {loop.exploration_share for loop in LOOPS} == {0.0, 0.05, None}


def test_the_loop_with_exploration_and_its_rivals_run_in_every_world_and_the_others_in_the_first() -> None:
    runs = list(_runs(quick=False))
    for wanted in LOOPS:
        worlds = [number for loop, number in runs if loop is wanted]
        assert worlds == (list(WORLDS) if wanted in IN_ALL_WORLDS else [WORLDS[0]])
    worlds = [_World(number, quick=True).first for number in WORLDS]
    assert len({one.world for one in worlds}) == len({one.seed for one in worlds}) == len(WORLDS)


def test_the_loops_bar_holds_for_the_mean_of_the_worlds() -> None:
    # Mean 1.1, standard deviation .1155, four worlds: 2.353 * .1155 / 2 = .136 on either side.
    close = [{"slope": slope} for slope in (1.0, 1.0, 1.2, 1.2)]
    assert _bar(close, 6).met
    apart = [{"slope": slope} for slope in (1.15, 1.2, 1.25, 1.2)]
    assert not _bar(apart, 6).met
    assert _bar(apart, 6).measured.startswith("1.20, 1.15 to 1.25")


def test_a_history_that_knows_its_chances_holds_no_lead_that_nobody_worked() -> None:
    world = _World(1, quick=True)
    asked = Feedback(score=lambda leads: leads["employees"].fillna(0.0).to_numpy(), exploration_share=0.05)
    made = simulate(replace(world.period(1), feedback=asked))
    told = label(world._history(1, made, LOOPS[0]))
    untold = label(world._history(1, made, LOOPS[1]))
    assert told.frame["lead_id"].tolist() == untold.frame["lead_id"].tolist()
    assert set(told.frame["worked_chance"]) == {1.0, 0.05}
    assert set(untold.frame["worked_chance"]) == {1.0}


def test_intervals_are_judged_on_the_sixty_days_after_each_history() -> None:
    past = history(1_500, "on", 2)
    later = _later(past)
    assert (past.start, past.drift.origin) == (SEASONS[2], SEASONS[2])
    assert later.start == past.start + timedelta(days=past.days)
    assert (later.days, later.drift, later.world) == (DAYS_LATER, past.drift, past.world)
    assert later.seed != past.seed


def test_a_grade_that_is_covered_too_rarely_misses_its_bar_though_all_leads_together_meet_theirs() -> None:
    row = {"leads": 1_500, "drift": "off", "all": 0.90, "A": 0.93, "B": 0.92, "C": 0.91, "D": 0.79}
    everyone, worst = _bars([row])
    assert everyone.met
    assert not worst.met
    assert worst.measured == "0.790 (D)"
    assert not next(iter(_bars([{**row, "all": 0.96}]))).met


def test_the_bank_says_what_it_chose_at_first_and_every_change() -> None:
    slow, fast = Recency(2000.0, 500, None), Recency(None, 500, 250.0)
    said_of = list(_chosen(["2009-06", "2009-07", "2009-08", "2009-09"], [slow, slow, fast, fast], 20))
    assert said_of == [
        "Chosen over 20 origins before 2009-06, then one more each month: half-life of training 2,000 leads, "
        "calibrated on the newest 500 outcomes, their half-life none.",
        "From 2009-08 on: half-life of training none, calibrated on the newest 500 outcomes, their half-life 250 "
        "leads.",
    ]
    assert len(list(_chosen(["2009-06"], [slow], 20))) == 1
