"""The two questions that a leak answers too well: was the lead won? was it closed before the export?

Both are asked within periods of creation. A rate that drifts, or newer leads that are open because they are new, would
otherwise make every field that changes over time look like a leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from training.leakage.cells import Codes, Flags, Floats

N_FOLDS = 5
FEWEST_PER_ANSWER = 30
_LEADS_PER_PERIOD = 500
_MOST_PERIODS = 24
_MIXED = (0.1, 0.9)  # a period in which nearly all leads are closed, or open, compares nothing
_SAME_QUESTION = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A yes-no question to some of the leads.

    Attributes
    ----------
    name : {"won", "closed"}
    rows : ndarray of int, shape (n_asked,)
        The leads whose answer is known and can be compared.
    answer : ndarray of bool, shape (n_asked,)
    period, account, fold : ndarray of int, shape (n_asked,)
        Period of creation; account; the fifth of the accounts that the lead is in.
    """

    name: Literal["won", "closed"]
    rows: Codes
    answer: Flags
    period: Codes
    account: Codes
    fold: Codes

    @property
    def n_yes(self) -> int:
        """How many leads answer yes."""
        return int(self.answer.sum())

    @property
    def n_no(self) -> int:
        """How many leads answer no."""
        return len(self.answer) - self.n_yes

    @property
    def expected(self) -> Floats:
        """The share of yes in each lead's period, shape (n_asked,)."""
        n = np.bincount(self.period)
        yes = np.bincount(self.period, weights=self.answer)
        return np.asarray((yes / np.maximum(n, 1))[self.period], dtype=np.float64)

    @property
    def crowding(self) -> float:
        """Leads per account, at least 1: leads of one account are not independent evidence."""
        return max(1.0, len(self.rows) / int((np.bincount(self.account) > 0).sum()))


def questions(frame: pd.DataFrame, target: ArrayLike, *, seed: int) -> tuple[Question, ...]:
    """The questions that the history can answer with enough cases on both sides; none, one or two.

    Parameters
    ----------
    frame : pandas.DataFrame
        A typed history, `(n_leads, …)`, with `outcome` and where known `created` or `order`, and `account`.
    target : array-like of float, shape (n_leads,)
        1 won within the horizon, 0 not, NaN where that is not known yet.

    Notes
    -----
    "Won" is asked of the leads whose target is known, and means won at any time: what someone wrote down after a
    win they also wrote down after a late one.
    """
    wanted = np.asarray(target, dtype=np.float64)
    period, account = _periods(frame), _accounts(frame)
    n_accounts = int(account.max(initial=-1)) + 1
    fold = np.random.default_rng(seed).permutation(np.arange(n_accounts) % N_FOLDS)[account]
    known = np.flatnonzero(~np.isnan(wanted))
    was_won = np.asarray(frame["outcome"] == "won", dtype=np.bool_)
    won = Question("won", known, was_won[known], period[known], account[known], fold[known])
    closed = _closed(frame, period)
    asked = [won] if closed is None else [won, Question("closed", *closed, account[closed[0]], fold[closed[0]])]
    if len(asked) == 2 and _same(frame, asked[1]):
        asked.pop()  # where only wins are logged, closed means won
    return tuple(q for q in asked if min(q.n_yes, q.n_no) >= FEWEST_PER_ANSWER)


def _closed(frame: pd.DataFrame, period: Codes) -> tuple[Codes, Flags, Codes] | None:
    """Leads of the periods in which both closed and open leads are common: rows, whether closed, period."""
    closed = np.asarray(frame["outcome"] != "open", dtype=np.bool_)
    share = np.bincount(period, weights=closed) / np.maximum(np.bincount(period), 1)
    rows = np.flatnonzero(((share >= _MIXED[0]) & (share <= _MIXED[1]))[period])
    return (rows, closed[rows], period[rows]) if len(rows) else None


def _same(frame: pd.DataFrame, closed: Question) -> bool:
    won = np.asarray(frame["outcome"] == "won", dtype=np.bool_)[closed.rows]
    return bool((won == closed.answer).mean() > _SAME_QUESTION)


def _periods(frame: pd.DataFrame) -> Codes:
    """Codes of periods of about equally many leads, in the order of creation; one period where there is no order."""
    column = next((frame[name] for name in ("created", "order") if name in frame and frame[name].notna().any()), None)
    n_periods = int(np.clip(len(frame) // _LEADS_PER_PERIOD, 1, _MOST_PERIODS))
    if column is None or n_periods == 1:
        return np.zeros(len(frame), dtype=np.int64)
    rank = column.rank(method="min", na_option="bottom").to_numpy() - 1
    return np.asarray(rank * n_periods // len(frame), dtype=np.int64)


def _accounts(frame: pd.DataFrame) -> Codes:
    """Codes of the accounts; a lead without one is an account of its own."""
    if "account" not in frame:
        return np.arange(len(frame), dtype=np.int64)
    code, distinct = pd.factorize(frame["account"])
    alone = code < 0
    code = code.astype(np.int64)
    code[alone] = len(distinct) + np.arange(int(alone.sum()))
    return code
