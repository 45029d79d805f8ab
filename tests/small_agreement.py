"""A dated definition with one field of each type, for tests that need no data of their own."""

from __future__ import annotations

from typing import Any


def agreement(**changes: Any) -> dict[str, Any]:
    """A dated definition as TOML gives it; `changes` replaces whole sections, None leaves one out.

    Where the columns of `changes` have no date of the lead, there is no field of the type date either.
    """
    known = {"known": "creation", "owner": "marketing"}
    data: dict[str, Any] = {
        "format": 1,
        "definition": {"name": "small", "version": 1, "title": "Small"},
        "target": {"horizon_days": 90},
        "columns": {"id": "id", "created": "created", "closed": "closed", "outcome": "stage", "account": "company"},
        "outcome": {"won": ["Won"], "lost": ["Lost"], "open": ["Open"]},
        "read": {"timezone": "UTC"},
        "fields": {
            "source": {"type": "category", "label": {"en": "Source", "de": "Quelle"}, **known},
            "employees": {"type": "number", "label": {"en": "Employees", "de": "Beschäftigte"}, **known},
            "demo": {"type": "boolean", "label": {"en": "Demo asked for", "de": "Vorführung"}, **known},
            "visit": {"type": "date", "label": {"en": "Last visit", "de": "Letzter Besuch"}, **known},
        },
        "grades": {"A": 0.5, "B": 0.3, "C": 0.1},
        "handover": {"threshold": 0.3},
    }
    if not {"created", "as_of"} & set(changes.get("columns") or data["columns"]):
        del data["fields"]["visit"]
    return {name: part for name, part in {**data, **changes}.items() if part is not None}
