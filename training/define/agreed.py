"""The entries of a drafted definition that follow from its base rate and its flow of leads."""

from __future__ import annotations

from math import floor, log10

from features.text import Text

_ODDS_OF_GRADES = {"A": 2.2, "B": 1.2, "C": 0.6}
_SHARE_WORKED = 0.35
FOLLOW_UP_HOURS = {"A": 4, "B": 24, "C": 72}
ACCEPTED = {
    "need_confirmed": Text("Need confirmed", "Bedarf bestätigt"),
    "appointment_made": Text("Appointment made", "Termin vereinbart"),
    "offer_requested": Text("Offer requested", "Angebot angefragt"),
}
REJECTED = {
    "not_reachable": Text("Not reachable", "Nicht erreichbar"),
    "no_need": Text("No need", "Kein Bedarf"),
    "no_budget": Text("No budget", "Kein Budget"),
    "wrong_contact": Text("Wrong contact person", "Falsche Kontaktperson"),
    "too_early": Text("Too early", "Zu früh"),
    "wrong_data": Text("Data is wrong", "Angaben sind falsch"),
}


def grades(base_rate: float) -> dict[str, float]:
    """Cut-offs at 2.2, 1.2 and 0.6 times the odds of the base rate, to two digits.

    >>> grades(0.12)
    {'A': 0.23, 'B': 0.14, 'C': 0.076}
    """
    odds = base_rate / (1 - base_rate)
    return {grade: _rounded(factor * odds / (1 + factor * odds)) for grade, factor in _ODDS_OF_GRADES.items()}


def capacity_per_week(leads_per_week: float) -> int:
    """A third of the leads, to a number that one can say: a guess that sales replaces.

    >>> capacity_per_week(115), capacity_per_week(0.5)
    (40, 1)
    """
    share = _SHARE_WORKED * leads_per_week
    return max(1, round(share / 5) * 5 if share >= 20 else round(share))


def _rounded(share: float) -> float:
    """Two digits that count, for shares near 0 and near 1 alike."""
    distance = min(share, 1 - share)
    return round(share, 1 - floor(log10(distance)))
