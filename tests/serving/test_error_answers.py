"""Every error of the system has one answer, and callers learn nothing that is not about their request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

import features.errors
import serving.store.errors
from features.encode import Matrix
from features.errors import DataError, LeadQualityError, Problem
from features.model.additive import LeadModel
from features.model.bundle import Bundle
from features.model.kernel import Computed, Kernel
from features.text import Text
from serving.errors import KINDS, api_error, details, preferred_language
from serving.settings import Settings
from serving.store import ModelRecord, NewScore, Store
from serving.store.scores import Scores, Stored
from tests.serving.client import Client
from tests.serving.conftest import NOW

PROBLEM = Problem(where="fields.x", what=Text("wrong", "falsch"), expected=Text("right", "richtig"))


def all_errors(kind: type[LeadQualityError] = LeadQualityError) -> Iterator[type[LeadQualityError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_errors(below)


def raised(kind: type[LeadQualityError]) -> LeadQualityError:
    if kind is serving.store.errors.KeyReusedError:
        return serving.store.errors.KeyReusedError()
    return kind([PROBLEM]) if issubclass(kind, DataError) else kind("postgresql://leads:secret@db/leads")


OTHER_STATUS = {
    serving.store.errors.LeadRefusedError: 409,
    serving.store.errors.NotHandedOverError: 409,
    serving.store.errors.ProposalRefusedError: 409,
    serving.store.errors.UnknownLeadError: 404,
    serving.store.errors.UnknownProposalError: 404,
}
OURS = {kind for kind in all_errors() if kind.__module__.startswith(("features.errors", "serving."))}


@pytest.mark.parametrize("kind", sorted(OURS, key=lambda kind: kind.__name__))
def test_every_error_has_an_answer_whose_status_says_whose_fault_it_is(kind: type[LeadQualityError]) -> None:
    told = api_error(raised(kind))
    if issubclass(kind, DataError):
        assert told.kind.status == OTHER_STATUS.get(kind, 422)
        assert told.problems
    elif issubclass(kind, features.errors.NotReadyError | features.errors.OutsideError):
        assert told.kind.status == 503
    else:
        assert told.kind.name == "internal"


@pytest.mark.parametrize(
    "error", [raised(kind) for kind in OURS if not issubclass(kind, DataError)] + [ValueError("secret")]
)
def test_messages_of_errors_that_are_not_about_the_request_stay_inside(error: Exception) -> None:
    for language in ("de", "en"):
        assert "secret" not in str(details(api_error(error), language, "r"))


def test_every_kind_is_told_in_both_languages() -> None:
    for kind in KINDS.values():
        assert kind.title.en != kind.title.de
        assert kind.detail.en != kind.detail.de
        assert kind.uri == "urn:lead-quality:problem:" + kind.name.replace("_", "-")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, fr;q=0.9", "de"),
        ("en;q=0.3, de;q=0.4", "de"),
        ("de;q=0.3, en-GB", "en"),
        ("fr", "en"),
        ("de;q=0, fr", "en"),
        ("de;q=many", "en"),
        ("de;q=7", "en"),
        ("DE", "de"),
        (",;,=", "en"),
    ],
)
def test_the_language_is_the_one_that_the_caller_prefers(header: str, language: str) -> None:
    assert preferred_language(header, "en") == language


class BrokenScores(Scores):
    """A store with a fault of ours."""

    def __init__(self) -> None:
        pass

    def save(self, model: ModelRecord, new: Sequence[NewScore]) -> list[Stored]:
        raise ZeroDivisionError(f"{model.name} about {new[0].lead_id}")


def test_a_fault_of_ours_is_a_500_without_a_stack_trace(bundle: Bundle, sqlite_url: str) -> None:
    store = Store(sqlite_url)
    store.scores = BrokenScores()
    with Client(Settings(), bundle, NOW, store=store) as client:
        answer = client.post("/v1/score", json={"lead_id": "LEAD-77", "fields": {}}, headers={"X-Request-ID": "r-1"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "r-1"
    assert answer.json()["problems"] == []
    for secret in ("ZeroDivisionError", "LEAD-77", "Traceback"):
        assert secret not in answer.text


class LyingModel(LeadModel):
    """A model whose contributions miss the log-odds."""

    def compute(self, matrix: Matrix, kernel: Kernel) -> Computed:
        computed = super().compute(matrix, kernel)
        return computed._replace(log_odds=computed.log_odds + 1e-6)


def test_a_sum_that_does_not_add_up_is_never_answered(bundle: Bundle, sqlite_url: str) -> None:
    model = bundle.model
    lying = replace(bundle, model=LyingModel(model.encoder, model.linear, model.forest, model.calibrator))
    with Client(Settings(database_url=sqlite_url), lying, NOW) as client:
        answer = client.post("/v1/score", json={"lead_id": "L", "fields": {}})
        assert client.get("/v1/leads/L").status_code == 404
    assert answer.status_code == 503  # it fails its warm-up already, and is never in service


def test_a_service_in_german_answers_in_german(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, language="de")
    with Client(settings, None, NOW) as client:
        assert client.get("/nowhere").json()["title"] == "Nicht gefunden"
