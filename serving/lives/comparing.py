"""What changed between two stored scores of a lead, as it is answered.

One model must weigh the data of both scores. If both come from the same model, their stored contributions are that.
Else the model in service weighs the data of the one that it did not score, if the other one is its own.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import orjson

from features.changes import Change, Weighed, change_between, change_in_words, field_in_words, undivided_in_words
from features.encode import EncodedRecord
from features.errors import RecordError
from features.reasons import value_in_words
from features.text import Text, same
from serving.lives.shapes import ChangeAnswer, FieldChanged
from serving.scorer import Scorer, both
from serving.store import StoredScore

NEITHER = Text("neither of the two models is in service", "keines der beiden Modelle ist im Einsatz")
UNREADABLE = Text(
    "the model in service cannot read the data of the other score",
    "das Modell im Einsatz kann die Daten des anderen Scores nicht lesen",
)


class _Seen(NamedTuple):
    """The fields of a score as they came, and as the model in service sees them, if it can."""

    given: dict[str, Any]
    record: EncodedRecord | None


def compare(before: StoredScore, after: StoredScore, scorer: Scorer | None) -> ChangeAnswer:
    """The difference between two scores, in points and in words.

    Parameters
    ----------
    scorer : Scorer or None
        The scorer in service.
    """
    same_model = before.bundle_id == after.bundle_id
    own = scorer.bundle.bundle_id if scorer is not None else None
    seen = _seen(before, scorer), _seen(after, scorer)
    if not same_model and own not in (before.bundle_id, after.bundle_id):
        return _undivided(before, after, NEITHER)
    by = before.bundle_id if same_model else own
    weighed = _weighed(before, seen[0], by, scorer), _weighed(after, seen[1], by, scorer)
    if weighed[0] is None or weighed[1] is None:
        return _undivided(before, after, UNREADABLE)
    change = change_between(before.probability, after.probability, weighed[0], weighed[1])
    answer = _answer(before, after, change.points, change_in_words(change, same_model=same_model))
    answer |= {
        "divided": True,
        "data_points": change.data_points,
        "model_points": change.model_points,
        "fields": _fields(change, seen, scorer),
    }
    return answer


def _answered(score: StoredScore) -> Weighed:
    """The lead as the model of the score weighed it then."""
    contributions = orjson.loads(score.answer)["contributions"]
    return Weighed(score.probability, {each["field"]: each["contribution"] for each in contributions})


def _weighed(score: StoredScore, seen: _Seen, by: str | None, scorer: Scorer | None) -> Weighed | None:
    """The lead as the model `by` weighs it: its own, or else the one in service, which may not be able to read it."""
    if score.bundle_id == by:
        return _answered(score)
    if scorer is None or seen.record is None:
        return None
    explained = scorer.bundle.model.explain(np.array([seen.record.row]))
    names = scorer.bundle.model.encoder.names
    return Weighed(float(explained.probability[0]), dict(zip(names, explained.contributions[0].tolist(), strict=True)))


def _seen(score: StoredScore, scorer: Scorer | None) -> _Seen:
    """The data of a score; fields that the model in service does not know are nothing to it."""
    given: dict[str, Any] = orjson.loads(score.inputs)
    if scorer is None:
        return _Seen(given, None)
    known = {name: value for name, value in given.items() if name in scorer.bundle.definition.fields}
    try:
        return _Seen(given, scorer.encode(known, score.as_of))
    except RecordError:
        return _Seen(given, None)


def _fields(change: Change, seen: tuple[_Seen, _Seen], scorer: Scorer | None) -> list[FieldChanged]:
    """Each field that moved, or whose value did, the largest first."""
    shown = [_field(name, points, seen, scorer) for name, points in change.by_field.items()]
    moved = [each for each in shown if each["changed"] or each["points"] != 0]
    return sorted(moved, key=lambda each: -abs(each["points"]))


def _field(name: str, points: float, seen: tuple[_Seen, _Seen], scorer: Scorer | None) -> FieldChanged:
    before, after = (_value(name, each, scorer) for each in seen)
    label = scorer.bundle.definition.fields[name].label if _knows(scorer, name) and scorer else same(name)
    # The days since a date grow from minute to minute: that is a change once it can be read.
    changed = before.code != after.code and (before.words != after.words or before.raw != after.raw)
    return FieldChanged(
        field=name,
        label=both(label),
        before=both(before.words),
        after=both(after.words),
        changed=changed,
        points=points,
        text=both(field_in_words(label, before.words, after.words, points, changed=changed)),
    )


class _Value(NamedTuple):
    """A value: as it came, as the model in service reads it, and in words."""

    raw: object
    code: object
    words: Text


def _value(name: str, seen: _Seen, scorer: Scorer | None) -> _Value:
    """A field's value as the model in service reads it; as it came, if there is none or it cannot."""
    raw = seen.given.get(name)
    if scorer is None or seen.record is None or not _knows(scorer, name):
        return _Value(raw, raw, same(orjson.dumps(raw).decode()) if raw is not None else MISSING)
    column = scorer.bundle.model.encoder.names.index(name)
    field, agreed = scorer.bundle.model.encoder.fields[column], scorer.bundle.definition.fields[name]
    code = float(seen.record.row[column])
    words = value_in_words(field, agreed, code, raw)
    by = (code, raw if name in seen.record.unknown else None)
    return _Value(raw, None if math.isnan(code) else by, words)


def _knows(scorer: Scorer | None, name: str) -> bool:
    return scorer is not None and name in scorer.bundle.definition.fields


def _undivided(before: StoredScore, after: StoredScore, reason: Text) -> ChangeAnswer:
    points = 100 * (after.probability - before.probability)
    return _answer(before, after, points, undivided_in_words(points, reason))


def _answer(before: StoredScore, after: StoredScore, points: float, text: Text) -> ChangeAnswer:
    return {
        "before": before.score_id,
        "after": after.score_id,
        "points": points,
        "same_model": before.bundle_id == after.bundle_id,
        "divided": False,
        "text": both(text),
    }


MISSING = Text(en="not given", de="keine Angabe")
