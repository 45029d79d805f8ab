"""What the horizon report says, in German and English."""

from __future__ import annotations

from features.errors import Problem
from features.text import Text, percent, whole
from training.maturity.incidence import FEWEST_FOLLOWED

ESTIMATING = Text(en="Estimating when wins come", de="Schätzen, wann gewonnen wird")
TRYING = Text(en="Trying each horizon on the history", de="Jeden Horizont an der Historie probieren")
NOTHING_LONG_ENOUGH = Text(
    en="The history is too short for every horizon shown; the last column of the table says why.",
    de="Die Historie ist für jeden gezeigten Horizont zu kurz; die letzte Spalte der Tabelle sagt, warum.",
)


def shortest(horizon_days: int, share: float, aim: float) -> Text:
    """Why this horizon is proposed: the shortest that sees enough of all wins."""
    return Text(
        en=f"{_days(horizon_days).en}: the shortest horizon shown that sees at least {percent(aim, 'en')} of all wins "
        f"({percent(share, 'en')}).",
        de=f"{_days(horizon_days).de}: der kürzeste gezeigte Horizont, der mindestens {percent(aim, 'de')} aller "
        f"Gewinne sieht ({percent(share, 'de')}).",
    )


def longest(horizon_days: int, share: float, aim: float) -> Text:
    """Why this horizon is proposed: the longest that the history is long enough for."""
    return Text(
        en=f"{_days(horizon_days).en}: the longest horizon that this history is long enough for. It sees "
        f"{percent(share, 'en')} of all wins; for {percent(aim, 'en')}, a longer history is needed.",
        de=f"{_days(horizon_days).de}: der längste Horizont, für den diese Historie ausreicht. Er sieht "
        f"{percent(share, 'de')} aller Gewinne; für {percent(aim, 'de')} braucht es eine längere Historie.",
    )


def too_few_to_judge(n_won: int) -> Text:
    """What stands against a horizon whose test window is too thin."""
    return Text(
        en=f"the test window has only {n_won} won leads, too few to judge a model on",
        de=f"das Testfenster hat nur {n_won} gewonnene Leads, zu wenige, um ein Modell zu prüfen",
    )


def not_dated(where: str, timing: str) -> Problem:
    """The problem of a definition without dates."""
    return Problem(
        where=where,
        what=Text(
            en="the definition has no dates, so nothing is known about how long wins take",
            de="die Definition hat keine Datumsangaben; wie lange ein Gewinn dauert, ist damit unbekannt",
        ),
        seen=timing,
        expected=Text(
            en="columns.created, columns.closed and a target.horizon_days to start from (90, say)",
            de="columns.created, columns.closed und ein target.horizon_days als Ausgangspunkt (etwa 90)",
        ),
        code="not_dated",
    )


def too_few_followed(where: str, n_leads: int, n_won: int) -> Problem:
    """The problem of a history in which hardly anything can be watched."""
    return Problem(
        where=where,
        what=Text(
            en="too few leads were followed, or none of them was won, to say when wins come",
            de="zu wenige Leads wurden verfolgt, oder keiner davon wurde gewonnen; wann gewonnen wird, ist so offen",
        ),
        seen=f"{n_leads} leads, {n_won} won",
        expected=Text(
            en=f"at least {FEWEST_FOLLOWED} leads, some of them won",
            de=f"mindestens {FEWEST_FOLLOWED} Leads, darunter gewonnene",
        ),
        code="too_few_followed",
    )


def _days(n: int) -> Text:
    return Text(f"{whole(n, 'en')} days", f"{whole(n, 'de')} Tage") if n > 1 else Text("1 day", "1 Tag")
