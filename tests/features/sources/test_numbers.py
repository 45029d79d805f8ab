"""Numbers as German, English and Swiss systems write them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.sources.numbers import Decimal, numbers
from features.sources.parsed import Parsed


def parsed(*cells: str | None, decimal: Decimal | None = None) -> Parsed:
    return numbers(pd.Series(list(cells), dtype="str"), decimal)


def values(*cells: str | None, decimal: Decimal | None = None) -> list[float | None]:
    """The numbers, None where there is none."""
    return [None if math.isnan(value) else value for value in parsed(*cells, decimal=decimal).values]


@pytest.mark.parametrize(
    ("cells", "expected", "sign"),
    [
        (("1.234", "3,5"), [1234, 3.5], "comma"),
        (("1,234", "3.5"), [1234, 3.5], "point"),
        (("1.234,56", "7"), [1234.56, 7], "comma"),
        (("1,234.56", "7"), [1234.56, 7], "point"),
        (("1.234.567", "1.234"), [1234567, 1234], "comma"),
        (("0.125", "1.234"), [0.125, 1.234], "point"),
        (("1234.567", "1.234"), [1234.567, 1.234], "point"),
    ],
)
def test_one_cell_with_one_reading_settles_the_column(cells: tuple[str, ...], expected: list[float], sign: str) -> None:
    assert values(*cells) == expected
    note = parsed(*cells).note
    assert note is not None
    assert note.en.startswith(f"decimal {sign}")
    assert note.de.startswith({"comma": "Dezimalkomma", "point": "Dezimalpunkt"}[sign])


def test_cells_with_two_readings_are_ambiguous_when_nothing_settles_them() -> None:
    read = parsed("1.234", "2.500", "17", None, "viel")
    assert read.ambiguous.tolist() == [True, True, False, False, False]
    assert read.bad.tolist() == [False, False, False, False, True]
    assert read.values.isna().tolist() == [True, True, False, True, True]


@pytest.mark.parametrize(("decimal", "expected"), [(",", 1234), (".", 1.234)])
def test_a_declared_decimal_sign_leaves_nothing_ambiguous(decimal: Decimal, expected: float) -> None:
    assert values("1.234", decimal=decimal) == [expected]
    assert not parsed("1.234", decimal=decimal).ambiguous.any()


def test_a_declared_decimal_sign_is_not_overruled_by_the_cells() -> None:
    assert parsed("1.5", "2,5", decimal=",").bad.tolist() == [True, False]


def test_the_minority_of_a_mixed_column_is_bad_and_not_reread() -> None:
    read = parsed("1.5", "2.5", "3,5", "1.234")
    assert read.bad.tolist() == [False, False, True, False]
    assert read.values[3] == 1.234


def test_thousands_may_stand_apart_by_spaces_of_any_width_or_apostrophes() -> None:
    cells = ("1 234 567,5", "1\u00a0234,5", "1\u202f234,5", "1\u2009234,5", "1'234,5", "1’234,5")
    assert values(*cells) == [1234567.5, 1234.5, 1234.5, 1234.5, 1234.5, 1234.5]


def test_signs_are_read_before_and_behind_but_only_one() -> None:
    cells = ("+5,5", "-5,5", "\u22125,5", "5,5-", "€ -5,5", "-€5,5", "--5,5", "-5,5-", "(5,5)")
    assert values(*cells) == [5.5, -5.5, -5.5, -5.5, -5.5, -5.5, None, None, None]


@pytest.mark.parametrize(
    "cell",
    ["inf", "-Infinity", "nan", "NaN", "1e999", "12 34", "1.23.456", ".", ",", "-", "€", "1,2,3", "5 kg", "0x10", "٣"],
)
def test_what_is_no_finite_number_is_bad(cell: str) -> None:
    read = parsed(cell, "7,25")
    assert read.bad.tolist() == [True, False]
    assert read.values.isna().tolist() == [True, False]


def test_a_currency_that_is_not_the_columns_own_is_bad() -> None:
    read = parsed("3 €", "4,5 EUR", "6", "$7")
    assert read.values.tolist()[:3] == [3, 4.5, 6]
    assert read.bad.tolist() == [False, False, False, True]


def test_percentages_stay_as_written_and_do_not_mix_with_bare_numbers() -> None:
    assert values("12 %", "3,5%") == [12, 3.5]
    assert parsed("12 %", "0,12", "0,13").bad.tolist() == [True, False, False]
    assert parsed("12 %", "13 %", "0,12").bad.tolist() == [False, False, True]


def test_exponents_are_read() -> None:
    assert values("1,5e3", "2E-1") == [1500, 0.2]


def test_typed_columns_pass_through_without_infinities() -> None:
    read = numbers(pd.Series([1.5, np.inf, None], index=[4, 5, 6], name="n"), None)
    assert read.values.dropna().to_dict() == {4: 1.5}
    assert read.bad.tolist() == [False, True, False]
    assert numbers(pd.Series([1, None], dtype="Int64"), None).values.tolist()[0] == 1.0
    assert numbers(pd.Series([True, False]), None).values.tolist() == [1.0, 0.0]


def test_dates_are_no_numbers() -> None:
    assert numbers(pd.Series(pd.to_datetime(["2024-01-01"])), None).bad.tolist() == [True]


def test_an_empty_column_has_nothing_to_report() -> None:
    read = parsed(None, None)
    assert not read.bad.any()
    assert not read.ambiguous.any()
    assert read.values.dtype == np.float64


def written(value: float, decimal: Decimal, digits: int, grouped: bool) -> str:
    text = f"{value:,.{digits}f}" if grouped else f"{value:.{digits}f}"
    return text.translate(str.maketrans(",.", ".,")) if decimal == "," else text


@given(
    cents=st.lists(st.integers(-(10**13), 10**13), min_size=1),
    decimal=st.sampled_from([".", ","]),
    grouped=st.booleans(),
    declared=st.booleans(),
)
@example(cents=[123400], decimal=",", grouped=True, declared=False)
@settings(deadline=None)
def test_numbers_with_two_digits_round_trip_in_both_styles(
    cents: list[int], decimal: Decimal, grouped: bool, declared: bool
) -> None:
    expected = [float(f"{cent / 100:.2f}") for cent in cents]
    cells = [written(value, decimal, 2, grouped) for value in expected]
    assert values(*cells, decimal=decimal if declared else None) == expected


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.sampled_from([".", ","]))
@settings(deadline=None)
def test_floats_as_python_writes_them_round_trip_to_the_last_bit(floats: list[float], decimal: Decimal) -> None:
    cells = [repr(value).replace(".", decimal) for value in floats]
    assert values(*cells, decimal=decimal) == floats


@given(st.lists(st.integers(1, 999).map(lambda n: f"{n}.{n:03d}"), min_size=1))
@settings(deadline=None)
def test_groups_of_three_alone_never_settle_the_sign(cells: list[str]) -> None:
    assert parsed(*cells).ambiguous.all()


@given(
    st.lists(
        st.text(st.one_of(st.sampled_from("0123456789.,-+ €%e'"), st.characters(exclude_categories=["Cs"])), max_size=8)
    )
)
@settings(deadline=None)
def test_every_cell_is_read_or_bad_or_ambiguous(cells: list[str]) -> None:
    read = parsed(*cells)
    states = np.stack([read.values.notna().to_numpy(), read.bad, read.ambiguous])
    assert (states.sum(axis=0) == 1).all()
