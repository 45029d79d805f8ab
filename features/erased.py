"""Leads that were erased, known only by a hash: enough to leave them out again, not to say who they were.

The service writes the hashes (`python -m serving erased --out FILE`), and training leaves those leads out of whatever
export it reads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from features.errors import HistoryError, Problem
from features.text import Text

FIRST_LINE = "# SHA-256 of erased leads"

_is_hash = re.compile("[0-9a-f]{64}").fullmatch


def lead_hash(lead_id: str) -> str:
    """SHA-256 of a lead's id, as 64 hexadecimal digits."""
    return hashlib.sha256(f"lead {lead_id}".encode()).hexdigest()


def write_erased(place: Path, hashes: Iterable[str]) -> int:
    """How many hashes were written to `place`: one a line, sorted, below a line that says what they are."""
    lines = sorted(set(hashes))
    place.write_text("\n".join([FIRST_LINE, *lines, ""]), encoding="ascii")
    return len(lines)


def read_erased(place: Path) -> frozenset[str]:
    """The hashes in a file that `write_erased` wrote; a lead was erased if `lead_hash` of its id is among them.

    Raises
    ------
    HistoryError
        If the file holds anything else: leads that should have been left out would be learnt from.
    """
    lines = place.read_text(encoding="utf-8", errors="replace").splitlines()
    wrong = [number for number, line in enumerate(lines, start=1) if number > 1 and not _is_hash(line)]
    if not lines or lines[0] != FIRST_LINE or wrong:
        raise HistoryError([_no_list(place, wrong or [1])])
    return frozenset(lines[1:])


def _no_list(place: Path, wrong: list[int]) -> Problem:
    return Problem(
        where=place.name,
        what=Text("this is no list of erased leads", "das ist keine Liste gelöschter Leads"),
        expected=Text(
            f"the file of python -m serving erased: {FIRST_LINE!r}, then 64 hexadecimal digits a line",
            f"die Datei von python -m serving erased: {FIRST_LINE!r}, dann je Zeile 64 hexadezimale Ziffern",
        ),
        code="no_list_of_erased_leads",
        rows=tuple(wrong[:5]),
        n_rows=len(wrong),
    )
