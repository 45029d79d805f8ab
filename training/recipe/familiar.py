"""Learning what leads look like, so that a lead unlike all of them can be told.

A pair of values that never met is strange only if it should have met often. How often is settled on the newest leads:
the smallest expectation with which at most one in a hundred of them would have been flagged, had one learnt from the
older ones. Rare and new levels have no part in pairs: their pool holds other values tomorrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from features.encode import POOLED_CODE, EncodedField
from features.familiar import Familiar, Seen
from features.profile import MISSING_BIN, Profile, bin_indices
from training.recipe.sample import FloatArray, IntArray, Sample

FLAGGED_SHARE = 0.01
NEWEST_SHARE = 0.3
LEAST_SHARE_OF_A_BIN = 0.01  # rarer values have no partners they should have met
NO_PARTNERS = -1
EXPECTATIONS = (5.0, 7.0, 10.0, 14.0, 20.0, 28.0, 40.0, 57.0, 80.0, 113.0, 160.0, np.inf)


def learn_familiar(sample: Sample, fields: Sequence[EncodedField], profile: Profile) -> Familiar:
    """What the leads of `sample` look like, in the bins of `profile`."""
    bins = _bins(sample.matrix, fields, profile)
    newest = np.argsort(np.argsort(sample.order, kind="stable")) >= (1 - NEWEST_SHARE) * len(sample)
    expected = _enough(bins[~newest], bins[newest])
    return Familiar(tuple(_seen(field, sample.matrix[:, f]) for f, field in enumerate(fields)), _pairs(bins, expected))


def _bins(matrix: FloatArray, fields: Sequence[EncodedField], profile: Profile) -> IntArray:
    """Bins of the profile, shape (n_leads, n_fields); -1 for a pooled level, which has no partners."""
    bins = np.empty(matrix.shape, dtype=np.int64)
    for place, (field, known) in enumerate(zip(fields, profile.fields, strict=True)):
        is_category = field.kind == "category"
        own = bin_indices(matrix[:, place], known.edges, category=is_category)
        bins[:, place] = np.where((own == POOLED_CODE) & is_category, NO_PARTNERS, own)
    return bins


def _seen(field: EncodedField, values: FloatArray) -> Seen:
    if field.kind == "category":
        return Seen(field.name, None, None, not (values == MISSING_BIN).any())
    known = values[~np.isnan(values)]
    if not known.size:
        return Seen(field.name, None, None, False)
    return Seen(field.name, float(known.min()), float(known.max()), known.size == values.size)


def _enough(older: IntArray, newer: IntArray) -> float:
    """The least expectation with which few enough of the newer leads are flagged by what the older ones never had."""
    for expected in EXPECTATIONS:
        flagged: NDArray[np.bool_] = np.zeros(len(newer), dtype=np.bool_)
        for field, own, other, its in _pairs(older, expected):
            flagged |= (newer[:, field] == own) & (newer[:, other] == its)
        if flagged.mean() <= FLAGGED_SHARE / 2:  # the other half is for ranges and gaps
            return expected
    return np.inf


def _pairs(bins: IntArray, expected: float) -> tuple[tuple[int, int, int, int], ...]:
    """Values of two fields that never met, though chance alone would have had them meet more than `expected` times."""
    found = []
    for one, other in combinations(range(bins.shape[1]), 2):
        both = bins[(bins[:, one] != NO_PARTNERS) & (bins[:, other] != NO_PARTNERS)]
        together = np.zeros((bins[:, one].max() + 1, bins[:, other].max() + 1), dtype=np.int64)
        np.add.at(together, (both[:, one], both[:, other]), 1)
        by_chance = np.outer(together.sum(axis=1), together.sum(axis=0)) / max(1, len(both))
        common = np.outer(*(together.sum(axis=axis) >= LEAST_SHARE_OF_A_BIN * len(bins) for axis in (1, 0)))
        for own, its in np.argwhere((together == 0) & common & (by_chance > expected)):
            found.append((one, int(own), other, int(its)))
    return tuple(found)
