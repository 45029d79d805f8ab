"""The feedback loop: who is worked, and what that does to the outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.simulate import LEAKS, Feedback, Simulated, simulate

HANDOVER_AND_LATER = [
    "handover_basis",
    "worked_chance",
    "first_response_hours",
    "sales_accepted",
    "stage",
    "closed_at",
    "deal_value_eur",
    "lost_reason",
]


def by_employees(known: pd.DataFrame) -> np.ndarray:
    return known["employees"].fillna(0.0).to_numpy()


def test_without_exploration_low_scores_are_never_worked(clean: Simulated) -> None:
    feedback = Feedback(score=by_employees, worked_share=0.3, exploration_share=0.0)
    simulated = simulate(replace(clean.parameters, feedback=feedback))
    export, truth = simulated.export, simulated.truth
    low = truth["given_score"] < truth["given_score"].quantile(0.69)
    assert truth["worked"].mean() == pytest.approx(0.3, abs=1e-4)
    assert not truth.loc[low, "worked"].any()
    assert export.loc[low, "first_response_hours"].isna().all()
    assert (export.loc[low, "handover_basis"] == "none").all()
    assert truth.loc[low, "won_within_horizon"].mean() < 0.3 * truth.loc[low, "true_probability"].mean()


def test_unworked_leads_win_as_the_truth_about_unworked_leads_says(large: Simulated) -> None:
    feedback = Feedback(score=by_employees, worked_share=0.1, exploration_share=0.0)
    truth = simulate(replace(large.parameters, feedback=feedback)).truth
    unworked = truth[~truth["worked"]]
    won, expected = unworked["won_within_horizon"].sum(), unworked["true_probability_unworked"].sum()
    assert abs(won - expected) < 4 * np.sqrt(expected)


def test_exploration_works_a_random_share_and_there_the_truth_is_unchanged(large: Simulated) -> None:
    feedback = Feedback(score=by_employees, worked_share=0.3, exploration_share=0.2)
    simulated = simulate(replace(large.parameters, feedback=feedback))
    explored = simulated.truth[simulated.export["handover_basis"] == "exploration"]
    assert len(explored) == pytest.approx(0.7 * 0.2 * 100_000, rel=0.05)
    won, expected = explored["won_within_horizon"].sum(), explored["true_probability"].sum()
    assert abs(won - expected) < 4 * np.sqrt(expected)


def test_each_worked_lead_carries_its_chance_and_stands_for_as_many_as_there_are(large: Simulated) -> None:
    feedback = Feedback(score=by_employees, worked_share=0.3, exploration_share=0.2)
    simulated = simulate(replace(large.parameters, feedback=feedback))
    chance, basis = simulated.export["worked_chance"], simulated.export["handover_basis"]
    assert (chance[basis == "score"] == 1).all()
    assert (chance[basis == "exploration"] == 0.2).all()
    assert chance[basis == "none"].isna().all()
    assert (1 / chance).sum() == pytest.approx(100_000, rel=0.02)


def test_without_a_loop_every_lead_is_worked_for_certain(small: Simulated) -> None:
    assert (small.export["worked_chance"] == 1).all()


def test_a_score_sees_only_what_is_known_at_creation_and_changes_no_field(clean: Simulated) -> None:
    seen: list[pd.DataFrame] = []

    def spy(known: pd.DataFrame) -> np.ndarray:
        seen.append(known)
        return np.arange(len(known), dtype=float)

    looped = simulate(replace(clean.parameters, feedback=Feedback(score=spy), leaks=LEAKS))
    creation = clean.export.drop(columns=HANDOVER_AND_LATER)
    assert seen[0].equals(creation)
    assert looped.export[creation.columns.tolist()].equals(creation)
    assert looped.truth["true_probability"].equals(clean.truth["true_probability"])


def test_a_score_that_is_not_one_number_per_lead_is_refused(small: Simulated) -> None:
    with pytest.raises(ValueError, match="1000 finite numbers"):
        simulate(replace(small.parameters, feedback=Feedback(score=lambda known: np.full(len(known), np.nan))))
