"""Whether recalibration is due: wins observed against wins expected, on matured leads that the champion had not seen.

Three questions, each with an interval of 98 %. At the edge of the tolerance it errs on one side only, 1 % for each
question: all three together raise a false alarm at most 3 times in 100 looks while the truth lies within.

    rate, all       observed / expected over all later leads      due if the interval lies outside of 1/1.1 to 1.1
    rate, newest    the same over the newest 1,000 of them
    slope           do high probabilities win more, and low ones less, as said?      due if outside of 0.8 to 1.25

The tolerances are why a quiet champion is left alone for good: its own slopes were estimated from some hundred wins, so
no champion is exactly right, and with enough leads every test would notice. A rate 10 % off costs some .2 % of the log
loss. Months are listed for reading and decide nothing: of a dozen intervals one is always astray.

The tests prove the rate of false alarms at the edge of the tolerance, with leads of one account that win and lose
together, and how soon shifts are found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.model.bundle import Bundle
from features.rates import Pair, ratio_interval
from training.examples import sample_of
from training.judging.bootstrap import Accounts
from training.judging.evaluate import checked
from training.judging.metrics import Floats, log_odds, recalibration
from training.labels import Labelled
from training.learn import FEWEST_OF_A_KIND
from training.upkeep.unseen import leads_from, require_same_agreement

Verdict: TypeAlias = Literal["due", "not due", "too few"]


@dataclass(frozen=True, slots=True)
class DueSettings:
    """What counts as due.

    Attributes
    ----------
    level : float
        Of each of the three intervals.
    tolerance : float
        A rate within 1 / (1 + tolerance) to 1 + tolerance times the expected one is left alone.
    slope_range : tuple of float
        A slope within it is left alone; the gate's range.
    newest : int
        Leads of the second question: as many as recalibrate.
    """

    level: float = 0.98
    tolerance: float = 0.10
    slope_range: Pair = (0.8, 1.25)
    newest: int = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """Wins observed against wins expected over some leads; `interval` is that of their ratio.

    Attributes
    ----------
    first, last : str
        As-of dates (ISO), both included.
    told : bool
        Whether at least 40 wins and 40 others were expected: below, the interval is wide and nothing is decided.
    """

    first: str
    last: str
    n: int
    observed: int
    expected: float
    interval: Pair
    told: bool

    @property
    def ratio(self) -> float:
        """Observed to expected; 1 is right."""
        return self.observed / self.expected


@dataclass(frozen=True, slots=True)
class Slope:
    """The slope of calibration with its interval; None where the leads cannot tell."""

    value: float
    interval: Pair


@dataclass(frozen=True, slots=True)
class Due:
    """The answer and what it rests on; `whole` is None where no lead has matured since the champion's training.

    Attributes
    ----------
    because : tuple of str
        The questions that say due: "rate", "newest", "slope".
    """

    verdict: Verdict
    because: tuple[str, ...]
    whole: Reading | None
    newest: Reading | None
    slope: Slope | None
    months: tuple[Reading, ...]
    settings: DueSettings


def due(labelled: Labelled, bundle: Bundle, settings: DueSettings = DueSettings()) -> Due:
    """Whether the champion in `bundle` should be recalibrated, by the outcomes in `labelled` that it has not seen.

    All later leads count, those of accounts that the champion knows too: sales works them all.

    Raises
    ------
    BundleError, DefinitionError
        If the champion was made for another agreement, or without dates.
    """
    require_same_agreement(bundle, labelled)
    rows = leads_from(labelled, bundle.manifest.seen_until("shipped", "recalibrated"))
    sample = sample_of(labelled, bundle.model.encoder, rows)
    zone = labelled.history.definition.read.timezone
    days = labelled.frame["as_of"].iloc[rows].dt.tz_convert(zone).dt.tz_localize(None).to_numpy()
    return due_of(sample.target, bundle.model.explain(sample.matrix).probability, sample.account, days, settings)


def due_of(
    target: ArrayLike,
    probability: ArrayLike,
    account: ArrayLike,
    when: NDArray[np.datetime64],
    settings: DueSettings = DueSettings(),
) -> Due:
    """The answer for leads with known outcomes, oldest first, each argument (n_leads,).

    Parameters
    ----------
    target, probability : array_like
        Won within the horizon (0 or 1), and what the champion says.
    account : array_like
        Leads of one account win and lose together, which makes every interval wider.
    when : ndarray of datetime64
        As-of dates.
    """
    if not len(when):
        return Due("too few", (), None, None, None, (), settings)
    y, p = checked(target, probability)
    leads = _Leads(y, p, Accounts.of(account), when.astype("datetime64[D]"), settings)
    everything = np.arange(len(y))
    whole, newest, slope = leads.reading(everything), leads.reading(everything[-settings.newest :]), leads.slope()
    edge = (1 / (1 + settings.tolerance), 1 + settings.tolerance)
    asked = (("rate", whole.interval, edge), ("newest", newest.interval, edge))
    because = [
        name
        for (name, ends, range_), reading in zip(asked, (whole, newest), strict=True)
        if reading.told and _outside(ends, range_)
    ]
    if whole.told and slope is not None and _outside(slope.interval, settings.slope_range):
        because.append("slope")
    verdict: Verdict = "due" if because else "not due" if whole.told else "too few"
    return Due(verdict, tuple(because), whole, newest, slope, leads.months(), settings)


def _outside(ends: Pair, accepted: Pair) -> bool:
    return ends[1] < accepted[0] or ends[0] > accepted[1]


@dataclass(frozen=True, slots=True)
class _Leads:
    target: Floats
    probability: Floats
    accounts: Accounts
    day: NDArray[np.datetime64]
    settings: DueSettings

    def reading(self, rows: NDArray[np.int64]) -> Reading:
        y, p = self.target[rows], self.probability[rows]
        expected, observed, squares = float(p.sum()), float(y.sum()), float(p @ p)
        accounts = Accounts(self.accounts.code[rows], self.accounts.n)
        # Around the rate that was observed: around the expected one, a shift would look like leads that go together.
        design_effect = accounts.design_effect(y, np.clip(p * observed / expected, 0, 1))
        return Reading(
            first=str(self.day[rows].min()),
            last=str(self.day[rows].max()),
            n=len(rows),
            observed=int(observed),
            expected=expected,
            interval=ratio_interval(observed, expected, squares, self.settings.level, design_effect),
            told=min(expected, len(rows) - expected) >= FEWEST_OF_A_KIND,
        )

    def months(self) -> tuple[Reading, ...]:
        month = self.day.astype("datetime64[M]")
        return tuple(self.reading(np.flatnonzero(month == each)) for each in np.unique(month))

    def slope(self) -> Slope | None:
        """Cox's slope with an interval from the sandwich over accounts (Liang and Zeger 1986)."""
        fit = recalibration(self.target, self.probability)
        if not fit.exists:
            return None
        x = np.column_stack([np.ones(len(self.target)), log_odds(self.probability)])
        p = 1 / (1 + np.exp(-(x @ np.array([float(fit.intercept), float(fit.slope)]))))
        bread = np.linalg.inv((x.T * (p * (1 - p))) @ x)
        scores = self.accounts.sums(x * (self.target - p)[:, None])
        error = math.sqrt(float((bread @ (scores.T @ scores) @ bread)[1, 1]))
        half = NormalDist().inv_cdf((1 + self.settings.level) / 2) * error
        return Slope(float(fit.slope), (float(fit.slope) - half, float(fit.slope) + half))
