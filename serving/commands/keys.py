"""`python -m serving keys` creates, lists and revokes API keys."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from features.text import Language, Text
from serving.auth.keys import ID_PATTERN, ROLES, new_key, state_of
from serving.commands.command import FAILED, WORKED, Commands, add_command, opened
from serving.service import utc_now
from serving.settings import Settings
from serving.store import KeyRecord, Store

MOST_DAYS = 3_650
LONGEST_CLIENT = 128

Work: TypeAlias = Callable[[Store, argparse.Namespace, Language], int]


def add(commands: Commands) -> None:
    """Add the command with its own three."""
    parser = commands.add_parser("keys", help="create, list and revoke API keys", description=__doc__)
    own = parser.add_subparsers(metavar="COMMAND", required=True)
    create = _add(own, "create", _create, "make a key and print it, this once")
    create.add_argument("--client", required=True, type=_client, help="which system or team gets it")
    create.add_argument("--role", required=True, choices=ROLES)
    create.add_argument("--expires-days", type=_days, metavar="N", help="days until it expires (never, if left out)")
    _add(own, "list", _list, "list all keys; their secrets are nowhere")
    revoke = _add(own, "revoke", _revoke, "end a key; running services know within LEAD_KEYS_REFRESH_S seconds")
    revoke.add_argument("key_id", metavar="KEY_ID", type=_key_id)


def _add(commands: Commands, name: str, work: Work, about: str) -> argparse.ArgumentParser:
    def run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
        with opened(settings) as store:
            if store.migrates_itself:
                store.migrate()
            return work(store, parsed, language)

    return add_command(commands, name, run, about)


def _create(store: Store, parsed: argparse.Namespace, language: Language) -> int:
    now = utc_now()
    expires_at = now + timedelta(days=parsed.expires_days) if parsed.expires_days else None
    key, record = new_key(parsed.client, parsed.role, created_at=now, expires_at=expires_at)
    store.keys.add(record)
    print(SHOWN_ONCE.in_language(language), file=sys.stderr)
    print(key)
    return WORKED


def _list(store: Store, _: argparse.Namespace, language: Language) -> int:
    now = utc_now()
    heads = [head.in_language(language) for head in HEADS]
    print(_table([heads, *(_row(record, now, language) for record in store.keys.all())]))
    return WORKED


def _revoke(store: Store, parsed: argparse.Namespace, language: Language) -> int:
    if not store.keys.revoke(parsed.key_id, utc_now()):
        print(NO_SUCH_KEY.in_language(language), file=sys.stderr)
        return FAILED
    print(REVOKED.in_language(language))
    return WORKED


def _row(record: KeyRecord, now: datetime, language: Language) -> list[str]:
    moments = (_shown(moment) for moment in (record.created_at, record.expires_at, record.last_used_at))
    return [record.key_id, record.client, record.role, *moments, STATES[state_of(record, now)].in_language(language)]


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


def _client(text: str) -> str:
    if not 1 <= len(text.strip()) <= LONGEST_CLIENT or not text.isprintable():
        raise argparse.ArgumentTypeError(f"expected 1 to {LONGEST_CLIENT} printable characters")
    return text.strip()


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"expected 1 to {MOST_DAYS}")
    return int(text)


def _key_id(text: str) -> str:
    if not re.fullmatch(ID_PATTERN, text):
        # Not echoed: somebody may have pasted the whole key.
        raise argparse.ArgumentTypeError("expected the 16 characters between lq_ and the next _")
    return text


SHOWN_ONCE = Text(
    "Copy this key now: it is shown this once, and only its hash is kept.",
    "Kopieren Sie diesen Schlüssel jetzt: Er wird nur dieses eine Mal gezeigt, gespeichert ist nur sein Hash.",
)
NO_SUCH_KEY = Text("There is no key with this id.", "Einen Schlüssel mit dieser Kennung gibt es nicht.")
REVOKED = Text("It opens nothing any more.", "Er gilt nicht mehr.")
HEADS = (
    Text("key", "Schlüssel"),
    Text("client", "Client"),
    Text("role", "Rolle"),
    Text("created (UTC)", "angelegt (UTC)"),
    Text("expires", "gültig bis"),
    Text("last used", "zuletzt genutzt"),
    Text("state", "Zustand"),
)
STATES = {
    "active": Text("active", "gültig"),
    "expired": Text("expired", "abgelaufen"),
    "revoked": Text("revoked", "widerrufen"),
}
