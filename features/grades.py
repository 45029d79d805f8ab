"""From a probability to what people act on: score, grade and handover, by the definition's rules alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from features.definition import Grade, LeadDefinition
from features.errors import InternalError

Handover = Literal["go", "nurture"]
Floats: TypeAlias = npt.NDArray[np.float64]


def score(probability: float) -> int:
    """The probability as a whole number from 0 to 100, halves rounded up.

    >>> score(0.125)
    13
    """
    return math.floor(100 * probability + 0.5)


def grade(probability: float, definition: LeadDefinition) -> Grade:
    """The grade A to D; a probability at a cut-off gets the better grade."""
    cuts = definition.grades
    if probability >= cuts.A:
        return "A"
    if probability >= cuts.B:
        return "B"
    return "C" if probability >= cuts.C else "D"


def handover(probability: float, threshold: float) -> Handover:
    """Whether sales gets the lead now ("go") or marketing keeps warming it ("nurture"). Nobody is rejected."""
    return "go" if probability >= threshold else "nurture"


def scores(probabilities: Floats) -> npt.NDArray[np.int64]:
    """`score` of many probabilities, shape (n_leads,)."""
    return np.floor(100 * probabilities + 0.5).astype(np.int64)


def grades(probabilities: Floats, definition: LeadDefinition) -> npt.NDArray[np.str_]:
    """`grade` of many probabilities, shape (n_leads,)."""
    cuts = definition.grades
    at_least = [probabilities >= cut for cut in (cuts.A, cuts.B, cuts.C)]
    return np.select(at_least, ["A", "B", "C"], "D").astype(np.str_)


def handovers(probabilities: Floats, threshold: float) -> npt.NDArray[np.str_]:
    """`handover` of many probabilities, shape (n_leads,)."""
    return np.where(probabilities >= threshold, "go", "nurture").astype(np.str_)


def threshold_for(definition: LeadDefinition, probabilities: Sequence[float] | Floats, weeks: float) -> float:
    """The lowest probability at which a lead is handed over.

    Parameters
    ----------
    probabilities : sequence of float, or array of shape (n_leads,)
        Of all leads that arrived in a period later than training, so that volume and scores are those to come.
    weeks : float
        The length of that period in weeks.

    Returns
    -------
    float
        The definition's threshold, or the one that hands over as many leads a week as sales has capacity for
        (0 if capacity exceeds supply; ties may hand over a few more).
    """
    rule = definition.handover
    if rule.threshold is not None:
        return rule.threshold
    if rule.capacity_per_week is None:
        raise InternalError("A definition without a handover rule passed its checks.")
    places = math.floor(rule.capacity_per_week * weeks)
    if places >= len(probabilities):
        return 0.0
    return float(np.sort(np.asarray(probabilities))[-places]) if places >= 1 else 1.0
