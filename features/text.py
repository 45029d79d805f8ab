"""What people read, in German and in English, side by side where it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

Language = Literal["de", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Text(NamedTuple):
    """One message in both languages; `str(text)` is the English one.

    >>> Text(en="won", de="gewonnen").in_language("de")
    'gewonnen'
    """

    en: str
    de: str

    def in_language(self, language: Language) -> str:
        """The message in `language`."""
        return self.de if language == "de" else self.en

    def __str__(self) -> str:
        return self.en


NO_SUCH_LANGUAGE = Text("expected de or en", "erwartet: de oder en")


def named_language(name: str) -> Language | None:
    """The language that a name such as de or de_DE.UTF-8 means; None if it is neither German nor English.

    >>> named_language("de_AT.UTF-8"), named_language("EN"), named_language("fr")
    ('de', 'en', None)
    """
    primary = re.split("[^a-z]", name.strip().lower(), maxsplit=1)[0]
    return next((language for language in LANGUAGES if language == primary), None)


def reader_language(environment: Mapping[str, str]) -> Language:
    """The language of the person at the terminal: `LEAD_LANGUAGE` if it names one, else the system's, else English.

    >>> reader_language({"LEAD_LANGUAGE": "", "LANG": "de_DE.UTF-8"})
    'de'
    """
    if language := named_language(environment.get("LEAD_LANGUAGE", "")):
        return language
    return named_language(environment.get("LC_ALL") or environment.get("LANG") or "") or "en"


def same(text: str) -> Text:
    """A name that reads the same in every language, such as a column's."""
    return Text(en=text, de=text)


def decimal(value: float, digits: int, language: Language) -> str:
    """`value` with `digits` decimals in the reader's format: 1,234.5 in English, 1.234,5 in German.

    >>> decimal(1234.5, 1, "de")
    '1.234,5'
    """
    written = f"{value:,.{digits}f}"
    if float(written.replace(",", "")) == 0:
        written = written.lstrip("-")
    return written.translate(str.maketrans(",.", ".,")) if language == "de" else written


def whole(value: int, language: Language) -> str:
    """`value` with thousands separated: 1,204 in English, 1.204 in German."""
    return decimal(value, 0, language)


def percent(share: float, language: Language, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage; a no-break space stands before the sign in both languages.

    >>> percent(0.234, "en") == "23\\u00a0%"
    True
    """
    return f"{decimal(100 * share, digits, language)}\u00a0%"
