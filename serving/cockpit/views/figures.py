"""Figures of the API's answer as the reader sees them: value, denominator, interval and definition, each in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from features.text import Text
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.formats import Reader
from serving.kpis.shapes import FigureShown
from serving.kpis.texts import FIGURES
from serving.schemas import InBothLanguages

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Told:
    """A figure in the reader's words.

    Attributes
    ----------
    value : str
        A dash where nothing is known yet.
    of, interval, what : str
        Denominator, interval and definition; empty where there is none.
    short_of, ends : str
        Denominator and interval where a table says what they are.
    """

    name: str
    value: str
    of: str
    interval: str
    what: str
    short_of: str
    ends: str

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value != NOTHING


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the figures of one answer to one reader.

    Parameters
    ----------
    level : float
        Of the intervals.
    """

    reader: Reader
    level: float

    def share(self, figure: FigureShown, *, digits: int = 0) -> Told:
        """A share of leads."""
        return self._told(figure, lambda value: self.reader.percent(value, digits))

    def hours(self, figure: FigureShown) -> Told:
        """A median wait in hours."""
        return self._told(figure, self._hours)

    def ratio(self, figure: FigureShown) -> Told:
        """Wins observed to wins expected."""
        return self._told(figure, lambda value: self.reader.number(value, 2))

    def count(self, figure: FigureShown) -> Told:
        """How many leads."""
        return self._told(figure, self.reader.whole)

    def _told(self, figure: FigureShown, written: Callable[[float], str]) -> Told:
        about = FIGURES[figure["name"]]
        value = figure.get("value")
        return Told(
            name=self.reader.text(about.label),
            value=NOTHING if value is None else written(value),
            of=self._of(figure),
            interval=self._interval(figure, written),
            what=self._what(figure, about.text),
            short_of=self._short_of(figure),
            ends=self._ends(figure, written),
        )

    def _of(self, figure: FigureShown) -> str:
        t, n, n_of = Catalogue(self.reader), figure["n"], figure["n_of"]
        if not n:
            return t("common.figures.nobody")
        if figure["name"] == "predicted":
            return t("common.figures.of_leads", n=n)
        return t("common.figures.of", n=n, n_of=n_of)

    def _short_of(self, figure: FigureShown) -> str:
        t, n, n_of = Catalogue(self.reader), figure["n"], figure["n_of"]
        return t("common.figures.short_of", n=n, n_of=n_of) if n else ""

    def _ends(self, figure: FigureShown, written: Callable[[float], str]) -> str:
        t, low, high = Catalogue(self.reader), figure.get("low"), figure.get("high")
        if low is None:
            return ""
        return t("common.figures.from", low=written(low)) if high is None else f"{written(low)} – {written(high)}"

    def _interval(self, figure: FigureShown, written: Callable[[float], str]) -> str:
        t, low, high = Catalogue(self.reader), figure.get("low"), figure.get("high")
        level = self.reader.percent(self.level)
        if low is None:
            return ""
        if high is None:
            return t("common.figures.at_least", level=level, low=written(low))
        return t("common.figures.interval", level=level, low=written(low), high=written(high))

    def _what(self, figure: FigureShown, about: Text) -> str:
        """The definition, then what it is about here: which leads, of which days."""
        t = Catalogue(self.reader)
        period = t("common.figures.period", period=period_in_words(figure["start"], figure["end"], self.reader))
        young = " " + t("common.figures.matured_only") if figure["matured_only"] else ""
        return f"{self.reader.text(about)} {period}{young}"

    def _hours(self, hours: float) -> str:
        t = Catalogue(self.reader)
        return t("common.figures.hours", hours=self.reader.number(hours))


def in_words(both: InBothLanguages, reader: Reader) -> str:
    """The reader's text of an answer that holds both."""
    return both[reader.language]


def period_in_words(start: str, end: str, reader: Reader) -> str:
    """From its first to its last day; `end` is the day after the last."""
    first, last = date.fromisoformat(start), date.fromisoformat(end) - timedelta(days=1)
    return f"{reader.date(first)} – {reader.date(last)}"
