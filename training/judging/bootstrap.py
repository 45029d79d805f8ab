"""How sure a figure is: resampling whole accounts, and intervals from what that gives.

Leads of one account win and lose together, so the account is what is drawn: each resample draws as many accounts
as there are, with replacement, and a lead's weight is how often its account was drawn. Weights instead of copied
rows let one matrix product (or one batched Newton fit) answer for a block of resamples at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InternalError
from features.rates import design_effect
from training.judging.metrics import Floats, IntervalMethod

_BLOCK_CELLS = 1_500_000  # weights held at once: 12 MB, which stays near the processor
_MOST_MISSING = 0.05  # an interval from fewer than 95 % of the resamples would be one of the easy ones only


def is_missing(value: object) -> bool:
    """Whether a label or an id is None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the intervals of an evaluation were made; the same seed gives the same intervals."""

    n_resamples: int = 500
    level: float = 0.90
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Which account each lead belongs to, as numbers."""

    code: NDArray[np.int64]
    n: int

    @classmethod
    def of(cls, account: ArrayLike) -> Accounts:
        """The accounts of the leads, (n_leads,); a lead without an account needs an id of its own.

        Raises
        ------
        InternalError
            If an account is missing: taking all such leads for one company would make every interval too wide.
        """
        values = np.asarray(account)
        if any(is_missing(value) for value in values.tolist()):
            raise InternalError("a lead without an account reached the evaluation; give it an id of its own")
        names, code = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
        return cls(code=np.asarray(code, dtype=np.int64), n=len(names))

    def sums(self, columns: Floats) -> Floats:
        """Columns (n_leads, k) added up by account, (n_accounts, k)."""
        return np.stack([np.bincount(self.code, weights=c, minlength=self.n) for c in columns.T], axis=1)

    def draws(self, resampling: Resampling) -> Iterator[Floats]:
        """How often each account was drawn, in blocks of (n_block, n_accounts)."""
        rng = np.random.default_rng(resampling.seed)
        per_block = max(1, _BLOCK_CELLS // max(len(self.code), 1))
        for done in range(0, resampling.n_resamples, per_block):
            n = min(per_block, resampling.n_resamples - done)
            drawn = rng.integers(0, self.n, (n, self.n)) + self.n * np.arange(n)[:, None]
            yield np.bincount(drawn.ravel(), minlength=n * self.n).reshape(n, self.n).astype(np.float64)

    def lead_weights(self, resampling: Resampling) -> Iterator[Floats]:
        """The weight of each lead, in blocks of (n_block, n_leads)."""
        for drawn in self.draws(resampling):
            yield drawn[:, self.code]

    def design_effect(self, target: Floats, probability: Floats) -> float:
        """How many times wider than independent leads' the variance of a sum of wins is, at least 1 (Kish 1965)."""
        return design_effect(self.code, target - probability)


def interval(
    draws: Floats, value: float, level: float, method: IntervalMethod = "percentile"
) -> tuple[float, float] | None:
    """The interval of `level` from a figure's value in each resample, (n_resamples,).

    `percentile` takes the quantiles of the resamples (Efron 1979). `basic` mirrors them at the value: for figures
    such as the ECE that noise can only push up, whose resamples therefore lie too high as a whole (Davison and
    Hinkley 1997, 5.2.1). None where the value does not exist, or did not in more than 5 % of the resamples.
    """
    known = draws[np.isfinite(draws)]
    if not math.isfinite(value) or len(known) < (1 - _MOST_MISSING) * len(draws) or not len(known):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    if method == "basic":
        low, high = max(0.0, 2 * value - high), max(0.0, 2 * value - low)
    return float(low), float(high)
