"""Cells -> yes or no, in the words that German and English systems write."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.sources.parsed import Parsed, nothing

TRUE = frozenset({"true", "t", "yes", "y", "ja", "j", "wahr", "1", "1.0", "x"})
FALSE = frozenset({"false", "f", "no", "n", "nein", "falsch", "0", "0.0"})


def booleans(values: pd.Series) -> Parsed:
    """`boolean` values: true/false, yes/no, ja/nein, wahr/falsch, y/n, j/n, t/f, 1/0, and `x` for a ticked box.

    Upper and lower case are the same. An empty cell stays missing, also beside a ticked box: whether it means "no" is
    for the definition to say. Numbers other than 0 and 1 are bad.

    Examples
    --------
    >>> booleans(pd.Series(["Ja", "nein", None, "vielleicht"])).values.tolist()
    [True, False, <NA>, <NA>]
    """
    codes, distinct = pd.factorize(values)
    words = [str(value).strip().casefold() for value in distinct]
    is_true = np.array([*(word in TRUE for word in words), False])[codes]  # code -1, a missing cell, takes the last
    is_false = np.array([*(word in FALSE for word in words), False])[codes]
    cells = pd.arrays.BooleanArray(is_true, ~(is_true | is_false))
    bad = np.asarray(values.notna()) & ~is_true & ~is_false
    return Parsed(pd.Series(cells, index=values.index, name=values.name), bad, nothing(values))
