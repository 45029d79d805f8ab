"""A lead that was scored, exported, and read back by training becomes the row that was scored, bit for bit."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.definition import LeadDefinition, parse_definition
from features.encode import Encoder
from features.errors import RecordError
from features.exported import ExportNote
from features.history import files_of, read_leads
from serving.history.files import new_history
from serving.history.rows import LeftOut, Rows
from serving.store import PastLead
from tests.small_agreement import agreement

FIELDS = {name: {**field, "missing": ["-1", "keine Angabe"]} for name, field in agreement()["fields"].items()}
NOTE = ExportNote("e1", "2026-01-01T00:00:00+00:00", "small", "f")
EXPORTED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def agreed(**read: Any) -> LeadDefinition:
    return parse_definition(agreement(fields=FIELDS, read={"timezone": "Europe/Berlin", "missing": ["Select"], **read}))


AGREEMENTS = [agreed(), agreed(separator=";", decimal=",", dates="dmy", encoding="utf-8-sig"), agreed(separator="\t")]
TEXTS = st.one_of(
    st.sampled_from(
        ["007", "1.234", "1,5", "true", "NaN", "None", "2024-01-01", "=1+1", '"', "a;b,c\td", "a\nb", "a\r\n"]
    ),
    st.sampled_from(
        ["Select", "keine Angabe", "-1", "", " ", "\u00a0x", "Mu\u0308nchen", "\ufeffx", "\u200b", "\x85", "\x1cx"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20),
)
MOMENTS = st.one_of(
    st.datetimes(datetime(1900, 1, 1), datetime(2025, 5, 30)).map(lambda moment: moment.isoformat()),
    st.dates(datetime(1900, 1, 1).date(), datetime(2025, 5, 30).date()).map(lambda day: day.isoformat()),
    st.datetimes(datetime(1900, 1, 2), datetime(2025, 5, 30)).map(lambda moment: moment.isoformat() + "+05:30"),
    st.sampled_from(["2024-03-31", "2024-03-31T02:30:00", "2024-10-27T02:30:00", "2025-06-01"]),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1) | st.just(-1)
LEADS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.none() | TEXTS,
        "employees": st.none() | NUMBERS,
        "demo": st.none() | st.booleans(),
        "visit": st.none() | MOMENTS,
    },
)
AS_OF = st.datetimes(datetime(2025, 6, 1), datetime(2025, 12, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


def fitting(fields: dict[str, Any], as_of: datetime, encoder: Encoder) -> dict[str, Any]:
    """Those of the fields that fit, as a request that was answered holds them."""
    kept = {}
    for name, value in fields.items():
        try:
            encoder.record({name: value}, as_of)
        except RecordError:
            continue
        kept[name] = value
    return kept


def past(number: int, fields: dict[str, Any], as_of: datetime) -> PastLead:
    nothing_told = (None, None, None, None, None, None, None)
    return PastLead(f"00{number}", None, as_of, as_of, "b", "f", 0.5, "go", orjson.dumps(fields), *nothing_told)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("definition", AGREEMENTS, ids=["found out", "German", "tabs"])
@settings(max_examples=40, deadline=timedelta(seconds=10))
@given(st.lists(st.tuples(LEADS, AS_OF), min_size=1, max_size=8))
def test_what_is_read_from_an_export_is_what_was_scored(
    definition: LeadDefinition, ending: str, drawn: list[tuple[dict[str, Any], datetime]]
) -> None:
    encoder = Encoder(definition, {"source": ["007", "1.234", "true", "a;b,c\td", "München", "a\nb"]})
    leads = [past(n, fitting(fields, as_of, encoder), as_of) for n, (fields, as_of) in enumerate(drawn)]
    rows = Rows(definition, EXPORTED_AT)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"history.{ending}"
        made = [rows.row(lead) for lead in leads]
        kept = [(lead, row) for lead, row in zip(leads, made, strict=True) if not isinstance(row, LeftOut)]
        with new_history(place, rows.columns, definition, NOTE) as sheet:
            sheet.write([row for _, row in kept])
        if not kept:
            return
        read = read_leads(definition, files_of(definition, str(place)))
    scored = np.array([encoder.record(orjson.loads(lead.inputs), lead.as_of).row for lead, _ in kept])
    assert read["lead_id"].tolist() == [lead.lead_id for lead, _ in kept]
    assert read["as_of"].tolist() == [lead.as_of for lead, _ in kept]
    assert np.array_equal(encoder.frame(read, read["as_of"]), scored, equal_nan=True)
    assert len(kept) == len(leads)  # nothing that was scored under this agreement is left out
