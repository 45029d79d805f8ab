"""How well one field alone answers a question, judged on accounts that its rates were not learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from training.leakage.cells import Cells, Codes, Floats
from training.leakage.questions import N_FOLDS, Question

_PRIOR_LEADS = 10.0  # a level's rate starts from the overall rate, with the weight of so many leads
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Separation:
    """What the field does on its own.

    Attributes
    ----------
    auc : float
        Chance that a yes stands above a no of the same period; 0.5 is no knowledge.
    auc_error : float
        Standard error of it, accounts counted once.
    skill : float
        Log loss saved against knowing only the overall rate, as a share of it; 1 is certainty.
    n_wrong : int
        Leads whose answer the field's own majority gets wrong.
    """

    auc: float
    auc_error: float
    skill: float
    n_wrong: int


def separation(cells: Cells, question: Question) -> Separation:
    """The separation of `question` by the field, out of fold and within periods."""
    answer = question.answer.astype(np.float64)
    place = question.fold * cells.n_codes + cells.code[question.rows]
    table = _out_of_fold_rates(place, cells.n_codes, answer)
    rate = table[place]
    auc = _auc_within(place, table, question)
    return Separation(
        auc=auc,
        auc_error=_auc_error(auc, question),
        skill=1 - _log_loss(rate, answer) / _log_loss(np.full(len(answer), answer.mean()), answer),
        n_wrong=int(((rate > 0.5) != question.answer).sum()),
    )


def _out_of_fold_rates(place: Codes, n_codes: int, answer: Floats) -> Floats:
    """The rate of every level over the folds other than the one left out, by place (fold x level)."""
    size = (N_FOLDS, n_codes)
    yes = np.bincount(place, weights=answer, minlength=N_FOLDS * n_codes).reshape(size)
    n = np.bincount(place, minlength=N_FOLDS * n_codes).reshape(size)
    yes_elsewhere, n_elsewhere = yes.sum(axis=0) - yes, n.sum(axis=0) - n
    rates = (yes_elsewhere + _PRIOR_LEADS * answer.mean()) / (n_elsewhere + _PRIOR_LEADS)
    return np.asarray(rates.ravel(), dtype=np.float64)


def _auc_within(place: Codes, table: Floats, question: Question) -> float:
    """AUC over pairs of the same period (Mann and Whitney 1947), pooled over the periods; counted, not sorted."""
    rates, rank = np.unique(table, return_inverse=True)
    n_periods = int(question.period.max()) + 1
    cell = question.period * len(rates) + rank[place]
    n = np.bincount(cell, minlength=n_periods * len(rates)).reshape(n_periods, len(rates))
    yes = np.bincount(cell, weights=question.answer, minlength=n_periods * len(rates)).reshape(n.shape)
    no = n - yes
    below = np.cumsum(no, axis=1) - no / 2
    pairs = float((yes.sum(axis=1) * no.sum(axis=1)).sum())
    return float((yes * below).sum() / pairs) if pairs else 0.5


def _auc_error(auc: float, question: Question) -> float:
    """Standard error of an AUC (Hanley and McNeil 1982, eq. 2), on as many leads as there are accounts."""
    n_yes, n_no = question.n_yes / question.crowding, question.n_no / question.crowding
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n_yes - 1) * (q1 - auc**2) + (n_no - 1) * (q2 - auc**2)
    return sqrt(max(variance, 0.0) / (n_yes * n_no))


def _log_loss(probability: Floats, answer: Floats) -> float:
    p = np.clip(probability, _TINY, 1 - _TINY)
    return float(-(answer * np.log(p) + (1 - answer) * np.log1p(-p)).mean())
