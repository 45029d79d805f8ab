"""What can be set in a simulated funnel, with the limits that are checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import isfinite

from features.errors import DataError, Problem
from features.text import Text
from training.simulate.feedback import Feedback
from training.simulate.leaks import LEAKS


class ParameterError(DataError):
    """A simulation was asked for that cannot exist."""

    title = Text(en="Problems in the simulation's parameters", de="Fehler in den Parametern der Simulation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How strongly the funnel changes over time; 0 is not at all, 1 is a funnel that nobody would plan with.

    Attributes
    ----------
    seasonal : float
        Swing of the log-odds over the year: weakest in August, strongest in February.
    structural : float
        Lasting change per year since the origin: the rate of wins falls, Google Ads and trade fairs lose effect,
        LinkedIn gains effect and share, a look at the prices means less.
    origin : date or None
        The day on which structural drift is zero; None for the start of the simulation. Set it when several
        simulations continue one another.
    """

    seasonal: float = 0.15
    structural: float = 0.15
    origin: date | None = None


NO_DRIFT = Drift(seasonal=0.0, structural=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Everything that decides a simulated history; the same parameters give the same bytes.

    Attributes
    ----------
    n_leads : int
        Leads in the export, 1,000 to 1,000,000.
    start : date
        The first day on which a lead is created (UTC).
    days : int
        Length of the time in which leads are created.
    days_after_last_lead : int
        Days from the end of that time to the export; what closes later is still open in the export.
    seed : int
        Which leads come; another seed gives other leads of the same world.
    world : int
        Which effects the campaigns have; the market itself is the same in every world.
    horizon_days : int
        The true probabilities are those of a win within so many days after creation.
    win_rate : float
        Mean true probability of a reference year without drift.
    signal : float
        Factor on everything that fields do to wins, delays and follow-up; 0 makes every field noise.
    leads_per_account : float
        Mean number of leads of an account that has any; 1 gives each lead its own.
    account_effect_sd : float
        Standard deviation of the account's unseen effect, in log-odds.
    speed_effect : float
        Log-odds lost with each e-fold of hours until sales' first response.
    win_delay_median_days : float
        Median days from creation to a win, for fields that neither hasten nor delay.
    win_delay_log_sd : float
        Standard deviation of the logarithm of that delay.
    missing : float
        Factor on the usual shares of empty fields; 0 empties nothing beyond what was never there.
    missing_depends_on_outcome : float
        Share of the gaps that sales fills in once a lead is won, so that being filled tells the outcome; 0 to 1.
    drift : Drift
        How the funnel changes over time.
    feedback : Feedback or None
        Who is worked: None for every lead, otherwise high scores and an exploring share.
    leaks : tuple of str
        Names out of `LEAKS`: the columns to plant.

    Raises
    ------
    ParameterError
        With every problem at once.
    """

    n_leads: int = 12_000
    start: date = date(2024, 1, 1)
    days: int = 730
    days_after_last_lead: int = 30
    seed: int = 1
    world: int = 1
    horizon_days: int = 90
    win_rate: float = 0.12
    signal: float = 1.0
    leads_per_account: float = 1.7
    account_effect_sd: float = 0.5
    speed_effect: float = 0.3
    win_delay_median_days: float = 35.0
    win_delay_log_sd: float = 1.0
    missing: float = 1.0
    missing_depends_on_outcome: float = 0.0
    drift: Drift = Drift()
    feedback: Feedback | None = None
    leaks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = [*_outside_limits(self), *_unknown_leaks(self.leaks), *_feedback_problems(self.feedback)]
        if problems:
            raise ParameterError(problems)


_LIMITS: dict[str, tuple[float, float]] = {
    "n_leads": (1_000, 1_000_000),
    "days": (1, 3_650),
    "days_after_last_lead": (0, 3_650),
    "seed": (0, 2**63 - 1),
    "world": (0, 2**63 - 1),
    "horizon_days": (1, 1_825),
    "win_rate": (0.001, 0.6),
    "signal": (0.0, 3.0),
    "leads_per_account": (1.0, 50.0),
    "account_effect_sd": (0.0, 3.0),
    "speed_effect": (0.0, 2.0),
    "win_delay_median_days": (1.0, 1_000.0),
    "win_delay_log_sd": (0.1, 2.0),
    "missing": (0.0, 1.5),
    "missing_depends_on_outcome": (0.0, 1.0),
}


def _outside_limits(parameters: Simulation) -> Iterator[Problem]:
    for name, (low, high) in _LIMITS.items():
        yield from _outside(name, getattr(parameters, name), low, high)
    for name in ("seasonal", "structural"):
        yield from _outside(f"drift.{name}", getattr(parameters.drift, name), 0.0, 2.0)


def _feedback_problems(feedback: Feedback | None) -> Iterator[Problem]:
    if feedback is not None:
        yield from _outside("feedback.worked_share", feedback.worked_share, 0.0, 1.0)
        yield from _outside("feedback.exploration_share", feedback.exploration_share, 0.0, 1.0)


def _outside(name: str, value: float, low: float, high: float) -> Iterator[Problem]:
    if not isfinite(value) or not low <= value <= high:
        yield Problem(
            where=name,
            what=Text(en="is outside its limits", de="liegt außerhalb der Grenzen"),
            seen=f"{value}",
            expected=Text(en=f"a number from {low:g} to {high:g}", de=f"eine Zahl von {low:g} bis {high:g}"),
            code="outside_limits",
        )


def _unknown_leaks(leaks: tuple[str, ...]) -> Iterator[Problem]:
    for name in leaks:
        if name not in LEAKS:
            yield Problem(
                where="leaks",
                what=Text(en="there is no such leak", de="ein solches Leck gibt es nicht"),
                seen=name,
                expected=Text(en="one of " + ", ".join(LEAKS), de="eines von " + ", ".join(LEAKS)),
                code="unknown_leak",
            )
