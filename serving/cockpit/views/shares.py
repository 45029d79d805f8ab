"""What each field has to do with a stored score: its value, its points, and how such leads fared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import orjson

from features.reasons import FEWEST_FOR_A_RATE, MISSING, Saying, points_in_both, saying
from features.text import Text, same
from serving.cockpit.views.labels import Labels
from serving.scorer import Scorer

LEVEL = 0.9
"""Of the intervals of rates in the profile (features/profile.py)."""
Rate: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class FieldShare:
    """One field's share of a probability.

    Attributes
    ----------
    points : float
        In percentage points. All fields' points together are the way from the base probability to the lead's.
    evidence : Text, optional
        How such leads fared; None where only the model that scored it then could say.
    rate : (float, float, float), optional
        The interval of the rate at which they won, and its level, where a rate is told.
    owner : str
        `marketing`, `sales`, or empty if the definition in service does not know the field.
    note : {"", "missing", "unknown", "unlike"}
        Whether the value is missing, rare or new, or unlike all that training saw.
    """

    name: str
    label: Text
    value: Text
    points: float
    evidence: Text | None
    rate: Rate | None
    owner: str
    note: str


@dataclass(frozen=True, slots=True)
class Brief:
    """What speaks for a lead, or against it, in a few words."""

    label: Text
    value: Text
    points: float


def brief(answer: Mapping[str, Any], most: int) -> tuple[tuple[Brief, ...], tuple[Brief, ...]]:
    """The strongest listed reasons for a lead, and those against it, as they were answered then."""
    told = [Brief(_text(each["label"]), _text(each["value"]), each["points"]) for each in answer["reasons"]]
    told = [each for each in told if round(each.points, 1) != 0]
    return tuple(each for each in told if each.points > 0)[:most], tuple(each for each in told if each.points < 0)[
        :most
    ]


def shares(answer: Mapping[str, Any], inputs: bytes, as_of: datetime, scorer: Scorer | None) -> list[FieldShare]:
    """Every field of a stored score, the largest absolute points first.

    Parameters
    ----------
    inputs : bytes
        The score's fields as they came, as JSON.
    scorer : Scorer or None
        The scorer in service. If the score is its own, it says of every field what the answer says of the strongest.
    """
    given: dict[str, Any] = orjson.loads(inputs)
    labels, told = Labels(scorer), {each["field"]: each for each in answer["reasons"]}
    own = scorer if scorer is not None and scorer.bundle.bundle_id == answer["model"]["bundle_id"] else None
    row = own.encode(given, as_of).row if own else None
    found = []
    for column, each in enumerate(answer["contributions"]):
        name, points = each["field"], each["points"]
        if name in told:
            words = _words_told(told[name])
        elif own is not None and row is not None:
            words = _words_said(saying(own.bundle, column, float(row[column]), given.get(name)), points)
        else:
            words = _Words(labels.field(name), _as_it_came(given.get(name)))
        found.append(
            FieldShare(name, points=points, owner=labels.owner(name), note=_note(answer, name), **words._asdict())
        )
    return sorted(found, key=lambda share: -abs(share.points))


def total(of: Iterable[FieldShare]) -> float:
    """The points of fields together."""
    return math.fsum(share.points for share in of)


class _Words(NamedTuple):
    """What is said of a field's value."""

    label: Text
    value: Text
    evidence: Text | None = None
    rate: Rate | None = None


def _words_told(reason: Mapping[str, Any]) -> _Words:
    """A stored reason's words, without what stands beside them on a page: label, value and points."""
    label, value, text = _text(reason["label"]), _text(reason["value"]), _text(reason["text"])
    points, evidence = points_in_both(reason["points"]), reason["evidence"]
    rest = Text(
        text.en.removeprefix(f"{label.en}: {value.en}, {points.en}. "),
        text.de.removeprefix(f"{label.de}: {value.de}, {points.de}. "),
    )
    told = evidence["n"] >= FEWEST_FOR_A_RATE
    return _Words(label, value, rest, (evidence["low"], evidence["high"], LEVEL) if told else None)


def _words_said(said: Saying, points: float) -> _Words:
    evidence = {"n": said.evidence.n, "low": said.evidence.low, "high": said.evidence.high}
    texts = {name: text._asdict() for name, text in (("label", said.label), ("value", said.value))}
    return _words_told({**texts, "text": said.text(points)._asdict(), "points": points, "evidence": evidence})


def _note(answer: Mapping[str, Any], name: str) -> str:
    kinds = {"missing": answer["missing"], "unknown": answer["unknown"], "unlike": answer.get("unlike_training", ())}
    return next((note for note, names in kinds.items() if name in names), "")


def _as_it_came(value: object) -> Text:
    return MISSING if value is None else same(value if isinstance(value, str) else orjson.dumps(value).decode())


def _text(both: Mapping[str, str]) -> Text:
    return Text(both["en"], both["de"])
