"""A page of a lead's history as it is answered, with what changed between the scores that follow each other."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from serving.feedback.telling import outcome_answer, verdict_answer
from serving.lives.comparing import compare
from serving.lives.queries import packed_place
from serving.lives.shapes import Happening, HistoryAnswer, ScoreShown
from serving.scorer import Scorer, in_utc
from serving.store import Happened, Outcome, Place, Store, StoredScore, Verdict


def history_answer(
    store: Store, lead_id: str, after: Place | None, most: int, scorer: Scorer | None
) -> HistoryAnswer | None:
    """What came in about a lead, in the order of arrival; None if no score of it is stored.

    Parameters
    ----------
    after : Place or None
        Where the page before ended.
    scorer : Scorer or None
        The scorer in service, to tell data and model apart.
    """
    found = store.lives.history(lead_id, after, most + 1)
    if not found and after is None:
        return None
    page = found[:most]
    answer = HistoryAnswer(lead_id=lead_id, history=_happenings(store, lead_id, page, scorer))
    if len(found) > most:
        answer["next"] = packed_place(page[-1][0])
    return answer


def _happenings(
    store: Store, lead_id: str, page: Sequence[tuple[Place, Happened]], scorer: Scorer | None
) -> list[Happening]:
    before = store.lives.score_before(lead_id, page[0][0]) if page else None
    happenings = []
    for _, happened in page:
        if isinstance(happened, StoredScore):
            happenings.append(_of_score(happened, before, scorer))
            before = happened
        else:
            happenings.append(_of_told(happened))
    return happenings


def _of_score(score: StoredScore, before: StoredScore | None, scorer: Scorer | None) -> Happening:
    happening = Happening(kind="score", received_at=in_utc(score.received_at), score=_shown(score))
    if before is not None:
        happening["change"] = compare(before, score, scorer)
    return happening


def _of_told(told: Outcome | Verdict) -> Happening:
    received_at = in_utc(told.received_at)
    if isinstance(told, Outcome):
        return Happening(kind="outcome", received_at=received_at, outcome=outcome_answer(told))
    return Happening(kind="verdict", received_at=received_at, verdict=verdict_answer(told))


def _shown(score: StoredScore) -> ScoreShown:
    return {
        "score_id": score.score_id,
        "as_of": in_utc(score.as_of),
        "probability": score.probability,
        "score": score.score,
        "grade": score.grade,  # type: ignore[typeddict-item]  # a text in the store, one of the words at its door
        "handover": score.handover,  # type: ignore[typeddict-item]
        "model_name": score.model_name,
        "model_version": score.model_version,
        "bundle_id": score.bundle_id,
        "definition": orjson.loads(score.answer)["model"]["definition"],
    }
