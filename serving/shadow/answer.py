"""How the challenger in the shadow is told about, in the API and at the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from serving.schemas import InBothLanguages, ModelName
from serving.scorer import Scorer, both
from serving.shadow.compare import Comparison, Matured, compare, in_words
from serving.store import Store


class MaturedShown(TypedDict):
    """Both models on leads whose horizon is over; a difference below 0 means that the challenger is better."""

    n: int
    won: int
    log_loss: float
    would_be_log_loss: float
    difference: float
    low: NotRequired[Annotated[float, Field(description="Of the 90 % interval of the difference.")]]
    high: NotRequired[float]


class ComparisonShown(TypedDict):
    """Both models on the leads that both scored, each lead once."""

    n: int
    mean_absolute_points: float
    other_grade: Annotated[float, Field(description="Share of leads that would have another grade.")]
    other_handover: Annotated[float, Field(description="Share of leads that would change between go and nurture.")]
    correlation: NotRequired[float]
    expected_wins: float
    would_be_expected_wins: float
    matured: NotRequired[MaturedShown]
    text: list[InBothLanguages]


class CountsShown(TypedDict):
    """What became of the leads that came to this worker since it started."""

    n_scored: int
    n_dropped: Annotated[int, Field(description="There was no room to wait, or they could not be stored.")]
    n_unfit: Annotated[int, Field(description="A value is one that the challenger's agreement does not allow.")]


class ShadowAnswer(TypedDict):
    """The challenger in the shadow, and how it compares with the model in service."""

    state: Annotated[str, Field(description="none, not_ready, same_as_champion or scoring.")]
    champion: NotRequired[ModelName]
    challenger: NotRequired[ModelName]
    fields_not_sent: NotRequired[
        Annotated[list[str], Field(description="Fields of the challenger alone: they are missing to it.")]
    ]
    fields_not_shown: NotRequired[
        Annotated[list[str], Field(description="Fields that the challenger does not know: it is not shown them.")]
    ]
    counts: NotRequired[CountsShown]
    comparison: NotRequired[ComparisonShown]


def shadow_answer(champion: Scorer, challenger: Scorer, store: Store, now: datetime) -> ShadowAnswer:
    """What is known about both models; blocks on the database.

    Raises
    ------
    StoreDownError
        If the database fails.
    """
    ours, theirs = champion.bundle.definition.fields, challenger.bundle.definition.fields
    same = champion.bundle.bundle_id == challenger.bundle.bundle_id
    answer = ShadowAnswer(
        state="same_as_champion" if same else "scoring",
        champion=champion.model_name,
        challenger=challenger.model_name,
        fields_not_sent=[name for name in theirs if name not in ours],
        fields_not_shown=[name for name in ours if name not in theirs],
    )
    pairs = store.shadows.pairs(champion.bundle.bundle_id, challenger.bundle.bundle_id)
    found = compare(pairs, champion.bundle.definition, now)
    if found is not None:
        answer["comparison"] = _shown(found)
    return answer


def _shown(found: Comparison) -> ComparisonShown:
    shown = ComparisonShown(
        n=found.n,
        mean_absolute_points=found.mean_absolute_points,
        other_grade=found.other_grade,
        other_handover=found.other_handover,
        expected_wins=found.expected_wins,
        would_be_expected_wins=found.would_be_expected_wins,
        text=[both(sentence) for sentence in in_words(found)],
    )
    if found.correlation is not None:
        shown["correlation"] = found.correlation
    if found.matured is not None:
        shown["matured"] = _matured(found.matured)
    return shown


def _matured(found: Matured) -> MaturedShown:
    shown = MaturedShown(
        n=found.n,
        won=found.won,
        log_loss=found.log_loss,
        would_be_log_loss=found.would_be_log_loss,
        difference=found.difference,
    )
    if found.interval is not None:
        shown |= {"low": found.interval[0], "high": found.interval[1]}
    return shown
