"""The demo's definition and the simulator's export speak of the same things."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.definition import LeadDefinition, read_definition
from features.history import files_of, read_history
from features.text import LANGUAGES
from training.simulate import Format, Simulated, Simulation, write

DEFINITION = Path(__file__).parents[3] / "definitions" / "demo.toml"


@pytest.fixture(scope="module")
def definition() -> LeadDefinition:
    return read_definition(DEFINITION)


def test_every_exported_column_is_a_field_has_a_role_or_is_left_out_with_a_reason(
    definition: LeadDefinition, small: Simulated
) -> None:
    fields = {field.column for field in definition.fields.values()}
    named = fields | set(definition.columns.named().values()) | set(definition.left_out)
    assert named == set(small.export.columns)


def test_the_definition_asks_for_the_simulators_horizon_and_says_that_it_is_simulated(
    definition: LeadDefinition,
) -> None:
    assert definition.target.horizon_days == Simulation().horizon_days
    assert definition.timing == "dated"
    assert definition.simulated


def test_every_level_has_a_label_in_both_languages(definition: LeadDefinition, large: Simulated) -> None:
    for field in definition.fields.values():
        if field.type == "category" and field.column != "campaign":  # campaigns come and go every quarter
            assert set(field.values) == set(large.export[field.column].dropna())
            assert all(label.in_language(language) for label in field.values.values() for language in LANGUAGES)


def test_no_simulated_value_is_outside_the_agreed_range(definition: LeadDefinition, large: Simulated) -> None:
    numbers = [field for field in definition.fields.values() if field.type == "number"]
    assert all(large.export[field.column].min() >= (field.at_least or 0) for field in numbers)


def test_the_export_has_leads_of_every_grade(definition: LeadDefinition, large: Simulated) -> None:
    cuts = definition.grades
    probability = large.truth["true_probability"]
    for low, high in ((cuts.A, 1.0), (cuts.B, cuts.A), (cuts.C, cuts.B), (0.0, cuts.C)):
        assert ((probability >= low) & (probability < high)).mean() > 0.05


@pytest.mark.parametrize("file_format", ["german_csv", "csv", "parquet"])
def test_every_format_reads_back_as_the_history_that_was_simulated(
    definition: LeadDefinition, small: Simulated, tmp_path: Path, file_format: Format
) -> None:
    written = write(small, tmp_path, format=file_format)
    frame = read_history(definition, files_of(definition, str(written.leads))).frame
    assert frame["lead_id"].tolist() == small.export["lead_id"].tolist()
    assert frame["outcome"].tolist() == small.export["stage"].str.lower().tolist()
    for role in ("created", "closed"):
        assert frame[role].dt.tz_localize(None).equals(small.export[f"{role}_at"])
    for name, field in definition.fields.items():
        exported = small.export[field.column]
        if field.type == "number":
            np.testing.assert_array_equal(frame[name].to_numpy(), exported.to_numpy(float))
        else:
            as_text = exported.map({True: "true", False: "false"}) if field.type == "boolean" else exported
            assert frame[name].fillna("").tolist() == as_text.fillna("").tolist()
