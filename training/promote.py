"""Making a version champion, and going back: checked against the gate, recorded, and never over somebody else's head.

What is guaranteed, for every process that promotes by this module, on one machine or many, whether the registry is
SQLite, another database or an MLflow server:

- Of several people who promote against the same champion at once, exactly one succeeds; every other is told who did.
- The alias ends where the record says. Each writer reads the record again after moving the alias, and moves it again
  if somebody followed, so the last one to write has seen the last entry.
- Whoever is killed between recording and moving leaves a decision that the next one to promote, or `settle`, finishes.

What is not: an alias that is moved by hand, in MLflow's pages, is respected but not in the record; and a process that
is stopped just before it moves the alias, overtaken, woken, and killed right after moving it, leaves an old champion.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from features.errors import BundleError, DataError, LeadQualityError, NotReadyError, Problem
from features.model.bundle import open_bundle
from features.text import Language, Text
from training.judging.gates import HEADER, Decision, Override
from training.promotions import Kind, Promotion, that_count

if TYPE_CHECKING:
    from training.tracking import Registry

CHAMPION, CHALLENGER = "champion", "challenger"


class PromotionError(LeadQualityError):
    """A version does not become champion; `text` says why in both languages."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)

    def in_language(self, language: Language) -> str:
        """Why, in `language`."""
        return self.text.in_language(language)


class PromotionRefusedError(PromotionError):
    """The gate did not let it pass; carries the decision with its table."""

    def __init__(self, version: int, decision: Decision) -> None:
        self.decision = decision
        super().__init__(_refused(version, decision))


class PromotionConflictError(PromotionError):
    """Another version is champion than the one that the decision was made against."""


def promote(
    registry: Registry,
    candidate_version: int,
    decision: Decision,
    *,
    expected_champion: int | None,
    who: str,
    at: datetime,
    override: Override | None = None,
) -> Promotion:
    """The record's entry by which the candidate became champion; it is no challenger any more.

    Parameters
    ----------
    decision : Decision
        Of the gate, about this candidate against `expected_champion`.
    expected_champion : int or None
        The champion that the candidate was compared with; None if there was none.
    at : datetime
        Now, UTC; for the record only.
    override : Override, optional
        Lets a refused candidate pass, with a person's name and reason.

    Raises
    ------
    PromotionRefusedError
        If the gate refused and nobody overrode it.
    PromotionConflictError
        If another version is or became champion meanwhile, or the candidate already is.
    DataError
        If an override has no reason or no name.
    NotReadyError, BundleError
        If the version does not exist, its run did not end well, or its bundle does not open.
    """
    if override is not None and not decision.passed:
        decision = decision.overridden(override.reason, override.who)
    if not decision.promotable:
        raise PromotionRefusedError(candidate_version, decision)
    entry = _Intended(
        kind="promotion",
        version=candidate_version,
        who=who,
        at=at,
        reason=decision.override.reason if decision.override else "",
        verdict="overridden" if decision.override else "passed",
        decision=json.dumps(decision.to_dict(), ensure_ascii=False),
    )
    return _move(registry, entry, expected_champion)


def rollback(registry: Registry, to_version: int, reason: str, *, who: str, at: datetime) -> Promotion:
    """The record's entry by which an earlier version became champion again. The gate is not asked; people are.

    Raises
    ------
    DataError
        If the reason is empty.
    PromotionConflictError
        If somebody else moved the champion meanwhile, or the version already is champion.
    NotReadyError, BundleError
        If the version does not exist, its run did not end well, or its bundle does not open.
    """
    if not reason.strip():
        raise DataError([_NO_REASON])
    settle(registry)
    entry = _Intended(kind="rollback", version=to_version, who=who, at=at, reason=reason.strip())
    return _move(registry, entry, registry.champion())


def settle(registry: Registry) -> Promotion | None:
    """The last entry that counts, after moving the alias to its version if that was not finished; None without any."""
    head = _head(registry)
    if head is None or head.settled:
        return head
    while True:
        registry.set_alias(CHAMPION, head.version)
        latest = _head(registry)
        if latest is None or latest.position == head.position:
            registry.mark_settled(head)
            return head
        head = latest  # even if it is settled: the line above may have overwritten it


def history(registry: Registry) -> tuple[Promotion, ...]:
    """Who made which version champion, oldest first; entries that came too late are left out."""
    return that_count(registry.promotions())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intended:
    kind: Kind
    version: int
    who: str
    at: datetime
    reason: str
    verdict: str = ""
    decision: str = ""

    def after(self, head: Promotion | None, replaces: int | None) -> Promotion:
        return Promotion(
            key=uuid4().hex,
            kind=self.kind,
            version=self.version,
            replaces=replaces,
            after=head.position if head else 0,
            who=self.who,
            at=self.at,
            reason=self.reason,
            verdict=self.verdict,
            decision=self.decision,
        )


def _move(registry: Registry, intended: _Intended, expected: int | None) -> Promotion:
    _check_version(registry, intended.version)
    head = settle(registry)  # before asking for the champion: what others do from here on, the record tells
    champion = registry.champion()
    if champion == intended.version:
        raise PromotionConflictError(_already(intended.version, head))
    if champion != expected:
        raise PromotionConflictError(_moved(expected, champion, head))
    written = intended.after(head, champion)
    registry.append(written)
    counted = {entry.key: entry for entry in that_count(registry.promotions())}
    if written.key not in counted:
        latest = list(counted.values())[-1]
        raise PromotionConflictError(_moved(expected, latest.version, latest))
    settle(registry)
    entry = counted[written.key]
    _leave_traces(registry, entry)
    return entry


def _leave_traces(registry: Registry, entry: Promotion) -> None:
    """Tags on the version itself, one per entry, for whoever looks at it in MLflow; and it challenges no more."""
    registry.tag(entry.version, {f"promotion.{entry.position}": entry.in_words().en})
    if registry.alias(CHALLENGER) == entry.version:
        registry.drop_alias(CHALLENGER)


def _check_version(registry: Registry, number: int) -> None:
    version = registry.version(number)
    if not version.finished:
        raise NotReadyError(
            Text(
                f"The run of version {number} did not end well; it cannot become champion.",
                f"Der Lauf von Version {number} endete nicht gut; sie kann nicht Champion werden.",
            )
        )
    bundle = open_bundle(registry.download(number))
    if bundle.bundle_id != version.bundle_id:
        raise BundleError(
            Text(
                f"Version {number} was registered as bundle {version.bundle_id}, found {bundle.bundle_id}.",
                f"Version {number} ist als Bündel {version.bundle_id} registriert, gefunden wurde {bundle.bundle_id}.",
            )
        )


def _head(registry: Registry) -> Promotion | None:
    entries = that_count(registry.promotions())
    return entries[-1] if entries else None


def _refused(version: int, decision: Decision) -> Text:
    def table(language: Language) -> str:
        lines = [tuple(text.in_language(language) for text in HEADER), *decision.rows(language)]
        return "\n".join("  " + " | ".join(cells) for cells in lines)

    summary = decision.summary()
    return Text(
        en=f"Version {version} does not become champion. {summary.en}\n{table('en')}\n{_OVERRIDE.en}",
        de=f"Version {version} wird nicht Champion. {summary.de}\n{table('de')}\n{_OVERRIDE.de}",
    )


def _already(version: int, head: Promotion | None) -> Text:
    since = head.in_words() if head is not None and head.version == version else Text("", "")
    return Text(
        en=f"Version {version} already is champion. {since.en}".rstrip(),
        de=f"Version {version} ist bereits Champion. {since.de}".rstrip(),
    )


def _moved(expected: int | None, champion: int | None, head: Promotion | None) -> Text:
    by = head.in_words() if head is not None and head.version == champion else Text("", "")
    en = {True: "no champion", False: f"version {expected}"}[expected is None]
    de = {True: "keinem Champion", False: f"Version {expected}"}[expected is None]
    now_en = "there is none now" if champion is None else f"version {champion} is champion now"
    now_de = "jetzt gibt es keinen" if champion is None else f"jetzt ist Version {champion} Champion"
    return Text(
        en=f"The decision was made against {en}, but {now_en}. {by.en} Compare with it and promote again.",
        de=f"Die Entscheidung galt gegenüber {de}, aber {now_de}. {by.de} Bitte damit vergleichen und neu freigeben.",
    )


_OVERRIDE = Text(
    en="Whoever answers for it all the same: make promote ... OVERRIDE='why' (--override), which stands in the record.",
    de="Wer es dennoch verantwortet: make promote ... OVERRIDE='warum' (--override); das steht dann im Verlauf.",
)
_NO_REASON = Problem(
    where="rollback.reason",
    what=Text(en="A rollback needs a reason", de="Ein Zurücksetzen braucht einen Grund"),
    expected=Text(en="a few words", de="ein paar Worte"),
    code="empty",
)
