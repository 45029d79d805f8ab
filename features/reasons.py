"""From contributions to reasons: what was seen in a lead, what it adds, and how such leads fared. Never a cause.

"Source: trade fair, +8.0 points. 23 % of 1,204 such leads won, 12 % overall." The strongest are listed, one line sums
up the rest, and together they are the whole difference between the lead's probability and the base probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from features.definition import LeadField
from features.encode import BOOLEAN_LEVELS, FIRST_LEVEL_CODE, MISSING_CODE, POOLED_CODE, EncodedField, Matrix
from features.model.additive import points_of
from features.profile import Evidence, FieldProfile, bin_index
from features.text import LANGUAGES, Language, Text, decimal, percent, same, whole

if TYPE_CHECKING:
    from features.model.bundle import Bundle


FEWEST_FOR_A_RATE = 20
LONGEST_ABBREVIATION = 3  # EUR, km, % and the like have no plural
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
    """Why a lead scores as it does.

    Attributes
    ----------
    strongest : tuple of Reason
        The reasons to read out, largest absolute points first.
    rest : Rest
        All other fields together.
    points : tuple of float
        Of every field, in the order of a row.
    """

    strongest: tuple[Reason, ...]
    rest: Rest
    points: tuple[float, ...]
    base_text: Text

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
    points = points_of(contributions[None, :], np.array([probability]), model.base_probability)[0].tolist()
    said = [_Said(*each) for each in zip(row.tolist(), contributions.tolist(), points, strict=True)]
    order = sorted(range(len(said)), key=lambda column: (-abs(points[column]), column))
    reasons = tuple(_reason(bundle, column, said[column], given) for column in order[:strongest])
    rest = _rest([said[column] for column in order[strongest:]])
    return Explanation(reasons, rest, tuple(points), base_in_words(model.base_probability))


def base_in_words(base_probability: float) -> Text:
    """The base probability as the first line of an explanation."""
    return _both(
        lambda language: {
            "en": "Base probability, before any field speaks: {}.",
            "de": "Ausgangswahrscheinlichkeit, bevor ein Feld zählt: {}.",
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
    is_range = field.kind == "number" and not math.isnan(said.code) and len(profile.edges) > 0

    def in_language(language: Language) -> str:
        name = f"{agreed.label.in_language(language)}: {value.in_language(language)}"
        such = _SUCH_LEADS[language]
        if is_range:  # in brackets the unit keeps its form: "mit 5 Aufrufen" would need another case
            such += f" ({_range_in_words(profile.edges, index - 1, agreed, language)})"
        fared = _evidence_in_words(evidence, overall, such, language)
        return f"{name}, {points_in_words(said.points, language)}. {fared}"

    return Reason(field.name, agreed.label, value, said.contribution, said.points, evidence, _both(in_language))


def points_in_words(points: float, language: Language) -> str:
    """Percentage points with their sign: "+8.0 points", "−0,3 Punkte", "±0.0 points"."""
    shown_points = round(points, 1)
    sign = "±" if shown_points == 0 else "−" if shown_points < 0 else "+"
    unit = "points" if language == "en" else "Punkte"
    return f"{sign}{decimal(abs(points), 1, language)} {unit}"


_SUCH_LEADS: dict[Language, str] = {"en": "such leads", "de": "solchen Leads"}


def _evidence_in_words(evidence: Evidence, overall: Evidence, such: str, language: Language) -> str:
    """How often such leads won; below `FEWEST_FOR_A_RATE` leads a rate would be mostly chance."""
    if evidence.n < FEWEST_FOR_A_RATE:
        return _FEW[language][min(evidence.n, 2)].format(whole(evidence.n, language))
    share, n = percent(evidence.rate, language), whole(evidence.n, language)
    rate = percent(overall.rate, language)
    if language == "en":
        return f"{share} of {n} {such} won, {rate} overall."
    return f"Von {n} {such} wurden {share} gewonnen, insgesamt {rate}."


_FEW: dict[Language, tuple[str, str, str]] = {
    "en": (
        "The history has no such lead.",
        "The history has only one such lead, too few for a rate.",
        "The history has only {} such leads, too few for a rate.",
    ),
    "de": (
        "In der Historie gibt es keinen solchen Lead.",
        "In der Historie gibt es nur einen solchen Lead, zu wenig für eine Quote.",
        "In der Historie gibt es nur {} solche Leads, zu wenige für eine Quote.",
    ),
}


def _rest(reasons: Sequence[_Said]) -> Rest:
    points = math.fsum(reason.points for reason in reasons)
    contribution = math.fsum(reason.contribution for reason in reasons)
    return Rest(len(reasons), contribution, points, _both(lambda language: _rest_text(len(reasons), points, language)))


def _rest_text(n_fields: int, points: float, language: Language) -> str:
    none, one, many = {
        "en": ("There are no other fields.", "The other field: {}.", "The other {} fields together: {}."),
        "de": ("Weitere Felder gibt es nicht.", "Das übrige Feld: {}.", "Die übrigen {} Felder zusammen: {}."),
    }[language]
    if n_fields == 0:
        return none
    said = points_in_words(points, language)
    return one.format(said) if n_fields == 1 else many.format(whole(n_fields, language), said)


def _level_in_words(field: EncodedField, agreed: LeadField, code: int, raw: object) -> Text:
    if code == MISSING_CODE:
        return MISSING
    if code == POOLED_CODE:
        return _pooled_in_words(agreed, raw)
    level = field.levels[code - FIRST_LEVEL_CODE]
    own = YES_NO[level] if field.levels == BOOLEAN_LEVELS else same(level)
    return agreed.values.get(level, own)


def _pooled_in_words(agreed: LeadField, raw: object) -> Text:
    if not isinstance(raw, str) or not raw.strip():
        return Text(en="a rare or new value", de="ein seltener oder neuer Wert")
    name = agreed.values.get(raw.strip(), same(raw.strip()))
    return Text(en=f"{name.en} (rare or new)", de=f"{name.de} (selten oder neu)")


def _range_in_words(edges: tuple[float, ...], index: int, agreed: LeadField, language: Language) -> str:
    """The range between two inner edges, closed on the left."""
    if not edges:
        return {"en": "any value", "de": "jeder Wert"}[language]
    words = _DAYS[language] if agreed.type == "date" else _RANGES[language]
    shown = [_plain_number(edge, language) for edge in edges]
    if index == 0:
        text = words.below.format(shown[0])
    elif index == len(edges):
        text = words.above.format(shown[-1])
    else:
        text = words.between.format(shown[index - 1], shown[index])
    return text if agreed.type == "date" else _with_unit(text, agreed.unit, language)


class _RangeWords(NamedTuple):
    """How a language speaks of ranges."""

    below: str
    above: str
    between: str


_RANGES: dict[Language, _RangeWords] = {
    "en": _RangeWords("below {}", "{} or more", "{} to below {}"),
    "de": _RangeWords("unter {}", "{} oder mehr", "{} bis unter {}"),
}
_DAYS: dict[Language, _RangeWords] = {
    "en": _RangeWords("less than {} days ago", "{} or more days ago", "{} to below {} days ago"),
    "de": _RangeWords("vor weniger als {} Tagen", "vor {} oder mehr Tagen", "vor {} bis unter {} Tagen"),
}


def _plain_number(value: float, language: Language) -> str:
    """A number with as many decimals as it needs: three, and below a thousandth three digits that count."""
    most = 3 if abs(value) >= 1e-3 or value == 0 else 2 - math.floor(math.log10(abs(value)))
    digits = next((d for d in range(most) if math.isclose(round(value, d), value, rel_tol=1e-4, abs_tol=1e-12)), most)
    return decimal(value, digits, language)


def _days_ago(days: float, language: Language) -> str:
    number = math.floor(days)
    if number == 0:
        return {"en": "less than a day ago", "de": "vor weniger als einem Tag"}[language]
    if number == 1:
        return {"en": "1 day ago", "de": "vor 1 Tag"}[language]
    return {"en": f"{whole(number, 'en')} days ago", "de": f"vor {whole(number, 'de')} Tagen"}[language]


def _with_unit(text: str, unit: Text | None, language: Language) -> str:
    """The number and its unit; after a 1 a noun in the plural is left out, the label says it all."""
    if unit is None or (f" {text}".endswith(" 1") and len(unit.in_language(language)) > LONGEST_ABBREVIATION):
        return text
    return f"{text}\u00a0{unit.in_language(language)}"


def _both(words: Callable[[Language], str]) -> Text:
    return Text(**{language: words(language) for language in LANGUAGES})
