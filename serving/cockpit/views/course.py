"""How a lead's probability went over time, and what changed between two of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.course import Point, course
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.formats import Reader
from serving.lives.comparing import compare
from serving.lives.shapes import ChangeAnswer
from serving.scorer import Scorer
from serving.store import Life, ScoreInShort, Store

MOST_SCORES = 60


@dataclass(frozen=True, slots=True)
class Course:
    """The lead's scores over time.

    Attributes
    ----------
    picture : Picture, optional
        Only of several scores.
    scores : tuple of (str, str)
        Names of the newest scores, with their date and probability in words.
    n_scores : int
        How many there are; the picture shows at most `MOST_SCORES`.
    change : ChangeAnswer, optional
        Between `before` and `after`.
    """

    picture: Picture | None
    scores: tuple[tuple[str, str], ...]
    n_scores: int
    before: str
    after: str
    change: ChangeAnswer | None


def course_of(store: Store, life: Life, two: tuple[str, str], scorer: Scorer | None, reader: Reader) -> Course:
    """The lead's scores, for one reader; `two` names those to compare, empty for the latest two."""
    lead_id = life.row["lead_id"]
    newest = store.lives.newest(lead_id, MOST_SCORES)
    names = (two[0] or (newest[1].score_id if len(newest) > 1 else ""), two[1] or newest[0].score_id)
    before, after = (store.lives.score(lead_id, name) if name else None for name in names)
    return Course(
        picture=_picture(newest[::-1], reader) if len(newest) > 1 else None,
        scores=tuple((each.score_id, _in_short(each, reader)) for each in newest),
        n_scores=life.n_scores,
        before=names[0],
        after=names[1],
        change=compare(before, after, scorer) if before and after and before.score_id != after.score_id else None,
    )


def _in_short(score: ScoreInShort, reader: Reader) -> str:
    return f"{reader.moment(score.as_of)} · {reader.percent(score.probability, 1)}"


def _picture(scores: Sequence[ScoreInShort], reader: Reader) -> Picture:
    t = Catalogue(reader)
    points = []
    for number, score in enumerate(scores):
        local = score.as_of.astimezone(reader.zone).replace(tzinfo=None).isoformat(timespec="seconds")
        is_first = number > 0 and score.bundle_id != scores[number - 1].bundle_id
        shown = (reader.moment(score.as_of), reader.percent(score.probability), score.model_version)
        points.append(Point(local, score.probability, *shown, is_first_of_model=is_first))
    several = any(point.is_first_of_model for point in points)
    return course(
        points,
        reader.language,
        title=t("lead.course.title"),
        says=t("lead.course.says_models" if several else "lead.course.says"),
        columns=(t("lead.course.at"), t("lead.probability"), t("lead.course.model")),
    )
