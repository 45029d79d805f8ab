"""Any source, without the leads that were erased: they are gone before anything looks at their values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from features.erased import lead_hash
from features.sources.source import Source
from features.sources.table import RawTable


@dataclass(frozen=True, slots=True)
class WithoutErased:
    """The rows of `source` whose lead is not erased.

    Attributes
    ----------
    source : Source
    column : str
        Where the leads' ids stand.
    hashes : frozenset of str
        `features.erased.lead_hash` of each erased lead.
    """

    source: Source
    column: str
    hashes: frozenset[str]

    def read(self) -> RawTable:
        """The rows that stay, each still with its file and row number, and how many were left out."""
        table = self.source.read()
        if self.column not in table.frame.columns:
            return table  # a missing column is told where columns get their meaning
        ids = table.frame[self.column].astype("str").str.strip()
        gone = ids.map(self._is_erased, na_action="ignore").eq(True).to_numpy(dtype=bool)
        frame: pd.DataFrame = table.frame[~gone].reset_index(drop=True)
        n_erased = table.n_erased + int(gone.sum())
        return replace(table, frame=frame, file=table.file[~gone], row=table.row[~gone], n_erased=n_erased)

    def _is_erased(self, lead_id: str) -> bool:
        return lead_hash(lead_id) in self.hashes
