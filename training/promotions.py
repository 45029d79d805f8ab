"""The record of promotions: an append-only list from which everyone reads the same champion.

MLflow can set an alias but not compare it first, so two people can each overwrite the other without noticing. It can
number entries, though: no two get the same position. So a promotion is first written to the record and names the
entry that it follows, and only the first entry to follow another counts:

    position  after  version
           1      0        3     counts
           2      1        5     counts
           3      1        4     too late: written by someone who had not seen 2
           4      2        3     counts, a rollback

The champion is the version of the last entry that counts. No clock and no lock takes part, so none can go wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from features.text import Text

Kind = Literal["promotion", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One entry of the record.

    Attributes
    ----------
    key : str
        Unique; tells one's own entry from that of others.
    version, replaces : int
        The new champion, and the one that it takes the place of (None for the first).
    after : int
        Position of the last entry that counted when this one was written; 0 for none.
    who, reason : str
        Who did it and why; the reason may be empty where the gate has passed.
    at : datetime
        When, UTC.
    verdict : str
        What the gate said: "passed", "overridden", or "" for a rollback.
    position : int
        Number in the record, from 1; 0 as long as it is not written.
    settled : bool
        Whether the alias is known to have followed.
    """

    key: str
    kind: Kind
    version: int
    replaces: int | None
    after: int
    who: str
    at: datetime
    reason: str = ""
    verdict: str = ""
    decision: str = ""
    position: int = 0
    settled: bool = False

    def in_words(self) -> Text:
        """The entry as one sentence."""
        en = f"version {self.version} made champion by {self.who}, {self.at:%Y-%m-%d %H:%M} UTC"
        de = f"Version {self.version} zum Champion gemacht von {self.who}, {self.at:%d.%m.%Y %H:%M} UTC"
        if self.kind == "rollback":
            en, de = f"Rollback: {en}", f"Zurückgesetzt: {de}"
        because = f": {self.reason}" if self.reason else ""
        return Text(en=f"{en[0].upper()}{en[1:]}{because}", de=f"{de}{because}")

    def to_tags(self) -> dict[str, str]:
        """The entry as tags, which is how MLflow keeps it."""
        return {
            "key": self.key,
            "kind": self.kind,
            "version": str(self.version),
            "replaces": "" if self.replaces is None else str(self.replaces),
            "after": str(self.after),
            "who": self.who,
            "at": self.at.isoformat(),
            "reason": self.reason,
            "verdict": self.verdict,
            "decision": self.decision,
        }

    @classmethod
    def from_tags(cls, position: int, tags: Mapping[str, str]) -> Promotion:
        """The entry at `position` that `to_tags` wrote."""
        return cls(
            key=tags["key"],
            kind="rollback" if tags["kind"] == "rollback" else "promotion",
            version=int(tags["version"]),
            replaces=int(tags["replaces"]) if tags["replaces"] else None,
            after=int(tags["after"]),
            who=tags["who"],
            at=datetime.fromisoformat(tags["at"]),
            reason=tags["reason"],
            verdict=tags["verdict"],
            decision=tags["decision"],
            position=position,
            settled=tags.get("settled") == "true",
        )


def that_count(entries: Iterable[Promotion]) -> tuple[Promotion, ...]:
    """The entries that took effect, oldest first: each saw the one that counted before it."""
    counted: list[Promotion] = []
    for entry in sorted(entries, key=lambda entry: entry.position):
        if not counted or entry.after >= counted[-1].position:
            counted.append(entry)
    return tuple(counted)
