"""The three documents are valid, say the same, and what the service answers is what they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from serving.__main__ import main
from serving.settings import Settings
from tests.serving.client import Client
from tests.serving.openapi.reading import ADDRESSES, Document, call, complaints, example_of, operations, schemas

VALIDATORS = {"3.1": OpenAPIV31SpecValidator, "3.0": OpenAPIV30SpecValidator, "2.0": OpenAPIV2SpecValidator}
ONLY_JSON = {"Accept": "application/json"}
versions = pytest.mark.parametrize("version", ADDRESSES)
importable = pytest.mark.parametrize("version", ["3.0", "2.0"])


def document_of(client: Client, version: str, **headers: str) -> Document:
    return client.get(ADDRESSES[version], headers=headers).json()


@versions
@pytest.mark.parametrize("language", ["de", "en"])
def test_each_document_is_valid_by_the_specification_of_its_version(
    client: Client, version: str, language: str
) -> None:
    document = document_of(client, version, **{"Accept-Language": language})
    assert [error.message for error in VALIDATORS[version](document).iter_errors()] == []


@versions
def test_each_document_is_valid_while_there_is_no_model(version: str, sqlite_url: str) -> None:
    with Client(Settings(database_url=sqlite_url, bundle="nowhere"), None, datetime(2026, 2, 3, tzinfo=UTC)) as client:
        VALIDATORS[version](document_of(client, version)).validate()


@versions
def test_what_every_operation_answers_is_what_each_document_says(client: Client, version: str) -> None:
    complete, document = document_of(client, "3.1"), document_of(client, version)
    examples = {(each.path, each.method): example_of(each) for each in operations(complete)}
    accept = {} if version == "3.1" else ONLY_JSON
    called = 0
    for operation in operations(document):
        for body in (examples[operation.path, operation.method], {"nonsense": True}):
            answer = call(client, operation, body, **accept)
            assert complaints(document, operation, answer) == [], (operation.path, operation.method, answer.text)
            called += 1
    assert called >= 14


@importable
def test_a_lead_unknown_is_answered_as_the_documents_for_import_say(client: Client, version: str) -> None:
    document = document_of(client, version)
    operation = next(each for each in operations(document) if each.path == "/v1/leads/{lead_id}")
    answer = client.get("/v1/leads/NOBODY", headers=ONLY_JSON)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert complaints(document, operation, answer) == []


@importable
def test_an_answer_that_breaks_the_document_is_noticed(client: Client, version: str) -> None:
    """The checks above would not see anything if they resolved no reference."""
    document = document_of(client, version)
    operation = next(each for each in operations(document) if each.path == "/v1/score")
    answer = call(client, operation, {"lead_id": "L", "fields": {}})
    wrong = {**answer.json(), "grade": "E", "base": {"probability": 2}}
    broken = type(answer)(200, headers={"content-type": "application/json"}, content=json.dumps(wrong))
    told = " ".join(complaints(document, operation, broken))
    assert "'E' is not one of" in told
    assert "log_odds" in told
    assert "maximum" in told


def test_the_same_operations_stand_in_all_three_as_far_as_they_speak_json(client: Client) -> None:
    known = {
        version: {(each.path, each.method) for each in operations(document_of(client, version))}
        for version in ADDRESSES
    }
    assert known["3.0"] == known["2.0"] <= known["3.1"]
    left_out = known["3.1"] - known["3.0"]
    for each in operations(document_of(client, "3.1")):
        kinds = [
            kind for code, told in each.told["responses"].items() if code < "3" for kind in told.get("content", {})
        ]
        assert ((each.path, each.method) in left_out) == (bool(kinds) and "application/json" not in kinds)


@importable
def test_the_request_lists_the_fields_of_the_definition(client: Client, version: str) -> None:
    fields = {name: schemas(document_of(client, name))["LeadFields"]["properties"] for name in ("3.1", version)}
    assert list(fields[version]) == list(fields["3.1"])
    assert [field["type"] for field in fields[version].values()] == [field["type"] for field in fields["3.1"].values()]
    assert fields[version]["employees"]["maximum"] == 500_000


@versions
def test_every_document_says_where_the_service_is_and_how_to_sign_in(client: Client, version: str) -> None:
    document = document_of(client, version, Host="leads.example.com:8443")
    if version == "2.0":
        assert (document["host"], document["basePath"], document["schemes"]) == (
            "leads.example.com:8443",
            "/",
            ["http"],
        )
        keys = document["securityDefinitions"]
    else:
        assert document["servers"] == [{"url": "http://leads.example.com:8443"}]
        keys = document["components"]["securitySchemes"]
        assert keys["Bearer"]["scheme"] == "bearer"
    assert (keys["ApiKey"]["type"], keys["ApiKey"]["in"], keys["ApiKey"]["name"]) == ("apiKey", "header", "X-API-Key")
    assert {"ApiKey": []} in document["security"]


@pytest.mark.parametrize("host", ['x"><script>', "a b", "a/b", "", "{x}", "ä.example", "x" * 300])
def test_a_host_that_is_none_does_not_get_into_a_document(client: Client, host: str) -> None:
    document = client.get("/swagger.json", headers=[(b"Host", host.encode())]).json()
    OpenAPIV2SpecValidator(document).validate()
    assert document["host"] == "leads.test"


def test_both_addresses_of_swagger_answer_the_same(client: Client) -> None:
    assert client.get("/swagger.json").content == client.get("/openapi-2.0.json").content


@pytest.fixture
def elsewhere(bundle_place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to write to, and the bundle to serve."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEAD_BUNDLE", str(bundle_place))


@versions
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.usefixtures("elsewhere")
def test_a_document_is_written_to_a_file_without_a_service(
    version: str, language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["openapi", "--version", version, "--url", "https://leads.example.com/api", "--language", language]
    assert main([*arguments, "--out", "api.json"]) == 0
    assert str((tmp_path / "api.json").stat().st_size) in capsys.readouterr().out
    assert main(arguments) == 0
    document = json.loads((tmp_path / "api.json").read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == document
    VALIDATORS[version](document).validate()
    assert "employees" in schemas(document)["LeadFields"]["properties"]
    assert ("bewerten" in json.dumps(document, ensure_ascii=False)) == (language == "de")
    if version == "2.0":
        assert (document["host"], document["basePath"], document["schemes"]) == ("leads.example.com", "/api", ["https"])


@pytest.mark.parametrize("arguments", [["--url", "ftp://x"], ["--version", "4.0"], ["--url", "https://x y"]])
def test_a_document_that_cannot_be_meant_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["openapi", *arguments])
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_without_a_bundle_no_document_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEAD_BUNDLE", str(tmp_path / "nowhere"))
    assert main(["openapi", "--out", "api.json"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "api.json").exists()
