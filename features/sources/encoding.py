"""Bytes of a text file -> the same text as UTF-8, and the name of the encoding it was written in.

The order of evidence: a declared encoding; a byte order mark; UTF-8, which text in another encoding fails almost
surely; then Windows-1252, which is what Excel writes in western Europe. A file that is UTF-8 almost everywhere is
damaged rather than Windows-1252: reading it as such would turn every umlaut into two wrong letters without a word.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from features.errors import HistoryError, Problem
from features.text import Text, same

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def to_utf8(data: bytes, declared: str | None, file: str) -> tuple[bytes, str]:
    """The text of `data` as UTF-8 without a byte order mark, and the encoding that was used.

    Raises
    ------
    HistoryError
        If no encoding fits, naming line and byte; if the text holds NUL characters, which no export writes.
    """
    failures: dict[str, UnicodeDecodeError] = {}
    for encoding in encodings(data, declared):
        if encoding == "cp1252" and not declared and _is_damaged_utf8(data):
            break
        try:
            return _without_nul(_decoded(data, encoding), encoding, file), encoding
        except UnicodeDecodeError as failure:
            failures[encoding] = failure
        except LookupError as failure:
            raise HistoryError([_unknown_encoding(file, encoding)]) from failure
    raise HistoryError([_undecodable(file, data, failures)])


def encodings(data: bytes, declared: str | None) -> Iterator[str]:
    """The encodings to try, in turn, by the first bytes; before the last, whether the text is damaged UTF-8."""
    if declared:
        yield _with_mark(declared)
    elif marked := next((encoding for mark, encoding in MARKS if data.startswith(mark)), None):
        yield marked
    else:
        yield "utf-8"
        yield "cp1252"


def _with_mark(declared: str) -> str:
    """UTF-8 is read with or without a byte order mark, whichever way it was declared."""
    return "utf-8-sig" if declared.lower().replace("_", "-") in {"utf-8", "utf8"} else declared


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether letters that only UTF-8 writes outnumber the bytes that UTF-8 does not allow."""
    n_letters, n_others = utf8_letters(data)
    return n_letters > n_others


def utf8_letters(data: bytes) -> tuple[int, int]:
    """How many letters only UTF-8 writes so, and how many bytes besides are neither such a letter nor ASCII."""
    rest, n_letters = UTF8_LETTER.subn(b"", data)
    return n_letters, len(rest.translate(None, delete=bytes(range(128))))


def _decoded(data: bytes, encoding: str) -> bytes:
    if encoding == "utf-8-sig":
        data = data.removeprefix(codecs.BOM_UTF8)
    text = data.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    return data if encoding in {"utf-8", "utf-8-sig"} else text.encode()


def _without_nul(text: bytes, encoding: str, file: str) -> bytes:
    if (position := text.find(b"\0")) < 0:
        return text
    line = text.count(b"\n", 0, position) + 1
    what = Text(
        en=f"line {line} holds a NUL character when read as {encoding}",
        de=f"Zeile {line} enthält ein NUL-Zeichen, gelesen als {encoding}",
    )
    expected = Text(
        en="text; if the file is UTF-16 without a byte order mark, declare the encoding",
        de="Text; falls die Datei UTF-16 ohne Byte Order Mark ist, die Kodierung angeben",
    )
    raise HistoryError([Problem(file, what, expected, "0x00", "nul_character", (), 1)])


def _unknown_encoding(file: str, encoding: str) -> Problem:
    what = Text(en="the declared encoding is unknown", de="die angegebene Kodierung ist unbekannt")
    return Problem(file, what, same("utf-8, utf-16, cp1252, iso-8859-1, …"), encoding, "unknown_encoding")


def _undecodable(file: str, data: bytes, failures: dict[str, UnicodeDecodeError]) -> Problem:
    encoding, failure = list(failures.items())[-1]
    marked = encoding == "utf-8-sig" and data.startswith(codecs.BOM_UTF8)
    start = failure.start + (len(codecs.BOM_UTF8) if marked else 0)
    line_start = data.rfind(b"\n", 0, start) + 1
    line, byte = data.count(b"\n", 0, start) + 1, start - line_start + 1
    what = Text(
        en=f"line {line} holds a byte that is no text (byte {byte} of the line, {start + 1} of the file)",
        de=f"Zeile {line} enthält ein Byte, das kein Text ist (Byte {byte} der Zeile, {start + 1} der Datei)",
    )
    names = ", ".join(failures)
    expected = Text(en=f"text in one encoding; tried: {names}", de=f"Text in einer Kodierung; versucht: {names}")
    return Problem(file, what, expected, f"0x{data[start]:02x}", "undecodable", (), 1)
