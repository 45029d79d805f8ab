"""Targets: the history at the top of `training.labels`, then each rule at its edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

from features.definition import LeadDefinition, parse_definition
from features.errors import HistoryError
from features.history import History
from tests.small_agreement import agreement
from training.labels import Labelled, label

WORKED_EXAMPLE = [
    ("L1", "2025-01-10", "won", "2025-02-01"),
    ("L2", "2025-01-15", "lost", "2025-01-20"),
    ("L3", "2025-01-20", "won", "2025-05-05"),
    ("L4", "2025-02-01", "open", None),
    ("L5", "2025-05-20", "won", "2025-05-28"),
    ("L6", "2025-05-21", "open", None),
]


def definition(**changes: Any) -> LeadDefinition:
    return parse_definition(agreement(**changes))


def history(
    leads: list[tuple[str, str, str, str | None]], end: str = "2025-07-01", agreed: LeadDefinition | None = None
) -> History:
    """Leads as (id, as-of, outcome, closed); each is an account of its own."""
    ids, as_of, outcome, closed = zip(*leads, strict=True)
    moments = pd.to_datetime(pd.Series(as_of), utc=True, format="ISO8601")
    frame = pd.DataFrame(
        {
            "lead_id": pd.Series(ids, dtype="str"),
            "account": pd.Series([f"lead {lead}" for lead in ids], dtype="str"),
            "created": moments,
            "as_of": moments,
            "closed": pd.to_datetime(pd.Series(closed), utc=True, format="ISO8601"),
            "outcome": pd.Series(outcome, dtype="str"),
            "value": float("nan"),
            "order": pd.Series(range(len(ids)), dtype=float),
            "worked_chance": 1.0,
        }
    )
    return History(agreed or definition(), frame, pd.Timestamp(end, tz="UTC").to_pydatetime(), (), ())


def targets(labelled: Labelled) -> dict[str, float]:
    return dict(zip(labelled.frame["lead_id"], labelled.frame["target"], strict=True))


def test_the_worked_example_comes_out_as_it_is_written() -> None:
    labelled = label(history(WORKED_EXAMPLE))
    assert targets(labelled) == {"L1": 1.0, "L2": 0.0, "L3": 0.0, "L4": 0.0}
    assert [(rows.reason.en, rows.n) for rows in labelled.left_out] == [
        ("horizon not yet over at the end of the data", 2)
    ]
    knowable = labelled.frame["knowable"].dt.strftime("%m-%d").tolist()
    assert knowable == ["04-10", "04-15", "04-20", "05-02"]


def test_the_report_by_month_counts_every_lead_once() -> None:
    by_month = label(history(WORKED_EXAMPLE)).by_month
    assert by_month.loc["2025-05"].to_dict() == {"kept": 0, "horizon not yet over at the end of the data": 2}
    assert by_month["kept"].to_dict() == {"2025-01": 3, "2025-02": 1, "2025-05": 0}
    assert int(by_month.to_numpy().sum()) == len(WORKED_EXAMPLE)


def test_the_report_by_month_follows_the_clocks_of_the_definition() -> None:
    agreed = definition(read={"timezone": "Europe/Berlin"})
    labelled = label(history([*WORKED_EXAMPLE, ("L7", "2025-01-31T23:30Z", "lost", None)], agreed=agreed))
    assert labelled.by_month["kept"].to_dict() == {"2025-01": 3, "2025-02": 2, "2025-05": 0}


@pytest.mark.parametrize(
    ("closed", "target"),
    [("2025-04-09T23:59:59.999999", 1.0), ("2025-04-10T00:00:00", 0.0), ("2025-04-10T00:00:00.000001", 0.0)],
)
def test_a_win_after_the_horizon_is_not_a_win_within_it(closed: str, target: float) -> None:
    labelled = label(history([*WORKED_EXAMPLE, ("edge", "2025-01-10", "won", closed)]))
    assert targets(labelled)["edge"] == target


@pytest.mark.parametrize(("end", "kept"), [("2025-04-10T00:00:00", True), ("2025-04-09T23:59:59.999999", False)])
def test_a_lead_has_matured_when_its_horizon_ends_with_the_data(end: str, kept: bool) -> None:
    leads: list[tuple[str, str, str, str | None]] = [
        ("old", "2024-12-01", "won", "2024-12-20"),
        ("older", "2024-12-01", "lost", None),
        ("edge", "2025-01-10", "open", None),
    ]
    assert ("edge" in targets(label(history(leads, end)))) is kept


def test_a_quick_win_of_a_lead_that_has_not_matured_stays_out() -> None:
    assert "L5" not in targets(label(history(WORKED_EXAMPLE)))


def test_leads_from_before_outcomes_were_recorded_stay_out_and_are_counted_first() -> None:
    agreed = definition(target={"horizon_days": 90, "leads_from": date(2025, 1, 12)})
    # L0 is both too old and closed before its as-of date: the first rule counts it.
    labelled = label(history([("L0", "2025-01-02", "lost", "2025-01-01"), *WORKED_EXAMPLE[1:3],
                              ("L8", "2025-01-13", "won", "2025-01-14")], agreed=agreed))  # fmt: skip
    assert [(rows.reason.en, rows.n) for rows in labelled.left_out] == [("created before outcomes were recorded", 1)]


def test_a_lead_that_closed_before_its_as_of_date_stays_out() -> None:
    labelled = label(history([*WORKED_EXAMPLE, ("early", "2025-02-02", "won", "2025-02-01")]))
    assert "early" not in targets(labelled)
    assert "closed before the as-of date" in [rows.reason.en for rows in labelled.left_out]


def test_without_a_horizon_the_target_is_the_outcome_and_open_leads_stay_out() -> None:
    agreed = definition(target={}, columns={"outcome": "stage", "order": "number"})
    labelled = label(history(WORKED_EXAMPLE, agreed=agreed))
    assert targets(labelled) == {"L1": 1.0, "L2": 0.0, "L3": 1.0, "L5": 1.0}
    assert [(rows.reason.en, rows.n) for rows in labelled.left_out] == [("outcome not yet known", 2)]


def test_an_ordered_history_leaves_out_what_came_before_leads_from() -> None:
    agreed = definition(target={"leads_from": date(2025, 1, 12)}, columns={"outcome": "stage", "created": "created"})
    assert set(targets(label(history(WORKED_EXAMPLE, agreed=agreed)))) == {"L2", "L3", "L5"}


def test_leads_come_oldest_first_whatever_the_order_of_the_export() -> None:
    labelled = label(history(WORKED_EXAMPLE[::-1]))
    assert labelled.frame["lead_id"].tolist() == ["L1", "L2", "L3", "L4"]
    assert labelled.frame["when"].is_monotonic_increasing


def test_a_history_whose_matured_leads_are_all_lost_is_refused_with_the_reason() -> None:
    with pytest.raises(HistoryError) as caught:
        label(history(WORKED_EXAMPLE[1:]))
    (problem,) = caught.value.problems
    assert problem.code == "one_class"
    assert "3 Leads, davon 0 gewonnen; außen vor: 2 × Horizont" in caught.value.in_language("de")
    assert "3 leads, 0 of them won; left out: 2 ×" in str(caught.value)


def test_labelling_changes_nothing_in_the_history() -> None:
    given = history(WORKED_EXAMPLE)
    before = given.frame.copy()
    label(given)
    pd.testing.assert_frame_equal(given.frame, before)


def test_a_lead_that_nobody_worked_is_not_learnt_from_whatever_became_of_it() -> None:
    known = history(WORKED_EXAMPLE)
    chance = pd.Series([1.0, float("nan"), 0.05, 1.0, float("nan"), 1.0])
    labelled = label(replace(known, frame=known.frame.assign(worked_chance=chance)))
    assert labelled.frame["lead_id"].tolist() == ["L1", "L3", "L4"]
    assert labelled.frame["worked_chance"].tolist() == [1.0, 0.05, 1.0]
    counts = {rows.reason.en: rows.n for rows in labelled.left_out}
    assert counts == {"not worked by sales": 2, "horizon not yet over at the end of the data": 1}
