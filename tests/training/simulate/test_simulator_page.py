"""docs/simulator.md leaves nothing out."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from training.simulate import LEAKS, Drift, Feedback, Simulated, Simulation

PAGE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [field.name for field in fields(Simulation)] + list(LEAKS))
def test_every_parameter_and_every_leak_has_a_row(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_the_strengths_of_drift_and_feedback_are_shown_with_their_defaults() -> None:
    drift, shares = Drift(), Feedback(score=lambda known: known["employees"].to_numpy())
    assert f"Drift(seasonal={drift.seasonal}, structural={drift.structural}, origin={drift.origin})" in PAGE
    shown = f"worked_share={shares.worked_share}, exploration_share={shares.exploration_share}"
    assert f"Feedback(score, {shown})" in PAGE


def test_every_column_of_the_truth_is_explained(small: Simulated) -> None:
    assert all(f"`{name}`" in PAGE for name in small.truth.columns if name != "lead_id")
