"""Runs, versions and the scoring model, in a real MLflow on SQLite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from features.encode import moment_of
from features.errors import BundleError, NotReadyError, OutsideError, RecordError
from features.grades import grade, score
from features.model.bundle import open_bundle
from training.judging.gates import Decision, Policy
from training.tracking import Tracking
from training.tracking.packaging import input_example, requirements, signature_of

ROOT = Path(__file__).parents[2]

pytestmark = [
    # SQLAlchemy 2.1 about MLflow 3.17's own models; ends with an MLflow that knows SQLAlchemy 2.1
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    # MLflow 3.17 about the type hints of its own chat models, once per process
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType"),
]

LEADS = pd.DataFrame(
    {
        "employees": [51.0, np.nan, 2000.0, 12.5],
        "source": ["partner", None, "a source nobody has seen", " web "],
        "demo_requested": ["true", "false", None, "false"],
        "last_visit": ["2026-01-30", "2025-12-24T18:30:00+01:00", None, "2026-01-01"],
        "as_of": ["2026-01-31", "2026-01-31T09:30:00Z", "2026-01-31", "2026-02-28"],
    }
)


def as_service_sees(bundle: Any, frame: pd.DataFrame) -> np.ndarray:
    """The leads one by one, as JSON would bring them, encoded by the encoder's single-record path."""
    zone = ZoneInfo(bundle.definition.read.timezone)
    rows = []
    for lead in frame.to_dict("records"):
        given = {name: value for name, value in lead.items() if name != "as_of" and not pd.isna(value)}
        if "demo_requested" in given:
            given["demo_requested"] = given["demo_requested"] == "true"
        rows.append(bundle.model.encoder.record(given, moment_of(lead["as_of"], zone)).row)
    return np.array(rows)


@pytest.fixture
def loaded(register: Callable[[Path], int], small_bundle: Path) -> Any:
    version = register(small_bundle)
    return mlflow.pyfunc.load_model(f"models:/lead-quality/{version}")


def statuses(tracking: Tracking) -> list[str]:
    client = MlflowClient(tracking.uri)
    experiment = client.get_experiment_by_name("lead-quality")
    assert experiment is not None
    return [run.info.status for run in client.search_runs([experiment.experiment_id])]


def test_a_run_keeps_parameters_metrics_figures_and_texts(tracking: Tracking, small_bundle: Path) -> None:
    with tracking.run("train", {"definition": "small"}) as run:
        run.params({f"setting_{number}": number for number in range(150)})
        run.metrics({"log_loss": 0.25, "auc": 0.8})
        run.figure("reliability.svg", "<svg/>")
        run.figure("lift.png", b"\x89PNG")
        run.text("card/card.de.md", "# Übersicht")
        version = run.bundle(small_bundle)
    client = MlflowClient(tracking.uri)
    kept = client.get_run(run.run_id)
    assert kept.data.params["setting_149"] == "149"
    assert kept.data.metrics == {"log_loss": 0.25, "auc": 0.8}
    assert kept.data.tags["definition"] == "small"
    assert {file.path for file in client.list_artifacts(run.run_id, "figures")} == {
        "figures/reliability.svg",
        "figures/lift.png",
    }
    assert mlflow.artifacts.load_text(f"runs:/{run.run_id}/card/card.de.md") == "# Übersicht"
    assert tracking.registry.version(version).metrics == {"log_loss": 0.25, "auc": 0.8}


def test_a_version_tells_which_bundle_it_is(
    tracking: Tracking, register: Callable[[Path], int], small_bundle: Path, newer_bundle: Path
) -> None:
    first, second = register(small_bundle), register(newer_bundle)
    tracking.registry.set_alias("challenger", second)
    versions = tracking.registry.versions()
    assert [version.number for version in versions] == [second, first] == [2, 1]
    assert [version.aliases for version in versions] == [("challenger",), ()]
    assert versions[0].bundle_id == open_bundle(newer_bundle).bundle_id != versions[1].bundle_id
    assert versions[0].tags["simulated"] == "true"
    assert all(version.finished for version in versions)
    assert tracking.registry.champion() is None


def test_a_version_is_fetched_from_the_registry_named_whatever_the_environment_says(
    register: Callable[[Path], int], tracking: Tracking, small_bundle: Path, tmp_path: Path
) -> None:
    version = register(small_bundle)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/another.db")
    mlflow.set_registry_uri(f"sqlite:///{tmp_path}/another.db")
    assert open_bundle(tracking.registry.download(version)).bundle_id == open_bundle(small_bundle).bundle_id
    assert not (tmp_path / "another.db").exists()


def test_the_downloaded_directory_is_the_bundle_byte_for_byte(
    tracking: Tracking, register: Callable[[Path], int], small_bundle: Path, tmp_path: Path
) -> None:
    version = register(small_bundle)
    tracking.registry.set_alias("champion", version)
    for place in (tracking.registry.download(version), tracking.registry.download("champion", tmp_path / "copy")):
        assert {file.name: file.read_bytes() for file in place.iterdir()} == {
            file.name: file.read_bytes() for file in small_bundle.iterdir()
        }


def break_off(tracking: Tracking, bundle: Path, error: type[BaseException]) -> None:
    """A run that registers and then does not end well."""
    with tracking.run("train") as run:
        run.bundle(bundle)
        raise error


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")])
def test_a_run_that_breaks_off_leaves_no_version_and_the_champion_alone(
    tracking: Tracking, register: Callable[[Path], int], small_bundle: Path, error: type[BaseException], status: str
) -> None:
    champion = register(small_bundle)
    tracking.registry.set_alias("champion", champion)
    with pytest.raises(error):
        break_off(tracking, small_bundle, error)
    assert statuses(tracking) == [status, "FINISHED"]
    assert [version.number for version in tracking.registry.versions()] == [champion]
    assert tracking.registry.champion() == champion


def test_a_broken_bundle_is_not_registered(tracking: Tracking, small_bundle: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in small_bundle.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "calibrator.json").write_text("{}")
    with pytest.raises(BundleError, match="has been changed"), tracking.run("train") as run:
        run.bundle(broken)
    assert statuses(tracking) == ["FAILED"]
    assert tracking.registry.versions() == ()


def test_what_does_not_exist_is_said_to_be_missing(tracking: Tracking) -> None:
    with pytest.raises(NotReadyError, match="no version 7"):
        tracking.registry.version(7)
    with pytest.raises(NotReadyError, match="no champion"):
        tracking.registry.download("champion")


def test_an_unreachable_mlflow_is_an_outside_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OutsideError, match="opening the experiment"):
        Tracking("http://127.0.0.1:9", "lead-quality", "lead-quality").prepare()


def test_mlflow_gives_the_models_numbers_bit_for_bit(loaded: Any, small_bundle: Path) -> None:
    bundle = open_bundle(small_bundle)
    explained = bundle.model.explain(as_service_sees(bundle, LEADS))
    scored = loaded.predict(LEADS)
    assert scored["probability"].to_numpy().tobytes() == explained.probability.tobytes()
    assert scored["log_odds"].to_numpy().tobytes() == explained.log_odds.tobytes()
    columns = [f"contribution_{name}" for name in bundle.model.encoder.names]
    assert np.ascontiguousarray(scored[columns]).tobytes() == explained.contributions.tobytes()
    assert scored["score"].tolist() == [score(p) for p in explained.probability]
    assert scored["grade"].tolist() == [grade(p, bundle.definition) for p in explained.probability]


def test_base_plus_contributions_is_the_log_odds(loaded: Any) -> None:
    scored = loaded.predict(LEADS)
    total = scored.filter(like="contribution_").sum(axis=1) + scored["base_log_odds"]
    np.testing.assert_allclose(total, scored["log_odds"], rtol=0, atol=1e-9)


def test_one_lead_alone_scores_as_in_a_batch_and_in_any_chunks(loaded: Any) -> None:
    whole = loaded.predict(LEADS)
    alone = pd.concat([loaded.predict(LEADS.iloc[[row]]) for row in range(len(LEADS))])
    pd.testing.assert_frame_equal(alone, whole, check_exact=True)


def test_spark_like_object_columns_score_like_pandas_ones(loaded: Any) -> None:
    """Spark hands over chunks of object columns with None; the output must fit the declared struct, row for row."""
    from_spark = LEADS.astype(object).where(LEADS.notna(), None).astype({"employees": float})
    scored = loaded.predict(from_spark)
    pd.testing.assert_frame_equal(scored, loaded.predict(LEADS), check_exact=True)
    assert list(scored.columns) == loaded.metadata.get_output_schema().input_names()
    assert len(scored) == len(from_spark)


def test_fields_that_are_left_out_count_as_missing_and_foreign_columns_are_ignored(loaded: Any) -> None:
    bare = LEADS[["as_of"]].assign(name="nobody")
    empty = LEADS.assign(employees=np.nan, source=None, demo_requested=None, last_visit=None)
    pd.testing.assert_frame_equal(loaded.predict(bare), loaded.predict(empty), check_exact=True)


def test_no_leads_give_no_rows(loaded: Any) -> None:
    assert loaded.predict(LEADS.iloc[:0]).shape == (0, 9)


def test_every_value_that_does_not_fit_is_named_with_its_rows(loaded: Any) -> None:
    wrong = LEADS.assign(employees=[0.0, 5.0, 0.0, 7.0], demo_requested="yes", as_of=["2026-01-31"] * 3 + ["today"])
    with pytest.raises(RecordError) as caught:
        loaded.predict(wrong)
    found = {problem.where: problem.rows for problem in caught.value.problems}
    assert found == {"fields.employees": (1, 3), "fields.demo_requested": (1, 2, 3), "as_of": (4,)}
    assert "Stichtag" in caught.value.in_language("de")


def test_the_signature_names_every_field_as_optional(small_bundle: Path) -> None:
    definition = open_bundle(small_bundle).definition
    inputs = {column.name: (column.type.name, column.required) for column in signature_of(definition).inputs}
    assert inputs == {
        "employees": ("double", False),
        "source": ("string", False),
        "demo_requested": ("string", False),
        "last_visit": ("string", False),
        "as_of": ("string", True),
    }
    undated = definition.model_copy(update={"fields": {"source": definition.fields["source"]}})
    assert signature_of(undated).inputs.input_names() == ["source"]


def test_the_example_is_made_up_of_levels_and_edges(small_bundle: Path) -> None:
    bundle = open_bundle(small_bundle)
    example = input_example(bundle).iloc[0].to_dict()
    assert example["source"] in bundle.model.encoder.fields[1].levels
    assert example["employees"] in bundle.profile.fields[0].edges
    assert example["demo_requested"] == "true"
    assert example["last_visit"] < example["as_of"] == "2026-01-31"


def test_the_model_holds_no_pickle_and_pins_what_it_needs(
    tracking: Tracking, register: Callable[[Path], int], small_bundle: Path
) -> None:
    model = tracking.registry.download(register(small_bundle)).parents[1]
    # Whoever loads a model from this place leaves compiled copies of its source there; they are not logged.
    logged = [file for file in model.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert {file.suffix for file in logged} <= {".py", ".json", ".yaml", ".txt", ".md", ""}
    assert (model / "requirements.txt").read_text().splitlines() == requirements()
    assert {line.split("==")[0] for line in requirements()} >= {"numpy", "numba", "pydantic", "mlflow"}


SCORE_ELSEWHERE = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
import features
assert features.__file__.startswith(sys.argv[1]), features.__file__
print(repr(model.predict(pandas.read_json(sys.argv[2], dtype=False))["log_odds"].tolist()))
"""


def test_the_model_scores_where_our_code_is_not_installed(
    tracking: Tracking, register: Callable[[Path], int], small_bundle: Path, tmp_path: Path
) -> None:
    model = tracking.registry.download(register(small_bundle)).parents[1]
    LEADS.to_json(tmp_path / "leads.json", date_format="iso")
    answer = subprocess.run(
        [sys.executable, "-I", "-c", SCORE_ELSEWHERE, str(model), str(tmp_path / "leads.json")],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    expected = mlflow.pyfunc.load_model(str(model)).predict(LEADS)["log_odds"].tolist()
    assert answer.stdout.strip() == repr(expected)


def test_importing_the_command_line_does_not_import_mlflow() -> None:
    code = "import sys, training.promote, training.judging.gates; print('mlflow' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "False"


def test_nothing_is_reported_to_anyone() -> None:
    code = "import training.tracking; from mlflow.telemetry import get_telemetry_client as c; print(c())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "None"


def test_the_gates_verdict_is_read_back_with_the_champion_it_was_held_against(
    tracking: Tracking, register: Callable[[Path], int], small_bundle: Path
) -> None:
    version, registry = register(small_bundle), tracking.registry
    with pytest.raises(NotReadyError, match="never asked"):
        registry.verdict(version)
    decision = Decision(passed=True, checks=(), policy=Policy())
    for champion in (None, 4):
        registry.record_verdict(version, decision, champion)
        assert registry.verdict(version) == (decision, champion)
    assert registry.version(version).verdict == "passed"
