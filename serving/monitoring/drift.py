"""Whether recent leads are distributed as those of training, in the bins of the bundle's profile.

The statistic is Pearson's chi-square of two samples, recent leads and training. If the true shift has the size w², it
follows a noncentral chi-square distribution with noncentrality w² / (1/n + 1/m): so its chance of a false alarm is
known for any number of leads, and can be stated for a shift that is just tolerated instead of for none at all.

w² = Σ (p - q)² / r, where r = (p + q) / 2, is on the scale of the population stability index, which is
Σ (p - q) ln(p / q) and close to it for small shifts. PSI is given beside it, with what it comes to by chance. The
usual r weighs the larger sample more, which is training: where many leads move into a rare value, the statistic would
then vary more than its distribution says.

Leads of one account resemble each other. The statistic is divided by their mean design effect (Rao and Scott 1981),
taken from the recent leads; training's is taken to be the same, of which the profile tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.monitoring.chi_square import least_noncentrality

FEWEST_IN_A_BIN = 5.0
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far recent leads lie from training.

    Attributes
    ----------
    size : float
        w², without what chance alone adds; 0 is none.
    low : float
        The lower end of its one-sided interval.
    psi, psi_by_chance : float
        The population stability index, and its mean over samples without any shift.
    n : int
        Recent leads compared.
    design_effect : float
        How many times wider than independent leads' the statistic varies.
    """

    size: float
    low: float
    psi: float
    psi_by_chance: float
    n: int
    design_effect: float


def shift_of(bins: Integers, account: Integers, reference: Integers, chance: float) -> Shift | None:
    """How far the leads in `bins` lie from the counts of training; None if there are too few to tell.

    Parameters
    ----------
    bins, account : ndarray of shape (n_leads,)
        Of each recent lead: its bin, and its account as a number.
    reference : ndarray of shape (n_bins,)
        Leads of training in each bin.
    chance : float
        The probability that `low` may lie above the true size.
    """
    n, m = len(bins), int(reference.sum())
    if n == 0 or m == 0:
        return None
    merged = _merged(np.bincount(bins, minlength=len(reference)), reference)
    n_bins = int(merged.max()) + 1
    if n_bins < 2:
        return None
    p, q = _shares(merged[bins], n_bins), _counts(merged, reference, n_bins) / m
    both = (p + q) / 2
    effect = _design_effect(merged[bins], account, p)
    scale, distance = effect * (1 / n + 1 / m), float(((p - q) ** 2 / both).sum())
    degrees = n_bins - 1
    return Shift(
        size=max(0.0, distance - degrees * scale),
        low=scale * least_noncentrality(distance / scale, degrees, chance),
        psi=_psi(p, q, (n, m)),
        psi_by_chance=degrees * scale,
        n=n,
        design_effect=effect,
    )


def _merged(recent: Integers, reference: Integers) -> Integers:
    """For each bin its place among those that are compared: bins too rare for a chi-square share the last place."""
    n, m = recent.sum(), reference.sum()
    expected = (recent / n + reference / m) / 2 * min(n, m)
    often = expected >= FEWEST_IN_A_BIN
    if expected[~often].sum() < FEWEST_IN_A_BIN and often.any() and not often.all():
        # All rare ones together are still too rare: they join the smallest of the others.
        often[np.flatnonzero(often)[np.argmin(expected[often])]] = False
    return np.where(often, np.cumsum(often) - 1, often.sum()).astype(np.int64)


def _counts(merged: Integers, counts: Integers, n_bins: int) -> Floats:
    return np.bincount(merged, weights=counts, minlength=n_bins).astype(np.float64)


def _shares(bins: Integers, n_bins: int) -> Floats:
    return np.bincount(bins, minlength=n_bins) / len(bins)


def _design_effect(bins: Integers, account: Integers, p: Floats) -> float:
    """The mean design effect of the shares `p` (Rao and Scott 1981, first order), at least 1."""
    there = np.flatnonzero(p > 0)
    if len(there) < 2:
        return 1.0
    n, of_account = len(bins), np.bincount(account)
    total = 0.0
    for each in there:
        together = np.bincount(account, weights=bins == each, minlength=len(of_account)) - of_account * p[each]
        total += float((together**2).sum()) / (n * p[each])
    return max(1.0, total / (len(there) - 1))


def _psi(p: Floats, q: Floats, sizes: tuple[int, int]) -> float:
    """The population stability index; half a lead stands in for none, whose logarithm would be infinite."""
    p, q = (np.maximum(share, 0.5 / size) for share, size in zip((p, q), sizes, strict=True))
    return float(((p - q) * np.log(p / q)).sum())
