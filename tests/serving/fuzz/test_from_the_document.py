"""Requests that schemathesis makes from the document: fitting ones and ones that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from features.model.bundle import Bundle
from serving.settings import Settings
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.fuzz.counting import Counter
from tests.serving.fuzz.judging import faults_of

# Left out: positive_data_acceptance and negative_data_rejection. A document cannot say everything that is checked (an
# as-of date in the future), nor that null means "not known" wherever a value may be missing.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
N_EXAMPLES = 25
BY_BOTH = pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "not"])


@pytest.fixture(scope="module")
def service(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'scores.db'}"
    with Client(Settings(database_url=url, max_batch_leads=20, max_body_bytes=200_000), bundle, NOW) as client:
        yield client


def sent(service: Client, case: Case) -> httpx.Response:
    """The answer to a case, sent as it is."""
    told = case.as_transport_kwargs(base_url="http://leads.test")
    body = {"json": told["json"]} if "json" in told else {"content": told.get("data") or b""}
    headers = {name: str(value).encode("latin-1", "replace") for name, value in told["headers"].items()}  # as on a wire
    return service.send(told["method"], told["url"], headers=headers, params=told.get("params"), **body)


@BY_BOTH
def test_what_the_document_leads_to_is_answered_as_it_says(service: Client, mode: GenerationMode) -> None:
    document = service.get("/openapi.json").json()
    n = 0
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.POSITIVE or takes_anything(operation.definition.raw):
            n += _run(service, operation, mode)
    assert n > N_EXAMPLES


def takes_anything(told: Mapping[str, Any]) -> bool:
    """Whether there is anything to be sent wrongly: what needs no key and takes nothing has no wrong request."""
    return told.get("security") != [] or bool(told.get("parameters")) or "requestBody" in told


def _run(service: Client, operation: Any, mode: GenerationMode) -> int:
    """Send the operation's cases and check every answer; how many there were."""
    sent_cases = []

    @settings(
        max_examples=N_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        before = counter.rows()
        answer = sent(service, case)
        assert faults_of(answer) == [], case.as_curl_command()
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code < 400 or counter.rows() == before, case.as_curl_command()
        sent_cases.append(case)

    with Counter(service.app.state.service.settings.database_url) as counter:
        check()
    return len(sent_cases)


def test_an_answer_that_the_document_does_not_lead_to_is_found(service: Client) -> None:
    schema = schemathesis.openapi.from_dict(service.get("/openapi.json").json())
    case = schema["/healthz"]["GET"].Case()
    fitting = sent(service, case)
    case.validate_response(fitting, checks=CHECKS)
    wrong = httpx.Response(200, json={"status": "dead"}, request=fitting.request)
    wrong.elapsed = fitting.elapsed
    with pytest.raises(FailureGroup):
        case.validate_response(wrong, checks=CHECKS)
