"""Windows in time: what is learnt, what calibrates it, what judges it.

The history of `labels.py` again, horizon 90 days, shares 60/20/20 of the time that has leads:

    train      |=====================|
    gap                               |--- 90 days ---|
    calibrate                                          |======|
    gap                                                        |--- 90 days ---|
    test                                                                        |======|

A label must have been knowable when the next window starts: a lead of 2025-03-01 becomes knowable on 2025-05-30, so it
may teach a model that is calibrated on leads from 2025-05-30 on, and none earlier.

Train and calibrate settle how many trees there are and how margins become probabilities. The model that is then judged
is what would have been shipped on the day test begins: both parts fitted anew on all leads knowable by then (`seen`),
those of the first gap included. Only the leads of the second gap are of no use before test is over.

An account belongs to the window of its newest lead; its older leads leave the windows before: so the newest windows
hold all leads of their time, those of known accounts too, and training gives up a few.

Data with an order but no dates is cut by the order, without gaps. Data with neither is cut at random, stratified and by
account, and everything made from it says "not validated on later leads".

`verify` recomputes all of this from the raw dates, shares no code with what built the split, and runs in production.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from features.errors import HistoryError, InternalError, Problem
from features.model.bundle import Window
from features.text import Text
from training.labels import Labelled, horizon

Rows = npt.NDArray[np.int64]
Moments = npt.NDArray[np.float64]
USES = ("train", "calibrate", "test", "seen")
MUST_NOT_MEET = ((0, 1), (0, 2), (1, 2), (3, 2))  # earlier and later window, as positions in USES
USES_IN_WORDS = (
    Text("training window", "Trainingsfenster"),
    Text("calibration window", "Kalibrierfenster"),
    Text("test window", "Testfenster"),
)


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of the leads, oldest first, that the windows are cut at; test gets what is left."""

    train: float = 0.70
    calibrate: float = 0.15


@dataclass(frozen=True)
class Split:
    """Positions in the labelled frame, shape (n,) each, and how they were cut.

    Attributes
    ----------
    seen : ndarray of int
        All leads knowable when test begins, of accounts that are not in test; train and calibrate are parts of it.
    by_time : bool
        False where there was no order in time to cut by.
    n_gap, n_account : int
        Leads before test that the judged model has not seen: not yet knowable, and of an account that is in test.
    """

    train: Rows
    calibrate: Rows
    test: Rows
    seen: Rows
    by_time: bool
    n_gap: int
    n_account: int

    def windows(self) -> Iterator[tuple[str, Rows]]:
        """Use and positions, in order of time."""
        return iter(zip(USES[:3], (self.train, self.calibrate, self.test), strict=True))


def split(labelled: Labelled, shares: Shares = Shares(), *, seed: int = 0) -> Split:
    """The split of `labelled` into train, calibrate and test.

    Raises
    ------
    HistoryError
        If the history is too short for two gaps of one horizon, or a window has leads of one kind only.
    """
    if labelled.history.definition.timing == "undated":
        cut = _stratified(labelled, shares, seed)
    else:
        cut = _by_time(labelled, shares)
    verify(labelled, cut)
    _require_both_kinds(labelled, cut)
    return cut


def _by_time(labelled: Labelled, shares: Shares) -> Split:
    frame = labelled.frame
    starts = _starts(labelled, shares)
    window = np.searchsorted(starts, frame["when"].to_numpy(), side="right")
    gap = np.zeros(len(frame), dtype=bool)
    ends = frame["when"].to_numpy() + _units(horizon(labelled.history))
    for number, start in enumerate(starts):
        gap |= (window == number) & (ends > start)
    known = (window < 2) & (ends <= starts[1])
    return _windows(labelled, np.where(gap, -1, window), known, by_time=True)


def _starts(labelled: Labelled, shares: Shares) -> Moments:
    """Where calibrate and test begin, on the axis of `when`; each at a lead's own moment.

    Leads in the gaps belong to nobody, so the cuts are searched: those whose windows come closest to the shares.
    """
    axis = _Axis(labelled.frame["when"].to_numpy(dtype=float), _units(horizon(labelled.history)))
    later_share = shares.calibrate / (1 - shares.train)
    best: tuple[float, Moments] = (np.inf, np.empty(0))
    for first in axis.candidates(axis.when[0]):
        for second in axis.candidates(first):
            train, calibrate, test = axis.counts(first, second)
            if min(train, calibrate, test) == 0:
                continue
            miss = abs(train / (train + calibrate + test) - shares.train)
            miss += abs(calibrate / (calibrate + test) - later_share)
            best = min(best, (miss, np.array([first, second])), key=lambda found: found[0])
    if not np.isfinite(best[0]):
        raise HistoryError([_too_short(labelled)])
    return best[1]


@dataclass(frozen=True)
class _Axis:
    """The leads' moments, rising, and the length of a gap on the same axis."""

    when: Moments
    gap: float

    def candidates(self, start: float) -> Moments:
        """Moments of leads after `start`, about a hundredth of all leads apart."""
        later = self.when[np.searchsorted(self.when, start, side="right") :]
        return np.unique(later[:: max(1, len(self.when) // 100)])

    def counts(self, first: float, second: float) -> tuple[int, int, int]:
        """Leads in train, calibrate and test if the later two begin at `first` and `second`."""
        matured_first = self._count(first - self.gap, self.gap)
        began, matured = self._count(first, 0), self._count(second - self.gap, self.gap)
        return matured_first, max(0, matured - began), len(self.when) - self._count(second, 0)

    def _count(self, moment: float, gap: float) -> int:
        """Leads before `moment`; with a gap, also those at it, for they are knowable when the next window starts."""
        return int(np.searchsorted(self.when, moment, side="right" if gap else "left"))


def _stratified(labelled: Labelled, shares: Shares, seed: int) -> Split:
    """Random folds of accounts with the same rate: 20 folds, handed out by the shares."""
    frame = labelled.frame
    folds = StratifiedGroupKFold(n_splits=20, shuffle=True, random_state=seed)
    window = np.zeros(len(frame), dtype=int)
    n_train, n_calibrate = round(20 * shares.train), round(20 * shares.calibrate)
    for number, (_, rows) in enumerate(folds.split(frame, frame["target"], frame["account"])):
        window[rows] = int(number >= n_train) + int(number >= n_train + n_calibrate)
    return _windows(labelled, window, window < 2, by_time=False)


def _windows(
    labelled: Labelled, window: npt.NDArray[np.int64], known: npt.NDArray[np.bool_], *, by_time: bool
) -> Split:
    """Positions per window; -1 is a gap. Leads of accounts that a later window holds leave the earlier ones.

    `known` marks the leads whose labels are knowable when test begins.
    """
    accounts, test = labelled.frame["account"], window == 2
    seen = known & ~accounts.isin(set(accounts[test])).to_numpy()
    for number in (0, 1):
        comes_later = accounts.isin(set(accounts[window > number])).to_numpy()
        window = np.where((window == number) & comes_later, -1, window)
    train, calibrate, newest = (np.flatnonzero(window == number) for number in range(3))
    n_gap, n_account = int((~test & ~known).sum()), int((known & ~seen).sum())
    return Split(train, calibrate, newest, np.flatnonzero(seen), by_time, n_gap, n_account)


def verify(labelled: Labelled, cut: Split) -> None:
    """Recompute from raw dates that nothing leaks from one window into another.

    Raises
    ------
    InternalError
        If an account or a lead stands in two windows, a label was not knowable when a later window began, or leads
        with an order in time were cut without it.
    """
    frame, timing = labelled.frame, labelled.history.definition.timing
    if cut.by_time == (timing == "undated"):
        raise InternalError(f"The split says by_time={cut.by_time}, the definition is {timing}.")
    windows = [frame.iloc[rows] for rows in (cut.train, cut.calibrate, cut.test, cut.seen)]
    for earlier, later in MUST_NOT_MEET:
        shared = set(windows[earlier]["account"]) & set(windows[later]["account"])
        leads = set(windows[earlier]["lead_id"]) & set(windows[later]["lead_id"])
        if shared or leads:
            raise InternalError(
                f"{USES[earlier]} and {USES[later]} share {len(shared)} accounts and {len(leads)} leads."
            )
    if not cut.by_time:
        return
    days = labelled.history.definition.target.horizon_days
    for earlier, later in MUST_NOT_MEET:
        if timing == "dated":
            first: datetime = windows[later]["as_of"].min()
            known: datetime = windows[earlier]["as_of"].max() + timedelta(days=days or 0)
            if known > first:
                raise InternalError(f"A label of {USES[earlier]} was not knowable when {USES[later]} began.")
        elif windows[earlier]["when"].max() > windows[later]["when"].min():
            raise InternalError(f"{USES[earlier]} reaches into {USES[later]}.")


def described(labelled: Labelled, use: str, rows: Rows) -> Window:
    """A window with its dates (days of the as-of date, end exclusive) and counts, for people and bundles."""
    part = labelled.frame.iloc[rows]
    start = end = ""
    if len(part) and part["as_of"].notna().all():
        zone = labelled.history.definition.read.timezone
        start = part["as_of"].min().tz_convert(zone).date().isoformat()
        end = (part["as_of"].max().tz_convert(zone).date() + timedelta(days=1)).isoformat()
    return Window(use, start, end, len(part), int(part["target"].sum()))


def _require_both_kinds(labelled: Labelled, cut: Split) -> None:
    target = labelled.frame["target"].to_numpy()
    problems = [
        Problem(
            where=labelled.history.definition.name,
            what=Text(
                f"the {use.en} has leads of one kind only: {len(rows)} leads, {int(target[rows].sum())} of them won",
                f"das {use.de} hat nur Leads einer Art: {len(rows)} Leads, davon {int(target[rows].sum())} gewonnen",
            ),
            expected=Text(
                "won and not won leads; a longer history", "gewonnene und andere Leads; eine längere Historie"
            ),
            code="one_class_window",
        )
        for use, (_, rows) in zip(USES_IN_WORDS, cut.windows(), strict=True)
        if not 0 < target[rows].sum() < len(rows)
    ]
    if problems:
        raise HistoryError(problems)


def _too_short(labelled: Labelled) -> Problem:
    if labelled.history.definition.timing != "dated":
        return _no_order(labelled)
    days = labelled.history.definition.target.horizon_days
    span: pd.Timedelta = labelled.frame["as_of"].max() - labelled.frame["as_of"].min()
    return Problem(
        where=labelled.history.definition.name,
        what=Text(
            f"the matured leads span {span.days} days: too short for two gaps of {days} days",
            f"die ausgereiften Leads umfassen {span.days} Tage: zu kurz für zwei Lücken von {days} Tagen",
        ),
        expected=Text("a longer history, or a shorter horizon", "eine längere Historie oder ein kürzerer Horizont"),
        code="history_too_short",
    )


def _no_order(labelled: Labelled) -> Problem:
    n = int(labelled.frame["when"].nunique())
    return Problem(
        where=labelled.history.definition.name,
        what=Text(
            f"the order of the leads has only {n} steps: too few to cut three windows",
            f"die Reihenfolge der Leads hat nur {n} Stufen: zu wenige für drei Fenster",
        ),
        expected=Text("an order that tells leads apart", "eine Reihenfolge, die Leads unterscheidet"),
        code="no_order",
    )


def _units(length: timedelta) -> float:
    """A length on the axis of `when` (microseconds for dates)."""
    return length / timedelta(microseconds=1)
