"""A fault of a definition in words: where, what is wrong, what was seen, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from features.definition import agreement as d
from features.errors import Problem
from features.text import Text, same

SECTIONS: dict[str, type[BaseModel]] = {
    "definition": d.About,
    "target": d.Target,
    "columns": d.Columns,
    "outcome": d.OutcomeValues,
    "read": d.Reading,
    "grades": d.Cuts,
    "handover": d.Handover,
    "follow_up_hours": d.Hours,
    "verdicts": d.Verdicts,
    "reporting": d.Reporting,
    "retention": d.Retention,
}


def suggest(name: str, allowed: object) -> Text:
    """The closest of the allowed names, or all of them."""
    names = [str(entry) for entry in allowed] if isinstance(allowed, (tuple, list, Mapping)) else []
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return Text(f"did you mean {close[0]}?", f"war {close[0]} gemeint?")
    listed = ", ".join(names)
    return Text(f"one of: {listed}", f"eines von: {listed}")


def problem(path: tuple[str, ...], words: tuple[Text, Text], seen: object, code: str = "invalid") -> Problem:
    """A problem at `path`, joined by NUL until file and line are known."""
    return Problem(where="\0".join(path), what=words[0], expected=words[1], seen=_shown(seen), code=code)


def _shown(value: object) -> str:
    text = "" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def from_pydantic(prefix: tuple[str, ...], fault: Mapping[str, Any]) -> Problem:
    """A structural fault in our words; the kinds that a definition can show are translated."""
    path = (*prefix, *(str(part) for part in fault["loc"]))
    seen = "" if fault["type"] == "missing" else fault["input"]
    return problem(path, _words(path, fault), seen, str(fault["type"]))


def _words(path: tuple[str, ...], fault: Mapping[str, Any]) -> tuple[Text, Text]:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in ("missing", "missing_argument"):
        return Text("this entry is missing", "dieser Eintrag fehlt"), Text("a value", "ein Wert")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return Text("unknown entry", "unbekannter Eintrag"), suggest(path[-1], _entries(path))
    if kind == "literal_error":
        listed = str(context["expected"])
        return Text("not one of the allowed values", "keiner der erlaubten Werte"), Text(
            listed, listed.replace(" or ", " oder ")
        )
    if kind in _LIMITS:
        sign, limit = _LIMITS[kind], next(value for name, value in context.items() if name in _LIMIT_NAMES)
        return Text("out of range", "außerhalb des Bereichs"), same(f"{sign} {limit}")
    if kind == "string_pattern_mismatch":
        return Text("not a plain name", "kein einfacher Name"), Text(
            "lower-case letters, digits, _ or -, starting with a letter",
            "Kleinbuchstaben, Ziffern, _ oder -, mit einem Buchstaben am Anfang",
        )
    wanted = _TYPES.get(kind, Text(str(fault["msg"]), str(fault["msg"])))
    return Text("of the wrong kind", "von der falschen Art"), wanted


_LIMITS = {
    "greater_than": ">",
    "greater_than_equal": "≥",
    "less_than": "<",
    "less_than_equal": "≤",
    "too_short": "# ≥",
    "string_too_short": "# ≥",
    "string_too_long": "# ≤",
}
_LIMIT_NAMES = ("gt", "ge", "lt", "le", "min_length", "max_length")
_TYPES = {
    "string_type": Text("a text in quotes", "ein Text in Anführungszeichen"),
    "int_type": Text("a whole number", "eine ganze Zahl"),
    "int_parsing": Text("a whole number", "eine ganze Zahl"),
    "int_from_float": Text("a whole number", "eine ganze Zahl"),
    "float_type": Text("a number", "eine Zahl"),
    "float_parsing": Text("a number", "eine Zahl"),
    "bool_type": Text("true or false", "true oder false"),
    "date_type": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "date_from_datetime_parsing": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "bool_parsing": Text("true or false", "true oder false"),
    "finite_number": Text("a finite number", "eine endliche Zahl"),
    "tuple_type": Text('a list such as ["a", "b"]', 'eine Liste wie ["a", "b"]'),
    "dict_type": Text("a table", "eine Tabelle"),
    "model_type": Text("a table", "eine Tabelle"),
    "date_parsing": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "date_from_datetime_inexact": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "named_tuple_type": Text('a text, or { en = "…", de = "…" }', 'ein Text, oder { en = "…", de = "…" }'),
    "arguments_type": Text('a text, or { en = "…", de = "…" }', 'ein Text, oder { en = "…", de = "…" }'),
    "arguments_type_error": Text('{ en = "…", de = "…" }', '{ en = "…", de = "…" }'),
}


def _entries(path: tuple[str, ...]) -> tuple[str, ...]:
    if path[0] == "fields" and len(path) == 3:
        return tuple(d.LeadField.model_fields)
    if path[0] == "left_out" and len(path) == 3:
        return tuple(d.LeftOut.model_fields)
    if path[0] in SECTIONS and len(path) == 2:
        return tuple(SECTIONS[path[0]].model_fields)
    return ("en", "de")
