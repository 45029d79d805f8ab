"""Every problem of a definition, collected before anything is raised.

Each part is validated on its own, so that a fault in one field does not hide a fault in another; then the checks that
span several parts run on whatever was sound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from features.definition import agreement as d
from features.definition.faults import SECTIONS, from_pydantic, problem, suggest
from features.definition.rules import RULES
from features.errors import Problem
from features.text import Text, same

TABLES: dict[str, TypeAdapter[Any]] = {
    "left_out": TypeAdapter(dict[str, d.LeftOut]),
    "accepted_leaks": TypeAdapter(dict[str, d.Words]),
    "format": TypeAdapter(Literal[1]),
}
"""Entries that are no sections; `fields` is checked field by field."""
REQUIRED = ("definition", "target", "columns", "outcome", "fields", "grades", "handover")


def check(data: Mapping[str, Any]) -> tuple[d.LeadDefinition | None, list[Problem]]:
    """The definition if it is sound, and every problem if it is not; `where` holds the path, joined by NUL."""
    problems = list(_unknown_sections(data))
    problems += [problem((name,), _missing_entry(name), "") for name in REQUIRED if name not in data]
    validators: dict[str, Callable[[Any], Any]] = {name: model.model_validate for name, model in SECTIONS.items()}
    validators |= {name: table.validate_python for name, table in TABLES.items()}
    parts = {name: _part(name, validate, data, problems) for name, validate in validators.items() if name in data}
    fields = _fields(data.get("fields", {}), problems)
    sound = {name: part for name, part in parts.items() if part is not None}
    for rule in RULES:
        problems += rule(sound, fields, data)
    if problems:
        return None, problems
    try:
        return d.LeadDefinition.model_validate(dict(data)), []
    except ValidationError as error:
        return None, [from_pydantic((), fault) for fault in error.errors()]


def _part(name: str, validate: Callable[[Any], Any], data: Mapping[str, Any], problems: list[Problem]) -> Any:
    try:
        return validate(data[name])
    except ValidationError as error:
        problems += [from_pydantic((name,), fault) for fault in error.errors()]
        return None


def _fields(tables: object, problems: list[Problem]) -> dict[str, d.LeadField]:
    if not isinstance(tables, Mapping):
        problems.append(
            problem(("fields",), (same("fields"), Text("a table per field", "eine Tabelle je Feld")), tables)
        )
        return {}
    sound: dict[str, d.LeadField] = {}
    for name, table in tables.items():
        problems += _field_name(name)
        try:
            field = d.LeadField.model_validate(table)
            sound[name] = field if field.column else field.model_copy(update={"column": name})
        except ValidationError as error:
            problems += [from_pydantic(("fields", name), fault) for fault in error.errors()]
    return sound


def _field_name(name: str) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        yield problem(
            ("fields", name),
            (
                Text("the field's name is not an identifier", "der Name des Feldes ist kein Bezeichner"),
                Text(
                    "lower-case letters, digits and underscores; put the export's own name in `column`",
                    "Kleinbuchstaben, Ziffern und Unterstriche; der Name im Export gehört in `column`",
                ),
            ),
            name,
            "field_name",
        )


def _unknown_sections(data: Mapping[str, Any]) -> Iterator[Problem]:
    allowed = (*SECTIONS, "fields", *TABLES)
    for name in data:
        if name not in allowed:
            yield problem((name,), (Text("unknown entry", "unbekannter Eintrag"), suggest(name, allowed)), name)


def _missing_entry(name: str) -> tuple[Text, Text]:
    return Text(f"[{name}] is missing", f"[{name}] fehlt"), Text("this section", "dieser Abschnitt")
