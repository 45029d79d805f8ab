"""When wins come, from leads of which many are still open: cumulative incidence with lost as the competing event.

Each lead is followed from its as-of date until it is won, is lost, or the data ends (at time c, exclusive). With the
distinct times t_1 < t_2 < ... of wins and losses, the leads at risk just before t_j (n_j: not closed before t_j, and
c > t_j), its wins d_j and all its closings e_j,

    S(t_j) = (1 - e_1 / n_1) ... (1 - e_j / n_j)          share of leads still open after t_j
    F(t)   = sum over t_j < t of S(t_j-1) d_j / n_j       share of leads won before t, never mind when the data ends

F is the estimator of Aalen and Johansen (1978, "An empirical transition matrix for non-homogeneous Markov chains based
on censored observations", Scandinavian Journal of Statistics 5, 141-150) for two causes of closing. Treating open
leads as lost gives too small a share, dropping them one that depends on whether wins or losses are decided faster.

F(t) here is the share *before* t, for a win exactly at as-of + horizon is outside the horizon (`training.labels`).

When not to use it:

- Where young leads win at another rate, or faster, than old ones: long delays are learnt from old leads alone, and
  are wrong for the young ones by as much as things have changed.
- Beyond `followed_days`: hardly any lead was watched for so long. "All wins" always means: all until then.
- Where outcomes were not recorded from the start: set `target.leads_from`, those leads were not followed.

A loss without a date stays in as open until the end of the data: such a lead can no longer win, and neither does it
here, so F keeps its meaning (the losses' own dates only sharpen it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import InternalError
from features.history import History, midnight
from training.judging.bootstrap import Accounts, Resampling
from training.judging.metrics import Floats

FEWEST_FOLLOWED = 100  # leads watched beyond a delay; with fewer, one late win moves the curve by more than 1 %
SECONDS_PER_DAY = 86_400

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Followed:
    """How long each lead was watched and how that ended; shape (n_leads,) each, in days after the as-of date.

    Attributes
    ----------
    watched_days : ndarray of float
        Until the end of the data, whatever became of the lead; above 0.
    closed_days : ndarray of float
        Until it was won or lost; infinite for a lead that was open when the data ended.
    won : ndarray of bool
        Whether it closed as won within the data.
    account : ndarray of str
        Leads of one account win and lose together: they are resampled together.
    """

    watched_days: Floats
    closed_days: Floats
    won: Flags
    account: npt.NDArray[np.str_]

    def __post_init__(self) -> None:
        closed = np.isfinite(self.closed_days)
        if (self.watched_days <= 0).any() or (self.closed_days[closed] >= self.watched_days[closed]).any():
            raise InternalError("a lead was never watched, or closed after its watching ended")
        if (self.won & ~closed).any():
            raise InternalError("a lead was won and is still open")

    def __len__(self) -> int:
        return len(self.watched_days)

    @property
    def followed_days(self) -> float:
        """The delay beyond which fewer than `FEWEST_FOLLOWED` leads were watched; 0 if there are not so many leads."""
        longest = np.sort(self.watched_days)[::-1]
        return float(longest[FEWEST_FOLLOWED - 1]) if len(longest) >= FEWEST_FOLLOWED else 0.0

    def won_before(self, days: Sequence[float]) -> Floats:
        """F at each of `days`: the estimated share of leads won before so many days, shape (n_days,)."""
        return np.asarray(_Curve.of(self).won_before(np.ones((1, len(self))), days)[0])

    def resampled(self, days: Sequence[float], resampling: Resampling) -> Floats:
        """The same in every resample of accounts, shape (n_resamples, n_days): for intervals."""
        curve = _Curve.of(self)
        blocks = Accounts.of(self.account).lead_weights(resampling)
        return np.concatenate([curve.won_before(weights, days) for weights in blocks])


def followed(history: History) -> Followed:
    """How long each lead of a dated history was watched.

    Leads older than `target.leads_from`, closed before their as-of date, or not yet begun at the end of the data were
    not followed and are not in it; what closed at the end of the data or later had not closed within it.

    Raises
    ------
    InternalError
        If the history has no dates; whoever asks checks that first.
    """
    if history.data_end is None or history.definition.timing != "dated":
        raise InternalError("a history without dates cannot be followed")
    frame, start = history.frame, history.definition.target.leads_from
    as_of = frame["as_of"]
    watched = _days(history.data_end - as_of)
    decided = (frame["outcome"] != "open").to_numpy()
    closed = np.where(decided, _days(frame["closed"] - as_of), np.inf)
    closed = np.where(np.isnan(closed) | (closed >= watched), np.inf, closed)  # a loss without a date, see above
    recorded = (as_of >= midnight(start, history.definition)).to_numpy() if start else np.ones(len(frame), dtype=bool)
    kept = recorded & (watched > 0) & (closed >= 0)
    won = (frame["outcome"] == "won").to_numpy() & np.isfinite(closed)
    return Followed(watched[kept], closed[kept], won[kept], frame["account"].to_numpy(dtype=str)[kept])


def _days(lengths: pd.Series) -> Floats:
    return np.asarray(lengths.dt.total_seconds().to_numpy(dtype=np.float64) / SECONDS_PER_DAY)


@dataclass(frozen=True, eq=False)
class _Curve:
    """The leads in the order in which they leave the risk set: at the same time, those no longer watched first.

    A lead that is watched until t (exclusive) could not have been seen closing at t, so it is not at risk there.

    Attributes
    ----------
    order : ndarray of int, shape (n_leads,)
    wins : ndarray of bool, shape (n_leads,)
        Whether they were won, in that order.
    time_days : ndarray of float, shape (n_times,)
        The distinct times of closings.
    first : ndarray of int, shape (n_times,)
        Position of the first lead that closes at each time: it and all that follow are at risk.
    last : ndarray of int, shape (n_times,)
        Position after the last lead that closes at each time.
    """

    order: npt.NDArray[np.int64]
    wins: Flags
    time_days: Floats
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]

    @classmethod
    def of(cls, leads: Followed) -> _Curve:
        closes = np.isfinite(leads.closed_days)
        leaves = np.where(closes, leads.closed_days, leads.watched_days)
        order = np.lexsort((closes, leaves))
        time_days, sorted_leaves = np.unique(leads.closed_days[closes]), leaves[order]
        last = np.searchsorted(sorted_leaves, time_days, side="right")
        first = last - np.unique(leads.closed_days[closes], return_counts=True)[1]
        return cls(order, leads.won[order], time_days, first, last)

    def won_before(self, weights: Floats, days: Sequence[float]) -> Floats:
        """F, shape (n_rows, n_days), under each row of `weights`, shape (n_rows, n_leads)."""
        if not len(self.time_days):
            return np.zeros((len(weights), len(days)))
        gone, won = _running(weights[:, self.order]), _running(weights[:, self.order] * self.wins)
        at_risk = gone[:, -1:] - gone[:, self.first]
        # A resample may hold none of the leads at risk at a late time; nothing happens there then.
        closing = _share(gone[:, self.last] - gone[:, self.first], at_risk)
        winning = _share(won[:, self.last] - won[:, self.first], at_risk)
        still_open = np.cumprod(1 - closing, axis=1)
        open_before = np.concatenate([np.ones((len(weights), 1)), still_open[:, :-1]], axis=1)
        incidence = _running(open_before * winning)
        reached = np.searchsorted(self.time_days, np.asarray(days), side="left")
        return np.asarray(incidence[:, reached])


def _running(columns: Floats) -> Floats:
    """Sums of the columns before each position and of all, shape (n_rows, n_columns + 1)."""
    return np.concatenate([np.zeros((len(columns), 1)), np.cumsum(columns, axis=1)], axis=1)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0.5)
