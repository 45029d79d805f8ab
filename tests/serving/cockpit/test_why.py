"""Why leads win: the page shows what the bundle knows, in both languages, and reads nothing into few leads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from features.model.bundle import Bundle
from features.reasons import FEWEST_FOR_A_RATE
from features.text import Language
from serving.cockpit.charts.strips import MARGIN, WIDTH, strip
from serving.cockpit.formats import Reader
from serving.cockpit.views.why import FieldEvidence, evidence_of_fields, why_view
from serving.cockpit.views.why_csv import why_csv
from serving.kpis.table import THIN
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor

BERLIN = ZoneInfo("Europe/Berlin")
languages = pytest.mark.parametrize("language", ["en", "de"])
Visit = Callable[..., Visitor]


def fields_of(bundle: Bundle) -> dict[str, FieldEvidence]:
    return {field.name: field for field in evidence_of_fields(bundle)}


def test_every_lead_that_the_model_learnt_from_stands_in_one_value_of_each_field(bundle: Bundle) -> None:
    for field in evidence_of_fields(bundle):
        assert sum(row.evidence.n for row in field.rows) == bundle.profile.n, field.name
        assert sum(row.evidence.won for row in field.rows) == bundle.profile.won, field.name


def test_fields_stand_in_the_order_of_their_importance_as_the_api_gives_it(bundle: Bundle, client: Client) -> None:
    told = client.get("/v1/model/importance").json()["importance"]
    shown = list(evidence_of_fields(bundle))
    assert [(field.name, field.importance) for field in shown] == [
        (each["field"], each["mean_absolute_points"]) for each in told
    ]
    assert [field.rank for field in shown] == [1, 2, 3, 4]


def test_above_and_below_are_said_only_where_the_whole_interval_lies_on_one_side(bundle: Bundle) -> None:
    overall = bundle.profile.overall().rate
    standings = set()
    for field in evidence_of_fields(bundle):
        for row in field.rows:
            standings.add(row.standing)
            expected = "above" if row.evidence.low > overall else "below" if row.evidence.high < overall else "like"
            assert row.standing == (expected if row.evidence.n >= FEWEST_FOR_A_RATE else "untold")
    assert {"above", "below", "like"} <= standings


def test_few_leads_are_marked_and_very_few_have_no_rate(bundle: Bundle) -> None:
    rare = next(row for row in fields_of(bundle)["source"].rows if row.label.en == "a rare or new value")
    assert rare.evidence.n < FEWEST_FOR_A_RATE < THIN
    assert (rare.thin, rare.strip, rare.standing) == (True, None, "untold")
    assert fields_of(bundle)["source"].rows[-1] == rare


def test_ranges_stand_in_their_order_with_what_is_missing_at_the_end(bundle: Bundle) -> None:
    labels = [row.label.en for row in fields_of(bundle)["employees"].rows]
    assert labels[0].startswith("below ")
    assert labels[-2].endswith("or more\u00a0people")
    assert labels[-1] == "not given"


def test_only_the_fields_of_a_team_are_shown_if_that_is_asked_for(bundle: Bundle) -> None:
    reader = Reader("en", BERLIN)
    names = {
        owner: {field.name for field in why_view(bundle, owner, reader).fields} for owner in ("marketing", "sales")
    }
    assert names == {"marketing": {"source", "demo_requested"}, "sales": {"employees", "customer_since"}}


def test_a_strip_draws_its_share_to_scale() -> None:
    drawn = strip(0.25, 0.2, 0.3, 0.5, 0.5).svg
    width = WIDTH - 2 * MARGIN
    assert f'cx="{MARGIN + width / 2:.1f}"' in drawn
    assert f'x1="{MARGIN + 0.4 * width:.1f}" x2="{MARGIN + 0.6 * width:.1f}"' in drawn
    assert f'x1="{WIDTH - MARGIN:.1f}" x2="{WIDTH - MARGIN:.1f}"' in drawn


@languages
def test_the_csv_holds_what_the_page_does_as_the_readers_spreadsheet_opens_it(
    bundle: Bundle, language: Language
) -> None:
    written = why_csv(bundle, "", Reader(language, BERLIN))
    assert written.startswith(b"\xef\xbb\xbf")
    head, *lines = csv.reader(io.StringIO(written.decode("utf-8-sig")), delimiter=";" if language == "de" else ",")
    assert (
        head[:3]
        == {
            "en": ["Field", "Team", "Mean absolute points of the field"],
            "de": ["Feld", "Team", "Mittlere absolute Punkte des Felds"],
        }[language]
    )
    assert len(lines) == sum(len(field.rows) for field in evidence_of_fields(bundle))
    by_value = {(line[0], line[3]): line for line in lines}
    fair = by_value[("Source", "Trade fair") if language == "en" else ("Quelle", "Messe")]
    row = next(row for row in fields_of(bundle)["source"].rows if row.label.en == "Trade fair")
    assert fair[4:6] == [str(row.evidence.n), str(row.evidence.won)]
    assert float(fair[6].replace(",", ".")) == pytest.approx(row.evidence.rate, abs=1e-6)
    assert ("," in fair[6]) is (language == "de")


def test_the_csv_says_no_rate_where_the_page_says_none(bundle: Bundle) -> None:
    _, *lines = csv.reader(io.StringIO(why_csv(bundle, "", Reader("en", BERLIN)).decode("utf-8-sig")))
    few = [line for line in lines if int(line[4]) < FEWEST_FOR_A_RATE]
    assert few
    assert all(line[6:9] == ["", "", ""] for line in few)


@languages
def test_the_page_says_that_an_association_is_no_cause_and_names_every_value(visit: Visit, language: str) -> None:
    page = visit("marketing", language).get("/cockpit/why")
    assert page.status_code == 200
    for text in {"en": ("Association, not cause", "Trade fair"), "de": ("Zusammenhang, nicht Ursache", "Messe")}[
        language
    ]:
        assert text in page.text
    assert page.text.count('<details class="card why-field"') == 4


def test_an_owner_that_does_not_exist_is_told_in_words(visit: Visit) -> None:
    answer = visit("sales").get("/cockpit/why?owner=finance")
    assert answer.status_code == 422
    assert "marketing, sales" in answer.text


def test_the_download_is_named_in_the_readers_language(visit: Visit) -> None:
    answer = visit("marketing", "de").get("/cockpit/why.csv?owner=sales")
    assert answer.headers["content-disposition"] == 'attachment; filename="warum-leads-gewinnen-sales.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
