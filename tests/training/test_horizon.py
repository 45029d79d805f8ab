"""Proposing a horizon: the rule, the counts, the words, and probabilities that hold where shortcuts do not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.encode import Encoder
from features.errors import DefinitionError, TooFewOutcomesError
from features.text import LANGUAGES, Language, Text
from tests.training.delay_worlds import Delays, history_of, simulated_delays
from training.examples import sample_of
from training.judging.bootstrap import Resampling
from training.labels import label
from training.maturity import horizon_tables
from training.maturity.horizon import Candidate, HorizonReport, propose, propose_horizon, with_horizon
from training.recipe.baselines import PlainLogisticRegression
from training.recipe.sample import Sample

FEW_RESAMPLES = Resampling(n_resamples=40)


def candidate(days: int, share: float | None, obstacle: str = "") -> Candidate:
    why = Text(obstacle, obstacle) if obstacle else None
    return Candidate(days, share, None, 0.1, None, 1000, 100, "2025-01-01", (700, 150, 150), why)


@pytest.fixture(scope="module")
def known_delays() -> Delays:
    return simulated_delays()


@pytest.fixture(scope="module")
def report(known_delays: Delays) -> HorizonReport:
    return propose_horizon(known_delays.history, candidate_days=(14, 30, 60, 120), resampling=FEW_RESAMPLES)


def test_the_shortest_horizon_that_sees_four_fifths_of_all_wins_is_proposed() -> None:
    days, why = propose([candidate(30, 0.6), candidate(60, 0.8), candidate(90, 0.9)])
    assert days == 60
    assert "shortest" in why.en
    assert "kürzeste" in why.de


def test_a_short_history_gets_the_longest_horizon_that_it_can_carry() -> None:
    days, why = propose([candidate(14, 0.3), candidate(30, 0.6), candidate(60, 0.9, "too short")])
    assert days == 30
    assert "60\u00a0%" in why.de
    assert "longer history" in why.en


def test_nothing_is_proposed_where_nothing_fits() -> None:
    assert propose([candidate(30, 0.9, "too short"), candidate(800, None)])[0] is None


def test_the_counts_are_those_that_labelling_gives(known_delays: Delays, report: HorizonReport) -> None:
    assert [each.horizon_days for each in report.candidates] == [14, 30, 60, 90, 120]
    for each in report.candidates:
        labelled = label(with_horizon(known_delays.history, each.horizon_days))
        assert (each.n_matured, each.n_won) == (len(labelled.frame), labelled.won)
        assert each.newest == f"{labelled.frame['as_of'].max():%Y-%m-%d}"


def test_longer_horizons_see_more_wins_and_fewer_leads(report: HorizonReport) -> None:
    shares = [each.share_of_wins for each in report.candidates]
    assert all(share is not None for share in shares)
    assert shares == sorted(shares, key=lambda share: share or 0)
    matured = [each.n_matured for each in report.candidates]
    assert matured == sorted(matured, reverse=True)


def test_the_share_of_all_wins_is_near_the_known_one(known_delays: Delays, report: HorizonReport) -> None:
    all_wins = known_delays.truth["win_delay_days"] < report.followed_days
    for each in report.candidates:
        known = (known_delays.truth["win_delay_days"] < each.horizon_days).sum() / all_wins.sum()
        assert each.share_of_wins == pytest.approx(known, rel=0.03)


def test_mean_predicted_probability_is_within_three_percent_where_shortcuts_are_not(known_delays: Delays) -> None:
    """Fitted on matured leads, on open leads as lost, and on closed leads only; predicted for all leads."""
    history, days = known_delays.history, 90
    labelled = label(history)
    encoder = Encoder.learn(history.definition, labelled.frame)
    everyone = encoder.frame(history.frame, history.frame["as_of"])

    def mean_said(sample: Sample) -> float:
        return float(PlainLogisticRegression().fit(sample, encoder.fields)(everyone).mean())

    won = (history.frame["outcome"] == "won") & (
        history.frame["closed"] < history.frame["as_of"] + pd.Timedelta(days=days)
    )
    account = np.asarray(pd.factorize(history.frame["account"])[0], dtype=np.int64)
    as_lost = Sample(everyone, np.asarray(won, dtype=np.float64), account, np.arange(len(account)))
    dropped = as_lost.take(np.flatnonzero(history.frame["outcome"] != "open"))
    truth = known_delays.truth["true_probability"].mean()
    assert mean_said(sample_of(labelled, encoder)) == pytest.approx(truth, rel=0.03)
    assert mean_said(as_lost) < 0.94 * truth
    assert mean_said(dropped) > 1.10 * truth


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_say_what_was_found_in_the_readers_language(report: HorizonReport, language: Language) -> None:
    rows = horizon_tables.rows(report, language)
    assert all(len(row) == len(horizon_tables.HEADER) for row in rows)
    marked = {row[0]: row[-1] for row in rows}
    assert ("wie vereinbart" if language == "de" else "as agreed") in marked["90"]
    assert sum(("Vorschlag" if language == "de" else "proposed") in last for last in marked.values()) == 1
    titles, months = horizon_tables.month_rows(report, language)
    assert titles[:2] == (["Monat", "behalten"] if language == "de" else ["Month", "kept"])
    counted = sum(int(cell.replace(".", "").replace(",", "")) for row in months for cell in row[1:])
    assert counted == report.n_leads
    assert any("leads" in told.in_language(language).lower() for told in horizon_tables.sentences(report))


def test_wins_that_still_come_at_the_end_are_said(report: HorizonReport) -> None:
    told = horizon_tables.sentences(replace(report, still_coming=0.2))
    assert "too high" in told[-1].en
    assert "zu hoch" in told[-1].de
    assert len(told) == len(horizon_tables.sentences(replace(report, still_coming=0.01))) + 1


def test_the_report_is_plain_data(report: HorizonReport) -> None:
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["proposed_days"] == report.proposed_days
    assert len(plain["candidates"]) == len(report.candidates)


def test_a_definition_without_dates_is_told_so_in_both_languages() -> None:
    day = pd.Timestamp("2025-01-01", tz="UTC")
    history = history_of(
        as_of=[day], closed_days=[1], outcome=["won"], data_end=day + pd.Timedelta(days=9), horizon_days=None
    )
    with pytest.raises(DefinitionError) as refused:
        propose_horizon(history)
    assert "no dates" in refused.value.in_language("en")
    assert "keine Datumsangaben" in refused.value.in_language("de")


def test_a_handful_of_leads_is_too_few() -> None:
    day = pd.Timestamp("2025-01-01", tz="UTC")
    outcome = ["won"] * 40 + ["lost"] * 40
    history = history_of(as_of=[day] * 80, closed_days=[1] * 80, outcome=outcome, data_end=day + pd.Timedelta(days=90))
    with pytest.raises(TooFewOutcomesError, match="80 leads, 0 won"):
        propose_horizon(history)
