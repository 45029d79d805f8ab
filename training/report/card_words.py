"""The words of the model card, side by side in English and German."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from features.text import Language, Text, percent, same

NOTHING = "–"

MODEL_CARD = Text(en="Model card", de="Modellkarte")
SIMULATED = Text(
    en="Simulated: this model was trained on an invented history. Its figures say nothing about a real company.",
    de="Simuliert: Dieses Modell wurde mit einer erfundenen Historie trainiert. "
    "Seine Zahlen sagen nichts über ein echtes Unternehmen.",
)
NOT_VALIDATED = Text(
    en="Not validated on later leads: the data have no order in time, so the figures come from random folds and are "
    "usually too good.",
    de="Nicht an späteren Leads geprüft: Die Daten haben keine zeitliche Reihenfolge. "
    "Die Zahlen stammen aus zufälligen Teilmengen und sind meist zu gut.",
)
WARNINGS = Text(en="Warnings", de="Warnungen")
WHAT = Text(en="What it predicts", de="Was es vorhersagt")
FOR_WHOM = Text(en="For whom", de="Für wen")
VERSION = Text(en="Model version", de="Modellversion")
RECALIBRATED = Text(en="Recalibrated", de="Rekalibriert")
TRAINED_ON = Text(en="Trained on", de="Trainiert am")
DEFINITION = Text(en="Definition", de="Definition")
DEFINITION_VERSION = Text(en="version", de="Version")
FINGERPRINT = Text(en="Fingerprint", de="Fingerabdruck")
HORIZON = Text(en="Horizon", de="Horizont")
DAYS = Text(en="days", de="Tage")
NO_HORIZON = Text(en="none: the data have no dates", de="keiner: Die Daten haben kein Datum")

DATA = Text(en="Data", de="Daten")
WINDOW_HEADER = (
    Text(en="Window", de="Zeitraum"),
    Text(en="From", de="Von"),
    Text(en="To", de="Bis"),
    same("Leads"),
    Text(en="Won", de="Gewonnen"),
)
LEFT_OUT = Text(en="Leads left out", de="Nicht verwendete Leads")
LEFT_OUT_HEADER = (Text(en="Reason", de="Grund"), same("Leads"))
LEFT_OUT_NONE = Text(en="No lead was left out.", de="Es wurden alle Leads verwendet.")

PERFORMANCE_TITLE = Text(en="Performance", de="Güte")
PERFORMANCE_LEGEND = Text(
    en="In brackets: interval, from resampling whole accounts. Measured on",
    de="In Klammern: Intervall, durch wiederholtes Ziehen ganzer Accounts. Gemessen an",
)
LEADS_OF_WHICH_WON = (same("Leads"), Text(en="of them won", de="davon gewonnen"))
ACCOUNTS = same("Accounts")
LEVEL = Text(en="Level of the intervals", de="Sicherheit der Intervalle")
FIGURE = Text(en="Figure", de="Kennzahl")
THIS_MODEL = Text(en="This model", de="Dieses Modell")
DIFFERENCE_LOG_LOSS = Text(
    en="Log loss, this model minus baseline (below 0: better)",
    de="Log-Loss, dieses Modell minus Vergleich (unter 0: besser)",
)
DIFFERENCE_BRIER = Text(
    en="Brier score, this model minus baseline (below 0: better)",
    de="Brier-Wert, dieses Modell minus Vergleich (unter 0: besser)",
)

PERFORMANCE = (
    "log_loss",
    "log_loss_skill",
    "brier",
    "brier_skill",
    "roc_auc",
    "average_precision",
    "share_of_wins_top_10",
    "share_of_wins_top_20",
    "share_of_wins_top_35",
    "precision_at_capacity",
)
_METRICS: Mapping[str, Text] = {
    "log_loss": Text(en="Log loss (lower is better)", de="Log-Loss (niedriger ist besser)"),
    "log_loss_skill": Text(
        en="Log loss saved against the base rate", de="Log-Loss, Ersparnis gegenüber der Grundquote"
    ),
    "brier": Text(en="Brier score (lower is better)", de="Brier-Wert (niedriger ist besser)"),
    "brier_skill": Text(
        en="Brier score saved against the base rate", de="Brier-Wert, Ersparnis gegenüber der Grundquote"
    ),
    "roc_auc": Text(en="Ranking (ROC AUC; 0.5 is chance)", de="Rangfolge (ROC-AUC; 0,5 ist Zufall)"),
    "average_precision": Text(en="Average precision", de="Mittlere Präzision"),
    "share_of_wins_top_10": Text(
        en="Share of wins in the top 10\u00a0%", de="Anteil der Gewonnenen in den besten 10\u00a0%"
    ),
    "share_of_wins_top_20": Text(
        en="Share of wins in the top 20\u00a0%", de="Anteil der Gewonnenen in den besten 20\u00a0%"
    ),
    "share_of_wins_top_35": Text(
        en="Share of wins in the top 35\u00a0%", de="Anteil der Gewonnenen in den besten 35\u00a0%"
    ),
    "precision_at_capacity": Text(
        en="Won among the leads that sales can work", de="Gewonnen unter den Leads, die der Vertrieb schafft"
    ),
    "calibration_slope": Text(en="Calibration slope", de="Steigung der Kalibrierung"),
    "calibration_intercept": Text(en="Calibration intercept", de="Achsenabschnitt der Kalibrierung"),
    "observed_to_expected": Text(en="Wins observed to expected", de="Gewonnene, beobachtet zu erwartet"),
    "ece": Text(en="Expected calibration error (ECE)", de="Mittlerer Kalibrierungsfehler (ECE)"),
}
SHARES = frozenset({name for name in _METRICS if name.startswith("share_")} | {"precision_at_capacity"}) | {
    "log_loss_skill",
    "brier_skill",
}
DIGITS: Mapping[str, int] = {"calibration_slope": 2, "calibration_intercept": 2, "observed_to_expected": 2}

CALIBRATION_TITLE = Text(en="Calibration", de="Kalibrierung")
CALIBRATION_HEADER = (FIGURE, Text(en="Value", de="Wert"), Text(en="What it says", de="Was es sagt"))
CALIBRATION: Mapping[str, Text] = {
    "calibration_slope": Text(
        en="1 is right; below, probabilities are too extreme, above, too timid.",
        de="1 ist richtig; darunter sind die Wahrscheinlichkeiten zu extrem, darüber zu zaghaft.",
    ),
    "calibration_intercept": Text(
        en="0 is right, read with the slope.", de="0 ist richtig, zusammen mit der Steigung."
    ),
    "observed_to_expected": Text(
        en="1 is right; above, more was won than predicted.",
        de="1 ist richtig; darüber wurde mehr gewonnen als vorhergesagt.",
    ),
    "ece": Text(
        en="Mean gap between probability and share of wins, over ten bins of equally many leads.",
        de="Mittlerer Abstand zwischen Wahrscheinlichkeit und Anteil gewonnener Leads in zehn gleich großen Gruppen.",
    ),
}
ECE_BY_CHANCE = Text(en="ECE by chance alone", de="ECE allein durch Zufall")
ECE_BY_CHANCE_SAYS = Text(
    en="What exactly right probabilities would show on as many leads.",
    de="Was genau richtige Wahrscheinlichkeiten bei ebenso vielen Leads zeigen würden.",
)

SEGMENTS_TITLE = Text(en="Segments", de="Segmente")
SEGMENT_HEADER = (
    same("Segment"),
    Text(en="Value", de="Wert"),
    same("Leads"),
    Text(en="Won", de="Gewonnen"),
    Text(en="Predicted", de="Vorhergesagt"),
    Text(en="Observed", de="Beobachtet"),
    Text(en="Log loss", de="Log-Loss"),
    Text(en="Saved against the base rate", de="Ersparnis zur Grundquote"),
)
SEGMENTS_NONE = Text(en="No segments were examined.", de="Es wurden keine Segmente untersucht.")
THIN = Text(
    en="* Fewer than 20 won or 20 lost leads: these figures say little.",
    de="* Weniger als 20 gewonnene oder 20 verlorene Leads: Diese Zahlen sagen wenig.",
)

GATE_TITLE = Text(en="The gate's checks", de="Prüfungen vor der Freigabe")
LEAKS_TITLE = Text(en="Leaks accepted", de="Hingenommene Lecks")
LEAKS_NONE = Text(
    en="None: every field that the leak guard named was dropped.",
    de="Keine: Jedes Feld, das die Leckprüfung genannt hat, wurde ausgeschlossen.",
)
LEAK_HEADER = (
    Text(en="Field", de="Feld"),
    Text(en="Finding", de="Befund"),
    Text(en="Accepted because", de="Hingenommen, weil"),
)

FIGURES_TITLE = Text(en="Figures", de="Abbildungen")
LIMITS_TITLE = Text(en="Limits", de="Grenzen")
READING_TITLE = Text(en="How to read the reasons", de="Wie man die Gründe liest")
READING = (
    Text(
        en="A probability of 23\u00a0% means: of a hundred leads like this one, about 23 are won within the horizon. "
        "It does not say which.",
        de="Eine Wahrscheinlichkeit von 23\u00a0% heißt: Von hundert solchen Leads werden etwa 23 innerhalb des "
        "Horizonts gewonnen. Sie sagt nicht, welche.",
    ),
    Text(
        en="Points are percentage points. The base probability and all points add up to the lead's probability, "
        "exactly.",
        de="Punkte sind Prozentpunkte. Grundwahrscheinlichkeit und alle Punkte ergeben zusammen genau die "
        "Wahrscheinlichkeit des Leads.",
    ),
    Text(
        en="A reason says what was seen in the history, not what causes a win. Changing the field need not change the "
        "outcome.",
        de="Ein Grund sagt, was in der Historie zu sehen war, nicht was zum Abschluss führt. Das Feld zu ändern, muss "
        "das Ergebnis nicht ändern.",
    ),
    Text(
        en="Fields that go together share their points. A field without points may still matter in reality.",
        de="Felder, die zusammenhängen, teilen sich ihre Punkte. Auch ein Feld ohne Punkte kann in Wirklichkeit "
        "wichtig sein.",
    ),
)


def metric_name(name: str, language: Language) -> str:
    """What a figure is called."""
    return _METRICS[name].in_language(language)


def level(share: float, language: Language) -> str:
    """The level of an interval: 90 %."""
    return percent(share, language)


def span(ends: Sequence[str], language: Language) -> str:
    """From the lower to the upper end, in words: a dash would read as a minus sign."""
    return (" bis " if language == "de" else " to ").join(ends)


def day(moment: date | None, language: Language) -> str:
    """A date as it is written: 31.12.2024 in German, 2024-12-31 in English."""
    if moment is None:
        return NOTHING
    return moment.strftime("%d.%m.%Y") if language == "de" else moment.isoformat()


def markdown_cell(text: str) -> str:
    """Text for a Markdown table: what would end a cell or a row, or start markup, is escaped."""
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
    return escaped.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_").replace("`", "\\`")
