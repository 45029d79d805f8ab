"""Small made-up histories for the leak guard, each with one thing planted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition, LeadField, parse_definition
from features.text import same
from training.leakage import Finding, find_leaks

DATA = Path(os.environ.get("LEAD_DATA", Path(__file__).parents[3] / "shared" / "data"))
START = pd.Timestamp("2025-01-01", tz="UTC")


def real_set(name: str) -> str:
    """The path of a real set, or a skip that says what is missing."""
    path = DATA / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"needs {name}.csv in the folder that LEAD_DATA names")
    return str(path)


def definition_of(**types: str) -> LeadDefinition:
    """A definition with these fields, all said to be known at creation."""
    fields = {n: {"type": kind, "known": "creation", "owner": "sales", "label": n} for n, kind in types.items()}
    data: dict[str, Any] = {
        "definition": {"name": "world", "version": 1, "title": "World"},
        "target": {"horizon_days": 90},
        "columns": {"outcome": "outcome", "created": "created", "closed": "closed", "account": "account"},
        "outcome": {"won": ["won"], "lost": ["lost"]},
        "fields": fields,
        "grades": {"A": 0.5, "B": 0.3, "C": 0.1},
        "handover": {"threshold": 0.3},
    }
    return parse_definition(data)


class World:
    """Leads over `days`, the oldest first, `rate` of them won; all closed, each its own account."""

    def __init__(self, n: int = 2_000, *, rate: float = 0.2, seed: int = 1, days: int = 400) -> None:
        self.rng = np.random.default_rng(seed)
        self.n = n
        self.won = self.rng.random(n) < rate
        created = START + pd.to_timedelta(np.sort(self.rng.integers(0, days, n)), unit="D")
        self.frame = pd.DataFrame(
            {
                "created": created,
                "as_of": created,
                "account": [f"a{number}" for number in range(n)],
                "outcome": np.where(self.won, "won", "lost"),
            }
        )
        self.types: dict[str, str] = {}

    def add(self, name: str, kind: str, values: Any) -> World:
        """One more field."""
        self.types[name] = kind
        column = pd.Series(values, index=self.frame.index)
        self.frame[name] = column.astype("str").where(column.notna()) if kind in ("category", "boolean") else column
        return self

    def noise(self, name: str = "noise", n_levels: int = 5) -> World:
        """A category that says nothing."""
        return self.add(name, "category", [f"v{number}" for number in self.rng.integers(0, n_levels, self.n)])

    def find(self, target: Any = None) -> tuple[Finding, ...]:
        """What the guard finds; the target is the outcome unless said."""
        wanted = self.won.astype(float) if target is None else target
        return find_leaks(self.frame, wanted, definition=definition_of(**self.types))

    def kinds(self, target: Any = None) -> dict[str, set[str]]:
        """The kinds of findings by field."""
        found: dict[str, set[str]] = {}
        for finding in self.find(target):
            found.setdefault(finding.field, set()).add(finding.kind)
        return found


def with_left_out(definition: LeadDefinition, **kinds: Any) -> LeadDefinition:
    """The definition with its left-out columns as fields, as a newcomer would have them; categories unless said."""
    back = {}
    for number, column in enumerate(definition.left_out):
        kind = kinds.get(column.replace(" ", "_"), "category")
        back[f"back_{number}"] = LeadField(
            column=column, type=kind, known="creation", owner="sales", label=same(column)
        )
    return definition.model_copy(update={"fields": {**definition.fields, **back}, "left_out": {}})
