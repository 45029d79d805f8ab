"""The documents and the page are German for Germans, whatever routes there are."""

from __future__ import annotations

import re

import pytest

from features.definition import LeadDefinition
from serving.openapi.german import GERMAN, german_of, texts
from tests.serving.client import Client
from tests.serving.openapi.reading import ADDRESSES, nodes, schemas

GERMAN_WORDS = {"Accept-Language": "de"}
versions = pytest.mark.parametrize("version", ADDRESSES)


def test_every_text_of_the_document_has_a_german_form(client: Client) -> None:
    missing = [text for text in dict.fromkeys(texts(client.get("/openapi.json").json())) if german_of(text) is None]
    assert missing == [], "put their German forms into serving/openapi/german/"


def test_every_german_form_is_used(client: Client) -> None:
    """A text that was reworded leaves its German form behind."""
    used = {part for text in texts(client.get("/openapi.json").json()) for part in (text, *text.split("; "))}
    assert [text for text in GERMAN if text not in used and not _is_of_an_error(text)] == []


def _is_of_an_error(text: str) -> bool:
    from serving.errors import KINDS

    return text in {kind.title.en for kind in KINDS.values()}


def test_the_german_form_is_another_text_with_the_same_names_in_it() -> None:
    for english, german in GERMAN.items():
        assert german != english
        assert german[-1:] == english[-1:] or english[-1].isalnum()
        for name in re.findall(r"`[^`]+`|\b[a-z]+_[a-z_]+\b", english):
            assert name in german, english


@versions
def test_a_document_in_german_differs_only_in_its_texts(client: Client, version: str) -> None:
    english = client.get(ADDRESSES[version])
    german = client.get(ADDRESSES[version], headers=GERMAN_WORDS)
    assert (english.headers["content-language"], german.headers["content-language"]) == ("en", "de")
    assert _without_texts(english.json()) == _without_texts(german.json())
    assert german.json()["info"]["description"].startswith("Ein Lead, ")


def _without_texts(value: object) -> object:
    if isinstance(value, dict):
        words = ("summary", "description", "title", "x-ms-summary")
        return {
            key: _without_texts(part) for key, part in value.items() if not (key in words and isinstance(part, str))
        }
    return [_without_texts(part) for part in value] if isinstance(value, list) else value


def test_fields_carry_their_german_labels_in_german(client: Client) -> None:
    fields = schemas(client.get("/swagger.json", headers=GERMAN_WORDS).json())["LeadFields"]["properties"]
    assert fields["employees"]["x-ms-summary"] == "Beschäftigte"
    assert fields["employees"]["description"] == "Beschäftigte (Personen)."
    assert fields["source"]["description"].startswith("Quelle. Bekannte Werte: ")
    assert fields["source"]["description"].endswith(" Andere Werte zählen als selten oder neu.")


def test_the_german_page_tells_its_operations_and_shapes_in_german(client: Client) -> None:
    english = client.get("/openapi.json").json()
    page = client.get("/docs", headers=GERMAN_WORDS).text
    assert "Einen Lead bewerten, mit allen Gründen." in page
    assert "Der Body ist kein gültiges JSON" in page
    assert "Die Wahrscheinlichkeit eines Leads und seine ganze Erklärung." in page
    told = {node["description"] for node in nodes(english) if isinstance(node.get("description"), str)}
    assert [text for text in told if len(text) > 30 and f">{text}<" in page] == []
    assert "Score one lead, with all reasons." in client.get("/docs", headers={"Accept-Language": "en"}).text


def test_the_definition_of_the_demo_has_labels_in_both_languages(demo_definition: LeadDefinition) -> None:
    assert all(field.label.de and field.label.en for field in demo_definition.fields.values())
