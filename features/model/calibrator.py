"""The last step from margins to a probability: two slopes and a shift, in log-odds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError
from features.model.compiled import call, compiled, inlined

FloatArray: TypeAlias = NDArray[np.float64]


def probability_of(log_odds: float) -> float:
    """The probability of one calibrated log-odds; never overflows.

    One compiled scalar function for every path: numpy's vectorised `exp` may round the same value differently by
    its place in a batch, and Python's may be another library's.

    >>> probability_of(0.0)
    0.5
    """
    return float(probabilities_of(np.array([log_odds]))[0])


def probabilities_of(log_odds: FloatArray) -> FloatArray:
    """The probabilities of calibrated log-odds, shape (n_leads,), each as `probability_of` gives it."""
    out = np.empty(log_odds.shape)
    call(_write_probabilities, np.ascontiguousarray(log_odds, dtype=np.float64), out)
    return out


@inlined
def to_probability(log_odds: float) -> float:
    """The probability of one log-odds, for compiled functions."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)


@compiled
def _write_probabilities(log_odds: FloatArray, out: FloatArray) -> None:
    for lead in range(log_odds.size):
        out[lead] = to_probability(log_odds[lead])


@dataclass(frozen=True, slots=True)
class Calibrator:
    """`log_odds = linear_slope * linear + tree_slope * trees + intercept`.

    A slope below 1 says that this part was too sure of itself on the leads it was fitted on. Slopes are never
    negative: a part that points the wrong way on later leads is switched off, not turned around. Platt's
    calibration is the case of equal slopes.

    Attributes
    ----------
    linear_slope, tree_slope : float
        Factors on the margins of the two parts, at least 0.
    intercept : float
        Shift in log-odds.

    >>> Calibrator(1.0, 0.5, -0.25).log_odds(np.array([1.0]), np.array([0.5]))
    array([1.])
    """

    linear_slope: float = 1.0
    tree_slope: float = 1.0
    intercept: float = 0.0

    def log_odds(self, linear: FloatArray, trees: FloatArray) -> FloatArray:
        """Calibrated log-odds, shape (n_leads,), from the margins of both parts, each (n_leads,)."""
        return self.linear_slope * linear + self.tree_slope * trees + self.intercept

    def probabilities(self, linear: FloatArray, trees: FloatArray) -> FloatArray:
        """Calibrated probabilities, shape (n_leads,), from the margins of both parts, each (n_leads,)."""
        return probabilities_of(self.log_odds(linear, trees))

    def to_dict(self) -> dict[str, float]:
        """Plain data for JSON, every float exact."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: object) -> Calibrator:
        """The calibrator that `to_dict` wrote.

        Raises
        ------
        BundleError
            A key is missing or unknown, a value is not a finite number, or a slope is negative.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(plain, dict) or set(plain) != set(names):
            raise BundleError(f"calibrator: seen {plain!r}, expected the keys {names}")
        calibrator = cls(**{name: _finite(plain[name], name) for name in names})
        if calibrator.linear_slope < 0 or calibrator.tree_slope < 0:
            raise BundleError(f"calibrator: slopes must not be negative, seen {calibrator}")
        return calibrator


def _finite(value: Any, name: str) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise BundleError(f"calibrator: {name} is {value!r}, expected a finite number")
    return float(value)
