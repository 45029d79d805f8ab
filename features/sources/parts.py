"""A text file of any size as parts of whole rows, each of which is read like a small file of its own.

Encoding and separator are found once, from the whole file and from its beginning, and every part begins with the
header. So a part is read by the very rules that hold for a whole file, in memory that does not grow with it.
"""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from features.errors import HistoryError, Problem
from features.model.compiled import compiled
from features.sources import dialect
from features.sources.delimited import (
    EMPTY,
    LARGEST_ROW_BYTES,
    FileTable,
    columns_of,
    holds_text,
    no_rows,
    read_delimited,
    separator_of,
)
from features.sources.encoding import encodings, to_utf8, utf8_letters
from features.sources.options import ReadOptions

PART_BYTES = 16 * 2**20
BLOCK_BYTES = 4 * 2**20
QUOTE, LINE_FEED, RETURN, SPACE, TAB = 0x22, 0x0A, 0x0D, 0x20, 0x09


@dataclass(frozen=True)
class Part:
    """Some rows of a file, or what is wrong with them; `row` counts from the beginning of the file."""

    table: FileTable | None
    problems: tuple[Problem, ...]
    n_rows: int


@dataclass(frozen=True)
class TextParts:
    """A text file, and what holds for all of it.

    Attributes
    ----------
    columns : tuple of str
        As the header names them.
    """

    path: Path
    file: str
    encoding: str
    separator: str
    columns: tuple[str, ...]
    missing: tuple[str, ...]

    @classmethod
    def of(cls, path: Path, file: str, options: ReadOptions) -> TextParts:
        """The text file at `path`.

        Raises
        ------
        HistoryError
            Of what concerns the whole file: undecodable bytes, no rows, a separator that does not divide them.
        OSError, EOFError, zlib.error
            If it cannot be read or unpacked.
        """
        encoding = _encoding(path, file, options.encoding)
        start = next(_texts(path, encoding, BLOCK_BYTES), b"")
        named, text = dialect.directive(start)
        if not holds_text(text):
            raise HistoryError([no_rows(file, EMPTY)])
        separator = separator_of(text, options.separator or named, file)
        columns = columns_of(next(dialect.rows(dialect.sample(text), separator), []))
        return cls(path, file, encoding, separator, tuple(columns), options.missing)

    def read(self, part_bytes: int = PART_BYTES) -> Iterator[Part]:
        """The rows, some `part_bytes` at a time."""
        texts = _texts(self.path, self.encoding, min(part_bytes, BLOCK_BYTES))
        header, rest = self._header(texts)
        n_before = 0
        for rows in _whole_rows(rest, texts, ord(self.separator), part_bytes):
            part = self._part(header, rows, n_before)
            n_before += part.n_rows
            yield part

    def _header(self, texts: Iterator[bytes]) -> tuple[bytes, bytes]:
        """Everything up to the end of the first row that holds anything, and what came with it."""
        text = b""
        for block in texts:
            text += block
            rest = dialect.directive(text)[1]
            end = int(header_end(np.frombuffer(rest, np.uint8), ord(self.separator)))
            if end:
                return rest[:end], rest[end:]
        return dialect.directive(text)[1], b""

    def _part(self, header: bytes, rows: bytes, n_before: int) -> Part:
        """One part; its rows are numbered from the header on."""
        n_header, n_rows = (_count_rows(text, ord(self.separator)) for text in (header, rows))
        options = ReadOptions(self.separator, None, self.missing)
        try:
            read = read_delimited(header + rows, self.file, options)
        except HistoryError as error:
            return Part(None, tuple(_moved(problem, n_before, n_header) for problem in error.problems), n_rows)
        return Part(replace(read, row=read.row + n_before), (), n_rows)


def _count_rows(text: bytes, mark: int) -> int:
    """The rows of a text, with one that is cut off at its end."""
    end, n_rows = row_ends(np.frombuffer(text, np.uint8), mark)
    return int(n_rows) + (int(end) < len(text))


def _moved(problem: Problem, n_before: int, n_header: int) -> Problem:
    """The problem with row numbers of the file; those of the header stay."""
    return replace(problem, rows=tuple(row + n_before if row > n_header else row for row in problem.rows))


def _encoding(path: Path, file: str, declared: str | None) -> str:
    """The encoding of a file, by the order of evidence that features.sources.encoding states."""
    with _opened(path) as stream:
        start = stream.read(4)
    for encoding in encodings(start, declared):
        try:
            _decode_all(path, encoding)
            return encoding
        except (UnicodeDecodeError, LookupError, _NulError):
            if encoding == "utf-8" and _is_damaged_utf8(path):
                break
    with _opened(path) as stream:
        return to_utf8(stream.read(), declared, file)[1]  # raises, and says in which line


class _NulError(Exception):
    """A NUL character, which no export writes."""


def _decode_all(path: Path, encoding: str) -> None:
    for text in _texts(path, encoding, BLOCK_BYTES, check=True):
        if b"\0" in text:
            raise _NulError


def _is_damaged_utf8(path: Path) -> bool:
    with _opened(path) as stream:
        counts = [utf8_letters(block) for block in iter(lambda: stream.read(BLOCK_BYTES), b"")]
    return sum(letters for letters, _ in counts) > sum(others for _, others in counts)


def _texts(path: Path, encoding: str, n_bytes: int, *, check: bool = False) -> Iterator[bytes]:
    """The file as UTF-8 without a byte order mark, some `n_bytes` at a time; with `check`, UTF-8 is decoded as well."""
    is_utf8 = encoding in {"utf-8", "utf-8-sig"}
    decoder = codecs.getincrementaldecoder("utf-8" if is_utf8 else encoding)()
    with _opened(path) as stream:
        if encoding == "utf-8-sig" and stream.peek(3).startswith(codecs.BOM_UTF8):
            stream.read(3)
        while block := stream.read(n_bytes):
            yield block if is_utf8 and not check else decoder.decode(block).encode()
        if check or not is_utf8:
            yield decoder.decode(b"", final=True).encode()


def _opened(path: Path) -> BufferedReader:
    """The file's bytes, unpacked."""
    return cast(BufferedReader, gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb"))


def _whole_rows(text: bytes, more: Iterator[bytes], mark: int, part_bytes: int) -> Iterator[bytes]:
    """The texts cut where rows end, some `part_bytes` each; the last may end within a row."""
    for block in more:
        text += block
        if len(text) < part_bytes:
            continue
        end = int(row_ends(np.frombuffer(text, np.uint8), mark)[0])
        if not end and len(text) > LARGEST_ROW_BYTES:  # a mark that is never closed: Arrow's reader says so
            end = len(text)
        if end:
            yield text[:end]
            text = text[end:]
    yield text


@compiled
def row_ends(text: NDArray[np.uint8], separator: int) -> tuple[int, int]:
    """Where the last row that ends in `text` ends, and how many do; quotation marks as Arrow's reader takes them.

    A mark opens a quoted cell only at the cell's beginning; within, two marks are one that is meant.
    """
    end, n_rows, place = 0, 0, 0
    while place < len(text):
        length = first_row_end(text[place:], separator)
        if length == 0:
            break
        place += length
        end = place
        n_rows += 1
    return end, n_rows


@compiled
def header_end(text: NDArray[np.uint8], separator: int) -> int:
    """Where the first row that holds anything ends; 0 if `text` ends before."""
    place = 0
    while place < len(text):
        length = first_row_end(text[place:], separator)
        if length == 0:
            return 0
        for byte in text[place : place + length]:
            if byte not in (separator, SPACE, TAB, RETURN, LINE_FEED):
                return place + length
        place += length
    return 0


@compiled
def first_row_end(text: NDArray[np.uint8], separator: int) -> int:
    """Where the first row of `text` ends, its line break included; 0 if it does not."""
    quoted, at_start = False, True
    for place in range(len(text)):
        byte = text[place]
        if quoted:
            quoted = byte != QUOTE  # a doubled mark closes and, as its second half, opens again
            at_start = False
            if not quoted and place + 1 < len(text) and text[place + 1] == QUOTE:
                at_start = True
        elif byte == QUOTE and at_start:
            quoted = True
        elif byte == LINE_FEED:
            return place + 1
        elif byte == RETURN:
            if place + 1 == len(text):
                return 0  # a line feed may follow in what is yet to come
            return place + 2 if text[place + 1] == LINE_FEED else place + 1
        else:
            at_start = byte == separator
    return 0
