"""The histories that are measured on, read and labelled as any training run does.

Real sets lie outside of this project: in the folder that LEAD_DATA names, or beside the repository. Their definitions
are the shipped ones, with two variants that only comparisons need: x_education with the columns that are not known at
capture but are no hard leaks (what published figures use), and olist with a horizon of 90 days.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.command import NotMeasuredError
from features.definition import FieldType, LeadDefinition, LeadField, read_definition
from features.history import files_of, read_history
from features.text import same
from training.labels import Labelled, label
from training.recipe.sample import FloatArray
from training.simulate import Simulated, Simulation, simulate, write
from training.splits import Rows, Split, split

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LEAD_DATA", ROOT.parent / "shared" / "data"))

LATER_BUT_NO_HARD_LEAK: dict[str, FieldType] = {
    "TotalVisits": "number",
    "Total Time Spent on Website": "number",
    "Page Views Per Visit": "number",
    "Do Not Email": "boolean",
    "Do Not Call": "boolean",
    "What is your current occupation": "category",
    "What matters most to you in choosing a course": "category",
}
REAL_SETS = {
    "bank": "bank_marketing, no duration, day or month",
    "x_education": "x_education, known at capture (13 fields)",
    "x_education_later": "x_education, hard leaks removed (20 fields)",
    "olist": "olist_funnel, leads of 2018, won within 90 days",
}


class MissingDataError(NotMeasuredError):
    """A real set is not there; the message says where it was looked for."""


def real(name: str) -> Labelled:
    """The labelled leads of a real set, oldest first.

    Raises
    ------
    MissingDataError
        If its file is not in the folder.
    """
    definition = definition_of(name)
    labelled = label(read_history(definition, files_of(definition, str(path_of(name)))))
    return labelled if definition.columns.id else _in_file_order(labelled)


def _in_file_order(labelled: Labelled) -> Labelled:
    """The leads with those of one day as the file has them: without ids, that is the order in which they came."""
    place = labelled.frame["lead_id"].str.removeprefix("row-").astype("int64")
    order = pd.DataFrame({"when": labelled.frame["when"], "place": place}).sort_values(["when", "place"]).index
    return replace(labelled, frame=labelled.frame.loc[order].reset_index(drop=True))


def path_of(name: str) -> Path:
    """The file of a real set."""
    path = DATA / f"{_file(name)}.csv"
    if not path.exists():
        raise MissingDataError(f"{path.name} is not in {DATA}; LEAD_DATA names another folder")
    return path


def definition_of(name: str) -> LeadDefinition:
    """The shipped definition of a real set, or the variant that comparisons need."""
    shipped = read_definition(ROOT / "definitions" / f"{_file(name)}.toml")
    if name == "olist":
        return shipped.model_copy(update={"target": shipped.target.model_copy(update={"horizon_days": 90})})
    if name == "x_education_later":
        return with_left_out(shipped, LATER_BUT_NO_HARD_LEAK)
    return shipped


def with_left_out(shipped: LeadDefinition, kinds: dict[str, FieldType]) -> LeadDefinition:
    """The definition with these of its left-out columns as fields, said to be known at creation."""
    back = {
        f"back_{number}": LeadField(column=column, type=kind, known="creation", owner="sales", label=same(column))
        for number, (column, kind) in enumerate(kinds.items())
    }
    left_out = {column: why for column, why in shipped.left_out.items() if column not in kinds}
    return shipped.model_copy(update={"fields": {**shipped.fields, **back}, "left_out": left_out})


def _file(name: str) -> str:
    return {"bank": "bank_marketing", "olist": "olist_funnel"}.get(name, "x_education")


@dataclass(frozen=True)
class SimulatedLeads:
    """Simulated leads as a training run sees them, and what is true of them.

    Attributes
    ----------
    true_probability : ndarray of shape (n_labelled,)
        Of the labelled leads, in their order.
    """

    labelled: Labelled
    simulated: Simulated
    true_probability: FloatArray

    def truth(self, column: str) -> FloatArray:
        """Another column of the truth, shape (n_labelled,)."""
        return _in_order(self.labelled, self.simulated.truth, column)


def simulated(parameters: Simulation, definition: LeadDefinition | None = None) -> SimulatedLeads:
    """A simulated history, written and read as an export; the demo's definition unless another is given."""
    made = simulate(parameters)
    definition = definition or demo_definition()
    with TemporaryDirectory() as folder:
        written = write(made, Path(folder), format="parquet")
        labelled = label(read_history(definition, files_of(definition, str(written.leads))))
    return SimulatedLeads(labelled, made, _in_order(labelled, made.truth, "true_probability"))


def demo_definition() -> LeadDefinition:
    """The demo's definition, whose horizon is the simulator's."""
    return read_definition(ROOT / "definitions" / "demo.toml")


def with_chances(definition: LeadDefinition) -> LeadDefinition:
    """The demo's definition for a company that works only some leads: it says where their chances stand."""
    columns = definition.columns.model_copy(update={"worked_chance": "worked_chance"})
    left_out = {column: why for column, why in definition.left_out.items() if column != "worked_chance"}
    return definition.model_copy(update={"columns": columns, "left_out": left_out})


def _in_order(labelled: Labelled, truth: pd.DataFrame, column: str) -> FloatArray:
    by_lead = truth.set_index("lead_id")[column]
    return np.asarray(by_lead.loc[labelled.frame["lead_id"]].to_numpy(dtype=np.float64))


def cut_by_shares(labelled: Labelled, until: float = 1.0, train: float = 0.70, calibrate: float = 0.15) -> Split:
    """The oldest 70 %, the next 15 % and the 15 % after of the leads up to the share `until`; without gaps.

    The protocol of published figures. Training runs cut with a gap of one horizon (`training.splits`); where the
    leads of five months have a horizon of three, nothing would be left to learn from. Accounts stay on one side:
    real sets have none, each lead is its own.
    """
    n = int(until * len(labelled.frame))
    first, second = int(train * n), int((train + calibrate) * n)
    rows = np.arange(n, dtype=np.int64)
    accounts = labelled.frame["account"].to_numpy()
    newest = rows[second:]
    middle = _without(rows[first:second], accounts, newest)
    oldest = _without(rows[:first], accounts, rows[first:])
    seen = np.concatenate([oldest, middle])
    return Split(oldest, middle, newest, seen, True, 0, n - len(seen) - len(newest))


def cut_with_gaps(labelled: Labelled, until: float) -> tuple[Labelled, Split]:
    """The leads up to the share `until`, cut as a training run would."""
    earlier = replace(labelled, frame=labelled.frame.iloc[: int(until * len(labelled.frame))])
    return earlier, split(earlier)


def _without(rows: Rows, accounts: np.ndarray, others: Rows) -> Rows:
    return rows[~pd.Series(accounts[rows]).isin(set(accounts[others])).to_numpy()]
