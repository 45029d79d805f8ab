"""Answers as bytes: what they say is what features.reasons says, in both languages, however they come about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from features.model.bundle import Bundle
from features.reasons import Explanation, explain_lead
from features.text import LANGUAGES
from serving.answers import in_language, with_reasons_text
from serving.schemas import ScoreAnswer, StoredAnswer
from serving.scorer import Lead, Scored, Scorer
from tests.serving.client import Client

AS_OF = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
FIXTURE_IS_READ_ONLY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.one_of(st.none(), st.sampled_from(["fair", "web", " cold", "unknown", "oddity", 'the "new" one'])),
        "employees": st.one_of(st.integers(0, 500_000), st.floats(0, 1e3)),
        "demo_requested": st.booleans(),
        "customer_since": st.sampled_from(["2026-01-15", "2026-01-14", "2021-05-01T12:00:00Z"]),
    },
)


def lead(scorer: Scorer, fields: dict[str, Any], name: str = "L-1") -> Lead:
    return Lead(name, AS_OF, fields, scorer.encode(fields, AS_OF))


def explained(bundle: Bundle, one: Lead, strongest: int) -> Explanation:
    said = bundle.model.explain(one.record.row[None])
    contributions, probability = said.contributions[0], float(said.probability[0])
    return explain_lead(bundle, one.record.row, contributions, probability, given=one.fields, strongest=strongest)


def assert_says(scored: Scored, explanation: Explanation) -> None:
    answer = orjson.loads(scored.answer)
    for shown, reason in zip(answer["reasons"], explanation.strongest, strict=True):
        assert (shown["field"], shown["contribution"], shown["points"]) == (
            reason.field,
            reason.contribution,
            reason.points,
        )
        for part in ("label", "value", "text"):
            assert shown[part] == getattr(reason, part)._asdict()
        assert (shown["evidence"]["n"], shown["evidence"]["low"]) == (reason.evidence.n, reason.evidence.low)
    rest = answer["rest"]
    assert (rest["n_fields"], rest["points"]) == (explanation.rest.n_fields, explanation.rest.points)
    assert rest["text"] == explanation.rest.text._asdict()
    for language in LANGUAGES:
        assert scored.reasons_text.in_language(language) == explanation.in_words(language)


@FIXTURE_IS_READ_ONLY
@given(st.lists(FIELDS, min_size=1, max_size=4), st.integers(1, 5))
def test_an_answer_says_what_the_reasons_say(bundle: Bundle, several: list[dict[str, Any]], strongest: int) -> None:
    scorer = Scorer(bundle, strongest=strongest)
    leads = [lead(scorer, fields) for fields in several]
    for one, scored in zip(leads * 2, scorer.score(leads * 2), strict=True):  # twice: words are kept from then on
        assert_says(scored, explained(bundle, one, strongest))


@FIXTURE_IS_READ_ONLY
@given(st.lists(FIELDS, min_size=2, max_size=5))
def test_a_lead_alone_gets_the_bytes_of_the_lead_in_a_batch(bundle: Bundle, several: list[dict[str, Any]]) -> None:
    scorer = Scorer(bundle)
    leads = [lead(scorer, fields, f"L-{place}") for place, fields in enumerate(several)]
    assert scorer.score(leads) == [scorer.score([one])[0] for one in leads]


@FIXTURE_IS_READ_ONLY
@given(FIELDS)
def test_the_flat_text_of_a_stored_answer_is_that_of_the_first_answer(bundle: Bundle, fields: dict[str, Any]) -> None:
    scorer = Scorer(bundle, strongest=2)
    (scored,) = scorer.score([lead(scorer, fields)])
    TypeAdapter(StoredAnswer).validate_json(scored.answer, strict=True, extra="forbid")
    for language in LANGUAGES:
        first = with_reasons_text(scored.answer, scored.reasons_text, language)
        assert in_language(scored.answer, language) == first
        TypeAdapter(ScoreAnswer).validate_json(first, strict=True, extra="forbid")


def test_a_rare_value_is_called_by_its_own_name_each_time(bundle: Bundle) -> None:
    scorer = Scorer(bundle)
    for name in ("Oddity A", "Oddity B", "Oddity A"):
        (scored,) = scorer.score([lead(scorer, {"source": name})])
        shown = next(each for each in orjson.loads(scored.answer)["reasons"] if each["field"] == "source")
        assert shown["value"]["de"] == f"{name} (selten oder neu)"


def test_the_flat_text_comes_in_the_language_asked_for_and_repeats_byte_for_byte(client: Client) -> None:
    body = {"lead_id": "L-7", "as_of": "2026-02-01T09:30:00Z", "fields": {"source": "fair", "employees": 120}}
    german = client.post("/v1/score", json=body, headers={"Accept-Language": "de-AT"})
    english = client.post("/v1/score", json=body, headers={"Accept-Language": "en"})
    assert german.json()["reasons_text"].startswith("Ausgangswahrscheinlichkeit, bevor ein Feld zählt: ")
    assert english.json()["reasons_text"].startswith("Base probability, before any field speaks: ")
    lines = [reason["text"]["de"] for reason in german.json()["reasons"]]
    assert german.json()["reasons_text"].split("\n")[1 : 1 + len(lines)] == lines
    assert {**german.json(), "reasons_text": ""} == {**english.json(), "reasons_text": ""}
    assert client.post("/v1/score", json=body, headers={"Accept-Language": "de"}).content == german.content
    assert client.get("/v1/leads/L-7/score", headers={"Accept-Language": "de"}).content == german.content


def test_a_batch_repeated_under_its_key_carries_the_flat_text_of_each_lead(client: Client) -> None:
    body = {"leads": [{"lead_id": "L-1", "fields": {"source": "web"}}, {"lead_id": "L-2", "fields": {"source": 5}}]}
    headers = {"Idempotency-Key": "k-1", "Accept-Language": "de"}
    first = client.post("/v1/score/batch", json=body, headers=headers)
    scored, refused = first.json()["results"]
    assert "Von " in scored["score"]["reasons_text"]
    assert "score" not in refused
    again = client.post("/v1/score/batch", json=body, headers=headers)
    assert again.json()["results"][0] == scored
