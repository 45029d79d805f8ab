"""`python -m serving retention` removes leads that have been kept for as long as the definition says."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime, timedelta

from features.definition import LeadDefinition
from features.model.bundle import open_bundle
from features.text import Language, Text, whole
from serving.bundles import find_bundle
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.service import utc_now
from serving.settings import Settings
from serving.store import Store

NO_RULE = Text(
    en="The definition in service has no [retention]: nothing is removed.",
    de="Die Definition im Einsatz hat kein [retention]: Nichts wird gelöscht.",
)
RULE = Text(
    en="Nothing has happened since {day} ({days} days) to {n} leads.",
    de="Seit dem {day} ({days} Tage) ist bei {n} Leads nichts geschehen.",
)
NOTHING_DONE = Text(en="They stay: this was a dry run.", de="Sie bleiben: Das war ein Probelauf.")
LOG_IN_USE = Text(
    en="Somebody has been reading the database for long: its log (-wal) may hold what was removed until the next run.",
    de="Jemand liest die Datenbank schon lange: Ihr Log (-wal) kann das Gelöschte bis zum nächsten Lauf enthalten.",
)
REMOVED = Text(en="Removed: {rows}.", de="Gelöscht: {rows}.")


def add(commands: Commands) -> None:
    """Add the command."""
    about = "remove leads to which nothing has happened for as long as the definition keeps them"
    parser = add_command(commands, "retention", _run, about)
    parser.add_argument("--dry-run", action="store_true", help="only say how many there are")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    definition = _definition_in_service(settings)
    with opened(settings) as store:
        store.check()
        for line in retain(store, definition, utc_now(), dry_run=parsed.dry_run):
            print(line.in_language(language))
    return WORKED


def retain(store: Store, definition: LeadDefinition, now: datetime, *, dry_run: bool) -> list[Text]:
    """What was done to keep to the definition's `[retention]`, in words."""
    if definition.retention is None:
        return [NO_RULE]
    days = definition.retention.days
    since = now - timedelta(days=days)
    n_leads = store.retention.n_older(since)
    told = [_filled(RULE, day=since.date().isoformat(), days=days, n=n_leads)]
    if dry_run:
        return [*told, NOTHING_DONE] if n_leads else told
    removed = store.retention.remove_older(since)
    if removed:
        told.append(Text(_removed(removed, "en"), _removed(removed, "de")))
    return [*told, LOG_IN_USE] if store.retention.log_holds_removed else told


def _removed(removed: Mapping[str, int], language: Language) -> str:
    rows = ", ".join(f"{table} {whole(n, language)}" for table, n in removed.items())
    return REMOVED.in_language(language).format(rows=rows)


def _filled(text: Text, **values: object) -> Text:
    def filled(language: Language) -> str:
        shown = {name: whole(value, language) if isinstance(value, int) else value for name, value in values.items()}
        return text.in_language(language).format(**shown)

    return Text(en=filled("en"), de=filled("de"))


def _definition_in_service(settings: Settings) -> LeadDefinition:
    return open_bundle(find_bundle(settings.bundle, settings.bundle_cache).place).definition
