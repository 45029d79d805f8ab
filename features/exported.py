"""What stands beside the rows of a history that the service exported: which export it is.

Parquet carries it in the file, under `KEY`; a text file has it beside it, in a file of the same name with `BESIDE`.
Training writes the ids of the exports that a model learnt from into its bundle, so that whoever erases a lead can be
told which models had learnt from it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

KEY = b"lead_quality.export"
BESIDE = ".export.json"


@dataclass(frozen=True, slots=True)
class ExportNote:
    """Which export a file is; `exported_at` is ISO, UTC."""

    export_id: str
    exported_at: str
    definition: str
    fingerprint: str

    def to_json(self) -> str:
        """The note as it stands in files."""
        return json.dumps(asdict(self))


def export_id_of(metadata: dict[bytes, bytes] | None) -> str:
    """The export's id in a Parquet file's metadata; empty where the service did not write the file."""
    return _id_in((metadata or {}).get(KEY, b""))


def export_id_beside(path: Path) -> str:
    """The export's id that stands beside a text file; empty where nothing does."""
    beside = path.with_name(path.name + BESIDE)
    return _id_in(beside.read_bytes()) if beside.is_file() else ""


def _id_in(raw: bytes) -> str:
    try:
        note: Any = json.loads(raw)
    except ValueError:
        return ""
    export_id = note.get("export_id") if isinstance(note, dict) else None
    return export_id if isinstance(export_id, str) else ""
