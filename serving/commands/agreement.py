"""`python -m serving agreement` prints what both teams agreed on, and writes it into a definition file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from features.definition import LeadDefinition, read_definition, with_parts
from features.errors import DefinitionError, OutsideError, Problem
from features.model.bundle import open_bundle
from features.text import Language, Text
from serving.agreement.as_toml import sections, written_into
from serving.bundles import find_bundle
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.settings import Settings
from serving.store import Agreement


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "agreement", _run, "print what both teams agreed on, for the next training")
    parser.add_argument("--definition", type=Path, help="the definition file that it is about; else the bundle's")
    parser.add_argument("--write", action="store_true", help="write it into that file, with its new version")


def _run(settings: Settings, parsed: argparse.Namespace, language: Language) -> int:
    for line in _told(settings, parsed.definition, write=parsed.write):
        print(line.in_language(language) if isinstance(line, Text) else line)
    return WORKED


def _told(settings: Settings, place: Path | None, *, write: bool) -> list[Text | str]:
    """What is in effect, as lines to be printed; written into the file first, if that was asked for."""
    if place is None and write:
        raise DefinitionError([NO_FILE])
    own = _bundles_own(settings) if place is None else read_definition(place)
    with opened(settings) as store:
        agreed = store.agreements.in_effect(own.name)
    if agreed is None or agreed.version <= own.definition.version:
        return [Text(*(line.format(own.name, own.definition.version) for line in NOTHING_LATER))]
    parts = json.loads(agreed.parts)
    if write and place is not None:
        _write(place, agreed)
        return [Text(*(line.format(place, agreed.version) for line in WRITTEN))]
    return [sections(agreed.version, parts).rstrip("\n")]


def _write(place: Path, agreed: Agreement) -> None:
    """Write the agreement into the file, once it is certain that the file then says that and nothing else new."""
    parts = json.loads(agreed.parts)
    before = read_definition(place)
    text = written_into(place.read_text(encoding="utf-8-sig"), agreed.version, parts)
    beside = place.with_name(f".{place.name}.new")
    beside.write_text(text, encoding="utf-8")
    try:
        if not _says(beside, with_parts(before, parts, agreed.version)):
            raise DefinitionError([NOT_AS_AGREED])
        beside.replace(place)
    except OSError as error:
        raise OutsideError(f"{place} could not be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)


def _says(place: Path, agreed: LeadDefinition) -> bool:
    """Whether the file at `place` is a definition, and this one."""
    try:
        return read_definition(place) == agreed
    except DefinitionError:
        return False


def _bundles_own(settings: Settings) -> LeadDefinition:
    return open_bundle(find_bundle(settings.bundle, settings.bundle_cache).place).definition


NO_FILE = Problem(
    "--write",
    Text("no file is named to write into", "es ist keine Datei genannt, in die geschrieben wird"),
    Text("--definition lead.toml", "--definition lead.toml"),
    code="no_file",
)
NOT_AS_AGREED = Problem(
    "[handover], [follow_up_hours]",
    Text(
        "the file is written in a way that cannot be changed by itself, so it was left as it is",
        "die Datei ist so geschrieben, dass sie sich nicht selbsttätig ändern lässt; sie blieb, wie sie ist",
    ),
    Text(
        "the printed sections, put in by hand: run the command without --write",
        "die ausgegebenen Abschnitte, von Hand eingesetzt: Befehl ohne --write ausführen",
    ),
    code="not_as_agreed",
)
NOTHING_LATER = Text(
    "# Nothing was agreed on for {0} beyond version {1} of the definition file.",
    "# Für {0} wurde über Version {1} der Definitionsdatei hinaus nichts vereinbart.",
)
WRITTEN = Text(
    "{0} holds version {1} now, as both teams agreed. The next training uses it.",
    "{0} enthält jetzt Version {1}, wie beide Teams es vereinbart haben. Das nächste Training verwendet sie.",
)
