"""Export files as a person finds them: every dialect read alike, every fault named with its place."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import HistoryError, Problem
from features.sources import RawTable, Source
from features.sources.files import Files, ReadOptions, read_files

DATA = Path(os.environ.get("LEAD_DATA", Path(__file__).parents[4] / "shared" / "data"))
THREE_LEADS = "id;Umsatz;Quelle\n1;1.234,56;Messe\n2;;Empfehlung\n3;7,5;Select\n"


def read(path: Path | str | list[str], **options: object) -> RawTable:
    pattern = str(path) if isinstance(path, Path) else path
    return read_files(pattern, ReadOptions(**options))  # type: ignore[arg-type]


def written(folder: Path, text: str | bytes, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(path: Path | str | list[str], **options: object) -> dict[str, Problem]:
    with pytest.raises(HistoryError) as caught:
        read(path, **options)
    return {problem.code: problem for problem in caught.value.problems}


def test_empty_cells_and_declared_placeholders_are_missing(tmp_path: Path) -> None:
    raw = read(written(tmp_path, THREE_LEADS), missing=("Select",))
    assert raw.frame["Umsatz"].isna().tolist() == [False, True, False]
    assert raw.frame["Quelle"].isna().tolist() == [False, False, True]
    assert {str(dtype) for dtype in raw.frame.dtypes} == {"str"}


def test_a_placeholder_counts_only_as_the_whole_cell_in_the_declared_case(tmp_path: Path) -> None:
    text = "id,source\n1,Select\n2,select\n3,Select one\n4,  Select \n"
    raw = read(written(tmp_path, text), missing=("Select",))
    assert raw.frame["source"].isna().tolist() == [True, False, False, True]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_the_separator_is_found_among_decimal_commas_and_quoted_text(tmp_path: Path, separator: str) -> None:
    out = io.StringIO()
    rows = [["id", "Umsatz", "Notiz; kurz, lang|x"], ["1", "1,5", "a;b,c"], ["2", "2,75", "d|e"], ["3", "3,5", "f\tg"]]
    csv.writer(out, delimiter=separator).writerows(rows)
    raw = read(written(tmp_path, out.getvalue()))
    assert [list(raw.frame.columns), *raw.frame.to_numpy().tolist()] == rows


def test_the_line_with_which_excel_names_the_separator_is_obeyed_and_not_counted(tmp_path: Path) -> None:
    raw = read(written(tmp_path, "sep=|\r\na|b\r\n1|2\r\n"))
    assert raw.frame.to_dict("records") == [{"a": "1", "b": "2"}]
    assert raw.row.tolist() == [2]


@pytest.mark.parametrize(
    ("codec", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_umlauts_survive_every_encoding_and_the_note_says_which(
    tmp_path: Path, codec: str, mark: bytes, found: str
) -> None:
    raw = read(written(tmp_path, mark + "Größe;Straße\nfünf;Öde €\n".encode(codec)))
    assert raw.frame.to_dict("records") == [{"Größe": "fünf", "Straße": "Öde €"}]
    assert f"Kodierung {found}," in raw.notes[0].de
    assert f"encoding {found}," in raw.notes[0].en


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    # row 1 header, 2 plain, 3 empty, 4 spans three lines, 5 only separators, 6 plain
    raw = read(written(tmp_path, 'a;b\n1;x\n\n2;"y\n\nz"\n;\n3;w\n\n\n'))
    assert raw.row.tolist() == [2, 4, 6]
    assert raw.frame["b"].tolist() == ["x", "y\n\nz", "w"]
    assert raw.frame.index.tolist() == [0, 1, 2]


def test_the_row_numbers_hold_far_into_a_file_of_many_blocks(tmp_path: Path) -> None:
    n = 120_000  # some 5 MB, read in blocks of 1 MB
    lines = [f'{i};"two\nlines";{"x" * 20}' for i in range(2, n + 2)]
    lines[n - 3] += ";one too many"  # row n - 1
    found = problems(written(tmp_path, "\n".join(["a;b;c", *lines])))
    assert found["too_many_cells"].rows == (n - 1,)
    assert found["too_many_cells"].seen == "4"


def test_a_place_names_each_file_with_its_own_row_numbers(tmp_path: Path) -> None:
    written(tmp_path, "id,n\n1,5\n2,x\n3,y\n", "a.csv")
    written(tmp_path, "n,id\nz,4\n6,5\n", "b.csv")
    raw = read(str(tmp_path / "*.csv"))
    faulty = raw.frame["n"].isin(["x", "y", "z"]).to_numpy()
    places = raw.place("n", faulty)
    assert [(p.where, p.rows, p.n_rows) for p in places] == [
        ('a.csv column "n"', (3, 4), 2),
        ('b.csv column "n"', (2,), 1),
    ]
    assert [p.where for p in raw.place(None, np.flatnonzero(faulty))] == ["a.csv", "b.csv"]
    assert raw.frame.loc[3, "id"] == "4"


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    for folder in ("march", "april"):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder, "a,b\n1,2\n")
    raw = read(str(tmp_path / "**" / "*.csv"))
    assert [name.split("/")[-2] for name in raw.file] == ["april", "march"]


def test_a_file_that_two_patterns_name_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n")
    assert len(read([str(path), str(tmp_path / "*.csv")]).frame) == 1


def test_a_path_with_brackets_is_meant_literally(tmp_path: Path) -> None:
    assert len(read(written(tmp_path, "a,b\n1,2\n", "leads[1].csv")).frame) == 1


def test_gz_is_read_like_the_text_in_it(tmp_path: Path) -> None:
    plain, packed = written(tmp_path, THREE_LEADS), tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(THREE_LEADS.encode()))
    pd.testing.assert_frame_equal(read(plain).frame, read(packed).frame)


def test_parquet_keeps_types_and_an_integer_with_gaps_stays_an_integer(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array([2**53 + 1, None], pa.int64()),
            "s": pa.array([" x ", "Select"]),
            "level": pa.array(["a", "b"]).dictionary_encode(),
            "t": pa.array([0, 1], pa.timestamp("ms", "Europe/Berlin")),
            "day": pa.array([0, None], pa.date32()),
            "yes": pa.array([True, None]),
            "price": pa.array(["1.50", None]).cast(pa.decimal128(9, 2)),
            "never": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "leads.parquet")
    raw = read(tmp_path / "leads.parquet", missing=("Select",))
    assert raw.frame["n"][0] == 2**53 + 1
    assert raw.frame["s"].tolist()[0] == "x"
    assert raw.frame["s"].isna().tolist() == [False, True]
    kinds = {name: str(dtype) for name, dtype in raw.frame.dtypes.items()}
    assert kinds == {
        "n": "Int64", "s": "str", "level": "str", "t": "datetime64[ms, Europe/Berlin]",
        "day": "datetime64[ms]", "yes": "boolean", "price": "float64", "never": "str",
    }  # fmt: skip
    assert raw.row.tolist() == [2, 3]


def test_parts_of_a_parquet_export_join_although_one_has_an_empty_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": pa.array([1, 2])}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"n": pa.nulls(1)}), tmp_path / "b.parquet")
    assert read(str(tmp_path / "*.parquet")).frame["n"].tolist() == [1, 2, pd.NA]


def test_a_column_without_a_name_is_named_by_its_position_and_noted(tmp_path: Path) -> None:
    raw = read(written(tmp_path, ",a\n0,x\n1,y\n"))
    assert list(raw.frame.columns) == ["column_1", "a"]
    assert "column_1" in raw.notes[1].de


def test_a_separator_at_the_end_of_every_line_makes_no_column(tmp_path: Path) -> None:
    raw = read(written(tmp_path, "a;b;\n1;x;\n2;y;\n"))
    assert list(raw.frame.columns) == ["a", "b"]
    assert len(raw.notes) == 1


def test_a_single_column_is_a_table_too(tmp_path: Path) -> None:
    assert read(written(tmp_path, "name\nMesse, Köln\nWeb\nTel\n")).frame["name"].tolist() == [
        "Messe, Köln",
        "Web",
        "Tel",
    ]


def test_files_implement_the_port(tmp_path: Path) -> None:
    source: Source = Files(str(written(tmp_path, THREE_LEADS)), ReadOptions(missing=("Select",)))
    assert isinstance(source, Source)
    assert len(source.read().frame) == 3


# Faults


def test_a_pattern_without_a_file_is_reported_with_what_lies_there(tmp_path: Path) -> None:
    written(tmp_path, THREE_LEADS, "lead.csv")
    found = problems([str(tmp_path / "leads.csv")])["no_file"]
    assert found.where.endswith("leads.csv")
    assert found.seen == "lead.csv"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    written(tmp_path, THREE_LEADS)
    assert problems(tmp_path)["no_file"].seen == "leads.csv"


@pytest.mark.parametrize(
    "text", [b"", b"\n\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b";;\n;;\n", b"id;Umsatz\n", b"a,b\n,\n"]
)
def test_a_file_without_rows_is_reported(tmp_path: Path, text: bytes) -> None:
    assert problems(written(tmp_path, text))["no_rows"].where == "leads.csv"


def test_an_unknown_ending_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    found = problems(written(tmp_path, THREE_LEADS, "leads.xlsx"))["unknown_ending"]
    assert found.seen == ".xlsx"
    assert ".parquet" in found.expected.de


def test_one_broken_byte_in_utf8_is_named_instead_of_read_as_another_encoding(tmp_path: Path) -> None:
    text = "id;Stadt\n1;Köln\n2;Mün".encode() + b"\xfc" + "chen\n3;Düren\n".encode()
    found = problems(written(tmp_path, text))["undecodable"]
    # line 3 is "2;Mün" (6 bytes, as ü takes two) and then the broken byte
    assert "line 3" in found.what.en
    assert "byte 7 of the line" in found.what.en
    assert found.seen == "0xfc"
    assert found.expected.en.endswith("tried: utf-8")


def test_bytes_that_no_encoding_knows_are_named_with_every_encoding_tried(tmp_path: Path) -> None:
    found = problems(written(tmp_path, b"a;b\n1;\xfc\n2;\x81\n"))["undecodable"]
    assert "line 3, byte 3" in found.what.en.replace(" holds a byte that is no text (", ", ")
    assert found.expected.en.endswith("tried: utf-8, cp1252")


def test_a_wrong_mark_does_not_lead_to_guessing(tmp_path: Path) -> None:
    found = problems(written(tmp_path, codecs.BOM_UTF8 + b"a;b\n1;\xfc\n"))["undecodable"]
    assert "line 2" in found.what.en
    assert "byte 3 of the line" in found.what.en
    assert found.expected.en.endswith("tried: utf-8-sig")


def test_a_declared_encoding_is_not_replaced_by_another(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1;ü\n".encode("cp1252"))
    assert problems(path, encoding="utf-8")["undecodable"].expected.en.endswith("tried: utf-8-sig")
    assert problems(path, encoding="latin-nine")["unknown_encoding"].seen == "latin-nine"
    assert read(path, encoding="cp1252").frame["b"].tolist() == ["ü"]


def test_utf16_without_a_mark_is_recognised_by_its_nul_characters(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1;x\n".encode("utf-16-le"))
    assert "UTF-16" in problems(path)["nul_character"].expected.de
    assert read(path, encoding="utf-16-le").frame["b"].tolist() == ["x"]


def test_rows_with_too_many_and_too_few_cells_are_both_reported(tmp_path: Path) -> None:
    found = problems(written(tmp_path, "a;b;c\n1;2;3\n1;2\n1;2;3;4\n1;2;3;4;5\n\n1;2;3\n1\n"))
    assert found["too_few_cells"].rows == (3, 8)
    assert found["too_few_cells"].seen == "1, 2"
    assert found["too_many_cells"].rows == (4, 5)
    assert found["too_many_cells"].seen == "4, 5"
    assert "(3)" in found["too_many_cells"].expected.de


def test_a_quote_that_the_file_never_closes_is_found_where_it_opens(tmp_path: Path) -> None:
    assert problems(written(tmp_path, 'a;b\n1;x\n2;"y\n3;z\n4;w\n'))["open_quote"].rows == (3,)
    assert problems(written(tmp_path, 'a;b\n1;x\n"2;y\n3;z\n4;w\n'))["open_quote"].rows == (3,)


def test_a_quote_that_a_later_row_closes_does_not_swallow_rows_in_silence(tmp_path: Path) -> None:
    text = 'a;b;c\n1;x;"open\n2;x;y\n3;x;y\n4;x;y"\n5;x;y\n'
    assert problems(written(tmp_path, text))["open_quote"].rows == (2,)


@pytest.mark.parametrize("cell", ['5" Rohr', 'x"', '"a ""b"""', '""', '"Zeile 1\nZeile 2"'])
def test_quotes_that_belong_to_the_text_are_no_fault(tmp_path: Path, cell: str) -> None:
    raw = read(written(tmp_path, f'a;b\n1;2" Rohr\n2;{cell}'))
    assert len(raw.frame) == 2


def test_doubled_column_names_are_reported_once_each(tmp_path: Path) -> None:
    found = problems(written(tmp_path, "id,Quelle,id , Quelle,Quelle\n1,2,3,4,5\n"))
    assert found["duplicate_column"].where == 'leads.csv column "Quelle"'
    assert found["duplicate_column"].seen == "3 × 'Quelle'"


def test_files_with_different_columns_say_which_lacks_which(tmp_path: Path) -> None:
    written(tmp_path, "id,won\n1,0\n", "a.csv")
    written(tmp_path, "id,source\n2,x\n", "b.csv")
    with pytest.raises(HistoryError) as caught:
        read(str(tmp_path / "*.csv"))
    assert [(p.where, p.expected.en) for p in caught.value.problems] == [("a.csv", "'source'"), ("b.csv", "'won'")]


def test_a_column_stored_as_text_here_and_as_numbers_there_is_reported(tmp_path: Path) -> None:
    written(tmp_path, "id,n\n1,0\n", "a.csv")
    pq.write_table(pa.table({"id": ["2"], "n": [0.5]}), tmp_path / "b.parquet")
    found = problems([str(tmp_path / "a.csv"), str(tmp_path / "b.parquet")])["different_types"]
    assert found.where == 'a.csv column "n"'
    assert found.seen == "a.csv: large_string, b.parquet: double"


def test_damaged_archives_are_reported(tmp_path: Path) -> None:
    whole = gzip.compress(THREE_LEADS.encode() * 100)
    for name, data in (("cut.csv.gz", whole[:-20]), ("text.csv.gz", b"a;b\n"), ("bad.parquet", b"PAR1 and no more")):
        assert problems(written(tmp_path, data, name))["damaged"].where == name


@pytest.mark.parametrize("mark", ["^", "~", "§", ":"])
def test_a_separator_that_nobody_expects_is_named_instead_of_reading_one_column(tmp_path: Path, mark: str) -> None:
    path = written(tmp_path, f"id{mark}won\n1{mark}0\n2{mark}1\n")
    assert problems(path)["separator"].seen == repr(mark)


def test_a_declared_separator_that_divides_nothing_is_reported_with_the_one_that_does(tmp_path: Path) -> None:
    path = written(tmp_path, THREE_LEADS)
    assert problems(path, separator=",")["separator"].seen == "';'"
    assert problems(path, separator=";;")["separator"].seen == "';;'"


def test_all_problems_of_all_files_come_in_one_report_in_both_languages(tmp_path: Path) -> None:
    written(tmp_path, "id,id\n1\n", "a.csv")
    written(tmp_path, b"", "b.csv")
    written(tmp_path, b"x", "c.parquet")
    with pytest.raises(HistoryError) as caught:
        read([str(tmp_path / "*.*"), str(tmp_path / "none-*.csv")])
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["no_file", "duplicate_column", "too_few_cells", "no_rows", "damaged"]
    assert "Zeilen haben zu wenige Zellen" in caught.value.in_language("de")
    assert "rows have too few cells" in str(caught.value)


def test_a_title_above_the_header_is_reported(tmp_path: Path) -> None:
    found = problems(written(tmp_path, "Lead-Bericht\nid;won\n1;0\n2;1\n"))["too_many_cells"]
    assert found.rows == (2, 3, 4)
    assert "header (1)" in found.expected.en


# Properties

LETTERS = st.characters(codec="cp1252", exclude_categories=["Cc", "Zs"])
CELLS = st.text(st.one_of(LETTERS, st.sampled_from(' ;,|\t"\n')), max_size=12).map(str.strip)
NAMES = st.text(st.characters(codec="cp1252", categories=["L"]), min_size=1, max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header of letters, and rows of which none is empty throughout."""
    header = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
    row = st.lists(CELLS, min_size=len(header), max_size=len(header)).filter(any)
    return [header, *draw(st.lists(row, min_size=1, max_size=8))]


@given(
    rows=tables(),
    separator=st.sampled_from(";,\t|"),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    writer=st.fixed_dictionaries(
        {
            "lineterminator": st.sampled_from(["\n", "\r\n"]),
            "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        }
    ),
)
@settings(max_examples=150, deadline=None)
def test_a_table_written_in_any_dialect_is_read_back_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str, codec: str, writer: dict[str, Any]
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, **writer).writerows(rows)
    path = tmp_path_factory.mktemp("t") / "leads.csv"
    path.write_bytes(out.getvalue().encode(codec))
    raw = read(path, separator=separator, encoding=codec)
    assert list(raw.frame.columns) == rows[0]
    assert raw.frame.fillna("").to_numpy().tolist() == rows[1:]
    assert raw.row.tolist() == list(range(2, len(rows) + 1))


KINDS = {
    "id": st.integers(1, 10**6).map(str),
    "Umsatz, netto": st.tuples(st.integers(0, 9999), st.integers(0, 99)).map(lambda n: f"{n[0]},{n[1]:02}"),
    "budget": st.integers(0, 10**7).map(lambda cents: f"{cents / 100:,.2f}"),
    "created": st.datetimes().map(str),
    "tags; alt": st.lists(st.sampled_from(["Messe", "Web", "A|B"]), max_size=3).map("; ".join),
    "Notiz": st.sampled_from(["", "ruft zurück, morgen", '5" Rohr', "Zeile\nzwei, drei; vier", "ok"]),
    "name": st.sampled_from(["Müller, Hans", "Acme GmbH & Co. KG", "Nord|Süd"]),
}


@st.composite
def exports(draw: st.DrawFn) -> list[list[str]]:
    """What a CRM writes: every kind of cell that can mislead the search for the separator."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, unique=True))
    row = st.tuples(*(KINDS[kind] for kind in kinds)).map(list).filter(any)
    return [kinds, *draw(st.lists(row, min_size=2, max_size=12))]


@given(
    rows=exports(),
    separator=st.sampled_from(";,\t|"),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
@settings(max_examples=150, deadline=None, derandomize=True)  # evidence is no proof: these examples, not any
def test_the_dialect_of_what_a_crm_exports_is_found(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str, codec: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(rows)
    path = tmp_path_factory.mktemp("t") / "leads.csv"
    path.write_bytes(out.getvalue().encode(codec))
    raw = read(path)
    assert [list(raw.frame.columns), *raw.frame.fillna("").to_numpy().tolist()] == rows


@pytest.mark.parametrize(
    ("name", "shape"),
    [("bank_marketing.csv", (45_211, 18)), ("x_education.csv", (9_240, 37)), ("olist_funnel.csv", (8_000, 6))],
)
def test_the_real_exports_are_read_as_the_csv_module_reads_them(name: str, shape: tuple[int, int]) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs {name} in the folder that LEAD_DATA names")
    with path.open(newline="", encoding="utf-8") as lines:
        expected = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    raw = read(path)
    assert raw.frame.shape == shape
    assert raw.frame.fillna("").to_numpy().tolist() == expected[1:]
    assert raw.row[-1] == shape[0] + 1
