"""Names and labels from the names of columns and files."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_LONGEST_NAME = 60
_HUMP = r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])"


def definition_name(stem: str) -> str:
    """A definition's name from a file's: lower case, joined by hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", stem.casefold().translate(_UMLAUTS)).strip("-")[:_LONGEST_NAME]
    return name if name[:1].isalpha() else f"leads-{name}".rstrip("-")


def field_names(columns: Sequence[str]) -> dict[str, str]:
    """A name for each column: lower-case words joined by underscores, numbered where two would be the same."""
    names: dict[str, str] = {}
    for column in columns:
        parted = re.sub(_HUMP, "_", column).casefold().translate(_UMLAUTS)
        base = re.sub(r"[^a-z0-9]+", "_", parted).strip("_")[:_LONGEST_NAME]
        base = base if base[:1].isalpha() else f"field_{base}".rstrip("_")
        name, number = base, 2
        while name in names:
            name, number = f"{base[: _LONGEST_NAME - 3]}_{number}", number + 1
        names[name] = column
    return names


def humanised(name: str) -> str:
    """A column's name as a label.

    >>> humanised("lead_origin"), humanised("TotalVisits")
    ('Lead origin', 'Total Visits')
    """
    parted = re.sub(_HUMP, " ", name)
    spaced = re.sub(r"[\s_]+", " ", parted).strip() or name
    return spaced[0].upper() + spaced[1:]
