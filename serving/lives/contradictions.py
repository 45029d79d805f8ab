"""What is told about a lead and does not go together: shown, not corrected, for only people know which is right."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import timedelta

from features.target import closed_before
from features.text import Text
from serving.lives.shapes import Contradiction
from serving.scorer import both
from serving.store import Life, Outcome

A_DAY = timedelta(days=1)
"""A date without a time of day stands for its start, so what is less than a day early may be in order."""
CLOSED = ("won", "lost")

TEXTS = {
    "outcomes_of_one_date": Text(
        "Different outcomes have the same date; the one that came last counts.",
        "Verschiedene Ergebnisse haben dasselbe Datum; es zählt das zuletzt eingetroffene.",
    ),
    "outcome_reversed": Text(
        "It was won and lost without having been opened again in between.",
        "Der Lead wurde gewonnen und verloren, ohne dazwischen wieder geöffnet zu werden.",
    ),
    "rejected_but_won": Text(
        "Sales rejected it, and it was won.", "Der Vertrieb hat den Lead abgelehnt, und er wurde gewonnen."
    ),
    "outcome_before_first_score": Text(
        "It was closed before the first score: the outcome was there before anything was predicted.",
        "Der Lead war vor dem ersten Score abgeschlossen: Das Ergebnis stand fest, bevor etwas vorhergesagt wurde.",
    ),
    "verdict_before_handover": Text(
        "The verdict is older than the handover.", "Das Urteil ist älter als die Übergabe."
    ),
    "contact_before_handover": Text(
        "The first contact is older than the handover.", "Der erste Kontakt ist älter als die Übergabe."
    ),
    "verdict_changed": Text(
        "Sales has changed its mind; the verdict with the latest date counts.",
        "Der Vertrieb hat sein Urteil geändert; es zählt das mit dem spätesten Datum.",
    ),
}


def contradictions(life: Life) -> list[Contradiction]:
    """What does not go together, each once."""
    return [Contradiction(code=code, text=both(TEXTS[code])) for code in dict.fromkeys(_codes(life))]


def _codes(life: Life) -> Iterator[str]:
    row = life.row
    yield from _of_outcomes(life.outcomes)
    if row["outcome"] == "won" and row["verdict"] == "rejected":
        yield "rejected_but_won"
    if row["outcome"] in CLOSED and closed_before(row["outcome_latest_at"], row["first_as_of"]):
        yield "outcome_before_first_score"
    if row["handed_over_at"] is not None:
        if row["verdict_at"] is not None and row["verdict_at"] + A_DAY <= row["handed_over_at"]:
            yield "verdict_before_handover"
        if row["first_contact_at"] is not None and row["first_contact_at"] < row["handed_over_at"]:
            yield "contact_before_handover"
    if len({verdict.verdict for verdict in life.verdicts}) > 1:
        yield "verdict_changed"


def _of_outcomes(told: Sequence[Outcome]) -> Iterator[str]:
    """Contradictions between outcomes, in the order of their own dates."""
    dated = sorted(told, key=lambda outcome: outcome.at)
    for earlier, later in itertools.pairwise(dated):
        if earlier.outcome != later.outcome:
            if earlier.at == later.at:
                yield "outcomes_of_one_date"
            elif "open" not in (earlier.outcome, later.outcome):
                yield "outcome_reversed"
