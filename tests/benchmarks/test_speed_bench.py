"""The speed benchmark's parts, small: they measure, count their bars, and explain the same leads as their peers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.command import NotMeasuredError, run
from benchmarks.report import Part
from benchmarks.speed import contributions, hot, million, pages
from benchmarks.speed.model import CATEGORIES, NUMBERS, Measured, measured, requests
from features.history import files_of
from training.scoring import score_export


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return measured(tmp_path_factory.mktemp("speed"), n_trees=5)


def test_contributions_of_a_small_shape_are_lightgbms_and_are_timed_against_them() -> None:
    shape = contributions.SHAPES["few"]._replace(n_trees=5)
    one, batch = contributions.compare("few", shape, 1)
    assert one["difference"] < 1e-9
    assert (one["leads"], batch["leads"]) == ("one lead", "batch of 2000")
    assert one["ours"] > 0 < batch["times"]


def test_a_shape_below_its_limit_is_a_bar_that_is_missed() -> None:
    rows = [{"shape": name, "times": 10.0, "difference": 1e-12} for name in contributions.SHAPES]
    rows[1]["difference"] = 1e-6
    verdicts = [bar.met for bar in contributions._bars(rows)]
    assert verdicts == [False, True, True, True, True, True, False]  # main needs 15 times; one strays too far


def test_every_step_of_the_hot_path_is_timed(model: Measured) -> None:
    rows = hot.steps(model, 3, 1)
    assert [row["step"] for row in rows][-1] == hot.WHOLE
    assert all(row["us"] > 0 for row in rows)


def test_requests_leave_out_what_is_missing_and_differ(model: Measured) -> None:
    bodies = requests(20)
    assert len({str(body["fields"]) for body in bodies}) == 20
    assert any(len(body["fields"]) < len(NUMBERS) + len(CATEGORIES) for body in bodies)
    assert all(model.bundle.model.encoder.record(body["fields"], million.AS_OF) for body in bodies)


def test_job_and_peer_explain_the_same_leads(model: Measured, tmp_path: Path) -> None:
    million.write_leads(tmp_path / "leads.parquet", 300)
    files = files_of(model.bundle.definition, str(tmp_path / "leads.parquet"))
    assert score_export(model.bundle, files, tmp_path / "ours.parquet") == 300
    million.peer(model.booster, tmp_path / "leads.parquet", 100, tmp_path / "theirs.parquet")
    ours, theirs = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("ours", "theirs"))
    assert ours["lead_id"][:100].tolist() == theirs["id"].tolist()
    assert len(theirs.columns) == 1 + len(NUMBERS) + len(CATEGORIES) + 1


def test_memory_is_watched_while_the_work_goes_on() -> None:
    with million._watched() as megabytes:
        held = [np.ones(4_000_000) for _ in range(12)]  # 384 MB: what earlier tests held may be freed meanwhile
        million.threading.Event().wait(0.2)
    assert max(megabytes) > 80
    assert len(held) == 12


def test_a_part_that_cannot_be_measured_is_named_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_quick: bool, _tell: object) -> Part:
        raise NotMeasuredError("no peer here")

    parts = {"http": missing, "hot": lambda _quick, tell: tell("at it", 0.5) or Part("hot", "One lead", "About it.")}
    assert [part.name for part in run(parts, tmp_path, "speed", list(parts), quick=True)] == ["hot"]
    told = capsys.readouterr().err
    assert "http: NOT MEASURED, no peer here" in told
    assert (tmp_path / "report.md").read_text().startswith("# Speed, measured")


def test_a_page_that_takes_longer_than_three_times_is_a_bar_that_is_missed() -> None:
    rows = [{"page": "quick", "times": 2.9, "many_ms": 29.0}, {"page": "slow", "times": 3.1, "many_ms": 31.0}]
    assert [(bar.what.partition(":")[0], bar.met) for bar in pages._bars(rows)] == [("quick", True), ("slow", False)]
