"""The files: as a CRM writes them, and never to be mistaken for real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.simulate import Drift, Simulated, Simulation, simulate, write
from training.simulate.parameters import ParameterError

# Files


def test_the_german_file_reads_as_a_german_crm_writes(small: Simulated, tmp_path: Path) -> None:
    path = write(small, tmp_path).leads
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    back = pd.read_csv(path, sep=";", decimal=",", encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    assert back.columns.tolist() == small.export.columns.tolist()
    for column in ("created_at", "closed_at"):
        assert (
            pd.to_datetime(back[column], format="%d.%m.%Y %H:%M").astype("datetime64[us]").equals(small.export[column])
        )
    for column in small.export.select_dtypes("number"):
        np.testing.assert_array_equal(back[column].to_numpy(float), small.export[column].to_numpy(float))
    assert set(back["freemail"]) == {"ja", "nein"}
    assert set(back["handover_basis"]) == {"all"}
    assert b"250.0" not in raw


def test_the_plain_file_and_parquet_hold_the_same_leads(small: Simulated, tmp_path: Path) -> None:
    plain = pd.read_csv(write(small, tmp_path, format="csv").leads, parse_dates=["created_at", "closed_at"])
    parquet = pd.read_parquet(write(small, tmp_path, format="parquet").leads)
    assert parquet.equals(small.export)
    assert (plain["created_at"] == small.export["created_at"]).all()
    np.testing.assert_array_equal(plain["deal_value_eur"].to_numpy(), small.export["deal_value_eur"].to_numpy())


def test_nobody_can_mistake_the_files_for_real_ones(small: Simulated, tmp_path: Path) -> None:
    written = write(small, tmp_path)
    marker = written.marker.read_text(encoding="utf-8")
    assert written.marker.name == "SIMULATED.md"
    assert "These leads do not exist" in marker
    assert "Diese Leads gibt es nicht" in marker
    assert (small.export["data_origin"] == "simulated").all()


def test_the_truth_is_written_apart_from_the_export(small: Simulated, tmp_path: Path) -> None:
    written = write(small, tmp_path)
    assert pd.read_parquet(written.truth).equals(small.truth)
    assert not {"true_probability", "account_effect", "win_delay_days"} & set(small.export.columns)


def test_an_unknown_format_is_refused(small: Simulated, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="german_csv, csv, parquet"):
        write(small, tmp_path, format="excel")


# Parameters


def test_all_wrong_parameters_are_named_at_once_in_both_languages() -> None:
    with pytest.raises(ParameterError) as caught:
        Simulation(n_leads=10, win_rate=2.0, leaks=("typo",), drift=Drift(seasonal=-1.0))
    assert [problem.where for problem in caught.value.problems] == ["n_leads", "win_rate", "drift.seasonal", "leaks"]
    assert "liegt außerhalb der Grenzen" in caught.value.in_language("de")
    assert "record_id" in caught.value.in_language("en")


def test_a_rate_that_the_delays_do_not_allow_is_refused(small: Simulated) -> None:
    with pytest.raises(ParameterError, match="win_rate: cannot be reached"):
        simulate(replace(small.parameters, win_rate=0.5, horizon_days=5))
