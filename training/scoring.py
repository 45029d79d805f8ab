"""Scoring a whole export: one row per lead with probability, grade, handover and every contribution.

Outcomes in the export play no part; what scores here is what the service scores, through the same encoder and kernel.
The export is read, scored and written part by part, so that memory does not grow with it; the next part is read, and
the last one written, while the kernel, which lets other threads run, computes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from features import grades
from features.errors import OutsideError
from features.lead_parts import ROWS, lead_parts
from features.model.bundle import Bundle
from features.sources.files import Files
from features.text import Text

Item = TypeVar("Item")


def score_export(
    bundle: Bundle,
    export: Files,
    out: Path,
    *,
    rows: int = ROWS,
    tell: Callable[[Text], object] = lambda _note: None,
    progress: Callable[[float], object] = lambda _share: None,
) -> int:
    """How many leads were scored into `out`, in the export's order.

    Written are `lead_id`, `as_of`, `probability`, `score`, `grade`, `handover`, `log_odds`, `base_log_odds`, and
    `contribution.FIELD` in log-odds for every field: base plus contributions is the log-odds. The file appears, or
    takes the place of another one, when it is complete.

    Parameters
    ----------
    out : Path
        Parquet (`.parquet`) or CSV (anything else).
    rows : int
        Leads in memory at a time; the scores do not depend on it.
    tell, progress : callable
        Given each note on how the export was read, and the share of leads that are done.

    Raises
    ------
    HistoryError
        With every problem of the export; then nothing is written.
    OutsideError
        If the file cannot be written.
    """
    with lead_parts(bundle.definition, export, rows=rows) as parts, _table_at(out) as write:
        n_scored = 0
        leads = _ahead(parts.read())
        for scored in _ahead(_scores(bundle, part) for part in leads):
            write(scored)
            n_scored += len(scored)
            progress(n_scored / parts.n_leads)
        for note in parts.notes():
            tell(note)
    return n_scored


def _scores(bundle: Bundle, leads: pd.DataFrame) -> pa.Table:
    """The scores of some leads."""
    definition, model = bundle.definition, bundle.model
    moments = leads["as_of"].dt.tz_convert(None).to_numpy()  # UTC; pandas 3 warns where Arrow would take them itself
    explained = model.explain(model.encoder.frame(leads, leads["as_of"]))
    probability = explained.probability
    columns = {
        "lead_id": pa.array(leads["lead_id"], pa.large_string(), from_pandas=True),
        "as_of": pa.array(moments, pa.timestamp("us", "UTC"), from_pandas=True),
        "probability": pa.array(probability),
        "score": pa.array(grades.scores(probability)),
        "grade": pa.array(grades.grades(probability, definition)),
        "handover": pa.array(grades.handovers(probability, bundle.manifest.handover_threshold)),
        "log_odds": pa.array(explained.log_odds),
        "base_log_odds": pa.repeat(model.base_log_odds, len(leads)),
    }
    by_field = zip(model.encoder.names, explained.contributions.T, strict=True)
    return pa.table(columns | {f"contribution.{name}": pa.array(share) for name, share in by_field})


_DONE = object()


def _ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each made in a thread of its own while the one before is worked on."""
    rest = iter(items)
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, rest, _DONE)
        while (item := coming.result()) is not _DONE:
            coming = thread.submit(next, rest, _DONE)
            yield item  # type: ignore[misc]


class _Writer(Protocol):
    """What Arrow's writers of both formats have in common."""

    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


@contextmanager
def _table_at(out: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Writes tables to a file beside `out`, which takes its place when all of them are written."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
            draft = Path(folder) / out.name
            with _Tables(draft) as tables:
                yield tables.write
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            draft.replace(out)
    except OSError as error:
        words = Text(
            f"{out} cannot be written: {error.strerror}.", f"{out} lässt sich nicht schreiben: {error.strerror}."
        )
        raise OutsideError(words) from error


class _Tables:
    """A file of tables with the same columns, opened by the first of them."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._writer: _Writer | None = None

    def __enter__(self) -> _Tables:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Append a table."""
        if self._writer is None:
            kind = pq.ParquetWriter if self._place.suffix == ".parquet" else pcsv.CSVWriter
            self._writer = kind(self._place, table.schema)
        self._writer.write_table(table)
