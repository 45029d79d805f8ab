"""What is wrong with the settings, in words for the person who set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from features.text import Text, same

WORDS = {
    "int_parsing": Text("expected a whole number", "erwartet: eine ganze Zahl"),
    "int_from_float": Text("expected a whole number", "erwartet: eine ganze Zahl"),
    "float_parsing": Text("expected a number, with a point", "erwartet: eine Zahl, mit Punkt"),
    "finite_number": Text("expected a finite number", "erwartet: eine endliche Zahl"),
    "bool_parsing": Text("expected 1 or 0", "erwartet: 1 oder 0"),
    "greater_than": Text("expected more than {gt}", "erwartet: mehr als {gt}"),
    "greater_than_equal": Text("expected at least {ge}", "erwartet: mindestens {ge}"),
    "less_than": Text("expected less than {lt}", "erwartet: weniger als {lt}"),
    "less_than_equal": Text("expected at most {le}", "erwartet: höchstens {le}"),
    "literal_error": Text("expected {expected}", "erwartet: {expected}"),
    "string_too_short": Text("expected a text, not an empty one", "erwartet: ein Text, kein leerer"),
}
"""By pydantic's names of its errors; the places are filled with its limits."""
OR = " or "
ODER = " oder "


class SettingError(ValueError):
    """A setting does not fit, said in both languages."""

    def __init__(self, en: str, de: str) -> None:
        self.words = Text(en, de)
        super().__init__(en)


def faults_of(error: ValidationError) -> list[Text]:
    """Every fault, each with the variable that is at fault; never with its value, which may be a secret."""
    return [_fault(each) for each in error.errors(include_input=False, include_url=False)]


def _fault(fault: Mapping[str, Any]) -> Text:
    # A fault between several settings has no place, and names them itself.
    variable = f"LEAD_{'_'.join(map(str, fault['loc'])).upper()}: " if fault["loc"] else ""
    words = _words(fault)
    return Text(variable + words.en, variable + words.de)


def _words(fault: Mapping[str, Any]) -> Text:
    limits = fault.get("ctx", {})
    if isinstance(limits.get("error"), SettingError):
        words: Text = limits["error"].words
        return words
    if fault["type"] not in WORDS:
        return same(fault["msg"])
    known = WORDS[fault["type"]]
    return Text(known.en.format(**limits), known.de.format(**limits).replace(OR, ODER))
