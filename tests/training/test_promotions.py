"""The record of promotions as values: who counts, who came too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from training.promotions import Promotion, that_count

FIRST = Promotion(
    key="a",
    kind="promotion",
    version=3,
    replaces=None,
    after=0,
    who="Anna",
    at=datetime(2026, 1, 31, 9, 5, tzinfo=UTC),
    verdict="passed",
    position=1,
)


def entry(position: int, after: int, version: int = 1) -> Promotion:
    return replace(FIRST, key=str(position), position=position, after=after, version=version)


def test_the_worked_example_of_the_module() -> None:
    record = [entry(1, 0, 3), entry(2, 1, 5), entry(3, 1, 4), entry(4, 2, 3)]
    assert [counted.position for counted in that_count(record)] == [1, 2, 4]


def test_an_entry_survives_as_tags() -> None:
    whole = replace(FIRST, replaces=2, reason="Grund", decision="{}", settled=True)
    tags = {**whole.to_tags(), "settled": "true"}
    assert Promotion.from_tags(1, tags) == whole
    assert Promotion.from_tags(1, FIRST.to_tags()) == FIRST


def test_a_deleted_entry_does_not_silence_those_that_followed_it() -> None:
    assert [counted.position for counted in that_count([entry(1, 0), entry(3, 2), entry(4, 3)])] == [1, 3, 4]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_of_all_that_saw_the_same_entry_exactly_one_counts(seen: list[float]) -> None:
    """Each writer saw any earlier state of the record; whoever counts follows the one that counted before."""
    record: list[Promotion] = []
    for position, share in enumerate(seen, start=1):
        counted = that_count(record[: round(share * len(record))])
        record.append(entry(position, counted[-1].position if counted else 0))
    counted = that_count(record)
    assert [each.after for each in counted] == [0, *(each.position for each in counted[:-1])]
    assert len({each.after for each in counted}) == len(counted)
    assert that_count(reversed(record)) == counted


def test_an_entry_reads_as_a_sentence_in_both_languages() -> None:
    back = replace(FIRST, kind="rollback", reason="Quelle fehlte")
    assert FIRST.in_words().en == "Version 3 made champion by Anna, 2026-01-31 09:05 UTC"
    assert (
        back.in_words().de
        == "Zurückgesetzt: Version 3 zum Champion gemacht von Anna, 31.01.2026 09:05 UTC: Quelle fehlte"
    )
