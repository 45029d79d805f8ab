"""What the pages say, one file per language: texts/en.toml and texts/de.toml, a section per page.

A text has named places: `n_leads = "{n} leads"`. Whole numbers in them are written as the reader does. Where the
number decides the form, the entry is a table with `one` and `other`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from features.text import Language
from serving.cockpit.formats import Reader

TEXTS = Path(__file__).parent / "texts"
FORMS = frozenset(("one", "other"))


class Catalogue:
    """The texts in one reader's language; called with a key and what stands in its named places."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._texts = texts(reader.language)

    def __call__(self, key: str, **named: Any) -> str:
        """The text under `key`. HTML in a named place stays HTML; everything else is escaped by the template.

        Raises
        ------
        KeyError
            If there is no such text, or a named place is left empty.
        """
        text = self._texts.get(key) or self._texts[f"{key}.{'one' if named['n'] == 1 else 'other'}"]
        shown = {name: self._shown(value) for name, value in named.items()}
        if any(isinstance(value, Markup) for value in shown.values()):
            return Markup(text).format(**shown)  # what is put into our own text is escaped
        return text.format(**shown)

    def _shown(self, value: Any) -> Any:
        return self._reader.whole(value) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def texts(language: Language) -> Mapping[str, str]:
    """Every text of one language by its whole key, such as `worklist.n_leads.one`."""
    return dict(_flat(tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))))


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, dict) else [(before + name, value)]
    return found
