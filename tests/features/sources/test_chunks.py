"""A file read in parts gives the rows, the row numbers and the problems of the file read at once."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import HistoryError
from features.sources.chunks import chunks_of
from features.sources.delimited import read_delimited
from features.sources.files import Files, read_files
from features.sources.options import ReadOptions
from features.sources.parts import TextParts, row_ends
from features.sources.repeats import repeated_texts

NO_FIXTURE_IS_KEPT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
CELLS = st.text(st.sampled_from('ab ";,\n\r\t€ü0'), max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=25)


def written(rows: list[tuple[str, str, str]], separator: str, line_end: str, quoting: int) -> tuple[str, bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerows([("first", "second", "third"), *rows])
    return separator, text.getvalue().encode()


SEPARATORS, LINE_ENDS = st.sampled_from([";", ",", "\t"]), st.sampled_from(["\n", "\r\n"])
FILES = st.builds(written, ROWS, SEPARATORS, LINE_ENDS, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))


@NO_FIXTURE_IS_KEPT
@given(FILES, st.integers(1, 60))
def test_rows_and_row_numbers_of_parts_are_those_of_the_file(
    tmp_path: Path, written: tuple[str, bytes], part_bytes: int
) -> None:
    separator, data = written
    path, options = tmp_path / "leads.csv", ReadOptions(separator=separator)
    path.write_bytes(data)
    try:
        whole = read_delimited(data, "leads.csv", options)
    except HistoryError:
        return  # only blank cells, or an inner row that looks like rows: what parts say then is tested below
    tables = [part.table for part in TextParts.of(path, "leads.csv", options).read(part_bytes) if part.table]
    assert np.concatenate([table.row for table in tables]).tolist() == whole.row.tolist()
    assert pa.concat_tables([table.table for table in tables]).to_pylist() == whole.table.to_pylist()


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (b"a;b\nc", (4, 1)),
        (b'"a\n";b\r\nc\r\n', (11, 2)),
        (b'a"\nb;"x""\n"\n', (12, 2)),  # a mark within a cell is a mark; a doubled one does not close
        (b"a\rb\r", (2, 1)),  # whether the last return ends a row shows only with the next byte
        (b'"a\nb', (0, 0)),
    ],
)
def test_rows_end_where_arrow_ends_them(text: bytes, ends: tuple[int, int]) -> None:
    assert row_ends(np.frombuffer(text, np.uint8), ord(";")) == ends


ENCODED = [("utf-8", None), ("utf-8-sig", None), ("cp1252", None), ("utf-16", None), ("iso-8859-15", "iso-8859-15")]


@pytest.mark.parametrize(("encoding", "declared"), ENCODED)
@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_every_encoding_is_read_in_chunks_as_at_once(
    tmp_path: Path, encoding: str, declared: str | None, ending: str
) -> None:
    text = "sep=;\r\nid;Größe;\r\n1;12,5 €;\r\n\r\n2;Übermaß;\r\n".encode(encoding)
    path = tmp_path / f"leads{ending}"
    path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    assert_alike(Files(str(path), ReadOptions(encoding=declared)), tmp_path)


def assert_alike(files: Files, scratch: Path) -> None:
    """Reading two rows at a time gives the frame, the rows and the notes of reading at once."""
    whole = files.read()
    chunks = chunks_of(files, list(whole.frame.columns), scratch)
    read = list(chunks.read(list(whole.frame.columns), 2))
    assert chunks.n_rows == len(whole.frame)
    pd.testing.assert_frame_equal(
        pd.concat([part.frame for part in read], ignore_index=True).astype("object"), whole.frame.astype("object")
    )
    assert np.concatenate([part.row for part in read]).tolist() == whole.row.tolist()
    assert np.concatenate([part.file for part in read]).tolist() == whole.file.tolist()
    assert chunks.notes == whole.notes


def test_types_do_not_depend_on_the_chunk_or_on_the_file(tmp_path: Path) -> None:
    first = {"n": pa.array([1, 2, None], pa.int64()), "word": ["a", " b ", ""], "sure": [True, None, False]}
    second = {"n": [1.5], "word": pa.array(["a"]).dictionary_encode(), "sure": [True]}
    for name, columns in (("1", first), ("2", second)):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet", row_group_size=2)
    files = Files(str(tmp_path / "*.parquet"))
    assert_alike(files, tmp_path)
    read = chunks_of(files, ["n"], tmp_path).read(["n"], 1)
    assert {str(part.frame["n"].dtype) for part in read} == {"float64"}


@pytest.mark.parametrize(
    "text",
    [
        "id;n\n1;2\n3\n4;5\n6;7;8\n",
        "id;n;id\n1;2;3\n1;2;3\n",
        'id;n;x\n1;2;3\n4;"5;6\n7;8;9\n7;8;9\n',
        "id;n\n",
        "",
        "id;n\n;\n;\n",
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_chunks_as_at_once(tmp_path: Path, text: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(text)
    with pytest.raises(HistoryError) as at_once:
        read_files(str(path), ReadOptions())
    with pytest.raises(HistoryError) as in_chunks:
        chunks_of(Files(str(path)), ["id", "n"], tmp_path)
    assert in_chunks.value.problems == at_once.value.problems


@pytest.mark.parametrize("content", [b"PAR1 and no more", b"\x1f\x8b cut off", b"id;n\n1;\x81\xc3\xbc\xc3\xbc\n"])
@pytest.mark.parametrize("name", ["leads.parquet", "leads.csv.gz", "leads.csv", "leads.xlsx"])
def test_a_damaged_file_is_refused_in_chunks_as_at_once(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    said = [_codes(read) for read in (lambda: read_files(str(path), ReadOptions()), lambda: _chunks(path, tmp_path))]
    assert said[0] == said[1] != []


def _chunks(path: Path, scratch: Path) -> object:
    return chunks_of(Files(str(path)), ["id"], scratch)


def _codes(read: Callable[[], object]) -> list[str]:
    """What is wrong, by code; nothing if it can be read."""
    try:
        read()
    except HistoryError as error:
        return [problem.code for problem in error.problems]
    return []


def test_problems_in_several_parts_are_one_problem_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("id;n\n" + "1;2\n3\n" * 20)
    parts = list(TextParts.of(path, "leads.csv", ReadOptions()).read(part_bytes=16))
    rows = [row for part in parts for problem in part.problems for row in problem.rows]
    assert rows == [3 + 2 * place for place in range(20)]


@NO_FIXTURE_IS_KEPT
@given(st.lists(st.lists(st.one_of(st.none(), st.text("abc", max_size=2)), min_size=1, max_size=8), max_size=5))
def test_texts_that_stand_more_than_once_are_found_without_holding_the_column(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[str | None]]
) -> None:
    column = [pd.Series(part, dtype="str") for part in parts]
    every = [text for part in parts for text in part if text is not None]
    expected = {text for text in every if every.count(text) > 1}
    assert repeated_texts(lambda: column, tmp_path_factory.mktemp("hashes")) == expected
