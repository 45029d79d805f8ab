"""Yes and no in the words that systems write."""

from __future__ import annotations

import pandas as pd
import pytest

from features.sources.booleans import booleans


@pytest.mark.parametrize("word", ["true", "TRUE", "Yes", "y", "ja", "J", "wahr", "1", "1.0", "x", "X", " t "])
def test_words_for_yes(word: str) -> None:
    assert booleans(pd.Series([word])).values.tolist() == [True]


@pytest.mark.parametrize("word", ["false", "No", "n", "NEIN", "Falsch", "0", "0.0", "f"])
def test_words_for_no(word: str) -> None:
    assert booleans(pd.Series([word])).values.tolist() == [False]


def test_other_words_are_bad_and_empty_cells_are_not() -> None:
    read = booleans(pd.Series(["ja", "vielleicht", None, "2", ""], dtype="str", index=[3, 4, 5, 6, 7]))
    assert read.bad.tolist() == [False, True, False, True, True]
    assert read.values.isna().to_dict() == {3: False, 4: True, 5: True, 6: True, 7: True}
    assert read.values.dtype == "boolean"


def test_an_unticked_box_stays_unanswered() -> None:
    assert booleans(pd.Series(["x", None], dtype="str")).values.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "typed", [pd.Series([1, 0, 2]), pd.Series([1.0, 0.0, 2.0]), pd.Series([1, 0, 2], dtype="Int64")]
)
def test_numbers_other_than_one_and_zero_are_bad(typed: pd.Series) -> None:
    read = booleans(typed)
    assert read.values.tolist()[:2] == [True, False]
    assert read.bad.tolist() == [False, False, True]


def test_typed_booleans_pass_through() -> None:
    assert booleans(pd.Series([True, None, False], dtype="boolean")).values.tolist() == [True, pd.NA, False]
    assert booleans(pd.Series([True, False])).values.tolist() == [True, False]
