"""The replay: nothing of the future, how a frozen model collapses, what recalibration repairs, what is written."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.definition import read_definition
from features.history import files_of, read_history
from features.text import LANGUAGES, Language, Text
from tests.training.delay_worlds import drifting
from training.cli import app
from training.judging.metrics import log_loss, log_odds
from training.labels import label
from training.recipe.fit import FitSettings
from training.recipe.parts import PartSettings
from training.recipe.rounds import RoundSettings
from training.replay.backtest import BacktestSettings, run_backtest
from training.replay.backtest_figures import log_loss_over_time, rates_over_time, reliability
from training.replay.backtest_result import (
    FROZEN,
    HEADER,
    NAMES,
    PERIOD_HEADER,
    RECALIBRATED,
    REFITTED,
    Backtest,
    Period,
    write_backtest,
)
from training.replay.origins import OriginSettings
from training.report import figures
from training.simulate import Simulation, simulate, write

ROOT = Path(__file__).parents[2]
QUICK = BacktestSettings(
    origins=OriginSettings(calibrate_on=300),
    fit=FitSettings(PartSettings(n_threads=1), RoundSettings(max_rounds=20)),
    n_resamples=60,
    n_resamples_period=40,
)


@pytest.fixture(scope="module")
def told() -> list[tuple[Text, float]]:
    return []


@pytest.fixture(scope="module")
def backtest(told: list[tuple[Text, float]]) -> Backtest:
    return run_backtest(label(drifting(repeat=2)), QUICK, lambda message, share: told.append((message, share)))


def late(backtest: Backtest, name: str) -> float:
    """Log loss of the periods in which outcomes of the new level were known from the start: July and August."""
    after = backtest.predictions[backtest.predictions["origin"] >= "2024-07-01"]
    return float(log_loss(after["target"].to_numpy(), after[name].to_numpy()))


def test_the_frozen_model_collapses_when_the_level_moves_and_recalibration_repairs_it(backtest: Backtest) -> None:
    # only the level drifts, so slopes and shift are all that is wrong with the frozen model
    assert late(backtest, FROZEN) > late(backtest, RECALIBRATED) + 0.1
    assert late(backtest, FROZEN) > late(backtest, REFITTED) + 0.1
    last = backtest.periods[-1].evaluations
    frozen, repaired = (last[name].metrics["observed_to_expected"] for name in (FROZEN, RECALIBRATED))
    assert frozen.interval is not None
    assert frozen.interval[0] > 1.5
    assert repaired.value == pytest.approx(1, abs=0.15)  # 300 outcomes: a standard error of 6 %


def test_recalibration_moves_the_log_odds_by_as_much_as_the_level_moved(backtest: Backtest) -> None:
    # they rise by 2 from the middle on; two calibrations on 300 outcomes each have a standard error of .2 together
    last = backtest.predictions[backtest.predictions["origin"] == "2024-08-01"]
    moved = log_odds(last[RECALIBRATED].to_numpy()).mean() - log_odds(last[FROZEN].to_numpy()).mean()
    assert moved == pytest.approx(2.0, abs=0.5)
    frozen = {period.calibrators.frozen for period in backtest.periods}
    assert frozen == {backtest.periods[0].calibrators.refitted}


def test_what_happens_after_an_origin_changes_nothing_that_was_said_before() -> None:
    history = drifting(n_days=150)
    settings = replace(QUICK, origins=OriginSettings(first=date(2024, 4, 1), calibrate_on=300))
    before = run_backtest(label(history), settings).predictions
    frame = history.frame.copy()
    unknown = frame["as_of"] + pd.Timedelta(days=10) > pd.Timestamp("2024-04-01", tz="UTC")
    frame["outcome"] = frame["outcome"].mask(unknown, frame["outcome"].map({"won": "lost", "lost": "won"}))
    after = run_backtest(label(replace(history, frame=frame)), settings).predictions
    of_april = before["origin"] == "2024-04-01"
    for name in NAMES:
        assert np.array_equal(before.loc[of_april, name], after.loc[of_april, name])
    assert not np.array_equal(before.loc[~of_april, REFITTED], after.loc[~of_april, REFITTED])


def test_every_lead_and_every_rival_is_judged_by_period_and_over_all(backtest: Backtest) -> None:
    assert sum(period.n for period in backtest.periods) == len(backtest.predictions) == backtest.evaluations[REFITTED].n
    judged: list[Backtest | Period] = [backtest, *backtest.periods]
    assert all(set(each.evaluations) == set(NAMES) for each in judged)
    assert all(set(each.against) == set(NAMES) - {REFITTED} for each in judged)
    period, rows = backtest.periods[2], backtest.predictions["origin"] == backtest.periods[2].start
    mine = backtest.predictions[rows]
    assert period.rates[FROZEN].mean_probability == pytest.approx(mine[FROZEN].mean())
    assert period.rates[FROZEN].observed == pytest.approx(mine["target"].mean())
    difference = period.against["base_rate"].log_loss.value
    assert difference == pytest.approx(
        float(log_loss(mine["target"].to_numpy(), mine[REFITTED].to_numpy()))
        - float(log_loss(mine["target"].to_numpy(), mine["base_rate"].to_numpy()))
    )


def test_progress_only_goes_forward_and_ends(backtest: Backtest, told: list[tuple[Text, float]]) -> None:
    assert backtest.periods
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_folder_holds_plain_data_and_replaces_an_older_one(backtest: Backtest, tmp_path: Path) -> None:
    folder = tmp_path / "backtest-small"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    place = write_backtest(backtest, folder, {"a.png": b"png", "b.svg": "<svg/>"})
    assert sorted(file.name for file in place.iterdir()) == [
        *("a.png", "b.svg", "backtest.json", "periods.csv", "predictions.csv")
    ]
    plain = json.loads((place / "backtest.json").read_text())
    assert len(plain["periods"]) == len(backtest.periods)
    table = pd.read_csv(place / "periods.csv")
    assert len(table) == len(backtest.periods) * len(NAMES)
    assert (table["log_loss_low"] <= table["log_loss"]).all()
    assert len(pd.read_csv(place / "predictions.csv")) == len(backtest.predictions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_and_figures_are_in_the_readers_language(backtest: Backtest, language: Language) -> None:
    assert [row[0] for row in backtest.rows(language)] == [name.in_language(language) for name in NAMES.values()]
    assert all(len(row) == len(HEADER) for row in backtest.rows(language))
    assert all(len(row) == len(PERIOD_HEADER) for row in backtest.period_rows(language))
    other: Language = "en" if language == "de" else "de"
    for figure in (log_loss_over_time, rates_over_time, reliability):
        svg = figures.svg(figure(backtest, language))
        words = " ".join(node.text or "" for node in ElementTree.fromstring(svg).iter())
        assert NAMES[FROZEN].in_language(language) in words
        assert NAMES[FROZEN].in_language(other) not in words


@pytest.mark.slow
def test_both_commands_run_on_an_export_and_speak_german(tmp_path: Path) -> None:
    simulated = simulate(Simulation(n_leads=4_000, seed=2))
    leads, definition = write(simulated, tmp_path).leads, ROOT / "definitions" / "demo.toml"
    told = CliRunner(env={"LEAD_LANGUAGE": "de", "LEAD_STATE": str(tmp_path), "COLUMNS": "200"})
    given = ["--definition", str(definition), "--data", str(leads)]
    proposed = told.invoke(app, ["horizon", *given], catch_exceptions=False)
    assert proposed.exit_code == 0
    assert "Vorschlag" in proposed.output
    replayed = told.invoke(app, ["backtest", *given, "--months", "3", "--budget", "0.1"], catch_exceptions=False)
    assert replayed.exit_code == 0
    assert "Erstes Modell, eingefroren" in replayed.output
    assert (tmp_path / "backtest-demo" / "backtest.json").is_file()
    assert (tmp_path / "backtest-demo" / "log_loss.de.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_on_bank_marketing_the_frozen_model_collapses_and_recalibration_repairs_most_of_it() -> None:
    data = Path(os.environ.get("LEAD_DATA", ROOT.parent / "shared" / "data")) / "bank_marketing.csv"
    if not data.is_file():
        pytest.skip(f"{data} is missing; LEAD_DATA names the folder that holds it")
    definition = read_definition(ROOT / "definitions" / "bank_marketing.toml")
    labelled = label(read_history(definition, files_of(definition, str(data))))
    # linear part alone, as choosing finds there too; every half year
    fit = FitSettings(PartSettings(n_threads=1), RoundSettings(max_rounds=0))
    settings = BacktestSettings(OriginSettings(date(2009, 1, 1), months=6), fit, n_resamples=60, n_resamples_period=40)
    said = run_backtest(labelled, settings).predictions
    late = said[said["origin"] >= "2009-07-01"]
    losses = {name: float(log_loss(late["target"].to_numpy(), late[name].to_numpy())) for name in NAMES}
    assert losses[FROZEN] > losses[RECALIBRATED] + 0.1
    assert losses[RECALIBRATED] < 0.72
    assert losses[REFITTED] < losses[RECALIBRATED] + 0.02
    assert losses[REFITTED] < losses["logistic_regression"] < losses["base_rate"]
