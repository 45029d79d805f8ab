"""How long leads wait for their first contact, when some still wait.

Dropping the leads that still wait would make sales look quick: the slow ones are missing. Kaplan and Meier (1958) count
each for as long as it has waited. The median's interval holds the times at which the curve's own interval, made on the
scale log(-log S), contains one half (Brookmeyer and Crowley 1982).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from serving.kpis.counts import Wait
from serving.kpis.shares import LEVEL, Figure

MINUTES_PER_HOUR = 60
NEARLY = 1e-12

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The share of leads that still wait after each time at which some were contacted, each array (n_times,).

    Attributes
    ----------
    low, high : ndarray
        The ends of the curve's interval.
    """

    minutes: npt.NDArray[np.int32]
    waiting: Floats
    low: Floats
    high: Floats


def waiting_curve(waits: Iterable[Wait], level: float = LEVEL, effect: float = 1.0) -> Curve:
    """The share of leads that still wait, by time.

    Parameters
    ----------
    effect : float
        The design effect: how many times as much as independent leads' the curve varies.
    """
    minutes, contacted = _together(waits)
    ended = np.sort(minutes[contacted])
    first = np.flatnonzero(np.append(True, ended[1:] != ended[:-1])[: len(ended)])
    times, events = ended[first], np.diff(np.append(first, len(ended)))
    at_risk = len(minutes) - np.searchsorted(np.sort(minutes), times)
    waiting = np.cumprod(1 - events / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore"):  # the last of all leads: then the curve has no spread, and is 0
        variance = np.cumsum(effect * events / (at_risk * (at_risk - events)), dtype=np.float64)
    return Curve(times, waiting, *_ends(waiting, variance, NormalDist().inv_cdf((1 + level) / 2)))


def median_figure(name: str, waits: Iterable[Wait], effect: float = 1.0) -> Figure:
    """The median hours from handover to first contact; no value while fewer than half have been contacted."""
    known = list(waits)
    n, n_of = sum(len(wait.minutes) for wait in known), sum(int(wait.contacted.sum()) for wait in known)
    if not n_of:
        return Figure(name, n, 0)
    curve = waiting_curve(known, effect=effect)
    hours = [_first_below_half(curve.minutes, share) for share in (curve.waiting, curve.low, curve.high)]
    return Figure(name, n, n_of, *hours)


def _together(waits: Iterable[Wait]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    parts = [(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.bool_))]
    parts += [(wait.minutes, wait.contacted) for wait in waits]
    minutes, contacted = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    # Who was contacted before the handover did not wait.
    return np.maximum(minutes, 0), contacted


def _first_below_half(minutes: npt.NDArray[np.int32], share: Floats) -> float | None:
    """The hours after which at most a half is left; None if more is left at the end."""
    below = np.flatnonzero(share <= 0.5 + NEARLY)
    return float(minutes[below[0]]) / MINUTES_PER_HOUR if len(below) else None


def _ends(waiting: Floats, variance: Floats, z: float) -> tuple[Floats, Floats]:
    """The interval of the curve; where all have been contacted it says nothing, and the curve itself is taken."""
    low, high = waiting.copy(), waiting.copy()
    inside = (waiting > 0) & (waiting < 1) & np.isfinite(variance)
    left = waiting[inside]
    power = np.exp(z * np.sqrt(variance[inside]) / np.abs(np.log(left)))
    low[inside], high[inside] = left**power, left ** (1 / power)
    return low, high
