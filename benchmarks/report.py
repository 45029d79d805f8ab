"""What a part of the benchmark found: tables of raw figures, bars, and their Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

Cell: TypeAlias = "str | int | float | tuple[float, float] | None"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's key in the rows, what stands above it, and how its figures are written (`format` as in str.format)."""

    key: str
    title: str
    format: str = "{}"


@dataclass(frozen=True, slots=True)
class Table:
    """Figures as they were measured; rounding happens only where they are shown."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]

    def texts(self) -> list[list[str]]:
        """The cells as people read them, titles first."""
        shown = [[_shown(row.get(column.key), column.format) for column in self.columns] for row in self.rows]
        return [[column.title for column in self.columns], *shown]


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise and what was measured: met or missed, nothing between."""

    what: str
    measured: str
    limit: str
    met: bool

    @property
    def verdict(self) -> str:
        """The word for it."""
        return "met" if self.met else "MISSED"


@dataclass(frozen=True, slots=True)
class Part:
    """All that one part found."""

    name: str
    title: str
    about: str
    tables: Sequence[Table] = ()
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = ()
    seconds: float = 0.0
    quick: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data, figures unrounded."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Part:
        """The part that `to_dict` wrote."""
        tables = [
            Table(table["title"], [Column(**column) for column in table["columns"]], table["rows"])
            for table in plain["tables"]
        ]
        return cls(**{**plain, "tables": tables, "bars": [Bar(**bar) for bar in plain["bars"]]})

    def markdown(self) -> str:
        """The part as a section of the report."""
        lines = [f"## {self.title}", "", self.about, ""]
        for table in self.tables:
            lines += [f"**{table.title}**", "", *_markdown_table(table.texts()), ""]
        if self.bars:
            verdicts = [[bar.what, bar.measured, bar.limit, bar.verdict] for bar in self.bars]
            lines += _markdown_table([["bar", "measured", "limit", "verdict"], *verdicts])
        lines += ["", *(f"- {note}" for note in self.notes)]
        took = f"{'Quick size, figures mean little. ' if self.quick else ''}Took {self.seconds:.0f} s."
        return "\n".join([*lines, "", took, ""])

    def text(self) -> str:
        """The part as the terminal shows it."""
        lines = [f"\n{self.title}", "=" * len(self.title)]
        for table in self.tables:
            lines += ["", table.title, *_aligned(table.texts())]
        lines += ["", *(f"{bar.verdict:>6}  {bar.what}: {bar.measured} (limit {bar.limit})" for bar in self.bars)]
        return "\n".join([*lines, *(f"        {note}" for note in self.notes)])


def save(part: Part, folder: Path, order: Sequence[str], title: str) -> Path:
    """Where the report lies: this part written anew beside the parts of earlier runs, in `order`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{part.name}.json").write_text(json.dumps(part.to_dict(), indent=1) + "\n", encoding="utf-8")
    paths = [folder / f"{name}.json" for name in order]
    parts = [Part.from_dict(json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists()]
    text = "\n".join([f"# {title}", "", *(found.markdown() for found in parts)])
    (folder / "report.md").write_text(text, encoding="utf-8")
    plain = {found.name: found.to_dict() for found in parts}
    (folder / "report.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return folder / "report.md"


def _shown(value: Any, format_: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, (tuple, list)):
        return " to ".join(format_.format(end) for end in value)
    return format_.format(value)


def _markdown_table(texts: Sequence[Sequence[str]]) -> list[str]:
    rows = ["| " + " | ".join(cells) + " |" for cells in texts]
    return [rows[0], "|" + "---|" * len(texts[0]), *rows[1:]]


def _aligned(texts: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*texts, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts]
