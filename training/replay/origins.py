"""Rolling origins: what was known at each, what is learnt from it, and which leads it then has to score.

One origin of a backtest, horizon 90 days, origins at the first of each month:

    origin 2025-06-01        known      leads of up to 2025-03-03: their labels were knowable by then, none later
                             train      the older of them, one horizon before the calibrate window
                             calibrate  the newest 1,000 of them (not more than 30 %)
                             scored     leads of 2025-06-01 to 2025-06-30, the next origin excluded
                             newer      of the known ones, those that the frozen first model was not fitted on

A lead of 2025-03-10 that was won on 2025-03-20 is *not* known at that origin: its siblings are still open, and taking
the quick wins alone would bend the rate (`training.labels`).

Accounts: a lead whose account has a lead to be scored is not learnt from at that origin, so that no account is on both
sides and every lead is scored. An account of the calibrate window leaves the train window in the same way. The frozen
model is the one of the first origin: it keeps that period's rule, and may know accounts that come back in later
periods. That is an advantage of the model that is held to be worse, and giving up every account that ever comes back
would leave it an odd selection to learn from. It is recalibrated on leads of accounts that it does not know.

An origin at which too few outcomes are known (40 wins and 40 others to train on, 20 and 20 to calibrate on) is left
out with its leads. `verify_origins` recomputes all of this from the raw dates and runs in production.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from features.errors import DefinitionError, HistoryError, InternalError, Problem
from features.history import midnight
from features.text import Text
from training.judging.tables import FEWEST_WINS
from training.labels import Labelled, horizon
from training.learn import FEWEST_OF_A_KIND
from training.splits import Rows


@dataclass(frozen=True, slots=True)
class OriginSettings:
    """Where the origins lie and how much calibrates at each.

    Attributes
    ----------
    first : date or None
        The first origin is the first of this date's month or later; None: after a quarter of the time that has leads.
    months : int
        From one origin to the next.
    calibrate_on : int
        Newest known outcomes that calibrate; more where they hold fewer than 20 wins or 20 others.
    most_calibrating : float
        Not more than this share of the known leads, unless those 20 need it.
    """

    first: date | None = None
    months: int = 1
    calibrate_on: int = 1000
    most_calibrating: float = 0.3


@dataclass(frozen=True, eq=False)
class Origin:
    """One moment of the past; rows are positions in the labelled frame, rising.

    Attributes
    ----------
    moment, until : datetime
        This origin and the next; leads of [moment, until) are scored.
    known, train, calibrate, scored, newer : ndarray of int
        See the example above.
    n_account : int
        Known leads given up because their account is scored.
    """

    moment: datetime
    until: datetime
    known: Rows
    train: Rows
    calibrate: Rows
    scored: Rows
    newer: Rows
    n_account: int


def origins(labelled: Labelled, settings: OriginSettings = OriginSettings()) -> tuple[Origin, ...]:
    """The origins that a dated history allows, oldest first; the frozen model is that of the first.

    Raises
    ------
    DefinitionError
        If the definition has no dates.
    HistoryError
        If too few outcomes are known at every origin.
    """
    if labelled.history.definition.timing != "dated":
        raise DefinitionError([_not_dated(labelled)])
    leads = _Leads(labelled, settings)
    spans = [span for span in pairwise(_moments(labelled, settings)) if leads.is_usable(*span)]
    if not spans:
        raise HistoryError([_too_short(labelled)])
    first = leads.origin(*spans[0])
    found = (first, *(leads.origin(*span, frozen=first) for span in spans[1:]))
    verify_origins(labelled, found)
    return found


def _moments(labelled: Labelled, settings: OriginSettings) -> list[datetime]:
    """The first moments of months, `settings.months` apart, up to the first after the newest lead."""
    definition, as_of = labelled.history.definition, labelled.frame["as_of"]
    zone = definition.read.timezone
    begin = (as_of.min() + (as_of.max() - as_of.min()) / 4).tz_convert(zone).date()
    wished = settings.first or begin
    day = wished if wished.day == 1 else _later(wished, 1)
    found = [midnight(day, definition)]
    while found[-1] <= as_of.max():
        day = _later(day, settings.months)
        found.append(midnight(day, definition))
    return found


def _later(day: date, months: int) -> date:
    """The first of the month so many months after that of `day`."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


class _Leads:
    """The labelled leads, as arrays to be cut."""

    def __init__(self, labelled: Labelled, settings: OriginSettings) -> None:
        self.settings = settings
        self.as_of = labelled.frame["as_of"]
        self.knowable = labelled.frame["knowable"]
        self.won = labelled.frame["target"].to_numpy() == 1
        self.account = pd.factorize(labelled.frame["account"])[0]

    def is_usable(self, moment: datetime, until: datetime) -> bool:
        """Whether there are leads to score, and enough outcomes are known."""
        step = self.origin(moment, until)
        enough = self._fewer(step.train) >= FEWEST_OF_A_KIND and self._fewer(step.calibrate) >= FEWEST_WINS
        return bool(len(step.scored)) and enough

    def origin(self, moment: datetime, until: datetime, frozen: Origin | None = None) -> Origin:
        """The origin at `moment`; without `frozen`, nothing is newer."""
        scored = np.flatnonzero((self.as_of >= moment) & (self.as_of < until))
        knowable = np.flatnonzero(self.knowable <= moment)
        known = self._without_accounts(knowable, scored)
        calibrate = self._newest(known)
        train = np.empty(0, dtype=np.int64)
        if len(calibrate):
            earlier = known[(self.knowable.iloc[known] <= self.as_of.iloc[calibrate].min()).to_numpy()]
            train = self._without_accounts(earlier, calibrate)
        newer = np.empty(0, dtype=np.int64)
        if frozen is not None:
            newer = self._without_accounts(known, frozen.known)[-self.settings.calibrate_on :]
        return Origin(moment, until, known, train, calibrate, scored, newer, len(knowable) - len(known))

    def _newest(self, known: Rows) -> Rows:
        """The newest known leads: as many as calibrate, or as hold enough of both kinds."""
        n = min(self.settings.calibrate_on, int(self.settings.most_calibrating * len(known)))
        for kind in (True, False):
            places = np.flatnonzero(self.won[known] == kind)
            if len(places) >= FEWEST_WINS:
                n = max(n, len(known) - int(places[-FEWEST_WINS]))
        return known[len(known) - n :]

    def _without_accounts(self, rows: Rows, others: Rows) -> Rows:
        return rows[~np.isin(self.account[rows], self.account[others])]

    def _fewer(self, rows: Rows) -> int:
        """How many of these leads have the rarer outcome."""
        n_won = int(self.won[rows].sum())
        return min(n_won, len(rows) - n_won)


def verify_origins(labelled: Labelled, found: Sequence[Origin]) -> None:
    """Recompute from the raw dates that no origin uses what was not known, and that no account is on both sides.

    Raises
    ------
    InternalError
        Naming the first origin that does.
    """
    length = timedelta(days=labelled.history.definition.target.horizon_days or 0)
    ever_scored: set[str] = set()
    frozen = set(labelled.frame["account"].iloc[found[0].known])
    for step in found:
        faults = list(_faults(labelled.frame, step, length))
        scored = set(labelled.frame["lead_id"].iloc[step.scored])
        if frozen & set(labelled.frame["account"].iloc[step.newer]):
            faults.append("the frozen model knows an account that it is recalibrated on")
        if ever_scored & scored:
            faults.append("a lead is scored twice")
        if faults:
            raise InternalError(f"origin {step.moment:%Y-%m-%d}: {'; '.join(faults)}.")
        ever_scored |= scored


def _faults(frame: pd.DataFrame, step: Origin, length: timedelta) -> Iterator[str]:
    parts = {name: frame.iloc[getattr(step, name)] for name in ("known", "train", "calibrate", "scored", "newer")}
    for name in ("known", "train", "calibrate", "newer"):
        if any(day.to_pydatetime() + length > step.moment for day in parts[name]["as_of"].drop_duplicates()):
            yield f"a label of {name} was not knowable"
        if set(parts[name]["account"]) & set(parts["scored"]["account"]):
            yield f"{name} and scored share an account"
    if any(not step.moment <= day.to_pydatetime() < step.until for day in parts["scored"]["as_of"].drop_duplicates()):
        yield "a lead of another period is scored"
    if set(parts["train"]["account"]) & set(parts["calibrate"]["account"]):
        yield "train and calibrate share an account"
    if len(parts["train"]) and parts["train"]["as_of"].max() + length > parts["calibrate"]["as_of"].min():
        yield "train reaches into calibrate"


def _not_dated(labelled: Labelled) -> Problem:
    definition = labelled.history.definition
    return Problem(
        where=definition.name,
        what=Text(
            en="the definition has no dates, so the past cannot be replayed",
            de="die Definition hat keine Datumsangaben, die Vergangenheit lässt sich damit nicht nachspielen",
        ),
        seen=definition.timing,
        expected=Text(
            en="columns.created, columns.closed and target.horizon_days",
            de="columns.created, columns.closed und target.horizon_days",
        ),
        code="not_dated",
    )


def _too_short(labelled: Labelled) -> Problem:
    days = horizon(labelled.history).days
    kinds: Sequence[int] = (FEWEST_OF_A_KIND, FEWEST_WINS)
    return Problem(
        where=labelled.history.definition.name,
        what=Text(
            en="no origin has enough known outcomes before it and leads after it",
            de="zu keinem Zeitpunkt sind genug Ergebnisse bekannt und danach noch Leads zu bewerten",
        ),
        seen=f"{len(labelled.frame)} leads, {labelled.won} won, horizon {days} days",
        expected=Text(
            en=f"{kinds[0]} wins and {kinds[0]} others to train on, {kinds[1]} of each to calibrate on; a longer "
            "history, an earlier first origin, or a shorter horizon",
            de=f"{kinds[0]} gewonnene und {kinds[0]} andere Leads zum Trainieren, je {kinds[1]} zum Kalibrieren; eine "
            "längere Historie, ein früherer Beginn oder ein kürzerer Horizont",
        ),
        code="history_too_short",
    )
