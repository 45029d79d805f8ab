"""The difference between two scores of one lead: so many points because its data changed, so many because of the model.

Whatever the two scores came from, one model weighs the data before and the data after. What lies between these two
weighings is due to the data, field by field; what is left of the difference of the answered probabilities is due to the
model. If both scores come from one model, nothing is left.

    answered:  0.20 by the old model  ->  0.35 by the new one          +15 points
    weighed:   the new model makes 0.24 of the old data, 0.35 of the new
    so         +11 points because the data changed, +4 because the model did
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from features.reasons import points_in_both
from features.text import Text

CANCELLED = 1e-9


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one model makes of a lead: its probability, and the contribution of each field in log-odds."""

    probability: float
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two scores, in percentage points.

    Attributes
    ----------
    points : float
        Of the answered probabilities; the sum of the next two.
    data_points, model_points : float
        Because the lead's data changed, and because the model did.
    by_field : mapping of str to float
        Adds up to `data_points`. A field whose value stayed can move, where it matters together with another one.
    """

    points: float
    data_points: float
    model_points: float
    by_field: Mapping[str, float]


def change_between(before: float, after: float, weighed_before: Weighed, weighed_after: Weighed) -> Change:
    """The difference between two answered probabilities, divided by what is due to data and to the model.

    Parameters
    ----------
    before, after : float
        The probabilities as they were answered.
    weighed_before, weighed_after : Weighed
        The data of both scores as one and the same model weighs them; for one of them that is what was answered.
    """
    points = 100 * (after - before)
    data_points = 100 * (weighed_after.probability - weighed_before.probability)
    return Change(points, data_points, points - data_points, _by_field(weighed_before, weighed_after))


def _by_field(before: Weighed, after: Weighed) -> dict[str, float]:
    """Each field's share of the way from one probability to the other, as `points_of` shares the way from the base."""
    moved = {name: after.contributions[name] - before.contributions[name] for name in after.contributions}
    total, rise = math.fsum(moved.values()), after.probability - before.probability
    slope = rise / total if abs(total) >= CANCELLED else after.probability * (1 - after.probability)
    return {name: 100 * difference * slope for name, difference in moved.items()}


def change_in_words(change: Change, *, same_model: bool) -> Text:
    """The change in a sentence."""
    total, data, model = (points_in_both(p) for p in (change.points, change.data_points, change.model_points))
    if same_model:
        return Text(
            en=f"{total.en}, all because its data changed; the model is the same.",
            de=f"{total.de}, alles durch geänderte Daten; das Modell ist dasselbe.",
        )
    return Text(
        en=f"{total.en}: {data.en} because its data changed, {model.en} because the model did.",
        de=f"{total.de}: {data.de} durch geänderte Daten, {model.de} durch das geänderte Modell.",
    )


def field_in_words(label: Text, before: Text, after: Text, points: float, *, changed: bool) -> Text:
    """What one field has to do with the change."""
    moved = points_in_both(points)
    if changed:
        return Text(
            en=f"{label.en}: {before.en} → {after.en}, {moved.en}.",
            de=f"{label.de}: {before.de} → {after.de}, {moved.de}.",
        )
    return Text(
        en=f"{label.en}: {after.en}, as before, {moved.en}.", de=f"{label.de}: {after.de}, wie zuvor, {moved.de}."
    )


def undivided_in_words(points: float, reason: Text) -> Text:
    """The change where data and model cannot be told apart, and why."""
    total = points_in_both(points)
    return Text(
        en=f"{total.en}. How much of it is due to its data and how much to the model is not known: {reason.en}.",
        de=f"{total.de}. Wie viel davon auf die Daten und wie viel auf das Modell zurückgeht, ist nicht bekannt: "
        f"{reason.de}.",
    )
