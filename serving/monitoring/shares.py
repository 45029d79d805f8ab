"""A share of recent leads against the same share in training: gaps, new values, leads unlike any before."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from features.errors import InternalError
from features.rates import Pair, design_effect, rate_interval


def difference(
    there: npt.NDArray[np.bool_], account: npt.NDArray[np.int64], n_before: int, of_before: int, chance: float
) -> tuple[float, Pair]:
    """The recent share minus training's, with an interval each end of which errs with the probability `chance`.

    Newcombe's interval of two shares (1998, method 10) from Wilson's of each, the recent one on the number of leads
    over their design effect.

    Parameters
    ----------
    there, account : ndarray of shape (n_leads,)
        Of each recent lead: whether it counts, and its account as a number.
    n_before, of_before : int
        Leads of training that counted, of so many.
    """
    now, before = float(there.mean()), n_before / of_before
    low, high = share_interval(there, account, chance)
    low_before, high_before = _ends(n_before, of_before, chance)
    gap = now - before
    below = math.hypot(now - low, high_before - before)
    above = math.hypot(high - now, before - low_before)
    return gap, (gap - below, gap + above)


def share_interval(there: npt.NDArray[np.bool_], account: npt.NDArray[np.int64], chance: float) -> Pair:
    """The interval of a share of leads, of whom those of one account resemble each other; see `difference`."""
    residual: npt.NDArray[np.float64] = there - np.float64(there.mean())
    return _ends(int(there.sum()), len(there), chance, design_effect(account, residual))


def _ends(n_there: int, n: int, chance: float, effect: float = 1.0) -> Pair:
    ends = rate_interval(n_there, n, 1 - 2 * chance, effect)
    if ends is None:
        raise InternalError("a share of no leads at all")
    return ends
