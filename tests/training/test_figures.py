"""Figures: what stands on them, in both languages, read from the SVG that people get."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from features.text import LANGUAGES, Language, Text
from training.judging.evaluate import Evaluation, evaluate
from training.report import figures

FIELDS = [(Text(en="Source", de="Quelle <&>"), 4.31), (Text(en="Company size", de="Größe des Unternehmens"), 0.2)]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(1)
    probability = 1 / (1 + np.exp(-rng.normal(-1.5, 1, 800)))
    when = np.datetime64("2024-03-01") + (np.arange(800) // 4).astype("timedelta64[D]")
    target = rng.random(800) < probability
    return evaluate(target, probability, np.arange(800), when, base_rate=0.2, n_resamples=60)


def words(svg: str) -> str:
    """All text of an SVG, which must be well formed."""
    return "\n".join(node.text or "" for node in ElementTree.fromstring(svg).iter() if node.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_is_drawn_in_the_readers_language(evaluation: Evaluation, language: Language) -> None:
    drawn = {
        Text(en="Share of wins observed", de="Beobachteter Anteil gewonnener Leads"): figures.reliability,
        Text(en="Share of leads worked, from the top", de="Anteil bearbeiteter Leads, von oben"): figures.lift_curve,
        Text(en="said by the model", de="vom Modell genannt"): figures.monthly,
    }
    other: Language = "en" if language == "de" else "de"
    for axis, figure in drawn.items():
        told = words(figures.svg(figure(evaluation, language)))
        assert axis.in_language(language) in told
        assert axis.in_language(other) not in told


def test_numbers_months_and_percent_signs_follow_the_language(evaluation: Evaluation) -> None:
    told = {language: words(figures.svg(figures.importance(FIELDS, language))) for language in LANGUAGES}
    assert "4,3" in told["de"] and "4.3" not in told["de"]  # noqa: PT018
    assert "4.3" in told["en"]
    months = {language: words(figures.svg(figures.monthly(evaluation, language))) for language in LANGUAGES}
    assert "Mär 2024" in months["de"]
    assert "Mai 2024" in months["de"]
    assert "May 2024" in months["en"]
    assert "20\u00a0%" in months["de"]


def test_months_stand_in_the_order_of_time_and_not_of_the_alphabet(evaluation: Evaluation) -> None:
    told = words(figures.svg(figures.monthly(evaluation, "de")))
    shown = re.findall(r"(Mär|Apr|Mai|Jun|Jul|Aug|Sep) 2024", told)
    assert shown == ["Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep"]


def test_importance_shows_every_field_strongest_first_and_escapes_its_label() -> None:
    told = words(figures.svg(figures.importance(FIELDS, "de")))
    assert told.index("Quelle <&>") < told.index("Größe des Unternehmens")


def test_a_model_that_listens_to_nothing_can_be_drawn() -> None:
    assert "0,0" in words(figures.svg(figures.importance([(Text(en="Source", de="Quelle"), 0.0)], "de")))


def test_a_bin_at_one_hundred_percent_stays_on_the_figure() -> None:
    probability = np.repeat([0.02, 1.0], 50)
    certain = evaluate(probability > 0.5, probability, np.arange(100), None, base_rate=0.5, n_resamples=40)
    assert "100\u00a0%" in words(figures.svg(figures.reliability(certain, "en")))


def test_a_png_is_a_png_twice_the_size_and_the_svg_has_no_background(evaluation: Evaluation) -> None:
    chart = figures.lift_curve(evaluation, "en")
    png, svg = figures.png(chart), figures.svg(chart)
    width = float(ElementTree.fromstring(svg).attrib["width"])
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == pytest.approx(2 * width, abs=2)
    assert 'fill="white"' not in svg
