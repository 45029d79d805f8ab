"""What two teams agree on, in a real database: nobody decides alone, and of two at once one wins."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from features.errors import LeadQualityError
from serving.settings import Settings
from serving.store import (
    Agreement,
    Answered,
    DefinitionRecord,
    NewProposal,
    ProposalRefusedError,
    Store,
    UnknownProposalError,
)

NOW = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
PROPOSAL = NewProposal(
    definition_name="leads",
    version=2,
    based_on=1,
    parts=b'{"handover":{"capacity_per_week":40}}',
    threshold=0.1 + 0.2,
    window_start=NOW - timedelta(weeks=13),
    window_end=NOW,
    n_leads=900,
    fingerprint="f" * 64,
    comment="Größere Mannschaft ab März",
    proposed_by="marketing",
    proposed_at=NOW,
    key_id="mmmmmmmmmmmmmmmm",
)
OWN_VERSION = 1


def answer(proposal_id: int, **changes: object) -> Answered:
    given = Answered("leads", OWN_VERSION, proposal_id, "sales", "ssssssssssssssss", "Einverstanden", NOW)
    return replace(given, **changes)  # type: ignore[arg-type]


def agreed(store: Store, new: NewProposal = PROPOSAL) -> Agreement:
    """A proposal that sales consents to."""
    return store.agreements.consent(answer(store.agreements.propose(new, OWN_VERSION).id))


def code(error: ProposalRefusedError) -> str:
    return error.problems[0].code


def test_a_proposal_is_kept_to_the_last_bit_and_counts_as_the_consent_of_its_team(store: Store) -> None:
    proposed = store.agreements.propose(PROPOSAL, OWN_VERSION)
    assert proposed == store.agreements.open("leads") == store.agreements.get("leads", proposed.id)
    assert (proposed.threshold, proposed.window_start) == (0.1 + 0.2, NOW - timedelta(weeks=13))
    assert (proposed.marketing_key, proposed.marketing_at) == ("mmmmmmmmmmmmmmmm", NOW)
    assert (proposed.sales_at, proposed.effective_at) == (None, None)
    assert store.agreements.in_effect("leads") is None, "one team alone changes nothing"


def test_it_takes_effect_when_the_other_team_consents(store: Store) -> None:
    later = NOW + timedelta(days=2)
    proposed = store.agreements.propose(PROPOSAL, OWN_VERSION)
    done = store.agreements.consent(answer(proposed.id, moment=later))
    assert done == store.agreements.in_effect("leads")
    assert (done.effective_at, done.sales_at, done.answer_comment) == (later, later, "Einverstanden")
    assert store.agreements.open("leads") is None
    assert store.agreements.in_effect("another definition") is None


def test_a_team_cannot_consent_for_the_other_one(store: Store) -> None:
    proposed = store.agreements.propose(PROPOSAL, OWN_VERSION)
    colleague = answer(proposed.id, team="marketing", key_id="m" * 15 + "2")
    with pytest.raises(ProposalRefusedError) as raised:
        store.agreements.consent(colleague)
    assert code(raised.value) == "consented_already"
    own = store.agreements.consent(answer(proposed.id, team="marketing", key_id=PROPOSAL.key_id))
    assert own.effective_at is None


def test_the_other_team_declines_and_the_own_team_withdraws(store: Store) -> None:
    for team, ending in (("sales", "declined"), ("marketing", "withdrawn")):
        proposed = store.agreements.propose(PROPOSAL, OWN_VERSION)
        ended = store.agreements.decline(answer(proposed.id, team=team, comment="Zu viele"))
        assert (ended.ending, ended.ended_at, ended.answer_comment) == (ending, NOW, "Zu viele")
        with pytest.raises(ProposalRefusedError) as raised:
            store.agreements.consent(answer(proposed.id))
        assert code(raised.value) == "closed"
    assert store.agreements.in_effect("leads") is None
    assert [each.ending for each in store.agreements.history("leads", 10)] == ["withdrawn", "declined"]


def test_what_is_sent_twice_is_stored_once(store: Store) -> None:
    first = store.agreements.propose(PROPOSAL, OWN_VERSION)
    assert store.agreements.propose(replace(PROPOSAL, proposed_at=NOW + timedelta(seconds=9)), OWN_VERSION) == first
    done = store.agreements.consent(answer(first.id))
    assert store.agreements.consent(answer(first.id, moment=NOW + timedelta(seconds=9))) == done
    assert len(store.agreements.history("leads", 10)) == 1


def test_only_one_proposal_is_open_at_a_time(store: Store) -> None:
    first = store.agreements.propose(PROPOSAL, OWN_VERSION)
    with pytest.raises(ProposalRefusedError) as raised:
        store.agreements.propose(replace(PROPOSAL, parts=b"{}"), OWN_VERSION)
    assert code(raised.value) == "another_open"
    assert store.agreements.open("leads") == first
    other = store.agreements.propose(replace(PROPOSAL, definition_name="others"), OWN_VERSION)
    assert other.is_open, "another definition has proposals of its own"


def test_a_proposal_on_a_version_that_is_no_longer_in_effect_is_refused(store: Store) -> None:
    agreed(store)
    with pytest.raises(ProposalRefusedError) as raised:
        store.agreements.propose(replace(PROPOSAL, parts=b"{}"), OWN_VERSION)
    assert code(raised.value) == "outdated"
    assert agreed(store, replace(PROPOSAL, version=3, based_on=2)).version == 3
    assert [each.version for each in store.agreements.history("leads", 10)] == [3, 2]


def test_a_model_trained_under_a_later_version_outdates_what_is_open(store: Store) -> None:
    proposed = store.agreements.propose(PROPOSAL, OWN_VERSION)
    with pytest.raises(ProposalRefusedError) as raised:
        store.agreements.consent(answer(proposed.id, own_version=5))
    assert code(raised.value) == "outdated"
    assert store.agreements.in_effect("leads") is None
    newer = store.agreements.propose(replace(PROPOSAL, version=6, based_on=5), 5)
    outdated = store.agreements.get("leads", proposed.id)
    assert outdated is not None
    assert (outdated.ending, newer.is_open) == ("outdated", True)


def test_an_answer_to_no_proposal_is_refused(store: Store) -> None:
    other = store.agreements.propose(replace(PROPOSAL, definition_name="others"), OWN_VERSION)
    for act in (store.agreements.consent, store.agreements.decline):
        with pytest.raises(UnknownProposalError):
            act(answer(other.id))
        with pytest.raises(UnknownProposalError):
            act(answer(10_000))


def test_the_history_comes_in_pages(store: Store) -> None:
    for version in range(2, 9):
        agreed(store, replace(PROPOSAL, version=version, based_on=version - 1))
    first = store.agreements.history("leads", 3)
    assert [each.version for each in first] == [8, 7, 6]
    assert [each.version for each in store.agreements.history("leads", 3, before=first[-1].id)] == [5, 4, 3]


def at_once(acts: list[object]) -> list[object]:
    """What each act gave or raised, all begun together."""
    ready = threading.Barrier(len(acts))

    def run(act: object) -> object:
        ready.wait()
        try:
            return act()  # type: ignore[operator]
        except LeadQualityError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


@pytest.fixture
def two_processes(store: Store, database_url: str) -> list[Store]:
    other = Store(Settings(database_url=database_url).database_url, timeout_s=30)
    yield [store, other]  # type: ignore[misc]
    other.close()


def test_of_two_proposals_at_once_one_wins_and_the_other_is_told(two_processes: list[Store]) -> None:
    acts = [
        lambda store=store, n=n: store.agreements.propose(replace(PROPOSAL, comment=f"{n}"), OWN_VERSION)
        for n, store in enumerate(two_processes * 3)
    ]
    results = at_once(acts)  # type: ignore[arg-type]
    won = [each for each in results if isinstance(each, Agreement)]
    told = [code(each) for each in results if isinstance(each, ProposalRefusedError)]
    assert (len(won), told) == (1, ["another_open"] * 5)
    assert two_processes[1].agreements.history("leads", 10) == won


def test_of_consent_and_withdrawal_at_once_one_wins_and_the_other_is_told(two_processes: list[Store]) -> None:
    for version in range(2, 12):
        proposed = two_processes[0].agreements.propose(
            replace(PROPOSAL, version=version, based_on=version - 1), version - 1
        )
        given = answer(proposed.id, own_version=version - 1)
        results = at_once(
            [
                lambda given=given: two_processes[0].agreements.consent(given),
                lambda given=given: two_processes[1].agreements.decline(replace(given, team="marketing", key_id="m")),
            ]
        )
        assert sorted(type(each).__name__ for each in results) == ["Agreement", "ProposalRefusedError"]
        kept = two_processes[0].agreements.get("leads", proposed.id)
        assert kept is not None
        assert (kept.effective_at is None) is (kept.ended_at is not None)
        if kept.effective_at is None:
            agreed_again = replace(PROPOSAL, version=version, based_on=version - 1, comment="once more")
            again = two_processes[1].agreements.propose(agreed_again, version - 1)
            two_processes[1].agreements.consent(answer(again.id, own_version=version - 1))


def test_a_definition_is_kept_once_by_its_fingerprint(store: Store) -> None:
    record = DefinitionRecord("a" * 64, "leads", 2, "b" * 64, '{"title":"Größe"}'.encode(), NOW)
    store.definitions.note(record)
    store.definitions.note(replace(record, first_served_at=NOW + timedelta(days=1)))
    assert store.definitions.by_fingerprint(["a" * 64, "c" * 64]) == {"a" * 64: record}
