"""Champion and challenger on the same leads: how often they would have decided otherwise, and who was right.

The difference of the log losses is paired: both models on the same matured leads, challenger minus champion, so below 0
the challenger is better. Its interval takes accounts as the unit (a mean over clusters, linearized): leads of one
account share their luck. It stands on the normal distribution, so below `FEWEST` wins and as many others there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from features import target
from features.definition import LeadDefinition
from features.text import Text, decimal, percent, whole
from serving.store import Pair

LEVEL = 0.9
FEWEST = 40

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matured:
    """The log losses on leads whose horizon is over; the difference is the challenger's minus the champion's."""

    n: int
    won: int
    log_loss: float
    would_be_log_loss: float
    difference: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both models on the leads that both scored, each lead once.

    Attributes
    ----------
    mean_absolute_points : float
        Mean absolute difference of the probabilities, in percentage points.
    other_grade, other_handover : float
        Share of leads that would change grade, or between go and nurture.
    correlation : float or None
        Of the probabilities; None where one of them never differs.
    expected_wins, would_be_expected_wins : float
        Sums of the probabilities.
    matured : Matured or None
        None while no horizon is over.
    """

    n: int
    mean_absolute_points: float
    other_grade: float
    other_handover: float
    correlation: float | None
    expected_wins: float
    would_be_expected_wins: float
    matured: Matured | None


def compare(pairs: Iterable[Pair], definition: LeadDefinition, now: datetime) -> Comparison | None:
    """Champion and challenger on `pairs`; None without any."""
    given = list(pairs)
    if not given:
        return None
    champion = np.array([pair.probability for pair in given])
    challenger = np.array([pair.would_be_probability for pair in given])
    varies = champion.std() > 0 and challenger.std() > 0
    return Comparison(
        n=len(given),
        mean_absolute_points=float(100 * np.abs(challenger - champion).mean()),
        other_grade=_share(pair.grade != pair.would_be_grade for pair in given),
        other_handover=_share(pair.handover != pair.would_be_handover for pair in given),
        correlation=float(np.corrcoef(champion, challenger)[0, 1]) if varies else None,
        expected_wins=float(champion.sum()),
        would_be_expected_wins=float(challenger.sum()),
        matured=_matured(given, definition, now),
    )


def in_words(found: Comparison) -> list[Text]:
    """The comparison as sentences."""
    n, share = (whole(found.n, "en"), whole(found.n, "de")), _percents
    grade, handover = share(found.other_grade), share(found.other_handover)
    points = decimal(found.mean_absolute_points, 1, "en"), decimal(found.mean_absolute_points, 1, "de")
    said = [
        Text(
            f"On {n[0]} leads the challenger differs by {points[0]} points on average; {grade.en} would get another "
            f"grade, {handover.en} would change between go and nurture.",
            f"Bei {n[1]} Leads weicht der Challenger im Mittel um {points[1]} Punkte ab; {grade.de} bekämen eine "
            f"andere Klasse, {handover.de} wechselten zwischen go und nurture.",
        ),
        Text(
            f"Wins expected: {whole(round(found.expected_wins), 'en')} by the champion, "
            f"{whole(round(found.would_be_expected_wins), 'en')} by the challenger.",
            f"Erwartete Gewinne: {whole(round(found.expected_wins), 'de')} nach dem Champion, "
            f"{whole(round(found.would_be_expected_wins), 'de')} nach dem Challenger.",
        ),
    ]
    return [*said, _who_was_right(found.matured)]


def _who_was_right(matured: Matured | None) -> Text:
    if matured is None or matured.interval is None:
        n = matured.n if matured else 0
        return Text(
            f"Too few outcomes to say who is right: {whole(n, 'en')} matured leads; it takes {FEWEST} won and "
            f"{FEWEST} others.",
            f"Zu wenige Ergebnisse, um zu sagen, wer richtig liegt: {whole(n, 'de')} gereifte Leads; nötig sind "
            f"{FEWEST} gewonnene und {FEWEST} andere.",
        )
    low, high = matured.interval
    en, de = "nobody is better beyond chance", "niemand ist über den Zufall hinaus besser"
    if high < 0:
        en, de = "the challenger is better", "der Challenger ist besser"
    elif low > 0:
        en, de = "the champion is better", "der Champion ist besser"
    told = [[decimal(value, 4, "en"), decimal(value, 4, "de")] for value in (matured.difference, low, high)]
    return Text(
        f"On {whole(matured.n, 'en')} matured leads, {whole(matured.won, 'en')} won, the log loss differs by "
        f"{told[0][0]} (90 % interval {told[1][0]} to {told[2][0]}): {en}.",
        f"Bei {whole(matured.n, 'de')} gereiften Leads, davon {whole(matured.won, 'de')} gewonnen, unterscheidet sich "
        f"der Log-Loss um {told[0][1]} (90-%-Intervall {told[1][1]} bis {told[2][1]}): {de}.",
    )


def _percents(share: float) -> Text:
    return Text(percent(share, "en"), percent(share, "de"))


def _share(flags: Iterable[bool]) -> float:
    return float(np.mean([*flags]))


def _matured(pairs: Sequence[Pair], definition: LeadDefinition, now: datetime) -> Matured | None:
    known = [(pair, told) for pair in pairs if (told := _target(pair, definition, now)) is not None]
    if not known:
        return None
    won = np.array([told for _, told in known], dtype=float)
    losses = _log_losses(np.array([pair.probability for pair, _ in known]), won)
    would_be = _log_losses(np.array([pair.would_be_probability for pair, _ in known]), won)
    accounts = [pair.account_id or f"lead {pair.lead_id}" for pair, _ in known]
    enough = min(won.sum(), len(won) - won.sum()) >= FEWEST
    return Matured(
        n=len(known),
        won=int(won.sum()),
        log_loss=float(losses.mean()),
        would_be_log_loss=float(would_be.mean()),
        difference=float((would_be - losses).mean()),
        interval=clustered_interval(would_be - losses, accounts) if enough else None,
    )


def _target(pair: Pair, definition: LeadDefinition, now: datetime) -> bool | None:
    """Whether the lead was won in time; None while that is not known, or if it closed before its as-of date."""
    closed = pair.outcome_at if pair.outcome in ("won", "lost") else None
    if closed is not None and target.closed_before(pair.outcome_latest_at, pair.as_of):
        return None
    if definition.target.horizon_days is None:
        return None if closed is None else pair.outcome == "won"
    end = pair.as_of + timedelta(days=definition.target.horizon_days)
    if not target.matured(end, now):
        return None
    return pair.outcome == "won" and closed is not None and bool(target.within(closed, end))


def _log_losses(probability: Floats, won: Floats) -> Floats:
    return np.asarray(-np.log(np.where(won == 1, probability, 1 - probability)))


def clustered_interval(values: Floats, clusters: Sequence[str]) -> tuple[float, float]:
    """The interval of a mean whose values come in clusters of any size, at `LEVEL`."""
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    sums = np.bincount(codes, weights=values - values.mean())
    n_clusters = len(sums)
    error = float(np.sqrt(n_clusters / (n_clusters - 1) * (sums**2).sum())) / len(values)
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * error
    return float(values.mean()) - half, float(values.mean()) + half
