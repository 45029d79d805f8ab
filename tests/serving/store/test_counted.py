"""The columns that figures are counted over are those of the leads as they are, whatever has happened to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.kpis.columns import GRADE_CODES, NEVER, OUTCOME_CODES, VERDICT_CODES, LeadColumns, microseconds
from serving.settings import Settings
from serving.store import Erasure, LeadRefusedError, NewScore, Objection, Outcome, Store, Verdict
from serving.store.blocks import IN_A_BLOCK, LEAD, Block
from serving.store.engine import open_engine
from serving.store.tables import lead_blocks, lead_changes, lead_places, leads, metadata
from tests.serving.kpis.histories import keep, random_rows
from tests.serving.store.test_store import MODEL, NOW, SCORE

MOMENTS = ("first_scored_at", "first_as_of", "handed_over_at", "first_contact_at", "outcome_at", "outcome_latest_at")
Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["score", "score", "score", "outcome", "verdict", "object", "erase", "retain", "fold"]),
        st.integers(0, 5),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=30,
)


def plain(row: Any) -> tuple[Any, ...]:
    """A lead's row of the table of leads as the figures are to see it."""
    account = 0
    if row.account_id is not None:
        account = int.from_bytes(hashlib.sha256(row.account_id.encode()).digest()[:8], "big")
    moments = [NEVER if getattr(row, name) is None else microseconds(getattr(row, name)) for name in MOMENTS]
    told = (row.first_grade, row.handover_grade or "", row.outcome or "", row.verdict or "", bool(row.simulated))
    return (account, *moments, row.first_probability, *told, row.source, row.campaign, row.region, row.verdict_reason)


def counted(columns: LeadColumns) -> list[tuple[Any, ...]]:
    """The same of the leads in columns, in an order of their own."""
    moments = [getattr(columns, name).tolist() for name in MOMENTS]
    words = [
        [coded.words[code] for code in coded.codes]
        for coded in (columns.words[name] for name in ("source", "campaign", "region", "verdict_reason"))
    ]
    codes = [
        [known[code] for code in getattr(columns, name)]
        for name, known in (
            ("first_grade", GRADE_CODES),
            ("handover_grade", GRADE_CODES),
            ("outcome", OUTCOME_CODES),
            ("verdict", VERDICT_CODES),
        )
    ]
    p = columns.first_probability.tolist()
    every = [columns.account.tolist(), *moments, p, *codes, columns.simulated.tolist(), *words]
    return sorted(zip(*every, strict=True), key=repr)


@contextmanager
def connected(database_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(Settings(database_url=database_url).database_url, 5)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def all_leads(database_url: str) -> list[tuple[Any, ...]]:
    with connected(database_url) as connection:
        return sorted((plain(row) for row in connection.execute(sa.select(leads))), key=repr)


@dataclass
class World:
    """Does to a store what is drawn; every request has a key of its own, and time goes on."""

    store: Store
    number: int = 0
    doings: dict[str, Callable[[str, int], object]] = field(init=False)

    def __post_init__(self) -> None:
        self.doings = {
            "score": self.score,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "object": lambda lead_id, _: self.store.objections.object(Objection(lead_id, NOW, NOW)),
            "erase": lambda lead_id, _: self.store.erasures.erase(Erasure(lead_id, f"{self.number:032x}", NOW)),
            "retain": lambda _, n: self.store.retention.remove_older(NOW + timedelta(minutes=n)),
            "fold": lambda *_: self.store.figures.fold(),
        }

    def do(self, step: Step) -> None:
        self.number += 1
        what, lead, n = step
        with suppress(LeadRefusedError):  # of leads that were erased nothing may be stored
            self.doings[what](f"L{lead}", n)

    def score(self, lead_id: str, n: int) -> object:
        drawn = np.random.default_rng(n)
        new = replace(
            SCORE,
            request_key=f"k{self.number}",
            lead_id=lead_id,
            account_id=None if n % 3 == 0 else f"A{n % 3}",
            as_of=NOW + timedelta(hours=n % 4),
            received_at=NOW + timedelta(minutes=self.number),
            probability=float(drawn.random()),
            grade="ABCD"[n % 4],
            handover="go" if n % 2 else "nurture",
            source=[None, "fair", "web"][n % 3],
            campaign=f"C{n}",
        )
        return self.store.scores.save(MODEL, [new])

    def outcome(self, lead_id: str, n: int) -> object:
        at, told = NOW + timedelta(days=n), ("won", "lost", "open")[n % 3]
        return self.store.outcomes.save(
            [Outcome(f"o{self.number}", "h", lead_id, told, at, at + timedelta(hours=n % 3), at)]
        )

    def verdict(self, lead_id: str, n: int) -> object:
        at, told = NOW + timedelta(days=n), ("accepted", "rejected")[n % 2]
        reason = "" if told == "accepted" else f"reason {n}"
        contact = at - timedelta(hours=n) if n % 3 else None
        return self.store.verdicts.save([Verdict(f"v{self.number}", "h", lead_id, told, reason, "x", at, at, contact)])


def emptied(database_url: str) -> None:
    with connected(database_url) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))


@given(steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_columns_are_those_of_the_leads(
    store: Store, database_url: str, drawn: list[Step]
) -> None:
    emptied(database_url)
    world = World(store)
    for step in drawn:
        world.do(step)
    assert counted(store.figures.columns()) == all_leads(database_url)
    while store.figures.fold():
        pass
    assert counted(store.figures.columns()) == all_leads(database_url)
    assert store.figures.n_changes() == 0


def test_many_leads_stand_in_several_blocks(store: Store, database_url: str) -> None:
    keep(database_url, random_rows(2 * IN_A_BLOCK + 100, seed=5))
    store.figures.fold()
    half_folded = counted(store.figures.columns())
    store.figures.fold_what_is_due()
    assert half_folded == counted(store.figures.columns()) == all_leads(database_url)
    with connected(database_url) as connection:
        n_leads = connection.execute(sa.select(lead_blocks.c.n_leads).order_by(lead_blocks.c.block)).scalars().all()
    assert n_leads == [IN_A_BLOCK, IN_A_BLOCK, 100]


def test_a_later_score_that_changes_no_figure_is_not_looked_up(store: Store) -> None:
    store.scores.save(MODEL, [SCORE])
    store.figures.fold()
    later = replace(SCORE, request_key="k2", request_hash="h2", probability=0.9, as_of=NOW + timedelta(days=1))
    store.scores.save(MODEL, [later])
    assert store.figures.n_changes() == 0
    store.scores.save(MODEL, [replace(later, request_key="k3", source="web", as_of=NOW + timedelta(days=2))])
    assert store.figures.n_changes() == 1


@pytest.mark.parametrize("folded", [True, False])
def test_of_an_erased_lead_nothing_is_left_in_any_block(store: Store, database_url: str, folded: bool) -> None:
    known = replace(SCORE, lead_id="L2", request_key="k2", source="stays", account_id="B")
    store.scores.save(MODEL, [replace(SCORE, source="only hers", account_id="A"), known])
    if folded:
        store.figures.fold()
    store.erasures.erase(Erasure("L1", "0" * 32, NOW))
    store.figures.fold()
    with connected(database_url) as connection:
        (block,) = connection.execute(sa.select(lead_blocks)).all()
        places = connection.execute(sa.select(lead_places.c.lead_id)).scalars().all()
        noted = connection.execute(sa.select(lead_changes)).all()
    left = Block.read(block.arrays, block.words)
    assert (places, noted, left.words["source"]) == (["L2"], [], [None, "stays"])
    empty = left.leads[left.leads["present"] == 0]
    assert len(empty) == IN_A_BLOCK - 1
    assert empty.tobytes() == bytes(LEAD.itemsize * len(empty))


def test_a_block_whose_leads_are_all_gone_is_gone(store: Store, database_url: str) -> None:
    store.scores.save(MODEL, [SCORE])
    store.figures.fold()
    store.erasures.erase(Erasure("L1", "0" * 32, NOW))
    with connected(database_url) as connection:
        assert connection.execute(sa.select(lead_blocks)).all() == []


def test_what_is_due_is_little_where_figures_are_read_and_much_where_nobody_asks(
    store: Store, database_url: str
) -> None:
    keep(database_url, random_rows(300, seed=6))
    store.figures.fold_what_is_due()
    assert store.figures.n_changes() == 300, "nobody has asked for a figure"
    store.figures.columns()
    store.figures.fold_what_is_due()
    assert store.figures.n_changes() == 0


def new_score(number: int) -> NewScore:
    return replace(SCORE, lead_id=f"L{number}", request_key=f"k{number}")


def test_a_reader_sees_one_moment_while_changes_are_folded(store: Store) -> None:
    """Whenever a reader comes, each lead is counted once: in its block, or by its row."""
    store.scores.save(MODEL, [new_score(number) for number in range(20)])
    for number in range(20, 40):
        store.scores.save(MODEL, [new_score(number)])
        if number % 3 == 0:
            store.figures.fold()
        assert len(store.figures.columns().account) == number + 1


def test_a_reader_that_has_read_before_sees_what_others_have_folded_changed_and_erased(
    store: Store, database_url: str
) -> None:
    keep(database_url, random_rows(IN_A_BLOCK + 50, seed=7))
    store.figures.fold_what_is_due()
    reader = Store(Settings(database_url=database_url).database_url)
    for change in (
        lambda: store.scores.save(MODEL, [new_score(number) for number in range(1_000, 1_020)]),
        store.figures.fold,
        lambda: store.outcomes.save([Outcome("o1", "h", "L3", "won", NOW, NOW, NOW)]),
        lambda: store.erasures.erase(Erasure("L5", "0" * 32, NOW)),
        lambda: store.erasures.erase(Erasure("L1001", "1" * 32, NOW)),
        store.figures.fold,
    ):
        before = reader.figures.columns()
        change()
        assert counted(reader.figures.columns()) == all_leads(database_url)
        assert len(before.account) > IN_A_BLOCK, "what somebody else is reading stays as it was"
    assert reader.figures.columns() is reader.figures.columns(), "nothing has changed, so nothing is read"
    reader.close()
