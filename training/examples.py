"""Labelled leads as the numbers that fitting and judging take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.definition import LeadDefinition
from features.encode import FIRST_LEVEL_CODE, Encoder, Matrix
from features.profile import Profile
from training.judging.tables import MISSING
from training.labels import Labelled
from training.recipe.sample import Sample
from training.splits import Rows

MOST_SEGMENTATIONS = 3
MOST_LEVELS_OF_A_SEGMENTATION = 12


def sample_of(labelled: Labelled, encoder: Encoder, rows: Rows | None = None) -> Sample:
    """The leads at `rows` (all, without), encoded."""
    frame = labelled.frame if rows is None else labelled.frame.iloc[rows]
    return Sample(
        matrix=encoder.frame(frame, frame["as_of"]),
        target=frame["target"].to_numpy(dtype=float),
        account=pd.factorize(labelled.frame["account"])[0][slice(None) if rows is None else rows],
        order=frame["when"].to_numpy(dtype=float),
        worked_chance=frame["worked_chance"].to_numpy(dtype=float),
    )


def segments_of(definition: LeadDefinition, leads: pd.DataFrame) -> Mapping[str, npt.NDArray[np.str_]]:
    """The first categories of the definition that cut `leads` into a readable number of segments, by field."""
    segments = {}
    for name, field in definition.fields.items():
        if field.type == "category" and 2 <= leads[name].nunique() <= MOST_LEVELS_OF_A_SEGMENTATION:
            segments[name] = leads[name].fillna(MISSING).to_numpy(dtype=str)
        if len(segments) == MOST_SEGMENTATIONS:
            break
    return segments


def synthetic_rows(encoder: Encoder, profile: Profile, n_leads: int, seed: int) -> Matrix:
    """Made-up encoded leads, shape (n_leads, n_fields): any level, any number near the edges of the profile, gaps.

    Each field is drawn on its own, so no row is, or resembles, a lead of the history.
    """
    rng = np.random.default_rng(seed)
    rows = np.empty((n_leads, len(encoder.fields)))
    for column, (field, known) in enumerate(zip(encoder.fields, profile.fields, strict=True)):
        if field.kind == "category":
            rows[:, column] = rng.integers(0, FIRST_LEVEL_CODE + len(field.levels), n_leads)
            continue
        low, high = (known.edges[0], known.edges[-1]) if known.edges else (0.0, 1.0)
        width = max(high - low, 1.0)
        values = np.round(rng.uniform(low - width / 4, high + width / 4, n_leads), 1)
        rows[:, column] = np.where(rng.random(n_leads) < 0.1, np.nan, values)
    return rows
