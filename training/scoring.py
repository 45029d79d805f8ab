"""Scoring a whole export: one row per lead with probability, grade, handover and every contribution.

Outcomes in the export play no part; what scores here is what the service scores, through the same encoder and model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from features.errors import OutsideError
from features.grades import grade, handover, score
from features.history import read_leads
from features.model.bundle import Bundle
from features.sources import Source
from features.text import Text


def score_export(
    bundle: Bundle, source: Source, *, tell: Callable[[Text], object] = lambda _note: None
) -> pd.DataFrame:
    """One row per lead of the export, in its order; `tell` is given each note on how the export was read.

    Returns
    -------
    DataFrame
        `lead_id`, `as_of`, `probability`, `score`, `grade`, `handover`, `log_odds`, `base_log_odds`, and
        `contribution.FIELD` in log-odds for every field: base plus contributions is the log-odds.
    """
    definition, model = bundle.definition, bundle.model
    leads = read_leads(definition, source, tell=tell)
    explained = model.explain(model.encoder.frame(leads, leads["as_of"]))
    probabilities = explained.probability.tolist()
    scores = pd.DataFrame(
        {
            "lead_id": leads["lead_id"],
            "as_of": leads["as_of"],
            "probability": explained.probability,
            "score": [score(p) for p in probabilities],
            "grade": [grade(p, definition) for p in probabilities],
            "handover": [handover(p, bundle.manifest.handover_threshold) for p in probabilities],
            "log_odds": explained.log_odds,
            "base_log_odds": model.base_log_odds,
        }
    )
    names = [f"contribution.{name}" for name in model.encoder.names]
    return pd.concat([scores, pd.DataFrame(explained.contributions, columns=names)], axis=1)


def write_scores(scores: pd.DataFrame, out: Path) -> None:
    """Write scores as Parquet (`.parquet`) or CSV (anything else).

    Raises
    ------
    OutsideError
        If the file cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".parquet":
            scores.to_parquet(out, index=False)
        else:
            scores.to_csv(out, index=False)
    except OSError as error:
        raise OutsideError(f"{out} cannot be written: {error.strerror}.") from error
