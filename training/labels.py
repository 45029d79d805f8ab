"""Which leads have a target, and what it is: won within the horizon after the as-of date, matured leads only.

One history, followed through the rules; horizon 90 days, outcomes recorded until 2025-07-01:

    lead  as-of       outcome  closed       what happens to it
    L1    2025-01-10  won      2025-02-01   matured on 04-10; won after 22 days: target 1
    L2    2025-01-15  lost     2025-01-20   matured on 04-15; target 0
    L3    2025-01-20  won      2025-05-05   matured on 04-20; won after 105 days, not within the horizon: target 0
    L4    2025-02-01  open                  matured on 05-02; still open then: target 0
    L5    2025-05-20  won      2025-05-28   matures on 08-18, after the end of the data: stays out, although it is won.
                                            Its open siblings cannot be counted yet; taking only the quick ones would
                                            bend the rate upwards.
    L6    2025-05-21  open                  stays out for the same reason: not yet known

A target becomes *knowable* at as-of date plus horizon, and not before, however early a lead closed: only then would a
sibling that had not closed be counted as not won. Intervals are half-open: a win exactly at as-of + horizon is outside.

Without dates there is no horizon: the target is the outcome as it stands, and open leads stay out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import HistoryError, InternalError, Problem
from features.history import History, LeftOutRows, midnight
from features.target import closed_before, matured, within
from features.text import Text

Mask = npt.NDArray[np.bool_]

NOT_MATURED = Text(en="horizon not yet over at the end of the data", de="Horizont am Ende der Daten noch nicht vorbei")
STILL_OPEN = Text(en="outcome not yet known", de="Ergebnis noch nicht bekannt")
TOO_OLD = Text(en="created before outcomes were recorded", de="angelegt, bevor Ergebnisse erfasst wurden")
NOT_WORKED = Text(en="not worked by sales", de="vom Vertrieb nicht bearbeitet")
CLOSED_BEFORE = Text(en="closed before the as-of date", de="vor dem Stichtag abgeschlossen")


@dataclass(frozen=True)
class Labelled:
    """The leads that can be learnt from.

    Attributes
    ----------
    frame : DataFrame
        The history's rows of the leads kept, oldest first, with `target` (0.0 or 1.0), `when` (sortable:
        microseconds of the as-of date, the order column, or the row's number) and `knowable` (datetime UTC or NaT).
    left_out : tuple of LeftOutRows
        Every lead that is not kept is counted once, under the first rule that keeps it out.
    by_month : DataFrame
        Month of the as-of date x rule: how many leads were kept and left out; empty without dates.
    """

    history: History
    frame: pd.DataFrame
    left_out: tuple[LeftOutRows, ...]
    by_month: pd.DataFrame

    @property
    def won(self) -> int:
        """Leads with target 1."""
        return int(self.frame["target"].sum())


def label(history: History) -> Labelled:
    """The matured leads of `history` with their targets.

    Raises
    ------
    HistoryError
        If no lead has matured, or all matured leads have the same target.
    """
    frame = history.frame
    rules = _rules(history)
    reasons = np.full(len(frame), -1)
    for number, (_, keeps_out) in reversed(list(enumerate(rules))):
        reasons[keeps_out] = number
    kept = frame[reasons == -1].copy()
    kept["target"] = _target(kept, history)
    kept["when"] = _when(kept, history)
    kept["knowable"] = kept["as_of"] + horizon(history)
    kept = kept.sort_values(["when", "lead_id"], kind="stable", ignore_index=True)
    counts = [LeftOutRows(reason, int((reasons == number).sum())) for number, (reason, _) in enumerate(rules)]
    left_out = (*history.left_out, *(rows for rows in counts if rows.n))
    _require_both_classes(kept, history, left_out)
    return Labelled(history, kept, left_out, _by_month(history, reasons, [reason for reason, _ in rules]))


def targets(history: History, labelled: Labelled) -> npt.NDArray[np.float64]:
    """The target of every lead of the history, shape (n_leads,); NaN for those that cannot be learnt from."""
    known = labelled.frame.set_index("lead_id")["target"]
    return np.asarray(history.frame["lead_id"].map(known).to_numpy(dtype=np.float64, na_value=np.nan))


def horizon(history: History) -> timedelta:
    """The time after the as-of date within which a win counts; none without dates."""
    days = history.definition.target.horizon_days if history.definition.timing == "dated" else None
    return timedelta(days=days or 0)


def _rules(history: History) -> list[tuple[Text, Mask]]:
    """What keeps a lead out, first rule first."""
    frame, as_of = history.frame, history.frame["as_of"]
    start = history.definition.target.leads_from
    began = midnight(start, history.definition) if start else None
    too_old = (as_of < began).to_numpy() if began else np.zeros(len(frame), dtype=bool)
    # What becomes of a lead that nobody works says nothing of what would have, had somebody worked it.
    not_worked = frame["worked_chance"].isna().to_numpy()
    if history.definition.timing != "dated":
        return [(TOO_OLD, too_old), (NOT_WORKED, not_worked), (STILL_OPEN, (frame["outcome"] == "open").to_numpy())]
    too_late = closed_before(frame["closed"], as_of).to_numpy()
    if history.data_end is None:
        raise InternalError("A dated history without an end passed its checks.")
    not_matured = ~matured(as_of + horizon(history), history.data_end).to_numpy()
    return [(TOO_OLD, too_old), (NOT_WORKED, not_worked), (CLOSED_BEFORE, too_late), (NOT_MATURED, not_matured)]


def _target(kept: pd.DataFrame, history: History) -> npt.NDArray[np.float64]:
    won = (kept["outcome"] == "won").to_numpy()
    if history.definition.timing != "dated":
        return won.astype(float)
    in_time = within(kept["closed"], kept["as_of"] + horizon(history)).to_numpy()
    target: npt.NDArray[np.float64] = (won & in_time).astype(float)
    return target


def _when(kept: pd.DataFrame, history: History) -> npt.NDArray[np.float64]:
    if history.definition.columns.created:
        return np.asarray(kept["as_of"].dt.as_unit("us").astype("int64"), dtype=float)
    if history.definition.columns.order:
        return np.asarray(kept["order"], dtype=float)
    return np.arange(len(kept)).astype(float)


def _by_month(history: History, reasons: npt.NDArray[np.int64], texts: list[Text]) -> pd.DataFrame:
    """How many leads of each month, by the definition's clocks, each rule kept out."""
    as_of = history.frame["as_of"].dt.tz_convert(history.definition.read.timezone)
    dated = as_of.notna().to_numpy()
    month = as_of[dated].dt.strftime("%Y-%m")
    names = np.array(["kept", *(text.en for text in texts)])[reasons[dated] + 1]
    return pd.crosstab(month, names).rename_axis(index="month", columns=None)


def _require_both_classes(kept: pd.DataFrame, history: History, left_out: tuple[LeftOutRows, ...]) -> None:
    if kept["target"].nunique() == 2:
        return
    won, n = int(kept["target"].sum()), len(kept)
    why = "".join(f"; left out: {rows.n} × {rows.reason.en}" for rows in left_out)
    warum = "".join(f"; außen vor: {rows.n} × {rows.reason.de}" for rows in left_out)
    raise HistoryError(
        [
            Problem(
                where=history.definition.name,
                what=Text(
                    f"there are no leads of both kinds to learn from: {n} leads, {won} of them won{why}",
                    f"es gibt keine Leads beider Art zum Lernen: {n} Leads, davon {won} gewonnen{warum}",
                ),
                expected=Text(
                    "a longer history, or a shorter horizon", "eine längere Historie oder ein kürzerer Horizont"
                ),
                code="one_class",
            )
        ]
    )
