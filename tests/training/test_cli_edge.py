"""What only the edge knows: the commands give the current time to whoever reads a history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.definition import parse_definition
from features.errors import HistoryError
from features.history import files_of
from tests.small_agreement import agreement
from training.cli import app
from training.learn import Settings
from training.pipeline import prepare

FIELD = {"type": "number", "known": "creation", "owner": "sales", "label": "Size"}
TOML = """
definition = { name = "small", version = 1, title = "Small" }
target = { horizon_days = 90 }
columns = { created = "created", closed = "closed", outcome = "stage" }
outcome = { won = ["Won"], lost = ["Lost"] }
grades = { A = 0.5, B = 0.3, C = 0.1 }
handover = { threshold = 0.3 }
fields.size = { type = "number", known = "creation", owner = "sales", label = "Size" }
"""
ROWS = [
    {"id": 1, "created": "2025-01-10", "closed": "2025-02-01", "stage": "Won", "company": "A", "size": 3},
    {"id": 2, "created": "2025-01-11", "closed": "2142-02-01", "stage": "Lost", "company": "B", "size": 4},
]


@pytest.mark.parametrize("command", ["horizon", "backtest"])
def test_a_command_refuses_a_history_with_a_closing_in_the_future(
    command: str, export: Callable[..., str], tmp_path: Path
) -> None:
    agreed = tmp_path / "lead.toml"
    agreed.write_text(TOML, encoding="utf-8")
    told = CliRunner(env={"LEAD_STATE": str(tmp_path)}).invoke(
        app, [command, "--definition", str(agreed), "--data", export(ROWS)]
    )
    assert isinstance(told.exception, HistoryError)
    assert [problem.code for problem in told.exception.problems] == ["in_the_future"]


def test_training_refuses_a_history_with_a_closing_after_the_time_of_training(export: Callable[..., str]) -> None:
    agreed = parse_definition(agreement(fields={"size": FIELD}))
    with pytest.raises(HistoryError) as caught:
        prepare(agreed, files_of(agreed, export(ROWS)), Settings(), now=datetime(2026, 1, 1, tzinfo=UTC))
    assert [(problem.code, problem.rows) for problem in caught.value.problems] == [("in_the_future", (3,))]
