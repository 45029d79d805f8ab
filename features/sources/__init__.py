"""Reading exports and CRMs: one port, one file per system.

A source yields a `RawTable`: the rows as they lie there, each with the file and the row number under which a
person finds it again. It knows nothing of leads, outcomes or definitions; `features.history` gives the columns
their meaning. Files implement the port today (`features.sources.files`); a database or a CRM implements the same.

Reading what the cells of a column say (`numbers`, `dates`, `booleans`) stands beside it, because every source
that yields text needs it.
"""

from __future__ import annotations

from features.sources.source import Source
from features.sources.table import Place, RawTable

__all__ = ["Place", "RawTable", "Source"]
