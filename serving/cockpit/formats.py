"""Numbers, dates and time spans as a person writes them: in their language, and by the agreement's clocks.

Numbers are written as in the reasons (features.text), so that a page never shows the same figure in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, format_timedelta

from features.text import Language, Text, decimal, percent, whole

LOCALES: Final = {"en": "en_GB", "de": "de_DE"}
NO_BREAK: Final = "\u00a0"
MOST_IN_WORDS: Final = 10
"""Probabilities are put as "about 3 in 10" with no larger number than this, unless they are smaller than 1 in 10."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Writes figures for one reader; every method gives the finished text.

    Parameters
    ----------
    zone : ZoneInfo
        By whose clocks moments are shown.
    """

    language: Language
    zone: ZoneInfo

    def number(self, value: float, digits: int = 1) -> str:
        """A number: 1,204.5 or 1.204,5."""
        return decimal(value, digits, self.language)

    def whole(self, value: float) -> str:
        """A count: 1,204 or 1.204."""
        return whole(round(value), self.language)

    def percent(self, share: float, digits: int = 0) -> str:
        """A share between 0 and 1: 23 %."""
        return percent(share, self.language, digits)

    def points(self, points: float, digits: int = 1) -> str:
        """Percentage points with their sign, without the word: +8.0, −0.3, ±0.0."""
        size = round(points, digits)
        sign = "±" if size == 0 else "−" if size < 0 else "+"
        return f"{sign}{decimal(abs(size), digits, self.language)}"

    def between(self, low: float, high: float, digits: int = 0) -> str:
        """An interval of shares: 18 % to 31 %."""
        word = {"en": "to", "de": "bis"}[self.language]
        return f"{self.percent(low, digits)} {word} {self.percent(high, digits)}"

    def numbers_between(self, low: float, high: float, digits: int = 2) -> str:
        """An interval of numbers: 0.93 to 1.12."""
        word = {"en": "to", "de": "bis"}[self.language]
        return f"{self.number(low, digits)} {word} {self.number(high, digits)}"

    def about(self, share: float) -> str:
        """A probability in words: "about 1 in 4"."""
        return _about(share, self)

    def date(self, moment: datetime | date) -> str:
        """The day: 3 Feb 2026 or 03.02.2026."""
        day = moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment
        return format_date(day, "medium", LOCALES[self.language])

    def moment(self, moment: datetime) -> str:
        """Day and time: 3 Feb 2026, 11:00."""
        local = moment.astimezone(self.zone)
        return f"{self.date(moment)}, {format_time(local.time(), 'short', locale=LOCALES[self.language])}"

    def month(self, month: str) -> str:
        """A month such as 2026-02: Feb 2026 or Feb. 2026."""
        day = date.fromisoformat(f"{month}-01")
        return format_date(day, "MMM y", LOCALES[self.language])

    def iso(self, moment: datetime) -> str:
        """The moment for machines, in the attribute datetime."""
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def span(self, span: timedelta) -> str:
        """From now on: "in 3 hours", "3 hours ago"."""
        return format_timedelta(span, add_direction=True, threshold=1.2, locale=LOCALES[self.language])

    def lasting(self, span: timedelta) -> str:
        """How long something lasts: "3 hours"."""
        return format_timedelta(span, threshold=1.2, locale=LOCALES[self.language])

    def text(self, text: Text | str) -> str:
        """A text in the reader's language."""
        return text.in_language(self.language) if isinstance(text, Text) else text

    def choose(self, both: dict[str, str]) -> str:
        """The reader's text of an answer that holds both."""
        return both[self.language]


FILTERS: Final = tuple(
    "number whole percent points between numbers_between about date moment month iso span lasting text choose".split()
)
"""The methods that templates use as filters."""


def _about(share: float, reader: Reader) -> str:
    """The nearest simple fraction; never one that says 'never' or 'always'."""
    if share < 1 / 1000:
        return _FEWER.in_language(reader.language).format(of=reader.whole(1000))
    if share < 1 / MOST_IN_WORDS:
        return _ABOUT.in_language(reader.language).format(n=1, of=reader.whole(_rounded(1 / share)))
    if share > 1 - 1 / (2 * MOST_IN_WORDS):
        return _MORE.in_language(reader.language).format(n=9 if share < 0.99 else 99, of=10 if share < 0.99 else 100)
    near = Fraction(share).limit_denominator(MOST_IN_WORDS)
    return _ABOUT.in_language(reader.language).format(n=near.numerator, of=near.denominator)


def _rounded(n: float) -> int:
    """To two leading digits: 1 in 37, 1 in 240."""
    step = 10 ** max(0, len(str(int(n))) - 2)
    return int(round(n / step) * step)


_ABOUT = Text("about {n} in {of}", "etwa {n} von {of}")
_FEWER = Text("fewer than 1 in {of}", "weniger als 1 von {of}")
_MORE = Text("more than {n} in {of}", "mehr als {n} von {of}")
