"""Fields whose being filled in tells the answer: someone completed them once it was known.

A field that only one form asks for is filled more often by the leads of that form, and they may well win more often.
That is no leak. So the difference is also taken within each value of every field that all leads have; what one of
those explains is not held against the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt

import numpy as np

from features.text import Text, percent
from training.leakage import words
from training.leakage.cells import Cells, Codes
from training.leakage.finding import Finding, Kind
from training.leakage.questions import Question

DIFFERENCE_LIMIT = 0.10
UNEXPLAINED_LIMIT = 0.05
_COMPLETE_SHARE = 0.99
_MOST_LEVELS = 50


def filling(name: str, cells: Cells, question: Question, z: float, others: Mapping[str, Cells]) -> Iterator[Finding]:
    """A finding if the field is filled more, or less, often where the answer is yes.

    Parameters
    ----------
    z : float
        How many standard errors the difference must clear.
    others : mapping of field to Cells
        Fields that may explain the difference; those that are not complete are passed over.
    """
    filled = cells.filled[question.rows]
    if filled.all() or not filled.any():
        return
    difference, error = _difference(filled, question, question.period)
    if abs(difference) < max(DIFFERENCE_LIMIT, z * error):
        return
    least = difference
    for other_name, other in others.items():
        if other_name == name or not _explains(other, question):
            continue
        within, _ = _difference(filled, question, question.period * other.n_codes + other.code[question.rows])
        least = min(least, within, key=abs) if within * difference > 0 else 0.0
    if abs(least) >= UNEXPLAINED_LIMIT:
        yield _finding(name, question, filled, difference, least)


def fill_break(cells: Cells, question: Question) -> float:
    """How far the share filled in differs between periods of creation, 0 to 1."""
    n = np.bincount(question.period)
    filled = np.bincount(question.period, weights=cells.filled[question.rows])
    share = filled[n > 0] / n[n > 0]
    return float(share.max() - share.min())


def _explains(other: Cells, question: Question) -> bool:
    return other.n_codes <= _MOST_LEVELS and bool(other.filled[question.rows].mean() >= _COMPLETE_SHARE)


def _difference(filled: np.ndarray, question: Question, stratum: Codes) -> tuple[float, float]:
    """Share filled among yes minus among no, pooled over strata (Mantel-Haenszel weights), and its standard error."""
    _, code = np.unique(stratum, return_inverse=True)
    n = np.bincount(code).astype(np.float64)
    n_yes = np.bincount(code, weights=question.answer)
    n_no = n - n_yes
    filled_yes = np.bincount(code, weights=filled & question.answer)
    filled_no = np.bincount(code, weights=filled) - filled_yes
    weight = n_yes * n_no / n
    if weight.sum() == 0:
        return 0.0, 0.0
    gap = filled_yes / np.maximum(n_yes, 1) - filled_no / np.maximum(n_no, 1)
    share = (filled_yes + filled_no) / n
    spread = share * (1 - share) * n / np.maximum(n_yes * n_no, 1)
    error = sqrt(float((weight**2 * spread).sum()) * question.crowding) / float(weight.sum())
    return float((weight * gap).sum() / weight.sum()), error


def _finding(name: str, question: Question, filled: np.ndarray, difference: float, least: float) -> Finding:
    kind: Kind = "filled_by_outcome" if question.name == "won" else "filled_after_closing"
    yes, no = (words.LEADS[question.name, answer] for answer in (True, False))
    asked = words.ASKED[question.name]
    shares = [float(filled[question.answer == answer].mean()) for answer in (True, False)]
    explained = 1 - least / difference
    return Finding(
        name,
        kind,
        "fill_difference",
        difference,
        DIFFERENCE_LIMIT,
        len(filled),
        Text(
            en=f"that it is filled in tells {asked.en}: filled in for {percent(shares[0], 'en', 1)} of the {yes.en} "
            f"and {percent(shares[1], 'en', 1)} of {no.en}; another field explains at most "
            f"{percent(explained, 'en')} of that",
            de=f"dass es ausgefüllt ist, verrät, {asked.de}: ausgefüllt bei {percent(shares[0], 'de', 1)} der {yes.de} "
            f"und {percent(shares[1], 'de', 1)} der {no.de}; ein anderes Feld erklärt davon höchstens "
            f"{percent(explained, 'de')}",
        ),
        words.ASK_WHEN,
    )
