"""Scoring a file: in parts of any size, through the service's own numbers, whole or not at all."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import grades
from features.definition import LeadDefinition
from features.errors import HistoryError, OutsideError
from features.history import files_of, read_leads
from features.model.bundle import Bundle, open_bundle
from features.text import Text
from tests.conftest import SmallModel
from training.scoring import score_export

N_LEADS = 60


@pytest.fixture(scope="module")
def bundle(small_model: SmallModel) -> Bundle:
    return open_bundle(small_model.bundle)


@pytest.fixture(scope="module")
def raw(small_model: SmallModel, demo_definition: LeadDefinition) -> pd.DataFrame:
    """Leads as an export has them, by the definition's own columns."""
    leads = small_model.history.frame.head(N_LEADS)
    roles = demo_definition.columns
    columns = {roles.id: leads["lead_id"], roles.created: leads["created"], roles.account: leads["account"]}
    columns |= {agreed.column: leads[name] for name, agreed in demo_definition.fields.items()}
    return pd.DataFrame(columns)


@pytest.fixture
def export(raw: pd.DataFrame, tmp_path: Path) -> str:
    raw.to_parquet(tmp_path / "leads.parquet")
    return str(tmp_path / "leads.parquet")


def scored(bundle: Bundle, export: str, out: Path, rows: int = 7) -> pd.DataFrame:
    assert score_export(bundle, files_of(bundle.definition, export), out, rows=rows) == N_LEADS
    return pd.read_parquet(out) if out.suffix == ".parquet" else pd.read_csv(out)


def test_scores_are_the_models_own_in_the_exports_order(bundle: Bundle, export: str, tmp_path: Path) -> None:
    read = scored(bundle, export, tmp_path / "scores.parquet")
    leads = read_leads(bundle.definition, files_of(bundle.definition, export))
    explained = bundle.model.explain(bundle.model.encoder.frame(leads, leads["as_of"]))
    assert read["lead_id"].tolist() == leads["lead_id"].tolist()
    assert read["as_of"].tolist() == leads["as_of"].tolist()
    assert read["as_of"].dt.tz is UTC or str(read["as_of"].dt.tz) == "UTC"
    assert np.array_equal(read["probability"], explained.probability)
    shares = read[[f"contribution.{name}" for name in bundle.model.encoder.names]].to_numpy()
    assert np.array_equal(shares, explained.contributions)
    assert np.abs(read["base_log_odds"] + shares.sum(axis=1) - read["log_odds"]).max() < 1e-9


@pytest.mark.parametrize("rows", [1, 13, 1_000])
def test_scores_do_not_depend_on_the_size_of_the_parts(bundle: Bundle, export: str, tmp_path: Path, rows: int) -> None:
    usual = scored(bundle, export, tmp_path / "usual.parquet")
    pd.testing.assert_frame_equal(scored(bundle, export, tmp_path / "scores.parquet", rows), usual)


def test_a_csv_file_holds_the_same_numbers_to_the_last_digit(bundle: Bundle, export: str, tmp_path: Path) -> None:
    usual, text = (scored(bundle, export, tmp_path / name) for name in ("scores.parquet", "scores.csv"))
    assert list(text.columns) == list(usual.columns)
    assert np.array_equal(text["log_odds"], usual["log_odds"])
    assert text["grade"].tolist() == usual["grade"].tolist()
    assert pd.to_datetime(text["as_of"]).tolist() == usual["as_of"].tolist()


def test_an_export_with_a_problem_leaves_an_earlier_file_as_it_was(
    bundle: Bundle, raw: pd.DataFrame, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "scores.csv"
    out.parent.mkdir()
    out.write_text("as it was")
    path = tmp_path / "leads.csv"
    number = next(agreed.column for agreed in bundle.definition.fields.values() if agreed.type == "number")
    raw.assign(**{number: ["1"] * (N_LEADS - 1) + ["many"]}).to_csv(path, index=False)
    with pytest.raises(HistoryError, match="many"):
        score_export(bundle, files_of(bundle.definition, str(path)), out, rows=10)
    assert out.read_text() == "as it was"
    assert [file.name for file in out.parent.iterdir()] == ["scores.csv"]


def test_a_place_that_cannot_be_written_to_is_named(bundle: Bundle, export: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match=r"scores\.csv cannot be written"):
        score_export(bundle, files_of(bundle.definition, export), tmp_path / "file" / "scores.csv")


def test_progress_ends_at_one_and_notes_say_how_the_export_was_read(
    bundle: Bundle, export: str, tmp_path: Path
) -> None:
    shares: list[float] = []
    notes: list[Text] = []
    files = files_of(bundle.definition, export)
    score_export(bundle, files, tmp_path / "s.parquet", rows=25, tell=notes.append, progress=shares.append)
    assert shares == [25 / N_LEADS, 50 / N_LEADS, 1.0]
    assert "60 rows, Parquet" in notes[0].en


@given(st.lists(st.floats(0, 1), min_size=1))
def test_grades_of_many_are_those_of_each(small_model: SmallModel, probabilities: list[float]) -> None:
    definition, many = small_model.history.definition, np.array(probabilities)
    assert grades.scores(many).tolist() == [grades.score(p) for p in probabilities]
    assert grades.grades(many, definition).tolist() == [grades.grade(p, definition) for p in probabilities]
    assert grades.handovers(many, 0.3).tolist() == [grades.handover(p, 0.3) for p in probabilities]
