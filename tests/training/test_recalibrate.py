"""A champion recalibrated on recent outcomes: the same parts, honest slopes, a whole bundle, gated and registered."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.definition import LeadDefinition, read_definition
from features.errors import BundleError, DefinitionError, NotReadyError
from features.model.bundle import open_bundle, open_fits, open_judged
from tests.training.champion_worlds import QUICK, as_exported, export, history, train_champion, with_wins_lost
from training import pipeline
from training.cli import app
from training.examples import sample_of
from training.judging.gates import Decision, Policy
from training.labels import label
from training.recipe.calibrate import CalibrationSettings
from training.tracking import Tracking
from training.upkeep.due import due
from training.upkeep.recalibrate import Recalibrated, gate_recalibrated, new_slopes, recalibrate
from training.upkeep.recent import RecentSettings

ROOT = Path(__file__).parents[2]
TODAY = datetime(2026, 1, 25, tzinfo=UTC)
EARLIER = datetime(2025, 8, 1, tzinfo=UTC)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class World:
    """A champion of April 2025, and what became of its leads: from March on sales lost two in five of its wins."""

    definition: LeadDefinition
    leads: pd.DataFrame
    champion: Path
    folder: Path

    def recalibrated(self, moment: datetime, champion: Path | None = None) -> Recalibrated:
        source = export(as_exported(self.leads, moment), self.definition, self.folder / f"{moment:%Y%m%d}.csv")
        return recalibrate(
            champion or self.champion, 3, source, self.definition, settings=QUICK, recent=RecentSettings(), now=moment
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("champion")
    definition = read_definition(ROOT / "definitions" / "demo.toml")
    leads = history(folder / "history")
    champion = train_champion(leads, definition, folder)
    return World(definition, with_wins_lost(leads, "2025-03-01", 0.4), champion, folder)


@pytest.fixture(scope="module")
def candidate(world: World) -> Recalibrated:
    return world.recalibrated(TODAY)


@pytest.fixture(scope="module")
def verdict(candidate: Recalibrated) -> Decision:
    return gate_recalibrated(candidate, Policy(), QUICK)


@pytest.fixture(scope="module")
def bundle(world: World, candidate: Recalibrated, verdict: Decision) -> Path:
    return pipeline.write(candidate.trained, world.folder / "recalibrated", verdict)


def test_the_parts_stay_and_slopes_and_shift_are_new(world: World, bundle: Path) -> None:
    before, after = open_bundle(world.champion).model, open_bundle(bundle).model
    assert (bundle / "model.txt").read_bytes() == (world.champion / "model.txt").read_bytes()
    assert (bundle / "linear.json").read_bytes() == (world.champion / "linear.json").read_bytes()
    assert after.encoder.to_dict() == before.encoder.to_dict()
    assert after.calibrator.intercept < before.calibrator.intercept - 0.2  # two in five wins less are .5 in log-odds


def test_the_mean_probability_of_the_recent_leads_is_the_rate_that_was_observed(
    world: World, candidate: Recalibrated
) -> None:
    """Also where the slopes are the twin's: its shift would correct once more what the shipped parts have learnt."""
    for made in (candidate, world.recalibrated(EARLIER)):
        labelled, model = made.trained.prepared.labelled, made.trained.shipped.model
        recent = sample_of(labelled, model.encoder, made.recent.recent)
        assert model.explain(recent.matrix).probability.mean() == pytest.approx(recent.target.mean(), abs=1e-6)


def test_what_is_judged_has_the_slopes_of_what_was_known_when_judging_begins(candidate: Recalibrated) -> None:
    labelled, found, encoder = candidate.trained.prepared.labelled, candidate.recent, candidate.rival.encoder
    known = new_slopes(candidate.rival, sample_of(labelled, encoder, found.calibrate), CalibrationSettings())
    judged = replace(candidate.rival, calibrator=known.calibrator)
    expected = judged.explain(sample_of(labelled, encoder, found.test).matrix).probability
    assert np.array_equal(candidate.trained.judgement.probability, expected)
    assert labelled.frame["knowable"].iloc[found.calibrate].max() <= labelled.frame["as_of"].iloc[found.test].min()


def test_the_gate_holds_it_against_the_champion_and_lets_a_needed_recalibration_pass(
    world: World, candidate: Recalibrated, verdict: Decision
) -> None:
    check = next(check for check in verdict.checks if check.code == "not_worse_than_champion")
    assert open_bundle(world.champion).bundle_id in check.name.en
    assert check.interval is not None
    assert check.interval[1] < 0
    assert verdict.passed
    assert candidate.recent.parts == "shipped"
    assert candidate.rival.calibrator == open_bundle(world.champion).model.calibrator


def test_the_bundle_says_what_it_is_made_from_and_of_which_outcomes(world: World, bundle: Path) -> None:
    opened, champion = open_bundle(bundle), open_bundle(world.champion)
    told = opened.manifest.settings["recalibration"]
    assert (told["of_version"], told["of_bundle"], told["margins_of"]) == (3, champion.bundle_id, "shipped")
    windows = {window.use: window for window in opened.manifest.windows}
    trained = {window.use: window for window in champion.manifest.windows}
    assert windows["shipped"] == trained["shipped"]
    assert replace(windows["parts_test"], use="test") == trained["test"]
    assert windows["recalibrated"].start >= trained["shipped"].end
    assert opened.importance
    assert opened.profile.n > champion.profile.n
    assert opened.manifest.metrics["log_loss"]["n"] == windows["test"].n


@pytest.mark.parametrize(
    ("language", "said", "window"),
    [
        ("de", "Version 3 (Bundle", "ausgeliefertes Modell rekalibriert an"),
        ("en", "version 3 (bundle", "shipped model recalibrated on"),
    ],
)
def test_the_card_says_that_it_is_recalibrated_from_which_version_and_on_what(
    bundle: Path, language: str, said: str, window: str
) -> None:
    for form in ("md", "html"):
        card = (bundle / f"card.{language}.{form}").read_text(encoding="utf-8")
        assert said in card
        assert window in card
    assert "Rekalibriert" in (bundle / "card.de.md").read_text(encoding="utf-8")


def test_the_judged_twin_is_carried_along_with_slopes_of_its_own(world: World, bundle: Path) -> None:
    twin, before = open_fits(bundle)[1], open_fits(world.champion)[1]
    assert twin.model_text == before.model_text
    assert twin.model.linear.to_dict() == before.model.linear.to_dict()
    assert open_judged(bundle).calibrator == twin.model.calibrator != before.model.calibrator


def test_soon_after_training_the_twins_slopes_are_carried_over_and_the_card_says_so(world: World) -> None:
    early = world.recalibrated(EARLIER)
    assert early.recent.parts == "judged"
    assert early.rival.linear.to_dict() == open_judged(world.champion).linear.to_dict()
    assert early.trained.shipped.model.calibrator == early.slopes.calibrator
    assert early.trained.shipped.model.linear.to_dict() == open_bundle(world.champion).model.linear.to_dict()
    assert "judged twin" in early.origin.en
    assert "geprüften Zwilling" in early.origin.de


def test_a_recalibrated_champion_can_be_recalibrated_again(world: World) -> None:
    early = world.recalibrated(EARLIER)
    place = pipeline.write(early.trained, world.folder / "again", gate_recalibrated(early, Policy(), QUICK))
    later = world.recalibrated(TODAY, place)
    windows = {window.use: window for window in later.trained.manifest.windows}
    trained = {window.use: window for window in open_bundle(world.champion).manifest.windows}
    assert windows["shipped"] == trained["shipped"]
    assert replace(windows["parts_test"], use="test") == trained["test"]
    seen = {window.use: window for window in open_bundle(place).manifest.windows}
    assert windows["test"].start >= seen["recalibrated" if later.recent.parts == "shipped" else "calibrate"].end


def test_a_later_challenger_is_held_against_leads_that_the_new_slopes_have_not_seen(bundle: Path) -> None:
    manifest = open_bundle(bundle).manifest
    assert manifest.seen_until("shipped", "recalibrated") > manifest.seen_until("shipped")


def test_another_agreement_is_refused_and_says_what_has_changed(world: World) -> None:
    shorter = world.definition.model_copy(
        update={"target": world.definition.target.model_copy(update={"horizon_days": 60})}
    )
    source = export(as_exported(world.leads, TODAY), shorter, world.folder / "shorter.csv")
    with pytest.raises(BundleError, match="have changed: target"):
        recalibrate(world.champion, 3, source, shorter, settings=QUICK, recent=RecentSettings(), now=TODAY)


def test_how_an_export_is_read_may_change(world: World) -> None:
    read = world.definition.read.model_copy(update={"data_end": date(2026, 1, 24)})
    ended = world.definition.model_copy(update={"read": read})
    labelled = label(
        pipeline.read_history(ended, export(as_exported(world.leads, TODAY), ended, world.folder / "e.csv"))
    )
    assert due(labelled, open_bundle(world.champion)).verdict == "due"


def test_without_dates_there_is_nothing_later_to_recalibrate_on(world: World) -> None:
    labelled = label(
        pipeline.read_history(world.definition, export(world.leads, world.definition, world.folder / "u.csv"))
    )
    undated = replace(open_bundle(world.champion), manifest=replace(open_bundle(world.champion).manifest, windows=()))
    with pytest.raises(DefinitionError, match="without dates nobody can say"):
        due(labelled, undated)


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")
def test_both_commands_from_an_export_to_a_challenger(
    world: World, mlflow_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    source = tmp_path / "today.csv"
    as_exported(world.leads, TODAY).to_csv(source, index=False)
    given = ["--definition", str(ROOT / "definitions" / "demo.toml"), "--data", str(source)]
    told = CliRunner(env={"LEAD_LANGUAGE": "de", "LEAD_STATE": str(tmp_path), "COLUMNS": "220"})
    with pytest.raises(NotReadyError) as refused:
        told.invoke(app, ["due", *given], catch_exceptions=False)
    assert "noch keinen Champion" in refused.value.in_language("de")
    tracking = Tracking(mlflow_uri, "lead-quality", "demo", artifacts=tmp_path / "mlartifacts")
    with tracking.run("train demo") as run:
        champion = run.bundle(world.champion)
    tracking.registry.set_alias("champion", champion)
    look = told.invoke(app, ["due", *given], catch_exceptions=False)
    assert look.exit_code == 1
    assert "Rekalibrieren ist fällig." in look.output
    made = told.invoke(app, ["recalibrate", *given], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    assert "ist der Challenger: Version 1" in made.output
    number = tracking.registry.alias("challenger")
    assert number is not None
    assert tracking.registry.champion() == champion
    decision, compared_with = tracking.registry.verdict(number)
    assert compared_with == champion
    assert {check.code for check in decision.checks} >= {"not_worse_than_champion", "grade_changes"}
    assert open_bundle(tracking.registry.download(number)).manifest.settings["recalibration"]["of_version"] == champion


def test_the_record_of_a_recalibration_is_plain_data(bundle: Path) -> None:
    data = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    assert data["settings"]["recalibration"]["newest"] == 1000
    assert data["settings"]["recalibration"]["since"] is None
