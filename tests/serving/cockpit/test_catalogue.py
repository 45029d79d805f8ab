"""Every text that a page shows exists in both languages with the same places, and none is kept that no page shows."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from features.text import LANGUAGES
from serving.auth.access import PEOPLE
from serving.cockpit.catalogue import FORMS, Catalogue, texts
from serving.cockpit.formats import Reader
from serving.cockpit.navigation import entries
from serving.errors import KINDS

COCKPIT = Path(__file__).parents[3] / "serving" / "cockpit"
SECTIONS = {key.partition(".")[0] for key in texts("en")}
FILES = (".html", ".css", ".js", ".toml", ".svg", ".txt")
KEY = r"""["']((?:{})\.[a-z0-9_.]*)["']""".format("|".join(sorted(SECTIONS)))
IN_QUOTES, IN_PYTHON = re.compile(KEY), re.compile(rf"(?:^|[^\w.]){KEY}", re.MULTILINE)
PUT_TOGETHER = re.compile(r"""f["']((?:{})\.[a-z0-9_.]*\.)\{{""".format("|".join(sorted(SECTIONS))))


def asked_for() -> set[str]:
    """Every key, or beginning of keys that ends with a dot, that templates and code name in quotes."""
    found: set[str] = set()
    for path in COCKPIT.rglob("*.html"):
        found |= set(IN_QUOTES.findall(path.read_text(encoding="utf-8")))
    for path in COCKPIT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= {*IN_PYTHON.findall(text), *PUT_TOGETHER.findall(text)}
    return {key for key in found if not key.endswith(FILES)}


def without_form(key: str) -> str:
    whole, _, last = key.rpartition(".")
    return whole if last in FORMS else key


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_texts() -> None:
    assert set(texts("en")) == set(texts("de"))


def test_no_text_is_empty_and_none_is_the_same_by_forgetfulness() -> None:
    same = {key for key, text in texts("en").items() if texts("de")[key] == text}
    assert all(text.strip() for language in LANGUAGES for text in texts(language).values())
    long = {key for key in same if len(texts("en")[key].split()) > 3}
    assert not long, f"not translated: {sorted(long)}"


@pytest.mark.parametrize("key", sorted(texts("en")))
def test_a_text_has_the_same_places_in_both_languages(key: str) -> None:
    assert places(texts("en")[key]) == places(texts("de")[key])


def test_every_text_that_is_asked_for_exists() -> None:
    known = {without_form(key) for key in texts("en")} | set(texts("en"))
    missing = {
        key
        for key in asked_for()
        if key not in known and not (key.endswith(".") and any(each.startswith(key) for each in known))
    }
    # A page's own name, such as "model.title" without its section, is no key; what is asked for has to be there.
    assert not missing


def test_every_text_is_asked_for_by_a_page() -> None:
    asked = asked_for()
    beginnings = tuple(key for key in asked if key.endswith("."))
    by_name = {f"navigation.{entry.name}" for entry in entries()} | {"errors."}
    unused = {
        key
        for key in map(without_form, texts("en"))
        if key not in asked and key not in by_name and not key.startswith((*beginnings, "errors."))
    }
    assert not unused


def test_the_words_for_errors_are_those_of_errors_that_there_are() -> None:
    named = {key.split(".")[1] for key in texts("en") if key.count(".") == 2 and key.startswith("errors.")}
    assert named <= set(KINDS)
    assert {"not_found", "forbidden", "invalid_request", "not_ready", "internal", "unknown_lead"} <= named


def test_a_form_is_there_for_one_and_for_others() -> None:
    for key in texts("en"):
        whole, _, last = key.rpartition(".")
        if last in FORMS:
            assert {f"{whole}.{form}" for form in FORMS} <= set(texts("en"))
            assert "n" in places(texts("en")[f"{whole}.other"])


def test_every_role_has_a_name_and_every_entry_a_text() -> None:
    for role in PEOPLE:
        assert f"common.roles.{role}" in texts("en")
    for entry in entries():
        assert f"navigation.{entry.name}" in texts("de")


def test_a_number_decides_the_form_and_is_written_as_the_reader_does() -> None:
    german = Catalogue(Reader("de", ZoneInfo("UTC")))
    english = Catalogue(Reader("en", ZoneInfo("UTC")))
    assert german("model.base_rate_of", n=1) == "von 1 Lead"
    assert german("model.base_rate_of", n=12_345) == "von 12.345 Leads"
    assert english("model.base_rate_of", n=12_345) == "of 12,345 leads"


def test_what_is_put_into_a_text_stays_text_unless_it_is_html() -> None:
    t = Catalogue(Reader("en", ZoneInfo("UTC")))
    assert not isinstance(t("errors.request", id="<b>"), Markup)
    marked = t("model.predicts.text", title="<script>", days=Markup("<b>90</b>"))
    assert "&lt;script&gt;" in marked
    assert "<b>90</b>" in marked


def test_a_text_that_does_not_exist_or_lacks_a_value_is_an_error() -> None:
    t = Catalogue(Reader("en", ZoneInfo("UTC")))
    with pytest.raises(KeyError):
        t("model.nothing", n=2)
    with pytest.raises(KeyError):
        t("errors.request")
