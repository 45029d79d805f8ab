"""The OpenAPI document tells the truth about the model in service, in a form that CRMs can import."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.routing import APIRoute

from features.model.bundle import Bundle
from serving.errors import KINDS
from serving.settings import Settings
from tests.serving.client import Client

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from nodes(part)


def examples(document: dict[str, Any], path: str) -> dict[str, Any]:
    return document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]


def test_every_example_of_the_document_is_scored(client: Client, document: dict[str, Any]) -> None:
    assert set(examples(document, "/v1/score")) == {"complete", "sparse"}
    for path in ("/v1/score", "/v1/score/batch"):
        for example in examples(document, path).values():
            assert client.post(path, json=example["value"]).status_code == 200


def test_the_complete_example_is_complete_and_knows_only_known_values(client: Client, document: dict[str, Any]) -> None:
    answer = client.post("/v1/score", json=examples(document, "/v1/score")["complete"]["value"]).json()
    assert answer["missing"] == answer["unknown"] == []


def test_the_document_lists_fields_types_levels_labels_and_ranges(document: dict[str, Any], bundle: Bundle) -> None:
    fields = document["components"]["schemas"]["LeadFields"]
    assert list(fields["properties"]) == list(bundle.definition.fields)
    assert fields["additionalProperties"] is False
    source, employees = fields["properties"]["source"], fields["properties"]["employees"]
    assert source["type"] == "string"
    assert {"value": "fair", "en": "Trade fair", "de": "Messe"} in source["x-levels"]
    assert "oddity" not in str(source)  # too rare to be a level
    assert "enum" not in source
    assert employees["type"] == "number"
    assert (employees["minimum"], employees["maximum"]) == (0, 500_000)
    assert "Employees / Beschäftigte (people / Personen)." in employees["description"]
    assert fields["properties"]["demo_requested"]["type"] == "boolean"
    assert fields["properties"]["customer_since"]["type"] == "string"


def test_every_route_is_documented_and_nothing_else(client: Client, document: dict[str, Any]) -> None:
    routes = {
        (method.lower(), route.path)
        for route in iter_routes(client.app.routes)
        if route.include_in_schema
        for method in route.methods
    }
    assert {(method, path) for method, path, _ in operations(document)} == routes


def iter_routes(routes: list[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from iter_routes(getattr(getattr(route, "original_router", None), "routes", []))


def test_names_are_identifiers_and_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) >= 7
    names = [*ids, *document["components"]["schemas"]]
    for schema in nodes(document["components"]["schemas"]):
        if isinstance(schema.get("properties"), dict):
            names += schema["properties"]
    assert [name for name in names if not IDENTIFIER(name)] == []


def test_nothing_is_either_this_or_null(document: dict[str, Any]) -> None:
    for node in nodes(document):
        assert not {"anyOf", "oneOf", "allOf"} & set(node)
        assert node.get("type") != "null"
        assert not isinstance(node.get("type"), list)


def test_descriptions_are_short_enough_to_import(document: dict[str, Any]) -> None:
    assert all(len(node["description"]) < 1_333 for node in nodes(document) if isinstance(node.get("description"), str))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for node in nodes(document):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_errors_are_documented_as_problem_details(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, told in operation["responses"].items():
            if status == "304":
                assert "content" not in told, path
            elif status != "200":
                assert list(told["content"]) == ["application/problem+json"], path
                assert int(status) in {kind.status for kind in KINDS.values()}


def test_without_a_model_the_document_is_there_without_fields(sqlite_url: str) -> None:
    with Client(Settings(database_url=sqlite_url, bundle="nowhere"), None, datetime(2026, 2, 3, tzinfo=UTC)) as client:
        document = client.get("/openapi.json").json()
        assert document["components"]["schemas"]["LeadFields"]["properties"] == {}
        assert "/readyz" in client.get("/docs").text


class Page(HTMLParser):
    """Collects what a page would load, and checks that its elements nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.loads += [
            f"{tag} {value}" for name, value in attributes if name == "src" or (tag, name) == ("link", "href")
        ]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_documentation_page_works_without_a_network(
    client: Client, document: dict[str, Any], language: str
) -> None:
    answer = client.get("/docs", headers={"Accept-Language": language})
    page = Page()
    page.feed(answer.text)
    assert page.open == []
    assert page.loads == []
    assert "<script" not in answer.text
    assert f'<html lang="{language}">' in answer.text
    for method, path, _ in operations(document):
        assert f"{method.upper()} {path}" in answer.text
    assert {"de": "Beschäftigte", "en": "Employees"}[language] in answer.text


def test_the_page_shows_a_hostile_host_name_as_text(client: Client) -> None:
    answer = client.get("/docs", headers={"Host": 'x"><script>alert(1)</script>'})
    assert "<script" not in answer.text
