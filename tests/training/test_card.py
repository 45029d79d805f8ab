"""The model card: complete, in both languages, self-contained, and drawing no figure that nobody computed."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from features.text import LANGUAGES, Language, decimal, percent
from tests.training.card_example import NASTY, example_card
from training.report import card_words
from training.report.card import CardContent, render
from training.report.card_words import markdown_cell


@pytest.fixture(scope="module")
def card() -> CardContent:
    return example_card()


class Page(HTMLParser):
    """What a reader sees and what a browser would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value for name, value in attrs if name in ("src", "href") and value]
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_everything_in_the_readers_language(card: CardContent, language: Language) -> None:
    other: Language = "en" if language == "de" else "de"
    said = [card.purpose, card.audience, *card.limits, *card.warnings, card.windows[0].name, card.left_out[0].reason]
    said += [card_words.SIMULATED, card_words.NOT_VALIDATED, card_words.THIN, card_words.LEAKS_TITLE]
    said += [card_words.CALIBRATION["ece"], *card_words.READING]
    page = Page(render(card, language)).text
    for text in said:
        assert text.in_language(language) in page
        if text.en != text.de:
            assert text.in_language(other) not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_shows_the_evaluations_figures_with_their_intervals(card: CardContent, language: Language) -> None:
    page, markdown = Page(render(card, language)).text, render(card, language, "markdown")
    loss, share = card.evaluation.metrics["log_loss"], card.evaluation.metrics["share_of_wins_top_20"]
    to = {"de": "bis", "en": "to"}[language]
    low, high = loss.interval or (0, 0)
    shown = f"{decimal(loss.value or 0, 3, language)} ({decimal(low, 3, language)} {to} {decimal(high, 3, language)})"
    for told in (page, markdown):
        assert shown in told
        assert percent(share.value or 0, language, 1) in told


def test_the_html_is_well_formed_and_needs_no_other_file(card: CardContent) -> None:
    for language in LANGUAGES:
        page = Page(render(card, language))
        assert page.open == []
        assert page.fetched == []
        assert "@import" not in render(card, language)


def test_what_people_wrote_cannot_become_markup(card: CardContent) -> None:
    html = render(card, "de")
    assert "<b>" not in html
    assert NASTY in Page(html).text


def test_a_markdown_table_keeps_its_columns_whatever_people_wrote(card: CardContent) -> None:
    markdown = render(card, "en", "markdown")
    tables = [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE)]
    assert len(tables) == 7
    for rows in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1, rows[0]
        assert len(rows) > 2


def test_markdown_names_the_figures_of_its_own_language(card: CardContent) -> None:
    named = re.findall(r"\]\((.*)\)", render(card, "de", "markdown"))
    assert named == ["reliability.de.svg", "lift.de.svg", "importance.de.svg", "monthly.de.svg"]


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_banners_stand_only_where_they_are_true(card: CardContent, form: str) -> None:
    real = replace(card, simulated=False, validated_on_later_leads=True, warnings=())
    for language in LANGUAGES:
        told = render(real, language, form)  # type: ignore[arg-type]
        for banner in (card_words.SIMULATED, card_words.NOT_VALIDATED):
            assert banner.in_language(language) not in told
            assert banner.in_language(language) in render(card, language, form)  # type: ignore[arg-type]


def test_a_card_without_leaks_figures_baselines_or_a_gate_says_so_and_is_whole(card: CardContent) -> None:
    bare = replace(
        card, accepted_leaks=(), figures=(), baselines=(), left_out=(), limits=(), decision=None, horizon_days=None
    )
    page = Page(render(bare, "de"))
    assert page.open == []
    for text in (card_words.LEAKS_NONE, card_words.LEFT_OUT_NONE, card_words.NO_HORIZON):
        assert text.de in page.text
    assert card_words.GATE_TITLE.de not in page.text
    assert card_words.LEAKS_NONE.en in render(bare, "en", "markdown")


def test_thin_and_missing_segments_stand_on_the_card(card: CardContent) -> None:
    page = Page(render(card, "de")).text
    assert "(ohne Angabe) *" in page
    assert "(kleinere Werte zusammen)" in page


def test_dates_and_thousands_follow_the_language(card: CardContent) -> None:
    german, english = Page(render(card, "de")).text, Page(render(card, "en")).text
    assert "31.12.2024" in german
    assert "12.040" in german
    assert "2024-12-31" in english
    assert "12,040" in english


def test_a_cell_survives_pipes_line_ends_and_markup() -> None:
    assert markdown_cell("a|b\nc <i> *d* e_f `g` \\") == r"a\|b c &lt;i> \*d\* e\_f \`g\` \\"
