"""Why leads win: which fields move probabilities, and how leads with each value fared. From the bundle alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from features.definition import Owner
from features.encode import MISSING_CODE
from features.model.bundle import Bundle
from features.profile import Evidence, FieldProfile
from features.reasons import FEWEST_FOR_A_RATE, bin_in_words
from features.text import Text
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.charts.bars import Bar, bars
from serving.cockpit.charts.drawing import Picture
from serving.cockpit.charts.strips import Strip, strip
from serving.cockpit.formats import Reader
from serving.kpis.shares import LEVEL
from serving.kpis.table import THIN

Standing: TypeAlias = Literal["above", "below", "like", "untold"]
OPEN_AT_FIRST = 3


@dataclass(frozen=True, slots=True)
class ValueRow:
    """How leads with one value of a field fared.

    Attributes
    ----------
    standing : {"above", "below", "like", "untold"}
        Whether the interval of the rate lies above or below the overall rate, or holds it; untold without a rate.
    points : float
        The mean contribution to their probability, in percentage points.
    thin : bool
        So few leads that one should read nothing into them.
    strip : Strip or None
        The rate with its interval; None where there are too few leads for a rate.
    """

    label: Text
    evidence: Evidence
    standing: Standing
    points: float
    thin: bool
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """One field: how far it moves probabilities, and its values."""

    name: str
    label: Text
    owner: Owner
    rank: int
    importance: float
    rows: tuple[ValueRow, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class WhyView:
    """The page.

    Attributes
    ----------
    overall : Evidence
        How all leads fared that the model learnt from.
    level : float
        Of the intervals.
    start, end : date or None
        The leads' days; `end` is the first after them. None where the history has no dates.
    fields : tuple of FieldEvidence
        The one that moves probabilities most first.
    fewest : int
        Below so many leads, values are marked as thin.
    """

    owner: str
    overall: Evidence
    horizon_days: int | None
    level: float
    start: date | None
    end: date | None
    fields: tuple[FieldEvidence, ...]
    importance: Picture | None
    fewest: int
    n_without_importance: int


def why_view(bundle: Bundle, owner: str, reader: Reader) -> WhyView:
    """Everything on the page, for one reader.

    Parameters
    ----------
    owner : {"", "marketing", "sales"}
        Whose fields are shown; empty for all.
    """
    fields = tuple(evidence_of_fields(bundle, owner))
    windows = [window for window in bundle.manifest.windows if window.start and window.use in LEARNT_FROM]
    return WhyView(
        owner=owner,
        overall=bundle.profile.overall(),
        horizon_days=bundle.definition.target.horizon_days,
        level=LEVEL,
        start=min((date.fromisoformat(window.start[:10]) for window in windows), default=None),
        end=max((date.fromisoformat(window.end[:10]) for window in windows), default=None),
        fields=fields,
        importance=_picture(fields, reader) if fields else None,
        fewest=THIN,
        n_without_importance=sum(field.importance < NEARLY_NOTHING for field in fields),
    )


def evidence_of_fields(bundle: Bundle, owner: str = "") -> Iterator[FieldEvidence]:
    """The fields of `owner` (all if empty) with their evidence, the one that moves probabilities most first."""
    ranked = sorted(bundle.importance, key=lambda entry: -entry.mean_absolute_points)
    chosen = [entry for entry in ranked if owner in ("", bundle.definition.fields[entry.field].owner)]
    for rank, entry in enumerate(chosen, start=1):
        agreed = bundle.definition.fields[entry.field]
        yield FieldEvidence(
            name=entry.field,
            label=agreed.label,
            owner=agreed.owner,
            rank=rank,
            importance=entry.mean_absolute_points,
            rows=_rows(bundle, entry.field),
            is_open=rank <= OPEN_AT_FIRST,
        )


def _rows(bundle: Bundle, name: str) -> tuple[ValueRow, ...]:
    """The values of a field that leads had: ranges in their order; categories by how often they won, the thin last."""
    encoder, overall = bundle.model.encoder, bundle.profile.overall()
    column = encoder.names.index(name)
    field, agreed, profile = encoder.fields[column], bundle.definition.fields[name], bundle.profile.fields[column]
    seen = [index for index, n in enumerate(profile.n) if n]
    most = _right_end(profile, overall)
    rows = {index: _row(bin_in_words(field, agreed, profile, index), profile, index, overall, most) for index in seen}
    if field.kind == "number":
        order = [index for index in seen if index != MISSING_CODE] + [index for index in seen if index == MISSING_CODE]
    else:
        order = sorted(seen, key=lambda index: (rows[index].thin, -rows[index].evidence.rate, index))
    return tuple(rows[index] for index in order)


def _row(label: Text, profile: FieldProfile, index: int, overall: Evidence, most: float) -> ValueRow:
    found = profile.evidence(index)
    told = found.n >= FEWEST_FOR_A_RATE
    return ValueRow(
        label=label,
        evidence=found,
        standing=_standing(found, overall) if told else "untold",
        points=profile.points[index],
        thin=found.n < THIN,
        strip=strip(found.rate, found.low, found.high, overall.rate, most) if told else None,
    )


def _standing(found: Evidence, overall: Evidence) -> Standing:
    if found.low > overall.rate:
        return "above"
    return "below" if found.high < overall.rate else "like"


def _right_end(profile: FieldProfile, overall: Evidence) -> float:
    """The right end of a field's strips: a little beyond the highest rate that is told, so that dots do not stick."""
    told = [profile.evidence(index) for index, n in enumerate(profile.n) if n >= FEWEST_FOR_A_RATE]
    return min(1.0, 1.1 * max([overall.rate, *(found.high for found in told)]) or 1.0)


def _picture(fields: tuple[FieldEvidence, ...], reader: Reader) -> Picture:
    t = Catalogue(reader)
    return bars(
        [Bar(reader.text(each.label), each.importance, reader.number(each.importance)) for each in fields],
        reader.language,
        title=t("why.importance.title"),
        says=t("why.importance.says"),
        columns=(t("why.importance.field"), t("why.importance.points")),
    )


LEARNT_FROM = ("train", "calibrate", "shipped")
NEARLY_NOTHING = 0.05
"""Mean absolute points that are written as 0.0."""
