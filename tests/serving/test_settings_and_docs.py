"""Settings are typed and refused together; the pages for integrators name every setting, endpoint and error."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from features.definition import LeadDefinition, read_definition
from features.encode import Encoder
from serving.auth.access import ACCESS, is_page
from serving.auth.keys import ROLES
from serving.errors import KINDS
from serving.intake import LEAD_KEYS
from serving.settings import Settings
from tests.serving.client import Client

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / language / "service.md" for language in ("en", "de")]
pages = pytest.mark.parametrize("page", PAGES, ids=["en", "de"])


def table(page: Path, first_cell: str) -> dict[str, list[str]]:
    """The rows of a page's table whose first cell matches, by that cell."""
    rows = (line.strip().strip("|").split("|") for line in page.read_text().splitlines() if line.startswith("|"))
    cells = ([cell.strip() for cell in row] for row in rows)
    return {row[0].strip("`"): row[1:] for row in cells if re.fullmatch(first_cell, row[0].strip("`"))}


def in_words(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    return "–" if default == () else f"`{default}`"


@pages
def test_the_page_documents_every_setting_with_its_default(page: Path) -> None:
    documented = table(page, r"LEAD_[A-Z_]+")
    settings = {f"LEAD_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert set(documented) == set(settings)
    for name, field in settings.items():
        assert documented[name][0] == in_words(field.default)
        assert len(documented[name][1]) > 10


@pages
def test_the_page_documents_every_endpoint(page: Path, client: Client) -> None:
    text = page.read_text()
    paths = client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text


@pages
def test_the_page_says_who_may_ask_each_endpoint(page: Path) -> None:
    words = {"en": ("no key", "any"), "de": ("kein Schlüssel", "jede")}[page.parent.name]
    expected = {}
    for route, need in ACCESS.items():
        if is_page(route.split()[1]) or route == "GET /":
            continue  # docs/en/cockpit.md tells of pages
        roles = ", ".join(f"`{role}`" for role in need.roles)
        expected[route] = words[0] if need.is_open else words[1] if set(need.roles) == set(ROLES) else roles
    rows = [[cell.strip() for cell in line.split("|")] for line in page.read_text().splitlines()]
    told = [row for row in rows if len(row) == 5 and row[3] in expected.values()]
    assert {route: row[3] for row in told for route in re.findall(r"`([A-Z]+ /[^`]+)`", row[1])} == expected


@pages
def test_the_page_documents_every_kind_of_error_with_its_status(page: Path) -> None:
    documented = {name: cells[0] for name, cells in table(page, r"[a-z]+(-[a-z]+)*").items() if cells[0].isdigit()}
    assert documented == {kind.uri.rpartition(":")[2]: str(kind.status) for kind in KINDS.values()}


@pages
def test_the_problem_on_the_page_is_the_one_that_is_answered(page: Path, client: Client) -> None:
    shown = json.loads(re.findall(r"```json\n(.*?)```", page.read_text(), flags=re.DOTALL)[0])
    leads = {"leads": [{"lead_id": "L-1", "fields": {}}, {"lead_id": "L-2", "fields": {"employees": "many"}}]}
    headers = {"Accept-Language": page.parent.name, "X-Request-ID": shown["request_id"]}
    answer = client.post("/v1/score/batch", json=leads, headers=headers)
    assert answer.json()["results"][1]["problem"] == shown


def worked_examples(page: Path) -> list[dict[str, object]]:
    bodies = re.findall(r"-d '(\{.*?\})'", page.read_text(), flags=re.DOTALL)
    return [json.loads(body) for body in bodies]


@pytest.fixture(scope="module")
def demo() -> LeadDefinition:
    return read_definition(ROOT / "definitions" / "demo.toml")


@pages
def test_the_worked_examples_fit_the_definition_of_the_demo(page: Path, demo: LeadDefinition) -> None:
    encoder = Encoder(demo, {name: () for name, field in demo.fields.items() if field.type == "category"})
    examples = worked_examples(page)
    assert len(examples) == 2
    leads = [lead for example in examples for lead in example.get("leads", [example])]  # type: ignore[attr-defined]
    wrong = leads.pop()
    for lead in leads:
        assert set(lead) <= set(LEAD_KEYS)
        encoder.record(lead["fields"], datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(Exception, match="employees"):
        encoder.record(wrong["fields"], datetime(2026, 2, 1, tzinfo=UTC))


def test_both_pages_show_the_same_examples() -> None:
    assert worked_examples(PAGES[0]) == worked_examples(PAGES[1])


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAD_DATABASE_URL", "postgres://u:secret@h/d")
    monkeypatch.setenv("LEAD_MAX_BATCH_LEADS", "7")
    settings = Settings()
    assert settings.database_url == "postgresql+psycopg://u:secret@h/d"
    assert settings.max_batch_leads == 7
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("named", ["de", "DE", "de_DE.UTF-8", "de-AT", "en_GB.UTF-8", ""])
def test_a_language_that_the_commands_take_is_taken_by_the_service_as_the_same(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("LEAD_LANGUAGE", named)
    assert Settings().language == ("de" if named.lower().startswith("de") else "en")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "scores.db", ""])
def test_a_store_that_forgets_or_is_unknown_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(database_url=url)


def test_every_setting_that_does_not_fit_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(port=70_000, workers=0, bundle_retry_s=0, database_url="mysql://u:secret@h/d")
    assert raised.value.error_count() == 4
    assert "secret" not in str(raised.value)
