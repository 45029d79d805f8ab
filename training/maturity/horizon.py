"""Which horizon to agree on: how many of all wins it sees, what it costs in leads and waiting, and a proposal.

A short horizon misses the slow wins, a long one waits for them: the newest lead that can be learnt from is one horizon
old, and each gap between windows is one horizon long. The rule of the proposal, in one sentence: the shortest candidate
that sees at least 80 % of all wins, or, where the history is too short for that, the longest one that it is long enough
for. Long enough means that training would go ahead and be judged on at least 20 wins.

"All wins" are those within the time that leads were followed; `incidence` estimates them with the open leads
counted for as long as they were watched. Whether training would go ahead is not estimated: the leads are labelled and
cut for each candidate by the code that trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.errors import DataError, DefinitionError, TooFewOutcomesError
from features.history import History
from features.text import Text
from training.judging.bootstrap import Resampling, interval
from training.judging.metrics import Floats, ratio
from training.judging.tables import FEWEST_WINS
from training.labels import Labelled, label
from training.learn import require_enough
from training.maturity import horizon_words as words
from training.maturity.incidence import Followed, followed
from training.recipe.fit import Progress, silent
from training.splits import split

CANDIDATE_DAYS = (7, 14, 30, 60, 90, 120, 180, 270, 365, 540, 730)
ENOUGH_OF_WINS = 0.80
RESAMPLING = Resampling(n_resamples=300)
STILL_COMING = 0.05  # of all wins, in the last quarter of the time followed: then the end is not in sight

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One horizon, what it sees and what it costs.

    Attributes
    ----------
    share_of_wins, share_interval : float and pair, or None
        Of all wins, those that come within the horizon; None beyond the time that leads were followed.
    win_rate, win_rate_interval : float and pair, or None
        Share of all leads won within the horizon, open leads regarded.
    n_matured, n_won : int
        Leads whose horizon had passed at the end of the data, and those of them won within it.
    newest : str or None
        The day (ISO) of the newest lead that has matured.
    windows : tuple of int, or None
        Leads in train, calibrate and test; None if training would refuse.
    obstacle : Text or None
        Why the history is too short or too thin for this horizon; None if it is not.
    """

    horizon_days: int
    share_of_wins: float | None
    share_interval: Pair | None
    win_rate: float | None
    win_rate_interval: Pair | None
    n_matured: int
    n_won: int
    newest: str | None
    windows: tuple[int, int, int] | None
    obstacle: Text | None

    def to_dict(self) -> dict[str, Any]:
        """The candidate as JSON-able data, texts in both languages."""
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return {**plain, "obstacle": None if self.obstacle is None else self.obstacle._asdict()}


@dataclass(frozen=True)
class HorizonReport:
    """What is known about horizons for one history.

    Attributes
    ----------
    n_leads, n_won, n_open : int
        Leads followed, won in the data, and not closed in it.
    followed_days : float
        "All wins" are those before so many days; beyond, fewer than 100 leads were watched.
    still_coming : float
        The share of all wins in the last quarter of that time; above 5 %, every share of wins shown is too high.
    candidates : tuple of Candidate
        Shortest first, the definition's own among them.
    proposed_days : int or None
        By the rule above; None if the history is too short for every candidate.
    by_month : DataFrame
        Month x rule for the definition's own horizon, as `Labelled.by_month`; empty if nothing can be labelled.
    """

    name: str
    own_days: int
    n_leads: int
    n_won: int
    n_open: int
    followed_days: float
    still_coming: float
    candidates: tuple[Candidate, ...]
    proposed_days: int | None
    reason: Text
    by_month: pd.DataFrame
    resampling: Resampling

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        plain = ("name", "own_days", "n_leads", "n_won", "n_open", "followed_days", "still_coming", "proposed_days")
        return {
            **{name: getattr(self, name) for name in plain},
            "reason": self.reason._asdict(),
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "by_month": self.by_month.to_dict(orient="index"),
            "resampling": self.resampling.to_dict(),
        }


def propose_horizon(
    history: History,
    *,
    candidate_days: Sequence[int] = CANDIDATE_DAYS,
    resampling: Resampling = RESAMPLING,
    progress: Progress = silent,
) -> HorizonReport:
    """The candidates, held against the history, and which of them is proposed.

    Raises
    ------
    DefinitionError
        If the definition has no dates of creation and closing, or no horizon to start from.
    TooFewOutcomesError
        If fewer than 100 leads were followed, or none of them was won while being watched.
    """
    _require_dates(history)
    progress(words.ESTIMATING, 0.0)
    leads = followed(history)
    _require_enough(history, leads)
    own = history.definition.target.horizon_days or 0
    days = sorted({own, *(d for d in candidate_days if d <= leads.followed_days)})
    shares = _Shares.of(leads, days, resampling)
    tried = []
    for number, horizon_days in enumerate(days):
        progress(words.TRYING, number / len(days))
        tried.append(_tried(history, leads, horizon_days, shares, number))
    proposed, reason = propose(tried)
    return HorizonReport(
        name=history.definition.name,
        own_days=own,
        n_leads=len(leads),
        n_won=int(leads.won.sum()),
        n_open=int(np.isinf(leads.closed_days).sum()),
        followed_days=leads.followed_days,
        still_coming=shares.still_coming,
        candidates=tuple(tried),
        proposed_days=proposed,
        reason=reason,
        by_month=_by_month(history),
        resampling=resampling,
    )


def propose(candidates: Sequence[Candidate]) -> tuple[int | None, Text]:
    """The days of the candidate that the rule proposes, and why; None if the history is too short for all.

    `candidates` are in the order of their days.
    """
    usable = [c for c in candidates if c.obstacle is None and c.share_of_wins is not None]
    if not usable:
        return None, words.NOTHING_LONG_ENOUGH
    first = next((c for c in usable if (c.share_of_wins or 0) >= ENOUGH_OF_WINS), None)
    chosen, why = (first, words.shortest) if first else (usable[-1], words.longest)
    return chosen.horizon_days, why(chosen.horizon_days, chosen.share_of_wins or 0.0, ENOUGH_OF_WINS)


def with_horizon(history: History, horizon_days: int) -> History:
    """The same history under a definition with another horizon."""
    definition = history.definition
    target = definition.target.model_copy(update={"horizon_days": horizon_days})
    return replace(history, definition=definition.model_copy(update={"target": target}))


@dataclass(frozen=True)
class _Shares:
    """Share of leads won within each horizon, and of all wins, with the same figures in every resample."""

    rate: Floats
    share: Floats
    rate_draws: Floats
    share_draws: Floats
    followed_days: float
    still_coming: float
    level: float

    @classmethod
    def of(cls, leads: Followed, days: Sequence[int], resampling: Resampling) -> _Shares:
        end = leads.followed_days
        asked = [*days, 0.75 * end, end]
        value, draws = leads.won_before(asked), leads.resampled(asked, resampling)
        coming = 1 - value[-2] / value[-1]
        n = len(days)
        rate, share = value[:n], value[:n] / value[-1]
        return cls(rate, share, draws[:, :n], ratio(draws[:, :n], draws[:, -1:]), end, float(coming), resampling.level)

    def shown(self, number: int) -> dict[str, Any]:
        """The figures of a candidate that lies within the time followed."""
        rate, share = float(self.rate[number]), float(self.share[number])
        return {
            "share_of_wins": share,
            "share_interval": interval(self.share_draws[:, number], share, self.level),
            "win_rate": rate,
            "win_rate_interval": interval(self.rate_draws[:, number], rate, self.level),
        }


_UNKNOWN = dict.fromkeys(("share_of_wins", "share_interval", "win_rate", "win_rate_interval"))


def _tried(history: History, leads: Followed, horizon_days: int, shares: _Shares, number: int) -> Candidate:
    """What labelling and cutting the history with this horizon gives."""
    matured = leads.watched_days >= horizon_days
    windows, obstacle = _windows(with_horizon(history, horizon_days))
    return Candidate(
        horizon_days=horizon_days,
        **(shares.shown(number) if horizon_days <= shares.followed_days else _UNKNOWN),
        n_matured=int(matured.sum()),
        n_won=int((matured & leads.won & (leads.closed_days < horizon_days)).sum()),
        newest=_newest(history, leads.watched_days[matured]),
        windows=windows,
        obstacle=obstacle,
    )


def _windows(history: History) -> tuple[tuple[int, int, int] | None, Text | None]:
    """The sizes of the windows that training would cut, and what stands against this horizon."""
    try:
        labelled = label(history)
        require_enough(labelled)
        cut = split(labelled)
    except DataError as error:
        return None, error.problems[0].what
    won = int(labelled.frame["target"].to_numpy()[cut.test].sum())
    return (len(cut.train), len(cut.calibrate), len(cut.test)), words.too_few_to_judge(
        won
    ) if won < FEWEST_WINS else None


def _newest(history: History, watched_days: Floats) -> str | None:
    if history.data_end is None or not len(watched_days):
        return None
    day = pd.Timestamp(history.data_end) - timedelta(days=float(watched_days.min()))
    return str(day.tz_convert(history.definition.read.timezone).date().isoformat())


def _by_month(history: History) -> pd.DataFrame:
    try:
        labelled: Labelled = label(history)
    except DataError:
        return pd.DataFrame()  # the own horizon's candidate says why
    return labelled.by_month


def _require_dates(history: History) -> None:
    if history.definition.timing != "dated" or history.data_end is None:
        raise DefinitionError([words.not_dated(history.definition.name, history.definition.timing)])


def _require_enough(history: History, leads: Followed) -> None:
    won_in_time = int((leads.won & (leads.closed_days < leads.followed_days)).sum())
    if not won_in_time:
        raise TooFewOutcomesError([words.too_few_followed(history.definition.name, len(leads), won_in_time)])
