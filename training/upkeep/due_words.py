"""What `python -m training due` says, in both languages."""

from __future__ import annotations

from datetime import date

from features.errors import InternalError
from features.rates import Pair
from features.text import Language, Text, decimal, percent, same, whole
from training.report.card_words import day, span
from training.upkeep.due import Due, Reading, Verdict

HEADER = (
    Text(en="As-of dates", de="Stichtage"),
    same("Leads"),
    Text(en="Won", de="Gewonnen"),
    Text(en="Expected", de="Erwartet"),
    Text(en="Won to expected", de="Gewonnen zu erwartet"),
    Text(en="Interval", de="Intervall"),
)

VERDICTS: dict[Verdict, Text] = {
    "due": Text(en="Recalibration is due.", de="Rekalibrieren ist fällig."),
    "not due": Text(en="Recalibration is not due.", de="Rekalibrieren ist nicht fällig."),
    "too few": Text(
        en="Too few to tell: fewer than 40 wins or 40 other leads are expected among the leads that have matured since "
        "the champion was made.",
        de="Zu wenige für ein Urteil: Unter den Leads, die seit der Erstellung des Champions ausgereift sind, werden "
        "weniger als 40 gewonnene oder 40 andere erwartet.",
    ),
}


def sentences(found: Due) -> tuple[Text, ...]:
    """The verdict, and a sentence for each question that says due."""
    return (VERDICTS[found.verdict], *(_why(found, name) for name in found.because))


def rows(found: Due, language: Language) -> list[tuple[str, ...]]:
    """A line per month, one for the newest leads and one for all, as `HEADER` names the columns."""
    shown = [(_month(month, language), month) for month in found.months]
    if found.newest is not None and found.whole is not None:
        newest = Text(en=f"the newest {whole(found.newest.n, 'en')}", de=f"die neuesten {whole(found.newest.n, 'de')}")
        everything = Text(en="all", de="alle")
        shown += [(newest.in_language(language), found.newest), (everything.in_language(language), found.whole)]
    return [(name, *_cells(reading, language)) for name, reading in shown]


def slope_line(found: Due) -> Text:
    """The slope of calibration with its interval."""
    if found.slope is None:
        return Text(
            en="Slope of calibration: these leads cannot tell.",
            de="Steigung der Kalibrierung: An diesen Leads nicht bestimmbar.",
        )
    slope = found.slope
    return Text(
        en=f"Slope of calibration: {decimal(slope.value, 2, 'en')} ({_ends(slope.interval, 'en')}; 1 is right)",
        de=f"Steigung der Kalibrierung: {decimal(slope.value, 2, 'de')} ({_ends(slope.interval, 'de')}; 1 ist richtig)",
    )


def level_line(found: Due) -> Text:
    """How sure all of this is."""
    level = found.settings.level
    en, de = (percent(level, language) for language in ("en", "de"))
    tolerance_en, tolerance_de = (percent(found.settings.tolerance, language) for language in ("en", "de"))
    alarms = round(100 * 3 * (1 - level) / 2)  # at the edge of the tolerance, an interval errs on one side only
    return Text(
        en=f"Intervals of {en}, by account. Due if one lies wholly outside the tolerance ({tolerance_en} in the rate): "
        f"at most {alarms} false alarms in 100 looks.",
        de=f"{de}-Intervalle, nach Firmen. Fällig, wenn eines ganz außerhalb der Toleranz liegt ({tolerance_de} in der "
        f"Quote): höchstens {alarms} Fehlalarme auf 100 Blicke.",
    )


def _why(found: Due, name: str) -> Text:
    if name == "slope" and found.slope is not None:
        bold = found.slope.value < 1
        return (
            Text(
                en="The probabilities are too extreme: high ones are too high, low ones too low.",
                de="Die Wahrscheinlichkeiten sind zu extrem: Hohe sind zu hoch, niedrige zu niedrig.",
            )
            if bold
            else Text(
                en="The probabilities are too timid: high ones are too low, low ones too high.",
                de="Die Wahrscheinlichkeiten sind zu zaghaft: Hohe sind zu niedrig, niedrige zu hoch.",
            )
        )
    reading = found.whole if name == "rate" else found.newest
    if reading is None:
        raise InternalError(f"{name} says due without a reading")
    return _rate(reading, of_newest=name == "newest")


def _rate(reading: Reading, *, of_newest: bool) -> Text:
    more = reading.ratio > 1
    en, de = (
        (whole(reading.observed, language), decimal(reading.expected, 0, language), whole(reading.n, language))
        for language in ("en", "de")
    )
    which_en = f"the newest {en[2]} leads" if of_newest else f"all {en[2]} later leads"
    which_de = f"den neuesten {de[2]} Leads" if of_newest else f"allen {de[2]} späteren Leads"
    return Text(
        en=f"{'More' if more else 'Fewer'} wins than said among {which_en}: {en[0]}, expected {en[1]}.",
        de=f"{'Mehr' if more else 'Weniger'} gewonnen als vorhergesagt unter {which_de}: {de[0]}, erwartet {de[1]}.",
    )


def _month(reading: Reading, language: Language) -> str:
    return span([day(date.fromisoformat(each), language) for each in (reading.first, reading.last)], language)


def _cells(reading: Reading, language: Language) -> tuple[str, ...]:
    return (
        whole(reading.n, language),
        whole(reading.observed, language),
        decimal(reading.expected, 1, language),
        decimal(reading.ratio, 2, language),
        _ends(reading.interval, language),
    )


def _ends(ends: Pair, language: Language) -> str:
    return span([decimal(end, 2, language) for end in ends], language)
