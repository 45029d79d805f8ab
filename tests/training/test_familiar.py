"""Leads unlike any in training: told, named, and rarely cried over nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from features.encode import Matrix
from features.errors import BundleError
from features.familiar import Familiar, fields_of, in_words
from features.profile import Profile, learn_profile
from features.text import Text
from tests.training.sure_worlds import DEFINITION, ENCODER
from training.recipe.familiar import learn_familiar
from training.recipe.sample import Sample


def world(n_leads: int, seed: int) -> Sample:
    """Fairs bring large companies only; every lead has visits, a tenth has no size, some sources are new."""
    rng = np.random.default_rng(seed)
    source = rng.choice([1.0, 2.0, 3.0, 4.0], n_leads, p=[0.05, 0.25, 0.4, 0.3])
    size = np.where(source == 2, rng.uniform(500, 900, n_leads), rng.uniform(0, 900, n_leads))
    size[(rng.random(n_leads) < 0.1) & (source != 2)] = np.nan
    matrix = np.column_stack([size, rng.uniform(0, 50, n_leads), source])
    target = (rng.random(n_leads) < 0.2).astype(float)
    return Sample(matrix, target, np.arange(n_leads), np.arange(n_leads))


@pytest.fixture(scope="module")
def learnt() -> tuple[Familiar, Profile]:
    sample = world(4_000, seed=1)
    profile = learn_profile(
        sample.matrix, sample.target, np.zeros_like(sample.matrix), np.full(len(sample), 0.2), ENCODER.fields
    )
    return learn_familiar(sample, ENCODER.fields, profile), profile


def _fields(learnt: tuple[Familiar, Profile], row: list[float]) -> list[str]:
    familiar, profile = learnt
    strangers = familiar.strangers(np.array(row), profile, ENCODER.fields)
    return [ENCODER.names[place] for place in fields_of(strangers)]


def _words(learnt: tuple[Familiar, Profile], row: list[float]) -> Text:
    familiar, profile = learnt
    lead: Matrix = np.array(row)
    (stranger,) = familiar.strangers(lead, profile, ENCODER.fields)
    return in_words(stranger, lead, definition=DEFINITION, fields=ENCODER.fields, profile=profile)


def test_about_one_later_lead_in_a_hundred_at_most_is_flagged(learnt: tuple[Familiar, Profile]) -> None:
    familiar, profile = learnt
    later = world(5_000, seed=2).matrix
    assert np.mean([bool(familiar.strangers(row, profile, ENCODER.fields)) for row in later]) <= 0.015


def test_an_ordinary_lead_is_not_flagged(learnt: tuple[Familiar, Profile]) -> None:
    assert _fields(learnt, [700.0, 25.0, 2.0]) == []


def test_a_new_level_is_everyday_business(learnt: tuple[Familiar, Profile]) -> None:
    assert _fields(learnt, [700.0, 25.0, 1.0]) == []


def test_a_number_beyond_all_seen_names_its_field(learnt: tuple[Familiar, Profile]) -> None:
    assert _fields(learnt, [9_000.0, 25.0, 2.0]) == ["size"]
    assert _words(learnt, [9_000.0, 25.0, 2.0]) == Text(
        en="Size: 9,000 is outside everything in the history.",
        de="Größe: 9.000 liegt außerhalb von allem in der Historie.",
    )


def test_a_gap_where_there_never_was_one_names_its_field(learnt: tuple[Familiar, Profile]) -> None:
    assert _fields(learnt, [700.0, np.nan, 2.0]) == ["visits"]
    assert _words(learnt, [700.0, np.nan, 2.0]).de == "Besuche: keine Angabe, das kam in der Historie nie vor."
    assert _fields(learnt, [np.nan, 25.0, 3.0]) == []


def test_two_common_values_never_seen_together_name_both_fields(learnt: tuple[Familiar, Profile]) -> None:
    assert _fields(learnt, [20.0, 25.0, 2.0]) == ["size", "source"]
    words = _words(learnt, [20.0, 25.0, 2.0])
    assert words.en.startswith("Size: below ")
    assert words.en.endswith("and Source: fair never occurred together in the history.")
    assert words.de.endswith("und Quelle: fair kamen in der Historie nie zusammen vor.")


def test_stored_and_read_again_it_is_the_same(learnt: tuple[Familiar, Profile]) -> None:
    familiar = learnt[0]
    assert Familiar.from_dict(json.loads(json.dumps(familiar.to_dict()))) == familiar


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seen", None),
        ("seen", [{"field": "size", "low": 0.0, "high": None, "always_given": True}]),
        ("seen", [{"field": "size", "low": 0.0}]),
        ("never_together", [[0, 1, 2]]),
        ("never_together", [[2, 1, 0, 1]]),
        ("never_together", [[0, 1, 7, 1]]),
    ],
)
def test_data_that_does_not_fit_is_refused(learnt: tuple[Familiar, Profile], key: str, value: Any) -> None:
    with pytest.raises(BundleError):
        Familiar.from_dict({**learnt[0].to_dict(), key: value})
