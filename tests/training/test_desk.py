"""The data scientist's day at the command line: train, promote, change the agreement, be refused, insist, go back."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from features.model.bundle import open_bundle
from training.cli import app
from training.simulate import Simulation, simulate, write

ROOT = Path(__file__).parents[2]


class Desk:
    """Runs commands in one folder, in one language."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.definition = ROOT / "definitions" / "demo.toml"
        self.leads = write(simulate(Simulation(n_leads=4_000, seed=3, win_rate=0.25)), folder / "demo").leads

    def run(self, command: str, *options: str, language: str = "en") -> Result:
        environment = {
            "LEAD_LANGUAGE": language,
            "LEAD_STATE": str(self.folder),
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder}/mlflow.db",
            "OMP_NUM_THREADS": "1",
        }
        return CliRunner().invoke(app, [command, "--definition", str(self.definition), *options], env=environment)

    def train(self) -> Result:
        return self.run("train", "--data", str(self.leads))

    def without_a_field(self) -> None:
        text = self.definition.read_text(encoding="utf-8")
        shorter = re.sub(r"\[fields\.newsletter\].*?(?=\n\[|\Z)", "", text, count=1, flags=re.DOTALL)
        assert shorter != text
        self.definition = self.folder / "shorter.toml"
        self.definition.write_text(shorter, encoding="utf-8")


@pytest.mark.slow
def test_a_day_at_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    desk = Desk(tmp_path)
    trained = desk.train()
    assert trained.exit_code == 0, trained.output
    assert "Version 1 of demo is the challenger" in trained.output
    assert "horizon not yet over at the end of the data" in trained.output

    promoted = desk.run("promote", "--who", "Kim", language="de")
    assert promoted.exit_code == 0, promoted.output
    assert "Version 1 zum Champion gemacht von Kim" in promoted.output

    again = desk.train()
    assert again.exit_code == 0, again.output
    assert "Log loss against the champion" in re.sub(r"\s+", " ", again.output)

    desk.without_a_field()
    changed = desk.train()
    assert changed.exit_code == 0, changed.output
    assert "fields have gone or changed: newsletter" in changed.output

    refused = desk.run("promote", "--version", "3")
    assert refused.exit_code == 4
    assert "Not comparable" in refused.output
    why = "the newsletter is not asked any more"
    insisted = desk.run("promote", "--version", "3", "--who", "Kim", "--override", why)
    assert insisted.exit_code == 0, insisted.output

    scores = tmp_path / "scores.parquet"
    scored = desk.run("score", "--data", str(desk.leads), "--out", str(scores))
    assert scored.exit_code == 0, scored.output
    table = pd.read_parquet(scores)
    contributions = table.filter(like="contribution.").sum(axis=1)
    assert len(table) == 4_000
    assert (table["base_log_odds"] + contributions - table["log_odds"]).abs().max() < 1e-9

    back = desk.run("rollback", "--to", "1", "--reason", "sales misses the newsletter", "--who", "Kim")
    assert back.exit_code == 0, back.output
    listed = desk.run("versions")
    assert re.search(r"│ 1\s+│ champion", listed.output), listed.output
    assert why in listed.output

    card = desk.run("card", language="de")
    page = Path(card.output.strip())
    assert page.name == "card.de.html"
    assert open_bundle(page.parent).manifest.simulated
