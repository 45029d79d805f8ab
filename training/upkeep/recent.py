"""The recent outcomes that recalibrate a champion: which of them it may be calibrated on, and which judge that.

Horizon 90 days, outcomes recorded until 2026-01-31, a champion whose parts learnt from leads until 2025-03-02:

    later      leads from 2025-03-02 to 2025-11-02, the newest that have matured: later than all the parts learnt from,
               and of accounts that they do not know. On older ones the margins are over-confident.
    recent     the newest 1,000 of those, from 2025-09-03: the slopes that are shipped
    test       the same, or as many of the newest as leave enough for the next line: they judge
    calibrate  the newest 1,000 whose labels were knowable on 2025-09-03, so none later than 2025-06-05: with their
               slopes the model is judged, as it would have been on that day

A lead of 2025-07-01 is recent or not, but never calibrates what is judged: its label was not knowable in time.

Too few leads may be later than all that the shipped parts learnt from, for they learnt from every matured lead. Then
the judged twin takes their place: it was fitted on the leads knowable when its own test window began, and every later
lead is new to it. Its slopes are carried over to the shipped parts, whose level is then found
anew, as in training.

Leads to be judged on must also be later than what the champion's own slopes were fitted on: neither side has seen them.
`verify_recent` recomputes all of this from the raw dates and runs in production.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from features.errors import InternalError, Problem, TooFewOutcomesError
from features.history import LeftOutRows
from features.model.bundle import Manifest, Window
from features.text import Text
from training.labels import Labelled
from training.learn import FEWEST_OF_A_KIND, too_few
from training.splits import Rows, Split
from training.upkeep.unseen import leads_from

Parts: TypeAlias = Literal["shipped", "judged"]

LEARNT_FROM: dict[Parts, tuple[str, ...]] = {"shipped": ("shipped",), "judged": ("judged",)}
SLOPES_FROM: dict[Parts, tuple[str, ...]] = {
    "shipped": ("shipped", "recalibrated"),
    "judged": ("judged", "calibrate"),
}
TEST_SIZES = (1.0, 0.7, 0.5, 0.35, 0.25)  # shares of the recent leads; the first that leaves enough to calibrate on


@dataclass(frozen=True, slots=True)
class RecentSettings:
    """Which outcomes recalibrate.

    Attributes
    ----------
    newest : int
        So many of the newest matured leads.
    since : date or None
        Instead: all from this day on, for when something is known to have changed then.
    """

    newest: int = 1000
    since: date | None = None


@dataclass(frozen=True, eq=False)
class Recent:
    """Positions in the labelled frame, oldest first; see the example above.

    Attributes
    ----------
    parts : {"shipped", "judged"}
        Whose margins the slopes are fitted on.
    learnt : ndarray of int
        What these parts learnt from, as far as this export holds it.
    seen : ndarray of int
        All leads knowable when test begins, of accounts that are not in test: for the baselines.
    n_account, n_older : int
        Later leads given up because the parts know their account, and because newer ones are enough.
    """

    parts: Parts
    learnt: Rows
    recent: Rows
    calibrate: Rows
    test: Rows
    seen: Rows
    n_account: int
    n_older: int

    def split(self) -> Split:
        """The windows as training names them."""
        n_gap = len(np.setdiff1d(self.recent, np.union1d(self.calibrate, self.test)))
        return Split(self.learnt, self.calibrate, self.test, self.seen, True, n_gap, self.n_account)

    def left_out(self) -> tuple[LeftOutRows, ...]:
        """Matured leads that neither recalibrate nor judge, and why."""
        counts = ((LEARNT, len(self.learnt)), (KNOWN_ACCOUNT, self.n_account), (OLDER, self.n_older))
        return tuple(LeftOutRows(reason, n) for reason, n in counts if n)


def recent_outcomes(labelled: Labelled, manifest: Manifest, settings: RecentSettings = RecentSettings()) -> Recent:
    """The outcomes to recalibrate the champion of `manifest` on: for its shipped parts, or for its judged twin's.

    Raises
    ------
    TooFewOutcomesError
        Says how many won and other leads are missing to calibrate and to judge.
    """
    attempts = []
    for parts in LEARNT_FROM:
        later = _Later(labelled, manifest, parts, settings)
        for share in TEST_SIZES:
            found = later.cut(share)
            if not (problems := _missing(labelled, found)):
                verify_recent(labelled, manifest, found)
                return found
            attempts.append(problems)
    raise TooFewOutcomesError(min(attempts, key=lambda problems: sum(FEWEST_OF_A_KIND - int(p.seen) for p in problems)))


def own_test(manifest: Manifest) -> Window | None:
    """The window that the parts were judged on when they were trained."""
    windows = {window.use: window for window in manifest.windows}
    return windows.get("parts_test", windows.get("test"))


class _Later:
    """The leads that some parts have not seen, to be cut."""

    def __init__(self, labelled: Labelled, manifest: Manifest, parts: Parts, settings: RecentSettings) -> None:
        self.frame, self.settings, self.parts = labelled.frame, settings, parts
        self.account = pd.factorize(labelled.frame["account"])[0]
        later = leads_from(labelled, manifest.seen_until(*LEARNT_FROM[parts]))
        older = np.setdiff1d(np.arange(len(labelled.frame)), later)
        spared = _between(labelled, own_test(manifest)) if parts == "judged" else older[:0]
        self.learnt = self._without_accounts(older, spared)  # the twin gave up the accounts that it was judged on
        self.eligible = self._without_accounts(later, self.learnt)
        self.n_account = len(later) - len(self.eligible)
        self.new_to_slopes = leads_from(labelled, manifest.seen_until(*SLOPES_FROM[parts]))
        self.since = None if settings.since is None else leads_from(labelled, settings.since.isoformat())

    def cut(self, share: float) -> Recent:
        """The windows, with `share` of the recent leads to judge on."""
        recent = self._newest(self.eligible)
        test = np.intersect1d(recent[len(recent) - round(share * len(recent)) :], self.new_to_slopes)
        seen = self._without_accounts(self._knowable_before(test), test)
        calibrate = self._newest(np.intersect1d(self.eligible, seen))
        n_older = len(self.eligible) - len(np.union1d(recent, calibrate))
        return Recent(self.parts, self.learnt, recent, calibrate, test, seen, self.n_account, n_older)

    def _newest(self, rows: Rows) -> Rows:
        return rows[-self.settings.newest :] if self.since is None else np.intersect1d(rows, self.since)

    def _knowable_before(self, test: Rows) -> Rows:
        if not len(test):
            return test
        return np.flatnonzero(self.frame["knowable"] <= self.frame["as_of"].iloc[test].min())

    def _without_accounts(self, rows: Rows, others: Rows) -> Rows:
        return rows[~np.isin(self.account[rows], self.account[others])]


def _between(labelled: Labelled, window: Window | None) -> Rows:
    if window is None:
        return np.empty(0, dtype=np.int64)
    return np.setdiff1d(leads_from(labelled, window.start), leads_from(labelled, window.end))


def _missing(labelled: Labelled, found: Recent) -> list[Problem]:
    """What is too few of the leads that would calibrate and judge; the shipped slopes never have fewer."""
    return [
        *too_few(labelled, found.calibrate, FEWEST_OF_A_KIND, TO_CALIBRATE),
        *too_few(labelled, found.test, FEWEST_OF_A_KIND, TO_JUDGE),
    ]


def verify_recent(labelled: Labelled, manifest: Manifest, found: Recent) -> None:
    """Recompute from the raw dates that nothing was used which the champion had seen or nobody could know.

    Raises
    ------
    InternalError
        With every fault.
    """
    if faults := list(_faults(labelled, manifest, found)):
        raise InternalError(f"recalibration: {'; '.join(faults)}.")


def _faults(labelled: Labelled, manifest: Manifest, found: Recent) -> Iterator[str]:
    frame, zone = labelled.frame, labelled.history.definition.read.timezone
    length = timedelta(days=labelled.history.definition.target.horizon_days or 0)
    used = {name: frame.iloc[getattr(found, name)] for name in ("recent", "calibrate", "test", "seen")}
    ends = {w.use: date.fromisoformat(w.end) for w in manifest.windows if w.end}
    begins = used["test"]["as_of"].min()
    known = _known_accounts(labelled, manifest, found.parts)
    for name in ("recent", "calibrate", "test"):
        if any(day < ends[found.parts] for day in used[name]["as_of"].dt.tz_convert(zone).dt.date):
            yield f"{name} holds leads that the parts learnt from"
        if known & set(used[name]["account"]):
            yield f"{name} holds accounts that the parts know"
    for name in ("calibrate", "seen"):
        if any(day.to_pydatetime() + length > begins for day in used[name]["as_of"].drop_duplicates()):
            yield f"a label of {name} was not knowable"
        if set(used[name]["account"]) & set(used["test"]["account"]):
            yield f"{name} and test share an account"
    slopes = max(ends[use] for use in SLOPES_FROM[found.parts] if use in ends)
    if any(day < slopes for day in used["test"]["as_of"].dt.tz_convert(zone).dt.date):
        yield "test holds leads that the champion's slopes were fitted on"


def _known_accounts(labelled: Labelled, manifest: Manifest, parts: Parts) -> set[str]:
    zone = labelled.history.definition.read.timezone
    until = next(date.fromisoformat(window.end) for window in manifest.windows if window.use == parts)
    days = labelled.frame["as_of"].dt.tz_convert(zone).dt.date
    known = {account for account, day in zip(labelled.frame["account"], days, strict=True) if day < until}
    own = own_test(manifest)
    if parts == "shipped" or own is None:
        return known
    first, end = date.fromisoformat(own.start), date.fromisoformat(own.end)
    return known - {a for a, day in zip(labelled.frame["account"], days, strict=True) if first <= day < end}


LEARNT = Text("the champion's parts learnt from them", "daraus hat der Champion gelernt")
KNOWN_ACCOUNT = Text(
    "of an account that the champion's parts learnt from", "von einer Firma, aus deren Leads der Champion gelernt hat"
)
OLDER = Text("older than the recent outcomes asked for", "älter als die gewünschten jüngsten Ergebnisse")
TO_CALIBRATE = Text(
    " to recalibrate on that the champion has not seen and that were known before judging begins",
    " zum Rekalibrieren, die der Champion nicht kennt und die vor Beginn der Prüfung bekannt waren",
)
TO_JUDGE = Text(
    " to judge the recalibration on that the champion has not seen",
    " zum Prüfen der Rekalibrierung, die der Champion nicht kennt",
)
