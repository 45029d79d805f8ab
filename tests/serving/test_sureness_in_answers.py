"""Answers say how sure they are, and which fields are unlike anything in the history."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import BundleError
from features.model.bundle import MANIFEST, SURENESS, open_bundle, sealed
from serving.schemas import StoredAnswer
from serving.scorer import Lead, Scorer
from tests.conftest import SmallModel

AS_OF = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
USUAL = {"lead_source": "webinar", "country": "DE", "employees": 120, "pages_viewed_30d": 4, "job_level": "team_lead"}


@pytest.fixture(scope="module")
def scorer(small_model: SmallModel) -> Scorer:
    return Scorer(open_bundle(small_model.bundle))


def scored(scorer: Scorer, *leads: dict[str, Any]) -> list[StoredAnswer]:
    encoded = [Lead(f"L-{n}", AS_OF, lead, scorer.encode(lead, AS_OF)) for n, lead in enumerate(leads)]
    return [json.loads(scored.answer) for scored in scorer.score(encoded)]


def test_the_interval_holds_the_probability_and_is_the_same_alone_and_in_a_batch(scorer: Scorer) -> None:
    together = scored(scorer, USUAL, {}, {**USUAL, "employees": 5})
    for lead, answer in zip((USUAL, {}, {**USUAL, "employees": 5}), together, strict=True):
        interval = answer["interval"]
        assert 0 < interval["low"] < answer["probability"] < interval["high"] < 1
        assert interval["level"] == 0.9
        assert scored(scorer, lead)[0]["interval"] == interval


def test_a_lead_unlike_any_in_training_is_flagged_with_the_field(scorer: Scorer) -> None:
    usual, odd = scored(scorer, USUAL, {**USUAL, "employees": 90_000_000})
    assert "employees" not in usual["unlike_training"]
    assert "employees" in odd["unlike_training"]


def test_doubts_about_other_fields_are_refused_when_the_bundle_is_opened(
    small_model: SmallModel, tmp_path: Path
) -> None:
    place = tmp_path / "bundle"
    shutil.copytree(small_model.bundle, place)
    doubts = json.loads((place / SURENESS).read_text(encoding="utf-8"))
    doubts["sureness"]["fields"] = doubts["sureness"]["fields"][::-1]
    _replace(place, SURENESS, json.dumps(doubts))
    with pytest.raises(BundleError, match="is about the fields"):
        open_bundle(place)


def test_a_bundle_without_doubts_answers_without_an_interval(small_model: SmallModel, tmp_path: Path) -> None:
    place = tmp_path / "bundle"
    shutil.copytree(small_model.bundle, place)
    (place / SURENESS).unlink()
    _replace(place, SURENESS, None)
    answer = scored(Scorer(open_bundle(place)), USUAL)[0]
    assert "interval" not in answer
    assert "unlike_training" not in answer


def _replace(place: Path, name: str, text: str | None) -> None:
    """Change or forget a file of a bundle, and seal the manifest anew as an honest writer would."""
    import hashlib

    data = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    data["seal"] = ""
    if text is None:
        del data["sha256"][name]
    else:
        (place / name).write_text(text, encoding="utf-8")
        data["sha256"][name] = hashlib.sha256(text.encode()).hexdigest()
    written = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    (place / MANIFEST).write_text(sealed(written), encoding="utf-8")
