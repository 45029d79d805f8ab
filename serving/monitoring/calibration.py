"""Wins against the probabilities of the model in service, on leads that it had not seen and that have matured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.rates import Pair, design_effect, ratio_interval

FEWEST_OF_A_KIND = 40.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Wins observed and expected, and the interval of their ratio."""

    observed: int
    expected: float
    interval: Pair

    @property
    def ratio(self) -> float:
        """Observed to expected; 1 is right."""
        return self.observed / self.expected


def calibration_of(
    won: npt.NDArray[np.bool_],
    probability: npt.NDArray[np.float64],
    account: npt.NDArray[np.int64],
    chance: float,
) -> Calibration | None:
    """How wins compare with what was said; None where fewer than 40 wins, or 40 others, are expected.

    Parameters
    ----------
    won, probability, account : ndarray of shape (n_leads,)
        Of each matured lead: whether it was won within the horizon, what the model says, its account as a number.
    chance : float
        The probability with which each end of the interval may err.
    """
    n, expected, observed = len(won), float(probability.sum()), int(won.sum())
    if min(expected, n - expected) < FEWEST_OF_A_KIND:
        return None
    # Around the rate that was observed: around the expected one, a shift would look like leads that go together.
    residual: npt.NDArray[np.float64] = won - np.clip(probability * observed / expected, 0, 1)
    effect = design_effect(account, residual)
    squares = float(probability @ probability)
    return Calibration(observed, expected, ratio_interval(observed, expected, squares, 1 - 2 * chance, effect))
