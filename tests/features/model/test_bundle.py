"""The bundle: complete or absent, every byte accounted for, opened without running code."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import BundleError, InternalError
from features.model.bundle import (
    CONTENTS,
    NO_SEAL,
    SURENESS,
    Bundle,
    Fit,
    open_bundle,
    open_judged,
    sealed,
    write_bundle,
)
from tests.conftest import ROOT, SmallModel
from training.examples import sample_of

FILES = (*CONTENTS, SURENESS, "card.de.md", "bundle.json")


@pytest.fixture
def copy(small_model: SmallModel, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_model.bundle, tmp_path / "copy"))


def altered(place: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The bundle with `change` made to its bundle.json and a seal that fits, as a forger would make it."""
    data = json.loads((place / "bundle.json").read_bytes())
    change(data)
    data["seal"] = ""
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    (place / "bundle.json").write_text(sealed(text), encoding="utf-8", newline="")
    return place


def replaced(place: Path, name: str, text: str) -> Path:
    """The bundle with one file replaced, its checksum and the seal set right."""
    (place / name).write_text(text, encoding="utf-8", newline="")
    return altered(place, lambda data: data["sha256"].update({name: hashlib.sha256(text.encode()).hexdigest()}))


def written(small_model: SmallModel, place: Path, **changes: Any) -> Path:
    """The small model written once more, to another place."""
    bundle = open_bundle(small_model.bundle)
    fit = Fit(bundle.model, (small_model.bundle / "model.txt").read_text(encoding="utf-8"))
    given: dict[str, Any] = {
        "model": fit,
        "judged": small_model.learnt.fit,
        "profile": bundle.profile,
        "importance": bundle.importance,
        "manifest": bundle.manifest,
        "samples": np.array([[np.nan if f.kind == "number" else 0.0 for f in bundle.model.encoder.fields]]),
        "documents": {},
    }
    return write_bundle(place, **{**given, **changes})


def test_a_bundle_opens_as_it_was_written(small_model: SmallModel) -> None:
    bundle = open_bundle(small_model.bundle)
    rows = sample_of(small_model.labelled, bundle.model.encoder).matrix
    assert bundle.definition == small_model.history.definition
    assert bundle.profile == small_model.profile
    assert bundle.manifest.simulated
    assert len(bundle.bundle_id) == 12
    assert np.isfinite(bundle.model.explain(rows).log_odds).all()


def test_a_bundle_is_the_same_bytes_wherever_it_is_written(small_model: SmallModel, tmp_path: Path) -> None:
    one, two = (written(small_model, tmp_path / name) for name in ("one", "two"))
    assert (one / "bundle.json").read_bytes() == (two / "bundle.json").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_one_byte_changed_in_any_file_is_found(copy: Path, name: str) -> None:
    raw = bytearray((copy / name).read_bytes())
    for position in {0, 1, len(raw) // 3, len(raw) // 2, len(raw) - 2, len(raw) - 1}:
        (copy / name).write_bytes(raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :])
        with pytest.raises(BundleError):
            open_bundle(copy)
    (copy / name).write_bytes(raw)
    assert open_bundle(copy)


def test_a_figure_changed_in_bundle_json_is_found_and_named(copy: Path) -> None:
    text = (copy / "bundle.json").read_text(encoding="utf-8")
    (copy / "bundle.json").write_text(text.replace('"handover_threshold": 0.2', '"handover_threshold": 0.3'), "utf-8")
    with pytest.raises(BundleError, match=r"bundle.json has been changed: its seal"):
        open_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        open_bundle(copy)


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_without_checksum_is_refused(copy: Path, name: str) -> None:
    with pytest.raises(BundleError, match=f"no SHA-256 for {name}"):
        open_bundle(altered(copy, lambda data: data["sha256"].pop(name)))


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_unknown_format_version_is_refused(copy: Path, version: object) -> None:
    with pytest.raises(BundleError, match=r"the format version is .*, this release reads 1"):
        open_bundle(altered(copy, lambda data: data.update(format_version=version)))


def test_a_foreign_fingerprint_is_refused(copy: Path) -> None:
    with pytest.raises(BundleError, match="but the bundle was made for f00"):
        open_bundle(altered(copy, lambda data: data.update(fingerprint="f00")))


def test_a_definition_changed_after_training_is_refused(copy: Path) -> None:
    with pytest.raises(BundleError, match="has the fingerprint"):
        open_bundle(altered(copy, lambda data: data["definition"]["target"].update(horizon_days=30)))
    with pytest.raises(BundleError, match="does not hold together"):
        open_bundle(altered(copy, lambda data: data["definition"].pop("grades")))


def test_other_log_odds_than_trainings_are_refused(copy: Path) -> None:
    samples = json.loads((copy / "samples.json").read_bytes())
    samples["log_odds"][3] += 1e-6
    with pytest.raises(BundleError, match="differ by 1e-06 from training's"):
        open_bundle(replaced(copy, "samples.json", json.dumps(samples)))


@pytest.mark.parametrize("log_odds", [[], [0.5]])
def test_samples_without_their_log_odds_are_refused(copy: Path, log_odds: list[float]) -> None:
    samples = {**json.loads((copy / "samples.json").read_bytes()), "log_odds": log_odds}
    with pytest.raises(BundleError, match="25 samples and log-odds of shape"):
        open_bundle(replaced(copy, "samples.json", json.dumps(samples)))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", "", "a\0b", "..\\secret"])
def test_a_name_that_leads_out_of_the_directory_is_refused(copy: Path, name: str) -> None:
    (copy.parent / "secret").write_text("x")
    sha256 = hashlib.sha256(b"x").hexdigest()
    with pytest.raises(BundleError, match="is not a plain file name"):
        open_bundle(altered(copy, lambda data: data["sha256"].update({name: sha256})))


@pytest.mark.parametrize("entry", ["definition", "levels", "sha256", "windows", "warnings", "handover_threshold"])
def test_a_missing_entry_is_one_clear_error(copy: Path, entry: str) -> None:
    with pytest.raises(BundleError, match=entry):
        open_bundle(altered(copy, lambda data: data.pop(entry)))


@pytest.mark.parametrize(("name", "text"), [("linear.json", "{}"), ("linear.json", "["), ("calibrator.json", "[]"),
                                            ("profile.json", "{}"), ("importance.json", '{"a": 1}'),
                                            ("samples.json", '{"rows": [[1], [1, 2]], "log_odds": [0]}'),
                                            ("model.txt", "tree\nversion=v9\n")])  # fmt: skip
def test_damage_with_a_fitting_checksum_is_still_a_clear_error(copy: Path, name: str, text: str) -> None:
    with pytest.raises(BundleError):
        open_bundle(replaced(copy, name, text))


def test_levels_for_which_the_model_has_no_value_are_refused_at_once(copy: Path) -> None:
    with pytest.raises(BundleError, match=r"levels for the field 'lead_source'"):
        open_bundle(altered(copy, lambda data: data["levels"]["lead_source"].append("new")))


def test_a_directory_that_is_no_bundle_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is .* a bundle"):
        open_bundle(tmp_path / "absent")


def test_a_seal_cannot_be_left_out(copy: Path) -> None:
    text = (copy / "bundle.json").read_text(encoding="utf-8")
    seal = json.loads(text)["seal"]
    for without in (text.replace(f' "seal": "{seal}",\n', ""), text.replace(f'"seal": "{seal}"', NO_SEAL)):
        (copy / "bundle.json").write_text(without, encoding="utf-8", newline="")
        with pytest.raises(BundleError, match="its seal"):
            open_bundle(copy)


def test_what_was_judged_and_what_is_shipped_are_two_models(small_model: SmallModel) -> None:
    judged, shipped = open_judged(small_model.bundle), open_bundle(small_model.bundle).model
    rows = sample_of(small_model.labelled, judged.encoder, small_model.cut.test).matrix
    assert np.array_equal(judged.explain(rows).log_odds, small_model.learnt.fit.model.explain(rows).log_odds)
    theirs = sample_of(small_model.labelled, shipped.encoder, small_model.cut.test).matrix
    assert not np.allclose(judged.explain(rows).log_odds, shipped.explain(theirs).log_odds)
    ours, theirs_too = judged.calibrator, shipped.calibrator  # the same slopes, each at the level of its own leads
    assert (ours.linear_slope, ours.tree_slope) == (theirs_too.linear_slope, theirs_too.tree_slope)


def test_a_changed_judged_model_is_not_opened(copy: Path) -> None:
    judged = json.loads((copy / "judged.json").read_bytes())
    (copy / "judged.json").write_text(json.dumps(judged), encoding="utf-8")
    with pytest.raises(BundleError, match=r"judged.json has been changed"):
        open_judged(copy)
    with pytest.raises(BundleError, match=r"judged.json cannot be read"):
        open_judged(replaced(copy, "judged.json", "{}"))


def test_a_bundle_is_never_overwritten(small_model: SmallModel) -> None:
    before = (small_model.bundle / "bundle.json").read_bytes()
    with pytest.raises(BundleError, match="never overwritten"):
        written(small_model, small_model.bundle)
    assert (small_model.bundle / "bundle.json").read_bytes() == before


def test_a_bundle_that_cannot_be_written_whole_is_not_there_at_all(small_model: SmallModel, tmp_path: Path) -> None:
    unwritable = {"first.md": "fine", "x" * 300: "a name that is too long for the file system"}
    with pytest.raises(OSError, match="too long"):
        written(small_model, tmp_path / "half", documents=unwritable)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model.txt", "bundle.json", "../card.md", "figures/lift.svg"])
def test_a_document_cannot_take_another_files_place(small_model: SmallModel, tmp_path: Path, name: str) -> None:
    with pytest.raises(InternalError, match="cannot be called"):
        written(small_model, tmp_path / "new", documents={name: "x"})
    assert list(tmp_path.iterdir()) == []


def test_opening_a_bundle_imports_no_frame_no_fitting_library_and_no_web(small_model: SmallModel) -> None:
    program = (
        "import sys; from pathlib import Path; from features.model.bundle import open_bundle, open_judged\n"
        "bundle = open_bundle(Path(sys.argv[1])); open_judged(Path(sys.argv[1]))\n"
        "from datetime import UTC, datetime; from features.reasons import explain_lead\n"
        "row = bundle.model.encoder.record({}, datetime(2026, 1, 1, tzinfo=UTC)).row\n"
        "e = bundle.model.explain(row[None])\n"
        "explain_lead(bundle, row, e.contributions[0], float(e.probability[0]), given={})\n"
        # Not scipy: numba looks at its version wherever it is installed.
        "heavy = 'pandas pyarrow sklearn lightgbm mlflow sqlalchemy fastapi joblib cloudpickle'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(small_model.bundle)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_a_bundle_holds_only_text(small_model: SmallModel) -> None:
    assert {path.name for path in small_model.bundle.iterdir()} == set(FILES)
    for path in small_model.bundle.iterdir():
        path.read_bytes().decode("utf-8")


def test_contributions_other_than_lightgbms_are_refused_when_the_bundle_is_opened(copy: Path) -> None:
    samples = json.loads((copy / "samples.json").read_bytes())
    theirs = np.array(samples["tree_contributions"])
    assert np.abs(theirs).max() > 0.01
    theirs[7, 0] += 1e-6
    with pytest.raises(BundleError, match="contributions of the trees differ by 1e-06 from LightGBM's"):
        open_bundle(replaced(copy, "samples.json", json.dumps({**samples, "tree_contributions": theirs.tolist()})))
    with pytest.raises(BundleError, match="has contributions of shape"):
        open_bundle(replaced(copy, "samples.json", json.dumps({**samples, "tree_contributions": [[0.0]]})))


def test_no_lead_of_the_history_stands_in_the_samples(small_model: SmallModel) -> None:
    bundle: Bundle = open_bundle(small_model.bundle)
    rows = np.array(json.loads((small_model.bundle / "samples.json").read_bytes())["rows"], dtype=float)
    leads = sample_of(small_model.labelled, bundle.model.encoder).matrix
    assert not any((np.nan_to_num(leads, nan=-1) == np.nan_to_num(row, nan=-1)).all(axis=1).any() for row in rows)
