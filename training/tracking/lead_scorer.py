"""A bundle as MLflow loads it: pandas in, pandas out, the numbers of `LeadModel.explain` bit for bit.

MLflow copies this file into the model and runs it when the model is loaded ("models from code"), so nothing is
pickled. With it travel `features/` and the bundle. Training never imports it; `packaging.py` only names its path.

One row per lead, one column per field of the definition, every field optional: numbers as double, categories and
booleans ("true", "false") as string, dates as ISO string. Booleans are strings because a boolean column of pandas
cannot hold a missing value. Where the definition has a date field, the column `as_of` (ISO date or date-time; without
an offset, in the definition's time zone) says for which moment each lead is scored; nothing here asks for the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from features.encode import Matrix, moment_of, shown
from features.errors import Problem, RecordError
from features.grades import grade, score
from features.model.bundle import Bundle, open_bundle
from features.text import Text

AS_OF = "as_of"
BOOLEANS = {"true": True, "false": False}
ROWS_SHOWN = 5
UNUSED_AS_OF = datetime(2000, 1, 1, tzinfo=UTC)  # without date fields no number depends on it


class LeadScorer(PythonModel):
    """Scores frames of leads with the bundle that was logged beside it."""

    def load_context(self, context: Any) -> None:
        """Open and verify the bundle."""
        self.bundle = open_bundle(Path(context.artifacts["bundle"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002 MLflow's signature
        """Per lead: probability, log_odds, score, grade, base_log_odds, and contribution_<field> in log-odds.

        Raises
        ------
        RecordError
            With every field that does not fit and the rows (from 1) where it does not.
        """
        return _scores(self.bundle, _matrix(self.bundle, model_input), model_input.index)


def _scores(bundle: Bundle, matrix: Matrix, index: pd.Index) -> pd.DataFrame:
    explained = bundle.model.explain(matrix)
    probabilities = explained.probability.tolist()
    columns = {
        "probability": explained.probability,
        "log_odds": explained.log_odds,
        "score": np.array([score(probability) for probability in probabilities], dtype=np.int64),
        "grade": [grade(probability, bundle.definition) for probability in probabilities],
        "base_log_odds": np.full(len(matrix), bundle.model.base_log_odds),
    }
    for place, name in enumerate(bundle.model.encoder.names):
        columns[f"contribution_{name}"] = explained.contributions[:, place]
    return pd.DataFrame(columns, index=index)


def _matrix(bundle: Bundle, frame: pd.DataFrame) -> Matrix:
    """Every lead as the encoder's single-record path writes it: the same checks and the same numbers as the service."""
    encoder, problems = bundle.model.encoder, _Problems()
    leads, moments = _leads(bundle, frame), _moments(bundle, frame)
    matrix = np.empty((len(frame), len(encoder.fields)))
    for position, (lead, moment) in enumerate(zip(leads, moments, strict=True)):
        try:
            as_of = moment if isinstance(moment, datetime) else _moment(moment, encoder.definition.read.timezone)
            matrix[position] = encoder.record(lead, as_of).row
        except RecordError as error:
            problems.add(position + 1, error)
    problems.raise_if_any()
    return matrix


def _leads(bundle: Bundle, frame: pd.DataFrame) -> list[Mapping[str, Any]]:
    fields = bundle.definition.fields
    columns = {
        name: _flags(frame[name]) if field.type == "boolean" else _plain(frame[name])
        for name, field in fields.items()
        if name in frame.columns
    }
    return [{name: values[row] for name, values in columns.items()} for row in range(len(frame))]


def _moments(bundle: Bundle, frame: pd.DataFrame) -> list[Any]:
    if all(field.type != "date" for field in bundle.definition.fields.values()):
        return [UNUSED_AS_OF] * len(frame)
    return _plain(frame[AS_OF]) if AS_OF in frame.columns else [None] * len(frame)


def _plain(column: pd.Series) -> list[Any]:
    """The values as JSON would hold them, None where missing."""
    values = column.astype(object)
    return [None if missing else value for value, missing in zip(values, column.isna(), strict=True)]


def _flags(column: pd.Series) -> list[Any]:
    """Booleans as JSON would hold them; what is no "true" or "false" stays, for the encoder to refuse."""
    return [BOOLEANS.get(value, value) if isinstance(value, str) else value for value in _plain(column)]


def _moment(value: object, timezone: str) -> datetime:
    try:
        return moment_of(str(value), ZoneInfo(timezone))
    except ValueError as error:
        raise RecordError([_bad_as_of(value)]) from error


def _bad_as_of(value: object) -> Problem:
    return Problem(
        where=AS_OF,
        what=Text("there is no as-of date to count dates from", "es fehlt der Stichtag, von dem aus Daten zählen"),
        seen=shown(value),
        expected=Text(
            "a date such as 2026-01-31 or 2026-01-31T09:30:00Z",
            "ein Datum wie 2026-01-31 oder 2026-01-31T09:30:00Z",
        ),
        code="invalid_as_of",
    )


class _Problems:
    """Collects what does not fit: one problem per field and kind, with the rows that have it."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], Problem] = {}
        self._rows: dict[tuple[str, str], list[int]] = {}

    def add(self, row: int, error: RecordError) -> None:
        for problem in error.problems:
            kind = (problem.where, problem.code)
            self._first.setdefault(kind, problem)
            self._rows.setdefault(kind, []).append(row)

    def raise_if_any(self) -> None:
        if self._first:
            raise RecordError(
                replace(problem, rows=tuple(self._rows[kind][:ROWS_SHOWN]), n_rows=len(self._rows[kind]))
                for kind, problem in self._first.items()
            )


set_model(LeadScorer())
