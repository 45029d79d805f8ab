"""From contributions to reasons: what was seen in a lead, what it adds, and how such leads fared. Never a cause.

"Source: trade fair, +8.0 points. 23 % of 1,204 such leads won, 12 % overall." The strongest are listed, one line sums
up the rest, and together they are the whole difference between the lead's probability and the base probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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


@dataclass(frozen=True, slots=True, eq=False)
class Saying:
    """What is said of one value of one field, whatever it contributes: a reason without its points.

    Attributes
    ----------
    value : Text
        As a person reads it.
    evidence : Evidence
        How leads of training with such a value fared.
    before, after : Text
        The words around the points.
    """

    field: str
    label: Text
    value: Text
    evidence: Evidence
    before: Text
    after: Text

    def text(self, points: float) -> Text:
        """The whole sentence, for a contribution of so many points."""
        en, de = points_in_both(points)
        return Text(en=f"{self.before.en}{en}{self.after.en}", de=f"{self.before.de}{de}{self.after.de}")


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
        reasons = [reason.text.in_language(language) for reason in self.strongest]
        rest = self.rest.text.in_language(language)
        return in_lines(self.base_text.in_language(language), reasons, rest, self.rest.n_fields)


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
    base = bundle.model.base_probability
    points = points_of(contributions[None, :], np.array([probability]), base)[0].tolist()
    codes, shares = row.tolist(), contributions.tolist()
    order = strongest_first(points)

    def reason(column: int) -> Reason:
        name = bundle.model.encoder.names[column]
        said = saying(bundle, column, codes[column], given.get(name))
        text = said.text(points[column])
        return Reason(name, said.label, said.value, shares[column], points[column], said.evidence, text)

    others = order[strongest:]
    rest = rest_of([shares[column] for column in others], [points[column] for column in others])
    return Explanation(tuple(map(reason, order[:strongest])), rest, tuple(points), base_in_words(base))


def strongest_first(points: Sequence[float]) -> list[int]:
    """The fields' columns, the largest absolute points first; among equals by their order in a row."""
    size = [-abs(each) for each in points]
    return sorted(range(len(size)), key=size.__getitem__)


def saying(bundle: Bundle, column: int, code: float, raw: object = None) -> Saying:
    """What is said of an encoded value of the field in `column`; `raw` names a value that the model knows as "other".

    Everything but the words of a rare or new value follows from `column` and `code`, so it may be kept.
    """
    field, profile = bundle.model.encoder.fields[column], bundle.profile.fields[column]
    agreed = bundle.definition.fields[field.name]
    index = bin_index(code, profile.edges, category=field.kind == "category")
    evidence, overall = profile.evidence(index), bundle.profile.overall()
    value = value_in_words(field, agreed, code, raw)
    is_range = field.kind == "number" and not math.isnan(code) and len(profile.edges) > 0

    def fared(language: Language) -> str:
        such = _SUCH_LEADS[language]
        if is_range:  # in brackets the unit keeps its form: "mit 5 Aufrufen" would need another case
            such += f" ({_range_in_words(profile.edges, index - 1, agreed, language)})"
        return f". {_evidence_in_words(evidence, overall, such, language)}"

    before = _both(lambda language: f"{agreed.label.in_language(language)}: {value.in_language(language)}, ")
    return Saying(field.name, agreed.label, value, evidence, before, _both(fared))


def rest_of(contributions: Sequence[float], points: Sequence[float]) -> Rest:
    """What the fields that are not listed add up to, given what each of them contributes."""
    total = math.fsum(points)
    return Rest(len(points), math.fsum(contributions), total, rest_in_words(len(points), total))


def in_lines(base: str, reasons: Sequence[str], rest: str, n_others: int) -> str:
    """An explanation as one text: the base, each reason, and the rest if there are other fields, a line each."""
    return "\n".join([base, *reasons, rest] if n_others else [base, *reasons])


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


def points_in_words(points: float, language: Language) -> str:
    """Percentage points with their sign: "+8.0 points", "−0,3 Punkte", "±0.0 points"."""
    return points_in_both(points).in_language(language)


def points_in_both(points: float) -> Text:
    """Percentage points with their sign, in both languages."""
    return _tenths_in_words(f"{points:.1f}")


@lru_cache(maxsize=4096)
def _tenths_in_words(points: str) -> Text:
    """Kept, since the points of almost every reason are one of some hundred values."""
    size = float(points)
    sign = "±" if size == 0 else "−" if size < 0 else "+"
    units: dict[Language, str] = {"en": "points", "de": "Punkte"}
    return _both(lambda language: f"{sign}{decimal(abs(size), 1, language)} {units[language]}")


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


def rest_in_words(n_fields: int, points: float) -> Text:
    """The line for the fields that are not listed."""
    said, line = points_in_both(points), _rest_line(n_fields)
    return Text(en=line.en.format(said.en), de=line.de.format(said.de))


@lru_cache(maxsize=64)
def _rest_line(n_fields: int) -> Text:
    """The line with a place for the points."""
    return _both(lambda language: _REST[language][min(n_fields, 2)].replace("{n}", whole(n_fields, language)))


_REST: dict[Language, tuple[str, str, str]] = {
    "en": ("There are no other fields.", "The other field: {}.", "The other {n} fields together: {}."),
    "de": ("Weitere Felder gibt es nicht.", "Das übrige Feld: {}.", "Die übrigen {n} Felder zusammen: {}."),
}


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
