"""Whether a lead is like those that the model learnt from, and which fields say that it is not.

Three plain rules, none of which looks at outcomes:

1. A number outside the range seen in training.
2. A value missing in a field that always had one.
3. Two values that are both common and were never seen together, where chance alone would have brought them together
   many times: a German state with the country Austria.

New or rare levels are not among them: a new campaign is everyday business, and the answer lists it as unknown.
What "many times" means is settled in training, so that of later real leads about one in a hundred is flagged.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from features.definition import LeadDefinition
from features.encode import EncodedField, Matrix
from features.errors import BundleError
from features.model.strangeness import SeenArrays
from features.profile import MISSING_BIN, FieldProfile, Profile
from features.reasons import bin_in_words, value_in_words
from features.text import Text

Kind = Literal["outside", "never_missing", "never_together"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What training saw of one field.

    Attributes
    ----------
    low, high : float
        Of a number: the range seen; None for a category or if all were missing.
    always_given : bool
        Whether no lead of training missed it.
    """

    field: str
    low: float | None
    high: float | None
    always_given: bool


class Stranger(NamedTuple):
    """One thing about a lead that training never saw: the fields' positions, and their bins in the profile."""

    kind: Kind
    fields: tuple[int, ...]
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Familiar:
    """What the leads of training looked like.

    Attributes
    ----------
    seen : tuple of Seen
        One per field, in the order of the encoded matrix's columns.
    never_together : tuple of (int, int, int, int)
        Position and bin of one field, position and bin of a later one; bins as in the profile.
    """

    seen: tuple[Seen, ...]
    never_together: tuple[tuple[int, int, int, int], ...]

    @cached_property
    def _pairs(self) -> npt.NDArray[np.int64]:
        return np.array(self.never_together, dtype=np.int64).reshape(-1, 4)

    def strangers(self, row: Matrix, profile: Profile, fields: Sequence[EncodedField]) -> tuple[Stranger, ...]:
        """What is strange about one encoded lead, shape (n_fields,); empty for a lead like those of training."""
        values = row.tolist()
        bins = [
            _bin(value, known.edges, category=field.kind == "category")
            for value, known, field in zip(values, profile.fields, fields, strict=True)
        ]
        alone = [
            Stranger(kind, (place,), (bins[place],))
            for place, (seen, value) in enumerate(zip(self.seen, values, strict=True))
            if (kind := _alone(seen, value, bins[place]))
        ]
        met = _met(np.array(bins, dtype=np.int64), self._pairs).tolist()
        pairs = [Stranger("never_together", (a, c), (b, d)) for a, b, c, d in (self.never_together[at] for at in met)]
        return (*alone, *pairs)

    @cached_property
    def arrays(self) -> SeenArrays:
        """The same laid flat, for compiled code (features/model/strangeness.py), which flags the same fields."""
        return SeenArrays(
            low=np.array([-math.inf if seen.low is None else seen.low for seen in self.seen]),
            high=np.array([math.inf if seen.high is None else seen.high for seen in self.seen]),
            always_given=np.array([seen.always_given for seen in self.seen], dtype=np.bool_),
            pairs=self._pairs,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` is the way back."""
        return {"seen": [asdict(seen) for seen in self.seen], "never_together": [list(p) for p in self.never_together]}

    @classmethod
    def from_dict(cls, plain: object) -> Familiar:
        """What `to_dict` wrote.

        Raises
        ------
        BundleError
            An entry is missing, unknown or of the wrong kind.
        """
        try:
            if not isinstance(plain, dict) or set(plain) != {"seen", "never_together"}:
                raise TypeError("expected the keys never_together and seen")
            seen = tuple(_seen(part) for part in plain["seen"])
            pairs = tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in plain["never_together"])
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"The bundle's account of familiar leads cannot be read: {error}.") from error
        if any(not 0 <= a < c < len(seen) for a, _, c, _ in pairs):
            raise BundleError("The bundle's account of familiar leads pairs fields that do not exist.")
        return cls(seen, pairs)


def _met(bins: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows of `pairs`, shape (n_pairs, 4), whose both sides this lead has."""
    return np.flatnonzero((bins[pairs[:, 0]] == pairs[:, 1]) & (bins[pairs[:, 2]] == pairs[:, 3]))


def fields_of(strangers: Sequence[Stranger]) -> tuple[int, ...]:
    """The positions of all fields that are named, each once, in the definition's order."""
    return tuple(sorted({field for stranger in strangers for field in stranger.fields}))


def in_words(
    stranger: Stranger, row: Matrix, *, definition: LeadDefinition, fields: Sequence[EncodedField], profile: Profile
) -> Text:
    """What is strange, as a sentence in both languages."""
    place = stranger.fields[0]
    agreed = definition.fields[fields[place].name]
    if stranger.kind == "outside":
        value = value_in_words(fields[place], agreed, float(row[place]))
        return Text(
            en=f"{agreed.label.en}: {value.en} is outside everything in the history.",
            de=f"{agreed.label.de}: {value.de} liegt außerhalb von allem in der Historie.",
        )
    if stranger.kind == "never_missing":
        return Text(
            en=f"{agreed.label.en}: not given, which never happened in the history.",
            de=f"{agreed.label.de}: keine Angabe, das kam in der Historie nie vor.",
        )
    sides = [
        _side(definition, fields, profile, own, its) for own, its in zip(stranger.fields, stranger.bins, strict=True)
    ]
    return Text(
        en=f"{sides[0].en} and {sides[1].en} never occurred together in the history.",
        de=f"{sides[0].de} und {sides[1].de} kamen in der Historie nie zusammen vor.",
    )


def _side(
    definition: LeadDefinition, fields: Sequence[EncodedField], profile: Profile, place: int, its_bin: int
) -> Text:
    agreed = definition.fields[fields[place].name]
    known: FieldProfile = profile.fields[place]
    value = bin_in_words(fields[place], agreed, known, its_bin)
    return Text(en=f"{agreed.label.en}: {value.en}", de=f"{agreed.label.de}: {value.de}")


def _bin(value: float, edges: tuple[float, ...], *, category: bool) -> int:
    """As `features.profile.bin_index`, without an array for every number: this runs for each lead that is scored."""
    if category:
        return int(value)
    return MISSING_BIN if math.isnan(value) else 1 + bisect_right(edges, value)


def _alone(seen: Seen, value: float, its_bin: int) -> Kind | None:
    if its_bin == MISSING_BIN:
        return "never_missing" if seen.always_given else None
    if seen.low is not None and seen.high is not None and not seen.low <= value <= seen.high:
        return "outside"
    return None


def _seen(plain: Mapping[str, Any]) -> Seen:
    seen = Seen(**plain)
    if not isinstance(seen.field, str) or not isinstance(seen.always_given, bool):
        raise TypeError(f"{plain} does not say what was seen of a field")
    if (seen.low is None) != (seen.high is None) or not all(
        bound is None or (isinstance(bound, int | float) and math.isfinite(bound)) for bound in (seen.low, seen.high)
    ):
        raise TypeError(f"{plain} has no range of finite numbers")
    return seen


__all__ = ["Familiar", "Seen", "Stranger", "fields_of", "in_words"]
