"""What Salesforce External Services and Power Platform can import, rule by rule, on a definition made to break them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator

from features.definition import parse_definition
from features.encode import Encoder
from features.model.additive import LeadModel
from features.model.bundle import Bundle
from features.model.linear import LinearPart, Term
from serving.app import create_app
from serving.openapi import Documents, openapi_3_0, swagger_2_0
from serving.openapi.plain import PlainSchemas, in_words
from serving.openapi.v20 import LARGEST_BYTES, size_bytes
from serving.scorer import Scorer
from serving.settings import Settings
from tests.serving.openapi.reading import ADDRESSES, Document, all_schemas, bodies, nodes, operations, schemas
from tests.serving.small_model import AGREED

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*").fullmatch
FORMATS_OF_POWER_PLATFORM = set("int32 int64 float double byte binary date date-time password".split())
N_LEVELS = 4_000
both = pytest.mark.parametrize("version", ["3.0", "2.0"])
every = pytest.mark.parametrize("version", ADDRESSES)


@pytest.fixture(scope="module")
def stressed(bundle: Bundle) -> Bundle:
    """Labels of thousands of characters with umlauts, and thousands of long levels."""
    agreed: dict[str, Any] = copy.deepcopy(AGREED)
    for number, field in enumerate(agreed["fields"].values()):
        field["label"] = dict.fromkeys(field["label"], f"{number} {'Größenänderungsmaßnahme «ß» ' * 80}")
    definition = parse_definition(agreed)
    levels = tuple(sorted(f'Straße {number} "Äöü" {"ß" * 150}' for number in range(N_LEVELS)))
    encoder = Encoder(definition, {"source": levels, "demo_requested": ("false", "true")})
    terms: list[Term] = []
    for field, term in zip(encoder.fields, bundle.model.linear.terms, strict=True):
        terms.append(replace(term, log_odds=np.zeros(N_LEVELS + 2)) if field.name == "source" else term)
    model = bundle.model
    linear = LinearPart(model.linear.intercept, tuple(terms))
    return replace(bundle, model=LeadModel(encoder, linear, model.forest, model.calibrator))


@pytest.fixture(scope="module")
def documents(stressed: Bundle) -> dict[str, Document]:
    settings = Settings()
    made = Documents(create_app(settings), settings)
    scorer = Scorer(stressed)
    return {version: made.get(scorer, version, "en", "https://leads.example.com") for version in ADDRESSES}


def test_the_definition_is_one_that_would_break_the_rules(documents: dict[str, Document]) -> None:
    source = schemas(documents["3.1"])["LeadFields"]["properties"]["source"]
    assert len(source["x-label-de"]) > 1_333
    assert len(source["x-levels"]) == N_LEVELS
    assert size_bytes(documents["3.1"]) > LARGEST_BYTES


@both
def test_it_is_valid_all_the_same(documents: dict[str, Document], version: str) -> None:
    validator = {"3.0": OpenAPIV30SpecValidator, "2.0": OpenAPIV2SpecValidator}[version]
    validator(documents[version]).validate()


@both
def test_names_are_identifiers_and_operations_are_unique(documents: dict[str, Document], version: str) -> None:
    ids = [operation.told["operationId"] for operation in operations(documents[version])]
    assert len({name.lower() for name in ids}) == len(ids) > 5
    names = [*ids, *schemas(documents[version])]
    for schema in all_schemas(documents[version]):
        names += schema.get("properties", {})
    assert [name for name in names if not IDENTIFIER(name)] == []


@every
def test_texts_are_short_enough(documents: dict[str, Document], version: str) -> None:
    texts = [node["description"] for node in nodes(documents[version]) if isinstance(node.get("description"), str)]
    assert max(map(len, texts)) < 1_333
    assert max(map(len, texts)) > 1_100, "the long labels are there, shortened"


@both
def test_nothing_is_a_union_or_null_or_stands_beside_a_reference(documents: dict[str, Document], version: str) -> None:
    for schema in all_schemas(documents[version]):
        assert not {"anyOf", "oneOf", "allOf", "not", "const", "if", "prefixItems", "patternProperties"} & set(schema)
        assert isinstance(schema.get("type", ""), str)
        assert schema.get("type") != "null"
        assert "$ref" not in schema or len(schema) == 1
        assert schema.get("type") != "array" or "items" in schema
        assert "examples" not in schema
        assert set(filter(None, [schema.get("format")])) <= FORMATS_OF_POWER_PLATFORM


@both
def test_an_object_has_members_or_is_a_map_to_anything(documents: dict[str, Document], version: str) -> None:
    maps = 0
    for schema in all_schemas(documents[version]):
        if schema.get("type") == "object":
            assert ("additionalProperties" in schema) != ("properties" in schema)
            maps += "additionalProperties" in schema
            assert schema.get("additionalProperties") is not False
    assert maps
    metrics = schemas(documents[version])["ModelAnswer"]["properties"]["metrics"]
    assert (metrics["type"], metrics["additionalProperties"]) == ("object", {})


@both
def test_flows_can_read_every_list(documents: dict[str, Document], version: str) -> None:
    """A list of lists has no form in Salesforce Flow."""
    for schema in all_schemas(documents[version]):
        assert schema.get("items", {}).get("type") != "array"


@both
def test_every_reference_leads_somewhere_and_nothing_stands_there_unused(
    documents: dict[str, Document], version: str
) -> None:
    place = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    named = {node["$ref"].removeprefix(place) for node in nodes(documents[version]) if "$ref" in node}
    assert named == set(schemas(documents[version]))


def test_every_body_is_json_for_salesforce(documents: dict[str, Document]) -> None:
    kinds = {kind for operation in operations(documents["3.0"]) for kind, _ in bodies(operation)}
    assert kinds == {"application/json"}
    for operation in operations(documents["3.0"]):
        assert operation.method in ("get", "post", "put", "patch", "delete")
        assert operation.method != "get" or "requestBody" not in operation.told
        for told in operation.told["responses"].values():
            assert set(told) <= {"description", "content"}


def test_an_answer_has_one_form_for_each_status(documents: dict[str, Document]) -> None:
    for version in ("3.0", "2.0"):
        for operation in operations(documents[version]):
            assert all(re.fullmatch("[1-5][0-9]{2}|default", code) for code in operation.told["responses"])


def test_power_platform_gets_names_for_people(documents: dict[str, Document]) -> None:
    document = documents["2.0"]
    assert len(document["info"]["title"]) <= 30
    assert not re.search("api", document["info"]["title"], re.IGNORECASE)
    for operation in operations(document):
        summary = operation.told["summary"]
        assert 0 < len(summary) <= 80
        assert summary[-1].isalnum()
        assert "/" not in summary
        assert operation.told["description"] != summary
        for parameter in operation.told["parameters"]:
            assert parameter["in"] == "body" or (parameter["x-ms-summary"] and parameter["x-ms-visibility"])
            assert parameter["in"] != "path" or parameter["x-ms-url-encoding"] == "single"
    request = schemas(document)["ScoreRequest"]["properties"]
    assert request["lead_id"]["x-ms-summary"] == "Lead ID"
    assert request["lead_id"]["x-ms-visibility"] == "important"
    assert "x-ms-visibility" not in request["as_of"]


def test_power_platform_gets_one_way_of_signing_in(documents: dict[str, Document]) -> None:
    kinds = [scheme["type"] for scheme in documents["2.0"]["securityDefinitions"].values()]
    assert kinds == ["apiKey"]
    assert documents["2.0"]["security"] == [{name: []} for name in documents["2.0"]["securityDefinitions"]]


def test_the_documents_for_import_stay_small_however_many_levels_there_are(documents: dict[str, Document]) -> None:
    assert size_bytes(documents["2.0"]) < LARGEST_BYTES / 4
    assert size_bytes(documents["3.0"]) < 10_000_000 / 10


# What other routes may bring: every form that a 3.1 schema of theirs could have.

COMPONENTS = {
    "Part": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    "Tree": {
        "type": "object",
        "properties": {"below": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}},
    },
}
PART = {"$ref": "#/components/schemas/Part"}


def plain(schema: Any) -> Any:
    return PlainSchemas(COMPONENTS).of(schema)


@pytest.mark.parametrize(
    ("complete", "simple"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "T"},
            {"type": "string", "title": "T", "nullable": True},
        ),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "Either."}, {"description": "Either."}),
        ({"type": ["string", "integer"]}, {}),
        ({"const": "A"}, {"type": "string", "enum": ["A"]}),
        ({"enum": ["A", None]}, {"type": "string", "enum": ["A"], "nullable": True}),
        ({"enum": ["A", 1, None]}, {}),
        ({"type": "integer", "exclusiveMinimum": 3}, {"type": "integer", "minimum": 3, "exclusiveMinimum": True}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({"type": "string", "format": "uuid", "x-levels": [1]}, {"type": "string"}),
        ({"type": "number"}, {"type": "number", "format": "double"}),
        (PART | {"description": "Beside."}, PART),
        ({"allOf": [PART], "description": "Beside."}, PART),
        ({"anyOf": [PART]}, PART),
        ({"type": "object"}, {"type": "object", "additionalProperties": {}}),
        ({"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": {}}),
        (
            {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
            {"type": "object", "additionalProperties": {"type": "integer", "nullable": True}},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, {"type": "array", "items": {}}),
        (True, {}),
    ],
)
def test_each_form_that_importers_stumble_over_has_a_plain_one(complete: Any, simple: Any) -> None:
    assert plain(complete) == simple


def test_a_part_that_may_be_null_is_written_out() -> None:
    told = plain({"anyOf": [PART, {"type": "null"}]})
    assert told["nullable"] is True
    assert list(told["properties"]) == ["n"]


def test_several_parts_at_once_become_one_object() -> None:
    told = plain({"allOf": [PART, {"type": "object", "properties": {"m": {"type": "string"}}, "required": ["m"]}]})
    assert list(told["properties"]) == ["n", "m"]
    assert told["required"] == ["n", "m"]


def test_a_schema_that_holds_itself_ends() -> None:
    below = PlainSchemas(COMPONENTS).component("Tree")["properties"]["below"]
    assert below == {"type": "object", "additionalProperties": {}, "nullable": True, "title": "Below"}


SCALARS = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "exclusiveMinimum": 0},
        {"type": "number", "maximum": 1},
        {"type": "boolean"},
        {"type": ["string", "null"]},
        {"const": "A"},
        {"enum": ["A", 1, None]},
        {"type": ["integer", "string"]},
        PART,
    ]
)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
        | inner.map(lambda one: {"anyOf": [one, {"type": "null"}]})
        | inner.map(lambda one: {"type": "array", "items": one})
        | inner.map(lambda one: {"type": "object", "additionalProperties": one})
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(
            lambda parts: {"type": "object", "properties": parts, "required": sorted(parts)[:1]}
        )
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["A", "x"]) | st.just({"n": 1}),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=5,
)


@example(schema={"enum": ["A", 1, None]}, values=[None])
@given(schema=SCHEMAS, values=st.lists(VALUES, min_size=1, max_size=20))
def test_what_fits_the_complete_schema_fits_the_plain_one(schema: dict[str, Any], values: list[Any]) -> None:
    around = {"components": {"schemas": COMPONENTS}}
    simple = plain(schema)
    assert not any({"anyOf", "const"} & set(node) for node in _schemas_in(simple))
    for value in values:
        if Draft202012Validator({**schema, **around}).is_valid(value):
            assert OAS30Validator({**simple, **around}).is_valid(value), (schema, simple, value)


def _schemas_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in [schema.get("items"), schema.get("additionalProperties"), *schema.get("properties", {}).values()]:
        if isinstance(part, dict):
            yield from _schemas_in(part)


def document_with(*told: tuple[str, str, dict[str, Any]]) -> Document:
    paths: dict[str, Any] = {}
    for path, method, operation in told:
        paths.setdefault(path, {})[method] = operation
    return {"info": {"title": "T", "version": "1", "description": "D."}, "paths": paths, "components": {"schemas": {}}}


def answers(kind: str) -> dict[str, Any]:
    return {"200": {"description": "It.", "content": {kind: {"schema": {"type": "string"}}}}}


def test_an_operation_that_answers_no_json_is_left_out() -> None:
    document = document_with(
        ("/metrics", "get", {"operationId": "m", "responses": answers("text/plain")}),
        ("/export", "get", {"operationId": "e", "responses": answers("text/csv")}),
        ("/gone", "delete", {"operationId": "g", "responses": {"204": {"description": "Gone."}}}),
        ("/x", "head", {"operationId": "h", "responses": {"204": {"description": "It."}}}),
    )
    for made in (openapi_3_0(document, "https://x"), swagger_2_0(document, "https://x")):
        assert list(made["paths"]) == ["/gone"]


def test_operation_ids_become_identifiers_and_stay_unique() -> None:
    document = document_with(
        ("/a", "get", {"operationId": "get-lead", "responses": answers("application/json")}),
        ("/b", "get", {"operationId": "get_lead", "responses": answers("application/json")}),
        ("/c", "get", {"operationId": "Get_Lead", "responses": answers("application/json")}),
        ("/9/{id}", "get", {"responses": answers("application/json")}),
        ("/d", "get", {"operationId": "9lives", "responses": answers("application/json")}),
    )
    ids = [each.told["operationId"] for each in operations(openapi_3_0(document, "https://x"))]
    assert ids == ["get_lead", "get_lead_2", "Get_Lead_3", "get_9_id", "call_9lives"]


def test_parameters_of_a_query_are_told_in_each_version() -> None:
    listed = {
        "name": "grade",
        "in": "query",
        "schema": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
    }
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200, "default": 50}}
    cookie = {"name": "c", "in": "cookie", "schema": {"type": "string"}}
    told = {"operationId": "l", "parameters": [listed, limit, cookie], "responses": answers("application/json")}
    document = document_with(("/v1/leads", "get", told))
    three, two = openapi_3_0(document, "https://x"), swagger_2_0(document, "https://x")
    OpenAPIV30SpecValidator(three).validate()
    OpenAPIV2SpecValidator(two).validate()
    assert [one["name"] for one in three["paths"]["/v1/leads"]["get"]["parameters"]] == ["grade", "limit"]
    grade, limited = two["paths"]["/v1/leads"]["get"]["parameters"]
    assert (grade["type"], grade["items"], grade["collectionFormat"]) == ("array", {"type": "string"}, "multi")
    assert (limited["type"], limited["maximum"], limited["default"]) == ("integer", 200, 50)


@pytest.mark.parametrize(("name", "words"), [("lead_id", "Lead ID"), ("n", "N"), ("X-API-Key", "X Api Key")])
def test_a_name_in_words(name: str, words: str) -> None:
    assert in_words(name) == words
