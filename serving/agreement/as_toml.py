"""The agreed parts as they belong into the definition file, so that the next training starts from them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from features.definition import AGREED_PARTS, GRADES
from features.errors import DefinitionError, Problem
from features.text import Text

HEADER = re.compile(r"^\s*\[\[?[^\]]+\]\]?\s*(#.*)?$")


def sections(version: int, parts: Mapping[str, Any]) -> str:
    """The entries in TOML: the version, and a section for each part."""
    text = f"[definition]\nversion = {version}\n"
    return text + "".join(f"\n{section(name, parts[name])}" for name in AGREED_PARTS)


def section(name: str, part: Mapping[str, float]) -> str:
    """One section; its entries in the order of a definition file."""
    order = [*("capacity_per_week", "threshold"), *GRADES]
    lines = [f"{key} = {part[key]:.15g}" for key in sorted(part, key=order.index)]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def written_into(text: str, version: int, parts: Mapping[str, Any]) -> str:
    """The text of a definition file with the agreed parts in it; every other line, and every comment, as it was.

    The caller reads the result again and compares: a file may be written in ways that this does not know.

    Raises
    ------
    DefinitionError
        If the file has no section `[definition]` with a version on a line of its own.
    """
    lines = text.splitlines(keepends=True)
    lines = _with_version(lines, version)
    for name in AGREED_PARTS:
        lines = _with_section(lines, name, section(name, parts[name]))
    return "".join(lines)


def _with_version(lines: list[str], version: int) -> list[str]:
    start, end = _place(lines, "definition")
    for number in range(start, end):
        changed = re.sub(r"^(\s*version\s*=\s*)\d+", rf"\g<1>{version}", lines[number])
        if re.match(r"^\s*version\s*=", lines[number]):
            return [*lines[:number], changed, *lines[number + 1 :]]
    raise DefinitionError([NO_VERSION])


def _with_section(lines: list[str], name: str, section: str) -> list[str]:
    """The lines with the section in its place, or at the end; comments before the next header stay with that one."""
    start, end = _place(lines, name)
    if start == end:
        return [*lines, "\n", section]
    kept = end
    while kept > start and lines[kept - 1].lstrip()[:1] in ("", "#"):
        kept -= 1
    comments = [line for line in lines[start + 1 : kept] if line.lstrip().startswith("#")]
    header, *entries = section.splitlines(keepends=True)
    return [*lines[:start], header, *comments, *entries, *lines[kept:]]


def _place(lines: list[str], name: str) -> tuple[int, int]:
    """Where the section begins, and where the next one does; both at the end if there is none."""
    headers = [number for number, line in enumerate(lines) if HEADER.match(line)]
    for number, after in itertools.pairwise([*headers, len(lines)]):
        if re.match(rf"^\s*\[\s*{name}\s*\]", lines[number]):
            return number, after
    return len(lines), len(lines)


NO_VERSION = Problem(
    "[definition] version",
    Text("no line gives the version", "keine Zeile nennt die Version"),
    Text("[definition] with a line such as version = 1", "[definition] mit einer Zeile wie version = 1"),
    code="no_version",
)
