"""Every definition that can be agreed on survives plain data and JSON, and keeps its fingerprint."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import parse_definition
from features.definition.rules import is_personal
from tests.small_agreement import agreement

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda name: not is_personal(name))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
WORDS = st.one_of(TEXTS, st.fixed_dictionaries({"en": TEXTS, "de": TEXTS}))
NUMBERS = st.floats(-1e9, 1e9)
HOURS = st.floats(0.1, 1000)
SHARES = st.floats(0.001, 0.999)
SHARED = {
    "known": st.just("creation"),
    "owner": st.sampled_from(["marketing", "sales"]),
    "label": WORDS,
    "sensitive": st.booleans(),
    "missing": st.lists(TEXTS, max_size=3),
    "values": st.dictionaries(TEXTS, WORDS, max_size=3),
}
RANGE = st.lists(NUMBERS, min_size=2, max_size=2, unique=True).map(sorted)
NUMBER = st.fixed_dictionaries(
    {"type": st.just("number"), **SHARED},
    optional={"direction": st.sampled_from(["up", "down"]), "unit": WORDS, "range": RANGE},
)
OTHER = st.fixed_dictionaries({"type": st.sampled_from(["category", "boolean", "date"]), **SHARED})


def with_limits(field: dict[str, Any]) -> dict[str, Any]:
    limits = field.pop("range", None)
    return {**field, "at_least": limits[0], "at_most": limits[1]} if limits else field


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    fields = draw(st.dictionaries(NAMES, st.one_of(NUMBER, OTHER).map(with_limits), min_size=1, max_size=6))
    cuts = sorted(draw(st.lists(SHARES, min_size=3, max_size=3, unique=True)), reverse=True)
    days = st.dates().map(lambda day: day.isoformat())
    return agreement(
        fields={name: {**field, "column": f"column of {name}"} for name, field in fields.items()},
        grades=dict(zip("ABC", cuts, strict=True)),
        handover=draw(
            st.one_of(
                st.fixed_dictionaries({"threshold": SHARES}),
                st.fixed_dictionaries({"capacity_per_week": st.one_of(HOURS, st.integers(1, 500))}),
            )
        ),
        follow_up_hours=draw(st.fixed_dictionaries({}, optional={"A": HOURS, "D": st.integers(1, 99)})),
        left_out=draw(st.dictionaries(TEXTS, st.fixed_dictionaries({"reason": WORDS}), max_size=3)),
        accepted_leaks=draw(st.dictionaries(st.sampled_from(sorted(fields)), WORDS, max_size=2)),
        verdicts={"rejected": draw(st.dictionaries(NAMES, WORDS, max_size=3))},
        target=draw(
            st.fixed_dictionaries({"horizon_days": st.integers(1, 3650)}, optional={"leads_from": days})
        ),
        read=draw(st.fixed_dictionaries({}, optional={"data_end": days, "missing": st.lists(TEXTS, max_size=3)})),
    )  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(definitions())
def test_every_definition_survives_to_dict_and_json(data: dict[str, Any]) -> None:
    definition = parse_definition(data)
    written = json.dumps(definition.to_dict(), allow_nan=False)
    back = parse_definition(json.loads(written))
    assert back == definition
    assert back.fingerprint == definition.fingerprint
    assert list(back.fields) == list(definition.fields), "the order of the fields is the order of a row"


@settings(max_examples=40, deadline=None)
@given(definitions(), st.randoms(use_true_random=False))
def test_the_fingerprint_is_blind_to_the_order_of_entries(data: dict[str, Any], random: Any) -> None:
    def shuffled(part: Any) -> Any:
        if not isinstance(part, dict):
            return part
        keys = list(part)
        random.shuffle(keys)
        return {key: shuffled(part[key]) for key in keys}

    assert parse_definition(shuffled(data)).fingerprint == parse_definition(data).fingerprint
