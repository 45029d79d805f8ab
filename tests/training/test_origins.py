"""Rolling origins: the worked example, the rules as properties, and the check that catches every way to cheat."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.errors import DefinitionError, HistoryError, InternalError
from tests.training.delay_worlds import drifting, history_of
from training.judging.tables import FEWEST_WINS
from training.labels import Labelled, label
from training.replay.origins import Origin, OriginSettings, origins, verify_origins

HORIZON = timedelta(days=10)
Plan = tuple[Origin, ...]


@pytest.fixture(scope="module")
def labelled() -> Labelled:
    return label(drifting(repeat=3))


@pytest.fixture(scope="module")
def plan(labelled: Labelled) -> Plan:
    return origins(labelled, OriginSettings(calibrate_on=300))


def test_origins_are_the_first_of_each_month_after_a_quarter_of_the_time(plan: Plan) -> None:
    # leads of 2024-01-01 to 2024-08-27: a quarter of 239 days has passed on 2024-02-29
    assert [step.moment.date() for step in plan] == [date(2024, month, 1) for month in range(3, 9)]
    assert plan[-1].until == datetime(2024, 9, 1, tzinfo=UTC)


def test_a_first_origin_and_a_step_can_be_asked_for(labelled: Labelled) -> None:
    found = origins(labelled, OriginSettings(first=date(2024, 4, 15), months=2))
    assert [step.moment.date() for step in found] == [date(2024, 5, 1), date(2024, 7, 1)]
    assert found[0].until == found[1].moment


def test_every_lead_after_the_first_origin_is_scored_once(labelled: Labelled, plan: Plan) -> None:
    scored = np.concatenate([step.scored for step in plan])
    later = np.flatnonzero(labelled.frame["as_of"] >= plan[0].moment)
    assert np.array_equal(np.sort(scored), later)


def test_a_label_is_used_once_knowable_and_not_when_the_lead_closed(labelled: Labelled, plan: Plan) -> None:
    step, frame = plan[1], labelled.frame
    newest = frame["as_of"].iloc[step.known].max()
    assert newest == step.moment - HORIZON  # knowable at the very moment of the origin
    quick = frame[(frame["closed"] < step.moment) & (frame["as_of"] > step.moment - HORIZON)]
    assert len(quick) > 0
    assert not set(quick.index) & set(step.known)


def test_accounts_to_be_scored_teach_nothing_and_all_others_teach(labelled: Labelled, plan: Plan) -> None:
    frame, step = labelled.frame, plan[2]
    knowable = frame[frame["as_of"] + HORIZON <= step.moment]
    scored = set(frame["account"].iloc[step.scored])
    assert set(step.known) == set(knowable[~knowable["account"].isin(scored)].index)
    assert step.n_account == knowable["account"].isin(scored).sum() > 0


def test_the_newest_known_leads_calibrate_one_horizon_after_the_last_that_trains(
    labelled: Labelled, plan: Plan
) -> None:
    as_of = labelled.frame["as_of"]
    for step in plan:
        assert len(step.calibrate) == 300
        assert step.calibrate[-1] == step.known[-1]
        assert as_of.iloc[step.train].max() + HORIZON <= as_of.iloc[step.calibrate].min()


def test_the_calibrate_window_grows_until_it_holds_enough_wins(labelled: Labelled) -> None:
    step = origins(labelled, OriginSettings(calibrate_on=40))[0]
    won = labelled.frame["target"].to_numpy()[step.calibrate]
    assert len(step.calibrate) > 40
    assert won.sum() == FEWEST_WINS
    assert won[0] == 1  # no further back than needed


def test_the_frozen_model_is_recalibrated_on_newer_leads_of_accounts_that_it_does_not_know(
    labelled: Labelled, plan: Plan
) -> None:
    account, first = labelled.frame["account"], plan[0]
    assert not len(first.newer)
    for step in plan[1:]:
        assert set(step.newer) <= set(step.known) - set(first.known)
        assert not set(account.iloc[step.newer]) & set(account.iloc[first.known])
        assert len(step.newer) <= 300
    assert plan[-1].newer[-1] in plan[-1].known[-30:]


def cheated(plan: Plan, number: int, **changes: object) -> Plan:
    steps = list(plan)
    steps[number] = replace(steps[number], **changes)  # type: ignore[arg-type]
    return tuple(steps)


def test_the_check_passes_what_was_built(labelled: Labelled, plan: Plan) -> None:
    verify_origins(labelled, plan)


@pytest.mark.parametrize("name", ["known", "train", "calibrate", "newer"])
def test_the_check_catches_a_label_that_was_not_knowable(labelled: Labelled, plan: Plan, name: str) -> None:
    as_of, step = labelled.frame["as_of"], plan[3]
    young = np.flatnonzero((as_of > step.moment - HORIZON) & (as_of < step.moment))[:1]
    rows = np.concatenate([getattr(step, name), young])
    with pytest.raises(InternalError, match=r"of (known|train|calibrate|newer) was not knowable"):
        verify_origins(labelled, cheated(plan, 3, **{name: rows}))


def test_the_check_catches_an_account_on_both_sides(labelled: Labelled, plan: Plan) -> None:
    step, account = plan[3], labelled.frame["account"]
    returning = np.flatnonzero(
        account.isin(set(account.iloc[step.scored])) & (labelled.frame["knowable"] <= step.moment)
    )
    with pytest.raises(InternalError, match="share an account"):
        verify_origins(labelled, cheated(plan, 3, known=np.concatenate([step.known, returning[:1]])))


def test_the_check_catches_a_lead_of_another_period_and_one_scored_twice(labelled: Labelled, plan: Plan) -> None:
    with pytest.raises(InternalError, match="another period"):
        verify_origins(labelled, cheated(plan, 3, scored=np.append(plan[3].scored, plan[4].scored[0])))
    doubled = (*plan, plan[-1])
    with pytest.raises(InternalError, match="twice"):
        verify_origins(labelled, doubled)


def test_the_check_catches_a_train_window_that_reaches_into_calibration(labelled: Labelled, plan: Plan) -> None:
    step = plan[3]
    with pytest.raises(InternalError, match="train reaches into calibrate"):
        verify_origins(labelled, cheated(plan, 3, train=step.known[: -len(step.calibrate)]))


def test_the_check_catches_a_recalibration_on_what_the_frozen_model_knows(labelled: Labelled, plan: Plan) -> None:
    known_to_both = np.intersect1d(plan[3].known, plan[0].known)[:1]
    with pytest.raises(InternalError, match="frozen model knows an account"):
        verify_origins(labelled, cheated(plan, 3, newer=known_to_both))


def test_a_history_that_is_too_short_says_what_would_help(labelled: Labelled) -> None:
    with pytest.raises(HistoryError) as refused:
        origins(labelled, OriginSettings(first=date(2025, 1, 1)))
    assert "longer history" in refused.value.in_language("en")
    assert "längere Historie" in refused.value.in_language("de")


def test_a_history_without_dates_cannot_be_replayed() -> None:
    day = pd.Timestamp("2025-01-01", tz="UTC")
    history = history_of(as_of=[day] * 2, closed_days=[1, 1], outcome=["won", "lost"], data_end=day, horizon_days=None)
    with pytest.raises(DefinitionError, match="cannot be replayed"):
        origins(label(history))
