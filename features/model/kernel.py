"""Everything that is computed about leads, in one call of compiled code: the same for one lead and for a million.

Per lead: the linear terms and the trees' exact contributions, scaled by the calibrator's slopes and added up to the
log-odds; the probability; each field's points; and, where a bundle says how sure it is and what it has seen, the
interval, the bin of each value and the fields unlike training. Every sum has one fixed order, and no lead looks at
another, so a lead alone has the same bits as the lead in a batch.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from features.model.calibrator import to_probability
from features.model.compiled import call, compiled, inlined
from features.model.layout import ForestArrays
from features.model.linear import LinearArrays, write_terms
from features.model.quadrature import add_contributions
from features.model.strangeness import (
    BinArrays,
    Flags,
    FloatArray,
    IntArray,
    SeenArrays,
    write_bins,
    write_strange,
)
from features.model.sureness import Z_OF_LEVEL, SurenessArrays, variance_of

CANCELLED = 1e-9


class LeadArrays(NamedTuple):
    """A model, and what its bundle knows beside it, as compiled functions read them; never written again.

    Attributes
    ----------
    sureness, bins, seen
        About no field where nobody asks: then nothing is written to what depends on them.
    """

    linear: LinearArrays
    forest: ForestArrays
    linear_slope: float
    tree_slope: float
    base_log_odds: float
    base_probability: float
    sureness: SurenessArrays
    bins: BinArrays
    seen: SeenArrays


class Computed(NamedTuple):
    """What is known about some leads.

    Attributes
    ----------
    contributions, points : (n_leads, n_fields) floats
        In log-odds; in percentage points.
    log_odds, probability : (n_leads,) floats
        NaN if a lead holds a code that its field does not have.
    low, high : (n_leads,) floats
        Ends of the probability's interval; empty where the bundle does not say how sure it is.
    bins : (n_leads, n_fields) integers
        Of the profile; empty without one.
    strange : (n_leads, n_fields) booleans
        Whether training never saw such a value, gap or pair; empty where the bundle does not say.
    """

    contributions: FloatArray
    points: FloatArray
    log_odds: FloatArray
    probability: FloatArray
    low: FloatArray
    high: FloatArray
    bins: IntArray
    strange: Flags


class Kernel:
    """The compiled computation over one model's arrays.

    numba looks at the type of every argument at each call. For named tuples it asks Python, which costs more than all
    of the linear part; so they are handed over as plain tuples, and get their names back in compiled code.
    """

    def __init__(self, arrays: LeadArrays) -> None:
        self._plain = _plain(arrays)
        self._is_sure, self._has_bins = len(arrays.sureness.own_starts) > 1, len(arrays.bins.is_number) > 0
        self._has_seen = len(arrays.seen.low) > 0

    def compute(self, matrix: FloatArray) -> Computed:
        """What the model says of the leads in `matrix`, C-ordered, shape (n_leads, n_fields)."""
        n_leads, n_fields = matrix.shape
        n_sure, n_binned, n_seen = (n_leads * asked for asked in (self._is_sure, self._has_bins, self._has_seen))
        computed = Computed(
            contributions=np.empty((n_leads, n_fields)),
            points=np.empty((n_leads, n_fields)),
            log_odds=np.empty(n_leads),
            probability=np.empty(n_leads),
            low=np.empty(n_sure),
            high=np.empty(n_sure),
            bins=np.empty((n_binned, n_fields), np.int64),
            strange=np.empty((n_seen, n_fields), np.bool_),
        )
        call(_compute, self._plain, matrix, tuple(computed))
        return computed


def _plain(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_plain(part) if isinstance(part, tuple) else part for part in arrays)


@compiled
def _compute(plain: tuple[Any, ...], matrix: FloatArray, plain_out: tuple[Any, ...]) -> None:
    arrays, out = _named(plain), Computed(*plain_out)
    for i in range(matrix.shape[0]):
        row = matrix[i]
        log_odds = _explain(arrays, row, out.contributions[i])
        probability = to_probability(log_odds)
        out.log_odds[i], out.probability[i] = log_odds, probability
        write_points(out.contributions[i], probability, arrays.base_probability, out.points[i])
        if np.isnan(log_odds):  # a code that its field does not have: whoever asked is told, and no bin is looked up
            continue
        if len(out.low):
            reach = Z_OF_LEVEL * math.sqrt(variance_of(row, arrays.sureness))
            out.low[i] = to_probability(log_odds - reach)
            out.high[i] = to_probability(log_odds + reach)
        if len(out.bins):
            write_bins(row, arrays.bins, out.bins[i])
        if len(out.strange):
            write_strange(row, out.bins[i], arrays.seen, out.strange[i])


@inlined
def _named(plain: tuple[Any, ...]) -> LeadArrays:
    return LeadArrays(
        LinearArrays(*plain[0]),
        ForestArrays(*plain[1]),
        plain[2],
        plain[3],
        plain[4],
        plain[5],
        SurenessArrays(*plain[6]),
        BinArrays(*plain[7]),
        SeenArrays(*plain[8]),
    )


@inlined
def _explain(arrays: LeadArrays, row: FloatArray, contributions: FloatArray) -> float:
    """Writes one lead's contributions and gives its log-odds: the base plus them, added field by field."""
    write_terms(row, arrays.linear, contributions)
    trees = np.zeros(row.size)
    add_contributions(arrays.forest, row, trees)
    total = 0.0
    for field in range(row.size):
        contributions[field] = arrays.linear_slope * contributions[field] + arrays.tree_slope * trees[field]
        total += contributions[field]
    return arrays.base_log_odds + total


@inlined
def write_points(contributions: FloatArray, probability: float, base_probability: float, points: FloatArray) -> None:
    """Writes one lead's contributions in percentage points, as `features.model.additive.points_of` explains."""
    total = 0.0
    for field in range(contributions.size):
        total += contributions[field]
    slope = base_probability * (1 - base_probability)
    if not abs(total) < CANCELLED:
        slope = (probability - base_probability) / total
    for field in range(contributions.size):
        points[field] = 100 * contributions[field] * slope
