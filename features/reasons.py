"""From contributions to reasons: what was seen in a lead, what it adds, and how such leads fared. Never a cause.

"Source: trade fair, +8.0 points. 23 % of 1,204 such leads won, 12 % overall." The strongest are listed, one line sums
up the rest, and together they are the whole difference between the lead's probability and the base probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from features.definition import LeadField
from features.encode import BOOLEAN_LEVELS, FIRST_LEVEL_CODE, MISSING_CODE, POOLED_CODE, EncodedField, Matrix
from features.model.additive import points_of
from features.model.bundle import Bundle
from features.profile import Evidence, FieldProfile, bin_index
from features.text import LANGUAGES, Language, Text, decimal, percent, same, whole

FEWEST_FOR_A_RATE = 20
MISSING = Text(en="not given", de="keine Angabe")
YES_NO = {"true": Text(en="yes", de="ja"), "false": Text(en="no", de="nein")}


@dataclass(frozen=True, slots=True)
class Reason:
    """One field's say in a lead's probability.

    Attributes
    ----------
    contribution : float
        In log-odds.
    points : float
        In percentage points.
    evidence : Evidence
        How leads of training with such a value fared.
    text : Text
        All of it in words.
    """

    field: str
    label: Text
    value: Text
    contribution: float
    points: float
    evidence: Evidence
    text: Text


@dataclass(frozen=True, slots=True)
class Rest:
    """What the fields that are not listed add up to."""

    n_fields: int
    contribution: float
    points: float
    text: Text


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a lead scores as it does: every field, strongest first; `strongest` of them are the ones to read out."""

    reasons: tuple[Reason, ...]
    n_strongest: int
    rest: Rest
    base_text: Text

    @property
    def strongest(self) -> tuple[Reason, ...]:
        """The reasons to read out."""
        return self.reasons[: self.n_strongest]

    def in_words(self, language: Language) -> str:
        """The base, the strongest reasons and the rest, a line each."""
        texts = [self.base_text, *(reason.text for reason in self.strongest)]
        texts += [self.rest.text] if self.rest.n_fields else []
        return "\n".join(text.in_language(language) for text in texts)


def explain_lead(
    bundle: Bundle,
    row: Matrix,
    contributions: Matrix,
    probability: float,
    *,
    given: Mapping[str, Any],
    strongest: int = 5,
) -> Explanation:
    """Reasons for one lead's probability, the largest absolute points first.

    Parameters
    ----------
    row, contributions : ndarray of shape (n_fields,)
        The encoded lead, and its contributions in log-odds.
    given : mapping
        The lead's fields as they came, to name a value that the model only knows as "other".
    """
    model = bundle.model
    points = points_of(contributions[None, :], np.array([probability]), model.base_probability)[0]
    order = sorted(range(len(row)), key=lambda column: (-abs(points[column]), column))
    reasons = tuple(
        _reason(bundle, column, _Said(float(row[column]), float(contributions[column]), float(points[column])), given)
        for column in order
    )
    strongest = min(strongest, len(reasons))
    return Explanation(reasons, strongest, _rest(reasons[strongest:]), base_in_words(model.base_probability))


def base_in_words(base_probability: float) -> Text:
    """The base probability as the first line of an explanation."""
    return _both(
        lambda language: {
            "en": "Before any field speaks: {}.",
            "de": "Bevor ein Feld spricht: {}.",
        }[language].format(percent(base_probability, language, 1))
    )


def value_in_words(field: EncodedField, agreed: LeadField, code: float, raw: object = None) -> Text:
    """An encoded value as a person reads it, with the definition's own words where it has them."""
    if field.kind == "category":
        return _level_in_words(field, agreed, int(code), raw)
    if math.isnan(code):
        return MISSING
    if agreed.type == "date":
        return _both(lambda language: _days_ago(code, language))
    return _both(lambda language: _with_unit(_plain_number(code, language), agreed.unit, language))


def bin_in_words(field: EncodedField, agreed: LeadField, profile: FieldProfile, index: int) -> Text:
    """A bin of the profile in words: a level, a range of numbers, or missing."""
    if field.kind == "category":
        return _level_in_words(field, agreed, index, None)
    if index == MISSING_CODE:
        return MISSING
    return _both(lambda language: _range_in_words(profile.edges, index - 1, agreed, language))


class _Said(NamedTuple):
    """What one field says: its encoded value, its contribution in log-odds, and its points."""

    code: float
    contribution: float
    points: float


def _reason(bundle: Bundle, column: int, said: _Said, given: Mapping[str, Any]) -> Reason:
    field, profile = bundle.model.encoder.fields[column], bundle.profile.fields[column]
    agreed = bundle.definition.fields[field.name]
    index = bin_index(said.code, profile.edges, category=field.kind == "category")
    evidence, overall = profile.evidence(index), bundle.profile.overall()
    value = value_in_words(field, agreed, said.code, given.get(field.name))
    such = None if field.kind == "category" or math.isnan(said.code) else bin_in_words(field, agreed, profile, index)

    def in_language(language: Language) -> str:
        name = f"{agreed.label.in_language(language)}: {value.in_language(language)}"
        fared = _evidence_in_words(evidence, overall, such, language)
        return f"{name}, {points_in_words(said.points, language)}. {fared}"

    return Reason(field.name, agreed.label, value, said.contribution, said.points, evidence, _both(in_language))


def points_in_words(points: float, language: Language) -> str:
    """Percentage points with their sign: "+8.0 points", "−0,3 Punkte"."""
    sign = "−" if round(points, 1) < 0 else "+"
    unit = "points" if language == "en" else "Punkte"
    return f"{sign}{decimal(abs(points), 1, language)} {unit}"


def _evidence_in_words(evidence: Evidence, overall: Evidence, such: Text | None, language: Language) -> str:
    if evidence.n < FEWEST_FOR_A_RATE:
        few = {"en": "Too few such leads in the history ({}).", "de": "Zu wenige solche Leads in der Historie ({})."}
        return few[language].format(whole(evidence.n, language))
    share, n = percent(evidence.rate, language), whole(evidence.n, language)
    rate = percent(overall.rate, language)
    if language == "en":
        leads = f"leads with {such.en}" if such else "such leads"
        return f"{share} of {n} {leads} won, {rate} overall."
    leads = f"Leads mit {such.de}" if such else "solchen Leads"
    return f"{share} von {n} {leads} gewonnen, {rate} insgesamt."


def _rest(reasons: tuple[Reason, ...]) -> Rest:
    points = math.fsum(reason.points for reason in reasons)
    contribution = math.fsum(reason.contribution for reason in reasons)
    words = {
        "en": f"The other {len(reasons)} fields together: {points_in_words(points, 'en')}.",
        "de": f"Die übrigen {len(reasons)} Felder zusammen: {points_in_words(points, 'de')}.",
    }
    return Rest(len(reasons), contribution, points, Text(**words))


def _level_in_words(field: EncodedField, agreed: LeadField, code: int, raw: object) -> Text:
    if code == MISSING_CODE:
        return MISSING
    if code == POOLED_CODE:
        return _pooled_in_words(agreed, raw)
    level = field.levels[code - FIRST_LEVEL_CODE]
    if field.levels == BOOLEAN_LEVELS:
        return YES_NO[level]
    return agreed.values.get(level, same(level))


def _pooled_in_words(agreed: LeadField, raw: object) -> Text:
    if not isinstance(raw, str) or not raw.strip():
        return Text(en="a rare or new value", de="ein seltener oder neuer Wert")
    name = agreed.values.get(raw.strip(), same(raw.strip()))
    return Text(en=f"{name.en} (rare or new)", de=f"{name.de} (selten oder neu)")


def _range_in_words(edges: tuple[float, ...], index: int, agreed: LeadField, language: Language) -> str:
    """The range between two inner edges, closed on the left."""
    words = {"en": ("below {}", "{} or more", "{} to below {}"), "de": ("unter {}", "{} oder mehr", "{} bis unter {}")}
    below, above, between = words[language]
    if not edges:
        return {"en": "any value", "de": "beliebigem Wert"}[language]
    shown = [_plain_number(edge, language) for edge in edges]
    if index == 0:
        text = below.format(shown[0])
    elif index == len(edges):
        text = above.format(shown[-1])
    else:
        text = between.format(shown[index - 1], shown[index])
    days = Text(en="days ago", de="Tagen Abstand")
    return _with_unit(text, days if agreed.type == "date" else agreed.unit, language)


def _plain_number(value: float, language: Language) -> str:
    """A number with as many decimals as it needs, at most three."""
    digits = next((d for d in range(3) if math.isclose(round(value, d), value, rel_tol=1e-4, abs_tol=1e-9)), 3)
    return decimal(value, digits, language)


def _days_ago(days: float, language: Language) -> str:
    number = whole(math.floor(days), language)
    return f"{number} days ago" if language == "en" else f"vor {number} Tagen"


def _with_unit(text: str, unit: Text | None, language: Language) -> str:
    return f"{text}\u00a0{unit.in_language(language)}" if unit else text


def _both(words: Callable[[Language], str]) -> Text:
    return Text(**{language: words(language) for language in LANGUAGES})
