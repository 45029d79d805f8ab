"""Numbers and messages in the reader's language."""

from __future__ import annotations

import pytest

from features.text import Language, Text, decimal, percent, same, whole


def test_a_text_reads_in_the_language_asked_for_and_prints_in_english() -> None:
    text = Text(en="won", de="gewonnen")
    assert (text.in_language("de"), text.in_language("en"), str(text)) == ("gewonnen", "won", "won")
    assert same("LinkedIn") == Text(en="LinkedIn", de="LinkedIn")


@pytest.mark.parametrize(
    ("value", "digits", "language", "written"),
    [
        (1234567.891, 2, "en", "1,234,567.89"),
        (1234567.891, 2, "de", "1.234.567,89"),
        (-1234.5, 1, "de", "-1.234,5"),
        (-0.04, 1, "en", "0.0"),
        (-0.0, 0, "de", "0"),
        (999.999, 1, "de", "1.000,0"),
    ],
)
def test_decimals_are_written_as_the_reader_writes_them(
    value: float, digits: int, language: Language, written: str
) -> None:
    assert decimal(value, digits, language) == written


def test_whole_numbers_and_percentages() -> None:
    assert (whole(1204, "en"), whole(1204, "de")) == ("1,204", "1.204")
    assert (percent(0.234, "en", 1), percent(0.234, "de", 1)) == ("23.4\u00a0%", "23,4\u00a0%")
    assert percent(0, "de") == "0\u00a0%"
