"""Values as TOML that reads back to the same values, whatever characters a column's name holds."""

from __future__ import annotations

import re
from datetime import date

from features.text import Text

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

Value = str | bool | int | float | date | Text | tuple[str, ...]


def string(text: str) -> str:
    """A basic string.

    >>> string('Größe "L"; 5\\\\6')
    '"Größe \\\\"L\\\\"; 5\\\\\\\\6"'
    """
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x20 or code == 0x7F else character


def key(name: str) -> str:
    """A key, in quotes only where it needs them."""
    return name if _BARE.fullmatch(name) else string(name)


def header(*path: str) -> str:
    """A table header such as `[left_out."Last Activity"]`."""
    return f"[{'.'.join(key(part) for part in path)}]"


def entry(name: str, value: Value) -> str:
    """`name = value` on one line."""
    return f"{key(name)} = {_written(value)}"


def comment(text: str) -> str:
    """A comment on one line; control characters and line breaks become spaces."""
    return f"# {_CONTROL.sub(' ', text)}".rstrip()


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Text):
        return f"{{ en = {string(value.en)}, de = {string(value.de)} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(string(part) for part in value)}]"
    if isinstance(value, date):
        return value.isoformat()
    return string(value) if isinstance(value, str) else repr(value)
