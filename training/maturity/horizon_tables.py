"""The horizon report as people read it: two tables and a few sentences, in German and English."""

from __future__ import annotations

from features.text import Language, Text, decimal, percent, whole
from training import labels
from training.maturity.horizon import STILL_COMING, Candidate, HorizonReport, Pair

NOTHING = "–"

HEADER = (
    Text("Horizon, days", "Horizont, Tage"),
    Text("Share of all wins", "Anteil aller Gewinne"),
    Text("Rate of wins", "Gewinnquote"),
    Text("Matured leads", "Ausgereifte Leads"),
    Text("of them won", "davon gewonnen"),
    Text("Newest lead to learn from", "Neuester Lead zum Lernen"),
    Text("Train / calibrate / test", "Training / Kalibrierung / Test"),
    Text("Remark", "Bemerkung"),
)
PROPOSED = Text("proposed", "Vorschlag")
OWN = Text("as agreed", "wie vereinbart")
TOO_SHORT = Text("not with this history", "nicht mit dieser Historie")

MONTH = Text("Month", "Monat")
KEPT = Text("kept", "behalten")
RULES = {rule.en: rule for rule in (labels.TOO_OLD, labels.CLOSED_BEFORE, labels.NOT_MATURED, labels.STILL_OPEN)} | {
    "kept": KEPT
}


def rows(report: HorizonReport, language: Language) -> list[tuple[str, ...]]:
    """One row per candidate, as many cells as `HEADER`."""
    return [_row(report, candidate, language) for candidate in report.candidates]


def month_rows(report: HorizonReport, language: Language) -> tuple[list[str], list[list[str]]]:
    """Titles and rows: how many leads of each month each rule kept out; no rows if nothing can be labelled."""
    names = sorted(report.by_month.columns, key=lambda name: list(RULES).index(name) if name != "kept" else -1)
    titles = [text.in_language(language) for text in (MONTH, *(RULES[name] for name in names))]
    table = report.by_month[names]
    return titles, [[str(month), *(whole(int(n), language) for n in row)] for month, row in table.iterrows()]


def sentences(report: HorizonReport) -> list[Text]:
    """What was looked at, what is proposed, and what to beware of."""
    end, n = round(report.followed_days), (report.n_leads, report.n_won, report.n_open)
    en, de = [[whole(value, language) for value in (*n, end)] for language in ("en", "de")]
    told = [
        Text(
            f"{en[0]} leads followed: {en[1]} won, {en[2]} not closed when the data ended. "
            f"All wins means: all within {en[3]} days; hardly any lead was watched for longer.",
            f"{de[0]} Leads verfolgt: {de[1]} gewonnen, {de[2]} am Ende der Daten nicht abgeschlossen. "
            f"Alle Gewinne heißt: alle innerhalb von {de[3]} Tagen; länger war kaum ein Lead zu beobachten.",
        ),
        report.reason,
    ]
    return [*told, _still_coming(report)] if report.still_coming > STILL_COMING else told


def _still_coming(report: HorizonReport) -> Text:
    return Text(
        f"Wins still come at the end of that time ({percent(report.still_coming, 'en')} of them in its last quarter): "
        "every share of all wins shown is too high, and will fall as the history grows.",
        f"Am Ende dieser Zeit wird noch gewonnen ({percent(report.still_coming, 'de')} im letzten Viertel): Jeder "
        "gezeigte Anteil aller Gewinne ist zu hoch und sinkt, wenn die Historie wächst.",
    )


def _row(report: HorizonReport, candidate: Candidate, language: Language) -> tuple[str, ...]:
    windows = candidate.windows
    return (
        whole(candidate.horizon_days, language),
        _share(candidate.share_of_wins, candidate.share_interval, 0, language),
        _share(candidate.win_rate, candidate.win_rate_interval, 1, language),
        whole(candidate.n_matured, language),
        whole(candidate.n_won, language),
        candidate.newest or NOTHING,
        NOTHING if windows is None else " / ".join(whole(n, language) for n in windows),
        _remark(report, candidate, language),
    )


def _share(value: float | None, ends: Pair | None, digits: int, language: Language) -> str:
    if value is None:
        return NOTHING
    shown = percent(value, language, digits)
    if ends is None:
        return shown
    low, high = (decimal(100 * end, digits, language) for end in ends)
    return f"{shown} ({low}–{high})"


def _remark(report: HorizonReport, candidate: Candidate, language: Language) -> str:
    words = []
    if candidate.horizon_days == report.proposed_days:
        words.append(PROPOSED.in_language(language))
    if candidate.horizon_days == report.own_days:
        words.append(OWN.in_language(language))
    if candidate.obstacle is not None:
        words.append(f"{TOO_SHORT.in_language(language)}: {candidate.obstacle.in_language(language)}")
    return "; ".join(words)
