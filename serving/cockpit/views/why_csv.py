"""The evidence as CSV, a line for each value, in the reader's words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from features.model.bundle import Bundle
from serving.cockpit.catalogue import Catalogue
from serving.cockpit.formats import Reader
from serving.cockpit.views.why import FieldEvidence, ValueRow, evidence_of_fields
from serving.kpis.as_csv import harmless

HEADS = ("field", "owner", "importance", "value", "n", "won", "rate", "low", "high", "overall", "standing", "thin")
POINTS = "points"


def why_csv(bundle: Bundle, owner: str, reader: Reader) -> bytes:
    """The table in UTF-8 with a byte order mark, as the reader's spreadsheet opens it.

    A German one expects semicolons between cells and a comma in numbers.
    """
    out, t = io.StringIO(), Catalogue(reader)
    writer = csv.writer(out, delimiter=";" if reader.language == "de" else ",")
    writer.writerow([t("why.csv." + name) for name in (*HEADS, POINTS)])
    overall = bundle.profile.overall().rate
    for field in evidence_of_fields(bundle, owner):
        for row in field.rows:
            writer.writerow(_line(field, row, overall, reader, t))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _line(field: FieldEvidence, row: ValueRow, overall: float, reader: Reader, t: Catalogue) -> Iterator[str]:
    found, told = row.evidence, row.strip is not None
    yield harmless(reader.text(field.label))
    yield t("common.roles." + field.owner)
    yield _number(field.importance, reader)
    yield harmless(reader.text(row.label))
    yield str(found.n)
    yield str(found.won)
    for share in (found.rate, found.low, found.high):
        yield _number(share, reader) if told else ""
    yield _number(overall, reader)
    yield t("why.standing." + row.standing)
    yield t("why.csv.yes") if row.thin else t("why.csv.no")
    yield _number(row.points, reader)


def _number(value: float, reader: Reader) -> str:
    """Six decimals, with the reader's decimal sign and nothing between thousands."""
    written = f"{value:.6f}"
    return written.replace(".", ",") if reader.language == "de" else written
