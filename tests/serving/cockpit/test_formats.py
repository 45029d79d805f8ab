"""Figures are written as the reader writes them, and by the clocks of the agreement."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from features.text import Text
from serving.cockpit.formats import NO_BREAK, Reader

BERLIN = ZoneInfo("Europe/Berlin")
EN, DE = Reader("en", BERLIN), Reader("de", BERLIN)
LATE = datetime(2026, 2, 3, 23, 30, tzinfo=UTC)


def test_numbers_have_the_readers_separators() -> None:
    assert (EN.number(1204.56), DE.number(1204.56)) == ("1,204.6", "1.204,6")
    assert (EN.whole(1_000_000), DE.whole(1_000_000)) == ("1,000,000", "1.000.000")
    assert DE.percent(0.234, 1) == f"23,4{NO_BREAK}%"


def test_points_carry_their_sign_and_a_nothing_has_none() -> None:
    assert [EN.points(points) for points in (8.04, -0.31, 0.04, -0.04)] == ["+8.0", "−0.3", "±0.0", "±0.0"]


def test_an_interval_names_both_ends() -> None:
    assert EN.between(0.18, 0.31) == f"18{NO_BREAK}% to 31{NO_BREAK}%"
    assert DE.between(0.18, 0.31) == f"18{NO_BREAK}% bis 31{NO_BREAK}%"


def test_a_moment_is_shown_by_the_agreements_clocks() -> None:
    assert EN.moment(LATE) == "4 Feb 2026, 00:30"
    assert DE.moment(LATE) == "04.02.2026, 00:30"
    assert EN.date(LATE) == "4 Feb 2026"
    assert DE.date(date(2026, 2, 3)) == "03.02.2026"
    assert EN.iso(LATE) == "2026-02-03T23:30:00Z"
    assert (EN.month("2026-02"), DE.month("2026-02")) == ("Feb 2026", "Feb. 2026")


def test_a_span_says_which_way_it_goes() -> None:
    assert (EN.span(timedelta(hours=3)), EN.span(timedelta(hours=-3))) == ("in 3 hours", "3 hours ago")
    assert (DE.span(timedelta(hours=3)), DE.span(timedelta(hours=-3))) == ("in 3 Stunden", "vor 3 Stunden")
    assert (EN.lasting(timedelta(days=2)), DE.lasting(timedelta(days=2))) == ("2 days", "2 Tage")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "fewer than 1 in 1,000"),
        (0.0005, "fewer than 1 in 1,000"),
        (0.002, "about 1 in 500"),
        (0.027, "about 1 in 37"),
        (0.11, "about 1 in 9"),
        (0.25, "about 1 in 4"),
        (0.3, "about 3 in 10"),
        (0.5, "about 1 in 2"),
        (0.66, "about 2 in 3"),
        (0.9, "about 9 in 10"),
        (0.97, "more than 9 in 10"),
        (1.0, "more than 99 in 100"),
    ],
)
def test_a_probability_in_words_is_the_nearest_simple_one(share: float, said: str) -> None:
    assert EN.about(share) == said


def test_words_never_say_always_or_never_and_are_near_the_probability() -> None:
    for thousandth in range(1, 1000):
        words = EN.about(thousandth / 1000).replace(",", "").split()
        n, of = int(words[-3]), int(words[-1])
        assert 0 < n < of
        if words[0] == "about":
            assert abs(n / of - thousandth / 1000) < 0.051


def test_both_forms_of_a_text_in_two_languages_are_read() -> None:
    assert DE.text(Text("won", "gewonnen")) == "gewonnen"
    assert DE.text("as it is") == "as it is"
    assert DE.choose({"en": "won", "de": "gewonnen"}) == "gewonnen"
