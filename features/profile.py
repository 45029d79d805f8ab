"""How the leads that the model learnt from are distributed, and how they fared: per field and value, and by score.

The same bins serve three readers: the evidence beside each reason, the pages for marketing, and the comparison of live
leads with training. A category has one bin per code (missing, pooled, each level); a number has a bin for missing and
then the ranges between its edges, closed on the left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.encode import FIRST_LEVEL_CODE, EncodedField, Matrix
from features.errors import BundleError
from features.model.strangeness import BinArrays

MISSING_BIN = 0
MOST_RANGES = 10
Z_90 = 1.6448536269514722

Counts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How leads with one value fared.

    Attributes
    ----------
    n, won : int
        Leads with the value, and those of them won within the horizon.
    low, high : float
        90 % Wilson interval of the rate.
    """

    n: int
    won: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Share won, between 0 and 1; NaN where there is no lead."""
        return self.won / self.n if self.n else math.nan


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """One field over the leads of training.

    Attributes
    ----------
    edges : tuple of float
        Of a number: the inner edges between its ranges, rising; empty for a category.
    n, won : tuple of int
        Per bin: leads, and won leads.
    points : tuple of float
        Per bin: mean contribution in percentage points.
    """

    field: str
    edges: tuple[float, ...]
    n: Counts
    won: Counts
    points: tuple[float, ...]

    def evidence(self, bin_index: int) -> Evidence:
        """How leads of one bin fared."""
        n, won = self.n[bin_index], self.won[bin_index]
        low, high = wilson(won, n)
        return Evidence(n, won, low, high)


@dataclass(frozen=True, slots=True)
class Profile:
    """The reference that scores and live leads are read against.

    Attributes
    ----------
    n, won : int
        Leads that the shipped model was fitted on, and those won.
    score_edges, score_n
        Histogram of the probabilities: inner edges, and leads per bin.
    """

    n: int
    won: int
    fields: tuple[FieldProfile, ...]
    score_edges: tuple[float, ...]
    score_n: Counts

    def overall(self) -> Evidence:
        """How all leads fared."""
        return Evidence(self.n, self.won, *wilson(self.won, self.n))

    def arrays(self, fields: Sequence[EncodedField]) -> BinArrays:
        """The bins laid flat, for compiled code; `fields` are the columns of a row."""
        edges = [known.edges for known in self.fields]
        return BinArrays(
            is_number=np.array([field.kind == "number" for field in fields], dtype=np.bool_),
            edges=np.array([edge for of_field in edges for edge in of_field], dtype=np.float64),
            starts=np.cumsum([0, *map(len, edges)], dtype=np.int64),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the bundle."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """The profile that `to_dict` wrote.

        Raises
        ------
        BundleError
            If an entry is missing or has the wrong shape.
        """
        try:
            fields = tuple(
                FieldProfile(
                    field=part["field"],
                    edges=tuple(part["edges"]),
                    n=tuple(part["n"]),
                    won=tuple(part["won"]),
                    points=tuple(part["points"]),
                )
                for part in data["fields"]
            )
            edges, counts = tuple(data["score_edges"]), tuple(data["score_n"])
            return cls(n=data["n"], won=data["won"], fields=fields, score_edges=edges, score_n=counts)
        except (KeyError, TypeError) as error:
            raise BundleError(f"The bundle's profile cannot be read: {error!r}.") from error


def bin_index(value: float, edges: Sequence[float], *, category: bool) -> int:
    """The bin of one encoded value."""
    if category:
        return int(value)
    if math.isnan(value):
        return MISSING_BIN
    return 1 + int(np.searchsorted(edges, value, side="right"))


def bin_indices(values: Matrix, edges: Sequence[float], *, category: bool) -> npt.NDArray[np.int64]:
    """The bins of a column of encoded values, shape (n_leads,)."""
    if category:
        return values.astype(np.int64)
    ranges = 1 + np.searchsorted(np.asarray(edges), values, side="right")
    return np.where(np.isnan(values), MISSING_BIN, ranges).astype(np.int64)


def learn_profile(
    matrix: Matrix, target: Matrix, points: Matrix, probability: Matrix, fields: Sequence[EncodedField]
) -> Profile:
    """The profile of the leads in `matrix`.

    Parameters
    ----------
    matrix, points : ndarray of shape (n_leads, n_fields)
        Encoded leads, and each field's contribution in percentage points.
    target : ndarray of shape (n_leads,)
    probability : ndarray of shape (n_later_leads,)
        Said of leads that the model had not seen: live leads are compared with these.
    """
    profiles = tuple(
        _field_profile(field, matrix[:, column], target, points[:, column]) for column, field in enumerate(fields)
    )
    edges = _edges(probability, 20)
    counts = np.bincount(bin_indices(probability, edges, category=False), minlength=len(edges) + 2)[1:]
    return Profile(len(target), int(target.sum()), profiles, edges, tuple(counts.tolist()))


def _field_profile(field: EncodedField, values: Matrix, target: Matrix, points: Matrix) -> FieldProfile:
    category = field.kind == "category"
    edges = () if category else rounded(_edges(values[~np.isnan(values)], MOST_RANGES))
    n_bins = FIRST_LEVEL_CODE + len(field.levels) if category else len(edges) + 2
    bins = bin_indices(values, edges, category=category)
    n = np.bincount(bins, minlength=n_bins)
    won = np.bincount(bins, weights=target, minlength=n_bins).astype(int)
    total = np.bincount(bins, weights=points, minlength=n_bins)
    mean = np.divide(total, n, out=np.zeros(n_bins), where=n > 0)
    return FieldProfile(field.name, edges, tuple(n.tolist()), tuple(won.tolist()), tuple(mean.tolist()))


def _edges(values: Matrix, most: int) -> tuple[float, ...]:
    """Inner edges of at most `most` ranges with about the same number of values; repeated values share a range."""
    if not len(values):
        return ()
    inner = np.unique(np.quantile(values, np.arange(1, most) / most, method="inverted_cdf"))
    return tuple(float(edge) for edge in inner if edge > values.min())


def rounded(edges: Sequence[float]) -> tuple[float, ...]:
    """The edges as people would draw them: each with as few digits as its distance to its neighbours allows.

    Nothing moves by more than a twentieth of that distance, so the order stays and the ranges hold about as much.

    >>> rounded([2_391_804.25, 5_413_377.5, 8_970_012.0])
    (2400000.0, 5400000.0, 9000000.0)
    >>> rounded([2019.0, 2020.0, 2021.0])
    (2019.0, 2020.0, 2021.0)
    """
    distance = np.diff(np.asarray(edges))
    left, right = np.append(np.inf, distance), np.append(distance, np.inf)
    nearest = np.minimum(left, right) if len(edges) > 1 else np.abs(edges)
    return tuple(_to_step(edge, near) for edge, near in zip(edges, nearest.tolist(), strict=True))


def _to_step(edge: float, near: float) -> float:
    """The edge to the coarsest power of ten that is at most a tenth of `near`."""
    return edge if near == 0 else float(round(edge, -math.floor(math.log10(near / 10))))


def wilson(won: int, n: int, z: float = Z_90) -> tuple[float, float]:
    """The Wilson interval of a share (Wilson 1927), by default 90 %; (0, 1) without any case."""
    if n == 0:
        return 0.0, 1.0
    rate, weight = won / n, z * z / n
    centre = (rate + weight / 2) / (1 + weight)
    half = z * math.sqrt(rate * (1 - rate) / n + weight / (4 * n)) / (1 + weight)
    return max(0.0, centre - half), min(1.0, centre + half)
