"""What the card says about a recalibration."""

from __future__ import annotations

from datetime import date, timedelta

from features.model.bundle import Bundle, Window
from features.model.calibrator import Calibrator
from features.text import Language, Text, decimal, whole
from training.recipe.calibrate import METHOD_NAMES, Calibration
from training.report.card_words import day
from training.upkeep.recent import Parts


def origin(bundle: Bundle, number: int, parts: Parts, slopes: Calibration, window: Window) -> Text:
    """For people: which model this was, which outcomes it was recalibrated on, and what became of slopes and shift."""
    last = date.fromisoformat(window.end) - timedelta(days=1)
    first = date.fromisoformat(window.start)
    carried = SHIPPED_PARTS if parts == "shipped" else JUDGED_PARTS
    before, after = bundle.model.calibrator, slopes.calibrator
    method = METHOD_NAMES[slopes.method]
    return Text(
        f"version {number} (bundle {bundle.bundle_id}) with the same fields and trees; slopes and shift are new, from "
        f"{whole(window.n, 'en')} matured leads of {day(first, 'en')} to {day(last, 'en')}, "
        f"{whole(window.won, 'en')} of them won. {carried.en} Method: {method.en}. "
        f"Before: {_written(before, 'en')}. Now: {_written(after, 'en')}.",
        f"Version {number} (Bundle {bundle.bundle_id}) mit denselben Feldern und Bäumen; Steigungen und Verschiebung "
        f"sind neu, aus {whole(window.n, 'de')} ausgereiften Leads vom {day(first, 'de')} bis zum {day(last, 'de')}, "
        f"davon {whole(window.won, 'de')} gewonnen. {carried.de} Verfahren: {method.de}. "
        f"Vorher: {_written(before, 'de')}. Jetzt: {_written(after, 'de')}.",
    )


def _written(slopes: Calibrator, language: Language) -> str:
    linear, trees, shift = (
        decimal(value, 2, language) for value in (slopes.linear_slope, slopes.tree_slope, slopes.intercept)
    )
    if language == "de":
        return f"linearer Teil × {linear}, Bäume × {trees}, Verschiebung {shift}"
    return f"linear part × {linear}, trees × {trees}, shift {shift}"


SHIPPED_PARTS = Text(
    "These leads are later than all that the model in use has learnt from.",
    "Diese Leads sind später als alles, woraus das eingesetzte Modell gelernt hat.",
)
JUDGED_PARTS = Text(
    "Too few outcomes are later than all that the model in use has learnt from. So the slopes were fitted, and judged, "
    "on its judged twin, to which these leads are new, and carried over to the model in use, whose shift was then set "
    "to the rate of these leads.",
    "Zu wenige Ergebnisse sind später als alles, woraus das eingesetzte Modell gelernt hat. Die Steigungen wurden "
    "deshalb an seinem geprüften Zwilling angepasst und geprüft, dem diese Leads neu sind, und auf das eingesetzte "
    "Modell übertragen; dessen Verschiebung wurde danach auf die Quote dieser Leads eingestellt.",
)
