"""A bundle as an MLflow model: what goes in and comes out, a made-up example, and what it needs to run."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

import features
from features.definition import LeadDefinition
from features.encode import EncodedField
from features.model.bundle import Bundle, open_bundle
from features.profile import FieldProfile

MODEL_NAME_IN_RUN = "model"
BUNDLE_IN_MODEL = "artifacts/bundle"
AS_OF = "as_of"
EXAMPLE_AS_OF = "2026-01-31"
NEEDED = ("mlflow", "numba", "numpy", "pandas", "pydantic", "tzdata")
TYPES = {
    "number": DataType.double,
    "category": DataType.string,
    "boolean": DataType.string,
    "date": DataType.string,
}


def log_bundle(place: Path) -> Any:
    """MLflow's `ModelInfo` of the bundle in the directory `place`, logged to the active run.

    Raises
    ------
    BundleError
        If it is not a bundle that this machine can open.
    """
    bundle = open_bundle(place)
    with _copied(place) as copy, _without_mlflows_own_warnings():
        return mlflow.pyfunc.log_model(
            name=MODEL_NAME_IN_RUN,
            python_model=str(Path(__file__).with_name("lead_scorer.py")),
            artifacts={"bundle": str(copy)},
            code_paths=[str(Path(features.__file__).parent)],
            signature=signature_of(bundle.definition),
            input_example=input_example(bundle),
            pip_requirements=requirements(),
            metadata={"bundle_id": bundle.bundle_id, "fingerprint": bundle.definition.fingerprint},
        )


def signature_of(definition: LeadDefinition) -> ModelSignature:
    """Inputs and outputs of the model, as `lead_scorer.py` describes them.

    All fields are optional. `as_of` is required where the definition has a date field, and absent where it has none.
    """
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(TYPES[field.type], name, required=False) for name, field in definition.fields.items()
    ]
    if _has_dates(definition):
        inputs.append(ColSpec(DataType.string, AS_OF, required=True))
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double, "probability"),
        ColSpec(DataType.double, "log_odds"),
        ColSpec(DataType.long, "score"),
        ColSpec(DataType.string, "grade"),
        ColSpec(DataType.double, "base_log_odds"),
        *(ColSpec(DataType.double, f"contribution_{name}") for name in definition.fields),
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def input_example(bundle: Bundle) -> pd.DataFrame:
    """One made-up lead: of each field the level or the value in the middle of its range. It is nobody's record."""
    definition = bundle.definition
    fields = zip(bundle.model.encoder.fields, bundle.profile.fields, strict=True)
    values = {
        field.name: _middle(field, profile, definition.fields[field.name].type == "date") for field, profile in fields
    }
    if _has_dates(definition):
        values[AS_OF] = EXAMPLE_AS_OF
    return pd.DataFrame([values])


def requirements() -> list[str]:
    """What the model needs to run, pinned to the versions that it was trained beside."""
    return [f"{name}=={version(name)}" for name in NEEDED]


@contextmanager
def _without_mlflows_own_warnings() -> Iterator[None]:
    """MLflow 3.17 warns about its own code, which nobody here can change; to be tried without at every update."""
    with warnings.catch_warnings():
        # on importing mlflow.pyfunc: about the type hints of its chat models
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType", category=UserWarning)
        # on saving an example: pandas 3.1 about how MLflow compares column names with a range
        warnings.filterwarnings("ignore", message="Operation with range is deprecated", category=DeprecationWarning)
        yield


def _has_dates(definition: LeadDefinition) -> bool:
    return any(field.type == "date" for field in definition.fields.values())


def _middle(field: EncodedField, profile: FieldProfile, is_date: bool) -> float | str | None:
    if field.kind == "category":
        return field.levels[len(field.levels) // 2] if field.levels else None
    middle = profile.edges[len(profile.edges) // 2] if profile.edges else 0.0
    if not is_date:
        return float(middle)
    return (pd.Timestamp(EXAMPLE_AS_OF) - pd.Timedelta(days=max(0, int(middle)))).date().isoformat()


@contextmanager
def _copied(place: Path) -> Iterator[Path]:
    """A copy named `bundle`: MLflow names an artefact by its directory, and serving must find it in every version."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(place, Path(folder) / "bundle"))
