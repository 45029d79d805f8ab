"""A definition from its TOML file: what is wrong is said with file and line, all at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.definition.agreement import LeadDefinition
from features.definition.checks import check
from features.errors import DefinitionError, Problem
from features.text import Text


def read_definition(path: Path | str) -> LeadDefinition:
    """The definition in the TOML file at `path`.

    Raises
    ------
    DefinitionError
        With every problem of the file, each with its line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a mark before it
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError([_unreadable(path, error)]) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError([_not_toml(path, error)]) from error
    return parse_definition(data, source=path.name, lines=_line_numbers(text))


def parse_definition(
    data: Mapping[str, Any], *, source: str = "definition", lines: Mapping[tuple[str, ...], int] | None = None
) -> LeadDefinition:
    """The definition in `data`, as TOML or JSON gives it.

    Raises
    ------
    DefinitionError
        With every problem; `lines` maps an entry's path to its line, for messages that name the place.

    """
    definition, problems = check(data)
    if problems or definition is None:
        raise DefinitionError(_placed(problem, source, lines or {}) for problem in problems)
    return definition


def _placed(problem: Problem, source: str, lines: Mapping[tuple[str, ...], int]) -> Problem:
    """The problem with file and line before its path; the nearest enclosing entry gives the line."""
    path = tuple(problem.where.split("\0"))
    known = (path[:length] for length in range(len(path), 0, -1))
    line = next((lines[part] for part in known if part in lines), None)
    place = f"{source}:{line}" if line else source
    return Problem(
        where=f"{place} {'.'.join(path)}",
        what=problem.what,
        expected=problem.expected,
        seen=problem.seen,
        code=problem.code,
    )


def _line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Line of each table header and each key of a TOML text; keys inside inline tables belong to their line."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("["):
            table = _key_path(line) or table
            lines.setdefault(table, number)
        elif key := _assigned(line):
            lines.setdefault(table + key, number)
    return lines


def _assigned(line: str) -> tuple[str, ...]:
    """The key that a line gives a value to; a quoted key may itself hold an equals sign."""
    signs = (position for position, character in enumerate(line) if character == "=")
    return next((key for sign in signs if (key := _key_path(line[:sign] + "= 0"))), ())


def _key_path(statement: str) -> tuple[str, ...]:
    """The path of keys that a table header or an assignment opens; empty if it is neither."""
    try:
        node: Any = tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(node, dict) and node:
        key, node = next(iter(node.items()))
        path.append(key)
    return tuple(path)


def _unreadable(path: Path, error: Exception) -> Problem:
    return Problem(
        where=str(path),
        what=Text(en="the definition cannot be read", de="die Definition lässt sich nicht lesen"),
        seen=str(error.strerror if isinstance(error, OSError) else error),
        expected=Text(en="a TOML file in UTF-8", de="eine TOML-Datei in UTF-8"),
        code="unreadable",
    )


def _not_toml(path: Path, error: Exception) -> Problem:
    return Problem(
        where=path.name,
        what=Text(en="this is not valid TOML", de="das ist kein gültiges TOML"),
        seen=str(error),
        expected=Text(
            en='entries such as  name = "value"  under [headings]',
            de='Einträge wie  name = "Wert"  unter [Überschriften]',
        ),
        code="not_toml",
    )
