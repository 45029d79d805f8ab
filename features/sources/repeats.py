"""Which texts of a long column stand in it more than once, without holding the column.

Each text's hash goes to one of many small files by its first bits; a hash that comes twice comes twice in one file. Two
texts can share a hash, so whoever needs to be sure counts the texts of the repeated hashes in a second pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

BITS = 6

Hashes = npt.NDArray[np.uint64]


def repeated_texts(column: Callable[[], Iterable[pd.Series]], folder: Path) -> frozenset[str]:
    """The texts that stand more than once in the column, which is asked for part by part, at most twice.

    Parameters
    ----------
    column : callable
        Gives the parts of the column, of dtype `str`; missing values do not count.
    folder : Path
        An existing directory for files of 8 bytes for each text.
    """
    for part in column():
        _sort_away(_hashes(part.dropna()), folder)
    repeated = np.concatenate([_repeated(file) for file in sorted(folder.glob("*.hashes"))] or [np.empty(0, np.uint64)])
    if not len(repeated):
        return frozenset()
    times: Counter[str] = Counter()
    for part in column():
        known = part.dropna()
        times.update(known[np.isin(_hashes(known), repeated)].tolist())
    return frozenset(text for text, n in times.items() if n > 1)


def _hashes(texts: pd.Series) -> Hashes:
    return np.asarray(pd.util.hash_array(texts.to_numpy(dtype=object), categorize=False), dtype=np.uint64)


def _sort_away(hashes: Hashes, folder: Path) -> None:
    drawer = (hashes >> np.uint64(64 - BITS)).astype(np.int64)
    order = np.argsort(drawer, kind="stable")
    ends = np.cumsum(np.bincount(drawer, minlength=2**BITS))
    for number, part in enumerate(np.split(hashes[order], ends[:-1])):
        with (folder / f"{number:03}.hashes").open("ab") as file:
            file.write(part.tobytes())


def _repeated(file: Path) -> Hashes:
    hashes = np.sort(np.fromfile(file, dtype=np.uint64))
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
