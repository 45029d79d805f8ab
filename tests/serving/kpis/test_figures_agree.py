"""Every figure equals a plain count over the leads, made here anew from the raw moments, on both databases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features.history import History
from features.rates import design_effect, rate_interval, ratio_interval
from serving.kpis.query import Query
from serving.kpis.report import kpis
from serving.kpis.shapes import FigureShown, KpiAnswer
from serving.store import Store
from tests.serving.kpis.histories import HORIZON, HOURS, NOW, Row, agreed, keep, random_rows
from training.labels import targets

BERLIN = ZoneInfo("Europe/Berlin")
START, END = date(2025, 2, 1), date(2026, 1, 15)
N_LEADS = 1_500


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BERLIN)


@dataclass
class Plain:
    """Figures by plain counting."""

    rows: list[Row]

    @property
    def first(self) -> list[Row]:
        return [row for row in self.rows if midnight(START) <= row["first_scored_at"] < midnight(END)]

    @property
    def handed(self) -> list[Row]:
        known = [row for row in self.rows if row["handed_over_at"] is not None]
        return [row for row in known if midnight(START) <= row["handed_over_at"] < midnight(END)]

    @property
    def matured(self) -> list[Row]:
        over = [row for row in self.first if row["first_as_of"] + HORIZON <= NOW]
        return [row for row in over if not closed_before(row)]

    def part(self, keeps: Callable[[Row], bool]) -> Plain:
        return Plain([row for row in self.rows if keeps(row)])


def closed_before(row: Row) -> bool:
    return row["outcome"] in ("won", "lost") and row["outcome_latest_at"] < row["first_as_of"]


def closed_as_exported(row: Row) -> datetime | None:
    """A closing on the day of the score, without a time of day, comes at the as-of date."""
    at = row["outcome_at"]
    return at if at is None or closed_before(row) else max(at, row["first_as_of"])


def won_in_time(row: Row) -> bool:
    return row["outcome"] == "won" and row["outcome_at"] - row["first_as_of"] < HORIZON


def hours_over(row: Row) -> bool:
    agreed_hours = timedelta(hours=HOURS.get(row["handover_grade"], 0))
    return bool(row["handed_over_at"] + agreed_hours <= NOW)


def in_time(row: Row) -> bool:
    contact = row["first_contact_at"]
    return contact is not None and contact - row["handed_over_at"] <= timedelta(hours=HOURS[row["handover_grade"]])


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return random_rows(N_LEADS, seed=3)


@pytest.fixture
def ask(store: Store, database_url: str, rows: list[Row]) -> Callable[..., KpiAnswer]:
    keep(database_url, rows)

    def asked(**changes: Any) -> KpiAnswer:
        return kpis(store.figures.counts, Query(START, END, **changes), agreed(), NOW)

    return asked


def effect(over: Sequence[Row], counted: Callable[[Row], bool], weighted: bool = False) -> float:
    """The design effect from each lead's residual, by the function that training uses."""
    y = np.array([float(counted(row)) for row in over])
    x = np.array([row["first_probability"] if weighted else 1.0 for row in over])
    account = [row["account_id"] or f"alone {row['lead_id']}" for row in over]
    return design_effect(np.unique(account, return_inverse=True)[1], y - x * y.sum() / x.sum())


def check_share(figure: FigureShown, over: Sequence[Row], counted: Callable[[Row], bool], deff: float) -> None:
    n_of = sum(map(counted, over))
    assert (figure["n"], figure["n_of"]) == (len(over), n_of)
    ends = rate_interval(n_of, len(over), 0.9, deff)
    if ends is None:
        assert not {"value", "low", "high"} & set(figure)
    else:
        assert (figure["value"], figure["low"], figure["high"]) == pytest.approx((n_of / len(over), *ends))


def test_the_funnel_is_a_plain_count(ask: Callable[..., KpiAnswer], rows: list[Row]) -> None:
    answer, plain = ask(), Plain(rows)
    first = plain.first
    counts = {
        "scored": len(first),
        "handed_over": sum(row["handed_over_at"] is not None for row in first),
        "contacted": sum(row["first_contact_at"] is not None for row in first),
        "accepted": sum(row["verdict"] == "accepted" for row in first),
        "won": sum(row["outcome"] == "won" for row in first),
    }
    assert {step["step"]: step["n"] for step in answer["funnel"]} == counts
    assert answer["n_simulated"] == sum(row["simulated"] for row in first)
    assert len(first) > 1_000


def test_each_step_has_its_share_of_the_step_before_and_of_all(ask: Callable[..., KpiAnswer], rows: list[Row]) -> None:
    plain, steps = Plain(rows), {step["step"]: step for step in ask()["funnel"]}
    handed = [row for row in plain.first if row["handed_over_at"] is not None and hours_over(row)]
    settled = [row for row in plain.first if row["handed_over_at"] is None or hours_over(row)]
    contacted = [row for row in handed if row["first_contact_at"] is not None]
    accepted = [row for row in plain.matured if row["verdict"] == "accepted"]
    cases: list[tuple[str, str, list[Row], Callable[[Row], bool]]] = [
        ("handed_over", "of_before", plain.first, lambda row: row["handed_over_at"] is not None),
        ("handed_over", "of_first", plain.first, lambda row: row["handed_over_at"] is not None),
        ("contacted", "of_before", handed, lambda row: row["first_contact_at"] is not None),
        ("contacted", "of_first", settled, lambda row: row["first_contact_at"] is not None),
        ("accepted", "of_before", contacted, lambda row: row["verdict"] == "accepted"),
        ("accepted", "of_first", settled, lambda row: row["verdict"] == "accepted"),
        ("won", "of_before", accepted, won_in_time),
        ("won", "of_first", plain.matured, won_in_time),
    ]
    for step, of, over, counted in cases:
        assert 0 < sum(map(counted, over)) < len(over)
        check_share(steps[step][of], over, counted, effect(over, counted))  # type: ignore[literal-required]


def test_wins_are_held_against_what_was_predicted_for_the_same_leads(
    ask: Callable[..., KpiAnswer], rows: list[Row]
) -> None:
    plain, conversion = Plain(rows), ask()["conversion"]
    p = np.array([row["first_probability"] for row in plain.matured])
    won = sum(map(won_in_time, plain.matured))
    deff = effect(plain.matured, won_in_time, weighted=True)
    assert deff > 1
    ratio = conversion["observed_to_expected"]
    assert (ratio["n"], ratio["n_of"]) == (len(p), won)
    expected = (won / p.sum(), *ratio_interval(won, p.sum(), p @ p, 0.9, deff))
    assert (ratio["value"], ratio["low"], ratio["high"]) == pytest.approx(expected)
    assert conversion["predicted"]["value"] == pytest.approx(p.mean())
    assert "low" not in conversion["predicted"]
    left_out = len(plain.first) - len(plain.matured)
    assert conversion["n_too_young"] + conversion["n_closed_before"] == left_out
    assert conversion["n_closed_before"] == sum(map(closed_before, plain.first))
    for part in conversion["by_grade"]:
        of_grade = [row for row in plain.matured if row["first_grade"] == part["grade"]]
        check_share(part["observed"], of_grade, won_in_time, effect(plain.matured, won_in_time))


def test_the_store_decides_a_win_as_training_does(store: Store, database_url: str) -> None:
    """Training's own labels of the same leads, of which some close exactly at the end of the horizon."""
    leads = [row for row in random_rows(600, seed=8) if row["outcome"] != "open"]
    keep(database_url, leads)
    answer = kpis(store.figures.counts, Query(date(2024, 1, 1), date(2027, 1, 1)), agreed(), NOW)
    frame = pd.DataFrame(
        {
            "lead_id": [row["lead_id"] for row in leads],
            "as_of": pd.Series([row["first_as_of"] for row in leads]).astype("datetime64[us, UTC]"),
            "closed": pd.Series(list(map(closed_as_exported, leads))).astype("datetime64[us, UTC]"),
            "outcome": [row["outcome"] or "open" for row in leads],
            "worked_chance": 1.0,
        }
    )
    learnt = labels_of(frame)
    observed = answer["conversion"]["observed"]
    assert (observed["n"], observed["n_of"]) == (len(learnt), learnt.sum())


def labels_of(frame: pd.DataFrame) -> np.ndarray:
    from training.labels import label

    history = History(frame=frame, definition=agreed(), data_end=NOW, left_out=(), notes=())
    known = targets(history, label(history))
    return known[~np.isnan(known)]


def test_follow_up_is_counted_by_the_grade_at_the_handover(ask: Callable[..., KpiAnswer], rows: list[Row]) -> None:
    plain, follow_up = Plain(rows), ask()["follow_up"]
    over = [row for row in plain.handed if row["handover_grade"] in HOURS and hours_over(row)]
    deff = effect(over, in_time)
    check_share(follow_up["in_time"], over, in_time, deff)
    for part in follow_up["by_grade"]:
        check_share(part["in_time"], [row for row in over if row["handover_grade"] == part["grade"]], in_time, deff)
        assert part.get("agreed_hours") == HOURS.get(part["grade"])
    waiting = [row for row in over if row["first_contact_at"] is None and row["verdict"] is None]
    overdue = sum(row["outcome"] not in ("won", "lost") for row in waiting)
    assert (follow_up["overdue"]["value"], follow_up["overdue"]["n"]) == (overdue, len(over))
    assert overdue > 0


def test_acceptance_leaves_out_leads_without_a_verdict_and_states_their_share(
    ask: Callable[..., KpiAnswer], rows: list[Row]
) -> None:
    plain, acceptance = Plain(rows), ask()["acceptance"]
    judged = [row for row in plain.handed if row["verdict"] is not None]

    def accepted(row: Row) -> bool:
        return bool(row["verdict"] == "accepted")

    check_share(acceptance["rate"], judged, accepted, effect(judged, accepted))
    over = list(filter(hours_over, plain.handed))
    check_share(
        acceptance["without_verdict"],
        over,
        lambda row: row["verdict"] is None,
        effect(over, lambda row: row["verdict"] is None),
    )
    assert acceptance["mark"]["value"] == 0.44
    reasons = Counter(row["verdict_reason"] for row in judged if not accepted(row))
    assert [(each["code"], each["n"]) for each in acceptance["rejections"]] == reasons.most_common()
    assert sum(each["share"]["value"] for each in acceptance["rejections"]) == pytest.approx(1)
    labels = {each["code"]: each["label"]["de"] for each in acceptance["rejections"]}
    assert labels["no_budget"] == "Kein Budget"
    assert labels["code_of_an_older_version"] == "code_of_an_older_version"


def test_the_median_wait_is_that_of_all_leads_with_those_that_still_wait(
    ask: Callable[..., KpiAnswer], rows: list[Row]
) -> None:
    handed, median = Plain(rows).handed, ask()["follow_up"]["median_hours"]
    contacted = [row for row in handed if row["first_contact_at"] is not None]
    assert (median["n"], median["n_of"]) == (len(handed), len(contacted))
    quick_only = np.median([(row["first_contact_at"] - row["handed_over_at"]).total_seconds() for row in contacted])
    assert median["low"] < median["value"] < median["high"]
    assert median["value"] > quick_only / 3600, "leads that still wait are not dropped"
    # The curve is flat but for jumps at contacts, so the share contacted by the median is a half, to a few leads.
    done = waited_less(handed, median["value"] + 1 / 60)
    assert done == pytest.approx(0.5, abs=0.02)


def waited_less(handed: Sequence[Row], hours: float) -> float:
    """The share contacted within `hours`, among leads that were handed over at least so long ago."""
    span = timedelta(hours=hours)
    old = [row for row in handed if row["handed_over_at"] + span <= NOW]
    done = [row for row in old if row["first_contact_at"] and row["first_contact_at"] - row["handed_over_at"] <= span]
    return len(done) / len(old)


def group_of(row: Row, by: str, moment: str, of_grade: str) -> str | None:
    if by == "month":
        return f"{row[moment].astimezone(BERLIN):%Y-%m}"
    return row[of_grade] if by == "grade" else row[by]


@pytest.mark.parametrize("by", ["source", "campaign", "month", "grade"])
def test_a_table_is_a_count_within_each_group_and_adds_up(
    ask: Callable[..., KpiAnswer], rows: list[Row], by: str
) -> None:
    table, plain = ask(by=by, limit=100)["table"], Plain(rows)
    total = table["total"]
    assert "rest" not in table
    assert sum(row["n_leads"] for row in table["rows"]) == total["n_leads"] == len(plain.first)
    groups = {group_of(row, by, "first_scored_at", "first_grade") for row in plain.first}
    assert {row.get("group") for row in table["rows"]} >= groups
    for shown in table["rows"]:
        key = shown.get("group")
        first = [row for row in plain.first if group_of(row, by, "first_scored_at", "first_grade") == key]
        handed = [row for row in plain.handed if group_of(row, by, "handed_over_at", "handover_grade") == key]
        matured = [row for row in plain.matured if row in first]
        judged = [row for row in handed if row["verdict"]]
        assert shown["n_leads"] == len(first)
        assert shown["n_won"] == sum(row["outcome"] == "won" for row in first)
        assert {each["grade"]: each["n"] for each in shown["grades"]} == {
            each: sum(row["first_grade"] == each for row in first) for each in "ABCD"
        }
        assert (shown["observed"]["n"], shown["observed"]["n_of"]) == (len(matured), sum(map(won_in_time, matured)))
        assert (shown["acceptance"]["n"], shown["median_hours"]["n"]) == (len(judged), len(handed))
        assert shown["thin"] == (len(first) < 30)
        expected = math.fsum(row["first_probability"] for row in matured)
        assert shown["predicted"].get("expected", 0) == pytest.approx(expected)


def test_a_page_and_the_rest_are_everyone(ask: Callable[..., KpiAnswer]) -> None:
    whole = ask(by="campaign", limit=100)["table"]
    page = ask(by="campaign", limit=3, offset=2)["table"]
    assert page["rows"] == whole["rows"][2:5]
    assert page["total"] == whole["total"]
    assert page["n_groups"] == whole["n_groups"] == len(whole["rows"])
    assert page["rest"]["n_groups"] == whole["n_groups"] - 3
    for count in ("n_leads", "n_handed_over", "n_contacted", "n_accepted", "n_won"):
        assert sum(row[count] for row in [*page["rows"], page["rest"]]) == page["total"][count]
    sizes = [row["n_leads"] for row in whole["rows"]]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("source", ["web", None])
def test_a_filter_counts_only_leads_with_that_value(
    ask: Callable[..., KpiAnswer], rows: list[Row], source: str | None
) -> None:
    answer = ask(filters={"source": source})
    plain = Plain(rows).part(lambda row: row["source"] == source)
    assert answer["funnel"][0]["n"] == len(plain.first) > 0
    matured = answer["conversion"]["observed"]
    assert (matured["n"], matured["n_of"]) == (len(plain.matured), sum(map(won_in_time, plain.matured)))


def test_both_databases_say_the_same_to_the_last_count(sqlite_url: str, postgres_url: str, rows: list[Row]) -> None:
    answers = []
    for url in (sqlite_url, postgres_url.replace("postgresql:", "postgresql+psycopg:")):
        store = Store(url)
        store.migrate()
        keep(url, rows)
        answers.append(kpis(store.figures.counts, Query(START, END, by="month", limit=100), agreed(), NOW))
        store.close()
    assert flat(answers[0]) == pytest.approx(flat(answers[1]), rel=1e-12)


def flat(value: Any) -> list[float]:
    """Every number of an answer, in order."""
    if isinstance(value, dict):
        return [number for key in sorted(value) for number in flat(value[key])]
    if isinstance(value, list):
        return [number for part in value for number in flat(part)]
    return [float(value)] if isinstance(value, (int, float)) else []


def test_an_empty_store_has_figures_without_values(store: Store) -> None:
    answer = kpis(store.figures.counts, Query(START, END, by="source"), agreed(), NOW)
    assert [step["n"] for step in answer["funnel"]] == [0] * 5
    assert answer["acceptance"]["rate"]["n"] == 0
    assert "value" not in answer["acceptance"]["rate"]
    assert answer["table"]["rows"] == []
