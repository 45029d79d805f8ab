"""An agreement on top of a bundle, and on its way into the definition file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.definition import facts_fingerprint, parse_definition, read_definition, with_parts
from features.errors import DefinitionError
from features.model.bundle import Bundle
from serving.__main__ import main
from serving.agreement.applied import Agreed, under
from serving.agreement.as_toml import written_into
from serving.in_service import ModelInService
from serving.settings import Settings
from serving.store import Answered, Comparable, DefinitionRecord, NewProposal, Store
from tests.serving.conftest import NOW
from tests.serving.monitoring.stored_leads import leads_that_came, store_leads
from tests.serving.small_model import definition, write_small_bundle
from tests.small_agreement import agreement

PARTS = {"handover": {"threshold": 0.6}, "follow_up_hours": {"A": 1.0}}
LATER = Agreed("test-funnel", 4, PARTS, 0.6)
DEMO = Path(__file__).parents[3] / "definitions" / "demo.toml"


def test_an_agreement_changes_rules_and_name_but_no_number(bundle: Bundle) -> None:
    agreed = under(bundle, LATER)
    assert agreed.manifest.handover_threshold == 0.6
    assert agreed.definition == with_parts(definition(), PARTS, 4)
    assert (agreed.bundle_id, agreed.profile, agreed.importance) == (
        bundle.bundle_id,
        bundle.profile,
        bundle.importance,
    )
    row = agreed.model.encoder.record({"source": "fair", "employees": 80}, NOW).row
    assert (agreed.compute(row[None]).log_odds == bundle.compute(row[None]).log_odds).all()
    assert bundle.definition == definition(), "the bundle itself stays as it was"


@pytest.mark.parametrize("agreed", [None, Agreed("test-funnel", 3, PARTS, 0.6), Agreed("another", 9, PARTS, 0.6)])
def test_what_is_not_later_or_about_another_definition_changes_nothing(bundle: Bundle, agreed: Agreed | None) -> None:
    assert under(bundle, agreed) is bundle


def test_the_same_agreement_keeps_the_very_scorer_and_the_next_bundle_comes_under_it(tmp_path: Path) -> None:
    place, in_effect = tmp_path / "bundle", [LATER]
    write_small_bundle(place, definition())
    model = ModelInService(Settings(bundle=str(place)), agreed_on=lambda _: in_effect[0])
    model.open(NOW)
    scorer = model.scorer
    assert scorer.bundle.manifest.handover_threshold == 0.6
    assert not model.agree(NOW)
    assert model.scorer is scorer
    (tmp_path / "bundle").rename(tmp_path / "old")
    write_small_bundle(place, definition(), seed=8)
    assert model.renew(NOW)
    assert (model.scorer.bundle.manifest.handover_threshold, model.own_definition) == (0.6, definition())
    in_effect[0] = Agreed("test-funnel", 5, PARTS, 0.7)
    assert model.agree(NOW)
    assert model.scorer.bundle.manifest.handover_threshold == 0.7


def test_what_does_not_go_together_leaves_in_service_what_was(bundle: Bundle) -> None:
    in_effect: list[Agreed | None] = [None]
    model = ModelInService(Settings(), bundle, agreed_on=lambda _: in_effect[0])
    model.open(NOW)
    scorer = model.scorer
    in_effect[0] = Agreed("test-funnel", 4, {"handover": {}, "follow_up_hours": {}}, 0.6)
    with pytest.raises(DefinitionError):
        model.agree(NOW)
    assert model.scorer is scorer


def test_facts_mean_the_same_whatever_was_agreed_on_handover_and_hours() -> None:
    own, agreed = definition(), with_parts(definition(), PARTS, 4)
    assert own.fingerprint != agreed.fingerprint
    assert facts_fingerprint(own) == facts_fingerprint(agreed)
    assert facts_fingerprint(definition(without="customer_since")) != facts_fingerprint(own)


def test_leads_scored_before_an_agreement_are_watched_with_those_after_it(store: Store, bundle: Bundle) -> None:
    came = leads_that_came(seed=3)[:40]
    store_leads(store, bundle, came, NOW)
    agreed = with_parts(definition(), PARTS, 4)
    facts = facts_fingerprint(agreed)
    asked = Comparable(agreed.fingerprint, facts)
    since = NOW - timedelta(days=60)
    assert store.watching.recent(asked, since, 100) == [], "nothing is known of the definition they were scored under"
    own = bundle.definition
    store.definitions.note(DefinitionRecord(own.fingerprint, own.name, 3, facts_fingerprint(own), b"{}", NOW))
    assert len(store.watching.recent(asked, since, 100)) == 40


def test_the_demos_file_takes_an_agreement_and_keeps_every_other_line(tmp_path: Path) -> None:
    place, before = tmp_path / "lead.toml", DEMO.read_text(encoding="utf-8")
    parts = {"handover": {"capacity_per_week": 62.5}, "follow_up_hours": {"A": 2.0, "D": 240.0}}
    place.write_text(written_into(before, 7, parts), encoding="utf-8")
    assert read_definition(place) == with_parts(read_definition(DEMO), parts, 7)
    after = place.read_text(encoding="utf-8")
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert [line for line in after.splitlines() if line.startswith("#")] == comments
    assert written_into(after, 7, parts) == after


def test_a_section_that_is_not_there_is_added() -> None:
    text = '[definition]\nname = "x"\nversion=1\n\n[handover]\nthreshold = 0.3 # as in May\n'
    after = written_into(text, 2, {"handover": {"threshold": 0.4}, "follow_up_hours": {"B": 8.0}})
    assert "version=2\n" in after
    assert after.endswith("[handover]\nthreshold = 0.4\n\n[follow_up_hours]\nB = 8\n")
    with pytest.raises(DefinitionError):
        written_into('definition = { name = "x", version = 1 }\n', 2, PARTS)


@pytest.fixture
def lead_toml(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo's definition file, and a store in which version 2 of it was agreed on."""
    monkeypatch.setenv("LEAD_DATABASE_URL", sqlite_url)
    store = Store(sqlite_url)
    store.migrate()
    parts = json.dumps({"handover": {"capacity_per_week": 60}, "follow_up_hours": {"A": 2, "B": 24}}).encode()
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    new = NewProposal("demo", 2, 1, parts, 0.2, None, None, None, "f" * 64, "More", "sales", moment, "k" * 16)
    proposed = store.agreements.propose(new, 1)
    store.agreements.consent(Answered("demo", 1, proposed.id, "marketing", "m" * 16, "", moment))
    store.close()
    place = tmp_path / "lead.toml"
    place.write_text(DEMO.read_text(encoding="utf-8"), encoding="utf-8")
    return place


def test_the_command_prints_the_sections_or_writes_them(lead_toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agreement", "--definition", str(lead_toml)]) == 0
    assert capsys.readouterr().out == (
        "[definition]\nversion = 2\n\n[handover]\ncapacity_per_week = 60\n\n[follow_up_hours]\nA = 2\nB = 24\n"
    )
    assert main(["agreement", "--definition", str(lead_toml), "--write"]) == 0
    assert "version 2" in capsys.readouterr().out
    written = read_definition(lead_toml)
    assert (written.definition.version, written.handover.capacity_per_week) == (2, 60)
    assert (written.follow_up_hours.A, written.follow_up_hours.C) == (2, None)
    assert main(["agreement", "--definition", str(lead_toml), "--write"]) == 0
    assert capsys.readouterr().out.startswith("# Nothing was agreed on for demo beyond version 2")


def test_a_file_that_cannot_be_changed_by_itself_is_left_as_it_is(
    lead_toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = lead_toml.read_text(encoding="utf-8")
    text = text.replace("[follow_up_hours]\nA = 4\nB = 24\nC = 72\n", "")
    text = "follow_up_hours = { A = 4 }\n" + text
    lead_toml.write_text(text, encoding="utf-8")
    assert main(["agreement", "--definition", str(lead_toml), "--write"]) == 1
    assert lead_toml.read_text(encoding="utf-8") == text
    assert list(lead_toml.parent.glob(".*.new")) == []
    assert "--write" in capsys.readouterr().err


def test_a_definition_with_parts_is_checked_as_a_whole() -> None:
    undated = parse_definition(agreement(columns={"outcome": "stage"}, target={}))
    with pytest.raises(DefinitionError, match="capacity"):
        with_parts(undated, {"handover": {"capacity_per_week": 40}}, 2)
