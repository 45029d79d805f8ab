"""Simulate, train, promote, serve, score, hear what became of the leads, learn from that, and serve what was learnt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.definition import LeadDefinition, read_definition
from features.history import files_of, read_history
from features.model.bundle import open_bundle
from serving.__main__ import main
from serving.settings import Settings
from tests.serving.client import Client
from training.cli import app
from training.simulate import Simulation, simulate, write

ROOT = Path(__file__).parents[2]
DEFINITION = ROOT / "definitions" / "demo.toml"
LEADS_PER_BATCH = 10  # of neighbouring days: a lead that closes before it is scored is no training data
OUTCOMES_PER_BATCH = 400


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_database: Path) -> Path:
    """A folder in which training and serving meet."""
    shutil.copy(migrated_database, tmp_path / "mlflow.db")
    monkeypatch.setenv("LEAD_STATE", str(tmp_path))
    monkeypatch.setenv("LEAD_LANGUAGE", "en")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LEAD_BUNDLE", "models:/demo@champion")
    monkeypatch.setenv("LEAD_BUNDLE_CACHE", str(tmp_path / "models"))
    monkeypatch.setenv("LEAD_DATABASE_URL", f"sqlite:///{tmp_path}/scores.db")
    monkeypatch.setenv("LEAD_DEMO", "true")
    return tmp_path


def train_and_promote(data: Path) -> None:
    for command in (["train", "--data", str(data)], ["promote", "--who", "loop", "--override", "for the test"]):
        done = CliRunner().invoke(app, [*command, "--definition", str(DEFINITION)])
        assert done.exit_code == 0, done.output


def requests(leads: pd.DataFrame, definition: LeadDefinition) -> Iterator[dict[str, Any]]:
    """Each lead as a CRM sends it when it is created."""
    words = {"true": True, "false": False}
    for lead in leads.to_dict("records"):
        given = {name: lead[name] for name in definition.fields if not pd.isna(lead[name])}
        fields = {
            name: words[value] if definition.fields[name].type == "boolean" else value for name, value in given.items()
        }
        ids = {"lead_id": lead["lead_id"], "account_id": lead["account"]}
        yield {**ids, "as_of": lead["as_of"].isoformat(), "fields": fields}


def outcomes(leads: pd.DataFrame) -> list[dict[str, Any]]:
    closed = leads[leads["outcome"] != "open"]
    return [
        {"lead_id": lead["lead_id"], "outcome": lead["outcome"], "at": lead["closed"].isoformat()}
        for lead in closed.to_dict("records")
    ]


def test_what_was_scored_and_what_became_of_it_makes_the_next_champion(desk: Path) -> None:
    definition = read_definition(DEFINITION)
    export = write(simulate(Simulation(n_leads=4_000, seed=3, win_rate=0.25)), desk / "demo").leads
    train_and_promote(export)
    leads = read_history(definition, files_of(definition, str(export))).frame.sort_values("as_of")
    with Client(Settings(bundle_check_s=0), None, leads["as_of"].max() + timedelta(days=400)) as client:
        end = client.now
        first = client.get("/v1/model").json()["model"]
        scored = {}
        for start in range(0, len(leads), LEADS_PER_BATCH):
            part = leads.iloc[start : start + LEADS_PER_BATCH]
            client.now = part["as_of"].max().to_pydatetime() + timedelta(minutes=1)
            batch = {"leads": list(requests(part, definition))}
            answer = client.raw("/v1/score/batch", orjson.dumps(batch)).json()
            assert answer["n_refused"] == 0, answer
            scored |= {each["score"]["lead_id"]: each["score"]["probability"] for each in answer["results"]}
        client.now = end
        told = outcomes(leads)
        for start in range(0, len(told), OUTCOMES_PER_BATCH):
            body = {"outcomes": told[start : start + OUTCOMES_PER_BATCH]}
            assert client.raw("/v1/outcomes/batch", orjson.dumps(body)).json()["n_refused"] == 0
        history = desk / "history.parquet"
        assert main(["history", "--out", str(history)]) == 0
        came_back = read_history(definition, files_of(definition, str(history)))
        assert len(came_back.frame) > 0.9 * len(leads)
        bundle = open_bundle(next((desk / "models" / "demo").iterdir()))
        frame = came_back.frame
        again = bundle.model.explain(bundle.model.encoder.frame(frame, frame["as_of"])).probability
        assert dict(zip(frame["lead_id"], again.tolist(), strict=True)).items() <= scored.items()
        train_and_promote(history)
        renewed = client.post("/v1/model/reload").json()
        assert (renewed["changed"], renewed["model"]["version"], first["version"]) == (True, "2", "1")
        lead = {"lead_id": "NEW-1", "fields": {"lead_source": "referral"}}
        assert client.post("/v1/score", json=lead).json()["model"] == renewed["model"]
    learnt = max((desk / "bundles").iterdir(), key=lambda place: place.stat().st_mtime)
    assert open_bundle(learnt).manifest.history_exports == came_back.exports != ()
