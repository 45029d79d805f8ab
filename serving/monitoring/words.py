"""What alerts say, in both languages: what was looked at, what was found, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from features.definition import LeadDefinition
from features.text import LANGUAGES, Language, Text, decimal, percent, whole
from serving.monitoring.reading import Kind, Lacking, Reading
from serving.monitoring.volume import RECENT_DAYS

OF_A_FIELD: Final[Mapping[str, Text]] = {
    "field": Text("distribution of values", "Verteilung der Werte"),
    "missing": Text("share without a value", "Anteil ohne Angabe"),
    "unknown": Text("share of rare or new values", "Anteil seltener oder neuer Werte"),
}
OF_ALL: Final[Mapping[str, Text]] = {
    "score": Text("Distribution of probabilities", "Verteilung der Wahrscheinlichkeiten"),
    "unlike": Text("Leads unlike any in training", "Leads, wie sie im Training nie vorkamen"),
    "volume": Text("Number of leads", "Zahl der Leads"),
    "calibration": Text("Wins against probabilities", "Gewonnene Leads gegen die Wahrscheinlichkeiten"),
    "performance": Text("How well leads can be told apart", "Wie gut sich Leads unterscheiden lassen"),
}
ADVICE: Final[Mapping[Kind, Text]] = {
    "field": Text(
        "Look for a change in the form, the import or the mapping of this field. If the leads themselves have changed, "
        "train on newer ones.",
        "Prüfen Sie, ob sich Formular, Import oder Zuordnung dieses Felds geändert haben. Haben sich die Leads selbst "
        "geändert, trainieren Sie mit neueren.",
    ),
    "missing": Text(
        "Look whether the field still arrives: a form, an import or a mapping that changed, or a source that does not "
        "fill it in.",
        "Prüfen Sie, ob das Feld noch ankommt: Formular, Import oder Zuordnung können sich geändert haben, oder eine "
        "Quelle füllt es nicht.",
    ),
    "unknown": Text(
        "See which values are new (they stand under `unknown` in the answers). If they are spelled differently, repair "
        "the mapping; if they are really new, train once their leads have matured.",
        "Sehen Sie nach, welche Werte neu sind (in den Antworten unter `unknown`). Sind sie nur anders geschrieben, "
        "korrigieren Sie die Zuordnung; sind sie wirklich neu, trainieren Sie, sobald ihre Leads ausgereift sind.",
    ),
    "score": Text(
        "The model says other probabilities than in training. See which fields have changed; if none has, see whether "
        "leads of another kind are being scored.",
        "Das Modell nennt andere Wahrscheinlichkeiten als im Training. Sehen Sie nach, welche Felder sich geändert "
        "haben; wenn keines, ob andersartige Leads bewertet werden.",
    ),
    "unlike": Text(
        "Look at `unlike_training` in the answers: it names the fields. Impossible values point to a broken import.",
        "Sehen Sie in den Antworten unter `unlike_training` nach: Dort stehen die Felder. Unmögliche Werte deuten auf "
        "einen gestörten Import.",
    ),
    "volume": Text(
        "Look whether the CRM still sends every lead once, and whether a campaign or holidays explain the number.",
        "Prüfen Sie, ob das CRM noch jeden Lead einmal schickt und ob eine Kampagne oder Feiertage die Zahl erklären.",
    ),
    "calibration": Text(
        "Check first that outcomes still come in. Then ask `make due`, and recalibrate (`make recalibrate`) or train "
        "anew.",
        "Prüfen Sie zuerst, ob noch Ergebnisse gemeldet werden. Fragen Sie dann `make due` und rekalibrieren Sie "
        "(`make recalibrate`) oder trainieren Sie neu.",
    ),
    "performance": Text(
        "Look for fields that matter and are missing or constant now (`GET /v1/model/importance`). This figure assumes "
        "that the probabilities are right, and says nothing about whether they are.",
        "Suchen Sie wichtige Felder, die jetzt fehlen oder sich nicht mehr unterscheiden (`GET /v1/model/importance`). "
        "Diese Zahl setzt voraus, dass die Wahrscheinlichkeiten stimmen, und sagt nichts darüber, ob sie es tun.",
    ),
}
LACKING: Final[Mapping[Lacking, Text]] = {
    "leads": Text("too few leads yet", "noch zu wenige Leads"),
    "days": Text("too few days yet", "noch zu wenige Tage"),
    "outcomes": Text("too few outcomes yet", "noch zu wenige Ergebnisse"),
    "reference": Text("the model has nothing to compare with", "das Modell enthält nichts zum Vergleichen"),
}


def title(reading: Reading, definition: LeadDefinition) -> Text:
    """What was looked at, with the field's label."""
    if not reading.field:
        return OF_ALL[reading.kind]
    what, field = OF_A_FIELD[reading.kind], definition.fields.get(reading.field)
    label = field.label if field else Text(reading.field, reading.field)
    return Text(f"{label.en}: {what.en}", f"{label.de}: {what.de}")


def finding(reading: Reading) -> Text:
    """What was found, in one sentence with its figures and what is tolerated."""
    if reading.lacking:
        lacking = LACKING[reading.lacking]
        return Text(*(f"Not told: {lacking.en}.", f"Keine Aussage: {lacking.de}."))
    said = {language: _FOUND[reading.kind](reading, language) for language in LANGUAGES}
    return Text(en=said["en"], de=said["de"])


def advice(reading: Reading) -> Text:
    """What to do if it is raised."""
    return ADVICE[reading.kind]


def _shift(found: Reading, language: Language) -> str:
    size, low, most = (_number(each, language) for each in (found.value, found.low, found.tolerated[1]))
    psi, chance = (_number(found.figures[name], language) for name in ("psi", "psi_by_chance"))
    n = whole(found.n, language)
    if language == "de":
        return f"Verschiebung {size}, mindestens {low}, geduldet {most} ({n} Leads; PSI {psi}, zufällig {chance})."
    return f"Shift {size}, at least {low}, tolerated {most} ({n} leads; PSI {psi}, {chance} by chance)."


def _difference(found: Reading, language: Language) -> str:
    now, before = (percent(found.figures[name], language, 1) for name in ("share", "share_before"))
    low, high = (_points(each, language) for each in (found.low, found.high))
    least, most = found.tolerated
    allowed = f"±{_points(most, language)}" if math.isfinite(least) else _points(most, language)
    n = whole(found.n, language)
    if language == "de":
        return f"{now} von {n} Leads, im Training {before}: {low} bis {high} Punkte Unterschied, geduldet {allowed}."
    return f"{now} of {n} leads, {before} in training: {low} to {high} points apart, tolerated {allowed}."


def _unlike(found: Reading, language: Language) -> str:
    share, low, high, most = (
        percent(each, language, 1) for each in (found.value, found.low, found.high, found.tolerated[1])
    )
    if language == "de":
        return f"{share} von {whole(found.n, language)} Leads ({low} bis {high}), geduldet {most}."
    return f"{share} of {whole(found.n, language)} leads ({low} to {high}), tolerated {most}."


def _volume(found: Reading, language: Language) -> str:
    observed, expected = (decimal(found.figures[name], 0, language) for name in ("observed", "expected"))
    if language == "de":
        return f"{observed} in {RECENT_DAYS} Tagen, üblich {expected}: {_ratio(found, language)}."
    return f"{observed} in {RECENT_DAYS} days, {expected} usual: {_ratio(found, language)}."


def _calibration(found: Reading, language: Language) -> str:
    n, observed = whole(found.n, language), decimal(found.figures["observed"], 0, language)
    expected = decimal(found.figures["expected"], 0, language)
    if language == "de":
        return f"{observed} von {n} ausgereiften Leads gewonnen, {expected} erwartet: {_ratio(found, language)}."
    return f"{observed} of {n} matured leads won, {expected} expected: {_ratio(found, language)}."


def _performance(found: Reading, language: Language) -> str:
    skill, low, high, least = (
        percent(each, language, 1) for each in (found.value, found.low, found.high, found.tolerated[0])
    )
    auc, evaluated = (
        decimal(found.figures["expected_auc"], 3, language),
        percent(found.figures["evaluated_skill"], language, 1),
    )
    if language == "de":
        return (
            f"Erwarteter Gewinn gegenüber der Grundquote {skill} ({low} bis {high}), bei der Auswertung {evaluated}, "
            f"geduldet ab {least} (erwartete AUC {auc})."
        )
    return (
        f"Expected skill against the base rate {skill} ({low} to {high}), {evaluated} in the evaluation, tolerated "
        f"from {least} (expected AUC {auc})."
    )


def _ratio(found: Reading, language: Language) -> str:
    value, low, least, most = (_number(each, language) for each in (found.value, found.low, *found.tolerated))
    high = _number(found.high, language) if math.isfinite(found.high) else "∞"
    if language == "de":
        return f"Verhältnis {value} ({low} bis {high}), geduldet {least} bis {most}"
    return f"ratio {value} ({low} to {high}), tolerated {least} to {most}"


def _number(value: float, language: Language) -> str:
    return decimal(value, 2, language)


def _points(share: float, language: Language) -> str:
    return decimal(100 * share, 1, language)


_FOUND: Final[Mapping[Kind, Callable[[Reading, Language], str]]] = {
    "field": _shift,
    "missing": _difference,
    "unknown": _difference,
    "score": _shift,
    "unlike": _unlike,
    "volume": _volume,
    "calibration": _calibration,
    "performance": _performance,
}
