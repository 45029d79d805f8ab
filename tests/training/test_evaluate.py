"""The evaluation as a whole: every figure present, plain, with n and an interval, and the tables by hand."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from features.errors import InternalError
from training.judging import metrics
from training.judging.evaluate import DIRECTIONS, Evaluation, evaluate
from training.judging.tables import DEPTHS, MISSING, MOST_LABELS, POOLED, Segmentation


def leads(n: int, seed: int) -> dict[str, Any]:
    """Leads of 2024 with calibrated probabilities, three to an account."""
    rng = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-rng.normal(-1.5, 1.2, n)))
    return {
        "target": (rng.random(n) < probability).astype(float),
        "probability": probability,
        "account": rng.integers(0, max(1, n // 3), n),
        "when": np.datetime64("2024-01-10") + rng.integers(0, 100, n).astype("timedelta64[D]"),
    }


def judged(n: int = 1500, seed: int = 1, **changes: Any) -> Evaluation:
    given = {**leads(n, seed), "base_rate": 0.2, "capacity_per_week": 20, "n_resamples": 200, **changes}
    return evaluate(given.pop("target"), given.pop("probability"), given.pop("account"), given.pop("when"), **given)


def test_every_figure_has_a_direction_its_leads_and_an_interval_around_it() -> None:
    found = judged()
    assert set(found.metrics) == set(DIRECTIONS)
    for name, metric in found.metrics.items():
        assert metric.direction == DIRECTIONS[name]
        assert (metric.n, metric.n_wins) == (1500, found.n_wins)
        assert metric.interval is not None, name
        if name != "ece":  # mirrored: see `interval`
            assert metric.interval[0] < (metric.value or 0) < metric.interval[1], name


def test_the_figures_are_those_of_the_metric_functions() -> None:
    given = leads(1500, 1)
    target, probability = given["target"], given["probability"]
    values = {name: metric.value for name, metric in judged().metrics.items()}
    fit = metrics.recalibration(target, probability)
    loss = metrics.log_loss(target, probability)
    assert values["log_loss"] == pytest.approx(float(loss))
    assert values["brier"] == pytest.approx(float(metrics.brier(target, probability)))
    assert values["ece"] == pytest.approx(float(metrics.expected_calibration_error(target, probability)))
    assert values["calibration_slope"] == pytest.approx(float(fit.slope))
    assert values["calibration_intercept"] == pytest.approx(float(fit.intercept))
    reference = metrics.log_loss(target, np.full(1500, 0.2))
    assert values["log_loss_skill"] == pytest.approx(float(1 - loss / reference))
    assert values["observed_to_expected"] == pytest.approx(target.sum() / probability.sum())


def test_the_evaluation_is_json_without_nan_even_where_figures_do_not_exist() -> None:
    nothing_won = judged(n=30, target=np.zeros(30), segments={"source": np.repeat(["fair", "web"], 15)})
    told = json.loads(json.dumps(nothing_won.to_dict(), allow_nan=False))
    assert told["metrics"]["roc_auc"]["value"] is None
    assert told["metrics"]["calibration_slope"]["interval"] is None
    assert told["metrics"]["log_loss"]["value"] > 0
    assert told["segments"][0]["thin"] is True


def test_one_lead_can_be_evaluated() -> None:
    found = judged(n=1)
    assert found.metrics["log_loss"].value is not None
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_same_seed_gives_the_same_evaluation_bit_for_bit() -> None:
    assert judged(n=300).to_dict() == judged(n=300).to_dict()
    first, other = (judged(n=300, seed=s).metrics["log_loss"].interval for s in (1, 2))
    assert first != other


def test_without_dates_there_are_no_weeks_months_or_capacity() -> None:
    found = judged(when=None)
    assert (found.weekly, found.monthly, found.first, found.last) == ((), (), None, None)
    assert "precision_at_capacity" not in found.metrics


def test_periods_count_every_lead_once_and_name_their_first_day() -> None:
    when = np.array(["2024-01-31", "2024-02-01", "2024-02-29", "2024-04-01"], dtype="datetime64[D]")
    found = judged(
        n=4, when=when, target=np.array([1, 0, 1, 0]), probability=np.array([0.5, 0.2, 0.4, 0.1]), account=np.arange(4)
    )
    rows = [(row.key, row.n, row.n_wins, round(row.mean_probability, 3)) for row in found.monthly]
    assert rows == [("2024-01-01", 1, 1, 0.5), ("2024-02-01", 2, 1, 0.3), ("2024-04-01", 1, 0, 0.1)]
    # 29 January 2024 and 26 February 2024 were Mondays.
    assert [row.key for row in found.weekly] == ["2024-01-29", "2024-02-26", "2024-04-01"]


def test_the_reliability_table_holds_every_lead_and_its_gaps_add_up_to_the_ece() -> None:
    found = judged()
    assert sum(row.n for row in found.reliability) == found.n
    assert sum(row.n_wins for row in found.reliability) == found.n_wins
    gaps = sum(row.n * abs(row.observed - row.mean_probability) for row in found.reliability) / found.n
    assert gaps == pytest.approx(found.metrics["ece"].value)
    assert all(row.interval[0] <= row.observed <= row.interval[1] for row in found.reliability)


def test_the_lift_curve_starts_with_nothing_ends_with_all_and_holds_the_metrics() -> None:
    found = judged()
    assert [row.share for row in found.lift] == list(DEPTHS)
    assert (found.lift[0].share_of_wins, found.lift[-1].share_of_wins) == (0, 1)
    top_20 = next(row for row in found.lift if row.share == 0.20)
    assert top_20.share_of_wins == found.metrics["share_of_wins_top_20"].value
    assert top_20.interval == found.metrics["share_of_wins_top_20"].interval


def test_the_histogram_counts_every_lead() -> None:
    found = judged()
    assert sum(count for _, _, count in found.histogram) == found.n


def test_thin_segments_are_marked_and_none_is_hidden() -> None:
    labels = np.array(["fair"] * 900 + ["web"] * 580 + ["fax"] * 19 + [None], dtype=object)
    found = judged(segments={"source": labels})
    told = [(s.label, s.n, s.thin) for s in found.segments]
    assert told == [("fair", 900, False), ("web", 580, False), ("fax", 19, True), (MISSING, 1, True)]
    assert sum(s.n_wins for s in found.segments) == found.n_wins


def test_a_segments_figures_are_those_of_its_leads_alone() -> None:
    given = leads(1500, 1)
    labels = np.where(np.arange(1500) < 600, "fair", "web")
    fair = next(s for s in judged(segments={"source": labels}).segments if s.label == "fair")
    alone = judged(**{name: column[:600] for name, column in given.items()})
    assert fair.log_loss == pytest.approx(alone.metrics["log_loss"].value)
    assert fair.brier == pytest.approx(alone.metrics["brier"].value)
    assert fair.log_loss_skill == pytest.approx(alone.metrics["log_loss_skill"].value)
    assert fair.log_loss_interval == pytest.approx(alone.metrics["log_loss"].interval, abs=0.01)


def test_the_smaller_values_of_a_long_segmentation_are_pooled_and_counted() -> None:
    labels = np.concatenate([np.repeat([f"big {k:02d}" for k in range(MOST_LABELS)], 5), ["a", "b", "c"]])
    split = Segmentation.of("campaign", labels)
    assert len(split.labels) == MOST_LABELS + 1
    assert split.labels[-1] == POOLED
    assert split.n_pooled == 3
    assert (split.code[-3:] == MOST_LABELS).all()
    assert split.one_hot().sum() == len(labels)


@pytest.mark.parametrize(
    "changes",
    [
        {"target": np.full(1500, 0.5)},
        {"probability": np.full(1500, np.nan)},
        {"probability": np.full(1500, 1.2)},
        {"target": np.zeros(3)},
        {"when": np.array(["NaT"] * 1500, dtype="datetime64[D]")},
    ],
)
def test_columns_that_do_not_fit_are_our_own_error(changes: dict[str, Any]) -> None:
    with pytest.raises(InternalError):
        judged(**changes)


def test_forty_five_thousand_leads_and_100_resamples_take_seconds() -> None:
    given = leads(45_000, 3)
    started = time.process_time()
    judged(**given, n_resamples=100)
    assert time.process_time() - started < 10  # some 1.2 s on one core of the machine that it was written on


def test_the_figures_of_worked_leads_are_those_of_all_leads_once_each_stands_for_its_share() -> None:
    given = leads(60_000, 3)
    given["probability"] = given["probability"] ** 1.2  # too extreme and too low: figures that are worth telling apart
    chance = np.where(given["probability"] > np.quantile(given["probability"], 0.7), 1.0, 0.2)
    worked = np.random.default_rng(4).random(60_000) < chance
    part = {name: column[worked] for name, column in given.items()}
    options = {"base_rate": 0.2, "n_resamples": 100}
    every = judged(**given, **options)
    weighted = judged(**part, **options, stands_for=1 / chance[worked])
    plain = judged(**part, **options)
    for name in ("log_loss", "brier", "calibration_slope", "calibration_intercept", "observed_to_expected", "roc_auc"):
        known, found, bare = (float(each.metrics[name].value or 0) for each in (every, weighted, plain))
        low, high = weighted.metrics[name].interval or (0.0, 0.0)
        assert low - (high - low) / 2 < known < high + (high - low) / 2, name
        assert abs(found - known) < (abs(bare - known) if name in ("log_loss", "brier", "roc_auc") else 0.05), name


def test_leads_that_stand_for_many_leave_fewer_effective_ones_and_wider_intervals() -> None:
    weight = np.where(np.arange(1500) % 10 == 0, 20.0, 1.0)
    plain, weighted = judged(), judged(stands_for=weight)
    assert plain.n_effective == plain.n == weighted.n
    assert weighted.n_effective == pytest.approx(weight.sum() ** 2 / (weight @ weight))
    for name in ("log_loss", "calibration_slope"):
        ends = [each.metrics[name].interval or (0.0, 0.0) for each in (plain, weighted)]
        assert ends[1][1] - ends[1][0] > 1.5 * (ends[0][1] - ends[0][0])
    for wide, narrow in zip(weighted.monthly, plain.monthly, strict=True):
        assert wide.interval[1] - wide.interval[0] > narrow.interval[1] - narrow.interval[0]
    assert weighted.ece_by_chance > 1.5 * plain.ece_by_chance


def test_weights_that_are_all_the_same_change_no_figure() -> None:
    plain, doubled = judged().to_dict(), judged(stands_for=np.full(1500, 2.0)).to_dict()
    for name, metric in plain["metrics"].items():
        if name != "precision_at_capacity":  # twice as many leads for the same hands
            assert doubled["metrics"][name]["value"] == pytest.approx(metric["value"]), name
            assert doubled["metrics"][name]["interval"] == pytest.approx(metric["interval"]), name
    assert doubled["reliability"][0]["interval"] == pytest.approx(plain["reliability"][0]["interval"])


def test_a_lead_that_stands_for_nobody_is_our_own_mistake() -> None:
    with pytest.raises(InternalError, match="positive number"):
        judged(stands_for=np.zeros(1500))
