"""What a model is fitted on: encoded leads with their target, account, place in time and chance to be worked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import InternalError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

NOT_SAID: FloatArray = np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Matured leads, encoded.

    Attributes
    ----------
    matrix : ndarray of float, shape (n_leads, n_fields)
        As `features.encode` writes it: numbers NaN where missing, categories as codes.
    target : ndarray of float, shape (n_leads,)
        1 if won within the horizon, else 0.
    account : ndarray of int, shape (n_leads,)
        The account's code; a lead without an account has a code of its own.
    order : ndarray, shape (n_leads,)
        Anything sortable that rises with time, such as the day; leads of the same value count as simultaneous.
    worked_chance : ndarray of float, shape (n_leads,)
        The chance, above 0 and at most 1, with which each lead came to be worked; 1 if nothing is said.
    """

    matrix: FloatArray
    target: FloatArray
    account: IntArray
    order: NDArray[Any]
    worked_chance: FloatArray = field(default_factory=lambda: NOT_SAID)

    def __post_init__(self) -> None:
        n_leads = self.matrix.shape[0]
        if self.worked_chance is NOT_SAID:
            object.__setattr__(self, "worked_chance", np.ones(n_leads))
        if any(column.shape != (n_leads,) for column in (self.target, self.account, self.order, self.worked_chance)):
            raise InternalError("every column of a sample must have one value per row of its matrix")

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    @property
    def n_won(self) -> int:
        """How many leads have target 1."""
        return int(self.target.sum())

    @property
    def n_lost(self) -> int:
        """How many leads have target 0."""
        return len(self) - self.n_won

    def take(self, rows: NDArray[Any]) -> Sample:
        """The leads at `rows`, a boolean mask or row numbers, in that order."""
        matrix = np.ascontiguousarray(self.matrix[rows])
        return Sample(matrix, self.target[rows], self.account[rows], self.order[rows], self.worked_chance[rows])


def recency_weights(order: NDArray[Any], half_life_leads: float | None) -> FloatArray:
    """Weights by time, shape (n_leads,): half as much for every `half_life_leads` leads that came later.

    Time is counted in leads, not in days, so that a quiet season does not forget. Simultaneous leads weigh the
    same, the newest weigh 1, and no half-life means that all do. The target plays no part: weights by class would
    bend the probability.

    >>> recency_weights(np.array([1, 2, 3, 3]), half_life_leads=2.0)
    array([0.35355339, 0.5       , 1.        , 1.        ])
    """
    if half_life_leads is None:
        return np.ones(order.size)
    n_later = order.size - np.searchsorted(np.sort(order), order, side="right")
    return np.asarray(np.exp2(-n_later / half_life_leads), dtype=np.float64)
