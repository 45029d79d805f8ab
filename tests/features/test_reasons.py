"""Reasons as people read them, in German and in English."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from features import reasons
from features.definition import LeadField
from features.encode import BOOLEAN_LEVELS, EncodedField
from features.model.bundle import Bundle, open_bundle
from features.profile import Evidence, FieldProfile
from features.reasons import Explanation, bin_in_words, explain_lead, points_in_words, value_in_words
from features.text import Language, Text
from tests.conftest import SmallModel
from training.examples import sample_of

NBSP = "\u00a0"
OVERALL = Evidence(1000, 120, 0.1, 0.14)
AS_OF = datetime(2026, 1, 15, tzinfo=UTC)


def agreed(kind: str = "number", **more: Any) -> LeadField:
    return LeadField.model_validate(
        {"type": kind, "known": "creation", "owner": "sales", "label": {"en": "Pages", "de": "Seiten"}, **more}
    )


def ranges(*edges: float) -> FieldProfile:
    nothing = (0,) * (len(edges) + 2)
    return FieldProfile("pages", edges, nothing, nothing, tuple(map(float, nothing)))


def in_words(kind: str, code: float, **more: Any) -> tuple[str, str]:
    field = EncodedField("x", "number")
    return tuple(value_in_words(field, agreed(kind, **more), code))  # type: ignore[return-value]


def in_range(index: int, *edges: float, kind: str = "number", **more: Any) -> tuple[str, str]:
    field = EncodedField("x", "number")
    return tuple(bin_in_words(field, agreed(kind, **more), ranges(*edges), index))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def bundle(small_model: SmallModel) -> Bundle:
    return open_bundle(small_model.bundle)


def explained(bundle: Bundle, lead: dict[str, Any], strongest: int = 5) -> Explanation:
    row = bundle.model.encoder.record(lead, AS_OF).row
    scores = bundle.model.explain(row[None, :])
    return explain_lead(
        bundle, row, scores.contributions[0], float(scores.probability[0]), given=lead, strongest=strongest
    )


@pytest.mark.parametrize(
    ("value", "en", "de"),
    [
        (6_091_000.0, f"6,091,000{NBSP}EUR", f"6.091.000{NBSP}EUR"),
        (0.5, f"0.5{NBSP}EUR", f"0,5{NBSP}EUR"),
        (1.0, f"1{NBSP}EUR", f"1{NBSP}EUR"),
        (1234.56, f"1,234.6{NBSP}EUR", f"1.234,6{NBSP}EUR"),
        (0.000412, f"0.000412{NBSP}EUR", f"0,000412{NBSP}EUR"),
        (-0.0, f"0{NBSP}EUR", f"0{NBSP}EUR"),
        (-3.25, f"-3.25{NBSP}EUR", f"-3,25{NBSP}EUR"),
        (math.nan, "not given", "keine Angabe"),
    ],
)
def test_a_number_is_shown_with_the_decimals_it_needs_and_its_unit(value: float, en: str, de: str) -> None:
    assert in_words("number", value, unit="EUR") == (en, de)


def test_a_plural_unit_is_not_put_beside_a_one() -> None:
    unit = {"en": "pages", "de": "Seiten"}
    assert in_words("number", 1.0, unit=unit) == ("1", "1")
    assert in_words("number", 2.0, unit=unit) == (f"2{NBSP}pages", f"2{NBSP}Seiten")
    assert in_words("number", 11.0, unit=unit) == (f"11{NBSP}pages", f"11{NBSP}Seiten")
    assert in_words("number", 2.0) == ("2", "2")


@pytest.mark.parametrize(
    ("days", "en", "de"),
    [(0.4, "less than a day ago", "vor weniger als einem Tag"), (1.9, "1 day ago", "vor 1 Tag"),
     (2.0, "2 days ago", "vor 2 Tagen"), (1234.5, "1,234 days ago", "vor 1.234 Tagen")],
)  # fmt: skip
def test_a_date_is_told_as_days_ago(days: float, en: str, de: str) -> None:
    assert in_words("date", days) == (en, de)


def test_ranges_of_numbers_and_dates_in_words() -> None:
    unit = {"en": "pages", "de": "Seiten"}
    assert in_range(1, 2, 5, unit=unit) == (f"below 2{NBSP}pages", f"unter 2{NBSP}Seiten")
    assert in_range(2, 2, 5, unit=unit) == (f"2 to below 5{NBSP}pages", f"2 bis unter 5{NBSP}Seiten")
    assert in_range(3, 2, 5, unit=unit) == (f"5 or more{NBSP}pages", f"5 oder mehr{NBSP}Seiten")
    assert in_range(1, 1, unit=unit) == ("below 1", "unter 1")
    assert in_range(0, 2, 5) == ("not given", "keine Angabe")
    assert in_range(1) == ("any value", "jeder Wert")
    assert in_range(1, 7, 30, kind="date") == ("less than 7 days ago", "vor weniger als 7 Tagen")
    assert in_range(2, 7, 30, kind="date") == ("7 to below 30 days ago", "vor 7 bis unter 30 Tagen")
    assert in_range(3, 7, 30, kind="date") == ("30 or more days ago", "vor 30 oder mehr Tagen")


def test_levels_in_the_definitions_words_or_as_they_are() -> None:
    source = agreed("category", values={"fair": {"en": "Trade fair", "de": "Messe"}})
    field = EncodedField("source", "category", ("fair", "web"))
    assert value_in_words(field, source, 2.0) == Text("Trade fair", "Messe")
    assert value_in_words(field, source, 3.0) == Text("web", "web")
    assert value_in_words(field, source, 0.0) == Text("not given", "keine Angabe")
    assert value_in_words(field, source, 1.0, " podcast ") == Text("podcast (rare or new)", "podcast (selten oder neu)")
    assert value_in_words(field, source, 1.0) == Text("a rare or new value", "ein seltener oder neuer Wert")


def test_booleans_are_yes_and_no_unless_the_definition_has_words() -> None:
    field = EncodedField("demo", "category", BOOLEAN_LEVELS)
    assert value_in_words(field, agreed("boolean"), 3.0) == Text("yes", "ja")
    asked = agreed("boolean", values={"true": {"en": "asked for", "de": "angefragt"}})
    assert value_in_words(field, asked, 3.0) == Text("asked for", "angefragt")
    assert value_in_words(field, asked, 2.0) == Text("no", "nein")


@pytest.mark.parametrize(
    ("points", "en", "de"),
    [(8.04, "+8.0 points", "+8,0 Punkte"), (-0.26, "−0.3 points", "−0,3 Punkte"),
     (0.0, "±0.0 points", "±0,0 Punkte"), (-0.0, "±0.0 points", "±0,0 Punkte"),
     (-0.04, "±0.0 points", "±0,0 Punkte"), (0.04, "±0.0 points", "±0,0 Punkte")],
)  # fmt: skip
def test_points_carry_their_sign_and_nothing_is_minus_zero(points: float, en: str, de: str) -> None:
    assert (points_in_words(points, "en"), points_in_words(points, "de")) == (en, de)


@pytest.mark.parametrize(
    ("n", "won", "language", "text"),
    [
        (1204, 277, "en", f"23{NBSP}% of 1,204 such leads won, 12{NBSP}% overall."),
        (1204, 277, "de", f"Von 1.204 solchen Leads wurden 23{NBSP}% gewonnen, insgesamt 12{NBSP}%."),
        (20, 0, "de", f"Von 20 solchen Leads wurden 0{NBSP}% gewonnen, insgesamt 12{NBSP}%."),
        (19, 9, "en", "The history has only 19 such leads, too few for a rate."),
        (19, 9, "de", "In der Historie gibt es nur 19 solche Leads, zu wenige für eine Quote."),
        (1, 1, "de", "In der Historie gibt es nur einen solchen Lead, zu wenig für eine Quote."),
        (0, 0, "en", "The history has no such lead."),
        (0, 0, "de", "In der Historie gibt es keinen solchen Lead."),
    ],
)
def test_the_evidence_gives_a_rate_only_where_there_are_cases(n: int, won: int, language: Language, text: str) -> None:
    such = {"en": "such leads", "de": "solchen Leads"}[language]
    assert reasons._evidence_in_words(Evidence(n, won, 0, 1), OVERALL, such, language) == text


@pytest.mark.parametrize(
    ("n_left", "en", "de"),
    [(0, "There are no other fields.", "Weitere Felder gibt es nicht."),
     (1, "The other field: ", "Das übrige Feld: "),
     (2, "The other 2 fields together: ", "Die übrigen 2 Felder zusammen: ")],
)  # fmt: skip
def test_the_rest_is_counted_in_the_right_number(bundle: Bundle, n_left: int, en: str, de: str) -> None:
    n_fields = len(bundle.model.encoder.fields)
    explanation = explained(bundle, {}, strongest=n_fields - n_left)
    assert explanation.rest.n_fields == n_left
    assert explanation.rest.text.en.startswith(en)
    assert explanation.rest.text.de.startswith(de)
    assert (explanation.rest.text.de in explanation.in_words("de")) == (n_left > 0)


def test_more_reasons_than_fields_leave_no_rest(bundle: Bundle) -> None:
    explanation = explained(bundle, {}, strongest=99)
    assert len(explanation.strongest) == len(bundle.model.encoder.fields)
    assert explanation.rest.points == 0


def test_reasons_are_ranked_and_with_the_rest_make_up_the_whole_difference(
    bundle: Bundle, small_model: SmallModel
) -> None:
    model = bundle.model
    matrix = sample_of(small_model.labelled, model.encoder).matrix[:60]
    scores = model.explain(matrix)
    for row, probability in enumerate(scores.probability.tolist()):
        explanation = explain_lead(bundle, matrix[row], scores.contributions[row], probability, given={})
        said_of = [abs(reason.points) for reason in explanation.strongest]
        assert said_of == sorted((abs(points) for points in explanation.points), reverse=True)[:5]
        said = math.fsum([*(reason.points for reason in explanation.strongest), explanation.rest.points])
        assert said == pytest.approx(100 * (probability - model.base_probability), abs=1e-9)
        log_odds = math.fsum(
            [model.base_log_odds, *(r.contribution for r in explanation.strongest), explanation.rest.contribution]
        )
        assert abs(log_odds - scores.log_odds[row]) <= 1e-9


def test_a_reason_says_what_was_seen_and_what_the_history_says_about_it(bundle: Bundle) -> None:
    explanation = explained(bundle, {"employees": 1, "lead_source": "trade_fair", "campaign": "ganz neu"}, strongest=99)
    texts = {reason.field: reason.text for reason in explanation.strongest}
    evidence = {reason.field: reason.evidence for reason in explanation.strongest}
    assert texts["lead_source"].de.startswith("Quelle: Messe, ")
    assert f"Von {evidence['lead_source'].n} solchen Leads wurden " in texts["lead_source"].de
    assert texts["campaign"].de.startswith("Kampagne: ganz neu (selten oder neu), ")
    assert texts["employees"].de.startswith("Beschäftigte: 1, ")
    assert "solchen Leads (unter " in texts["employees"].de
    assert texts["industry"].en.startswith("Industry: not given, ")
    for text in texts.values():
        assert "nan" not in text.en.split()
        assert not any(word in text.de.lower() for word in ("weil", "deshalb", "dadurch", "because"))


def test_the_evidence_is_that_of_the_leads_of_training(bundle: Bundle, small_model: SmallModel) -> None:
    frame = small_model.labelled.frame
    such = frame[frame["lead_source"] == "webinar"]
    reason = next(
        r for r in explained(bundle, {"lead_source": "webinar"}, strongest=99).strongest if r.field == "lead_source"
    )
    assert (reason.evidence.n, reason.evidence.won) == (len(such), int(such["target"].sum()))
    assert np.isfinite([reason.evidence.low, reason.evidence.high]).all()
