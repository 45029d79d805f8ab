"""The notebooks as a newcomer meets them: stored bare, defining nothing, and running from a clean checkout."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
NEEDED = ("features", "training", "definitions", "notebooks")
MOST_SECONDS = 600  # they take 10 to 25 on a quiet core
PLOT = "image/png"

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)


def read(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def checkout(place: Path) -> Path:
    """A checkout with what a notebook may use and nothing else, and no results of earlier runs."""
    for name in NEEDED:
        shutil.copytree(ROOT / name, place / name)
    return place


def run(path: Path) -> Any:
    """The notebook with its outputs, run where it lies, as Jupyter does, by what `make notebooks` calls."""
    execute = [sys.executable, "-c", "from nbclient.cli import main; main()", "--inplace", str(path)]
    ran = subprocess.run(execute, capture_output=True, text=True, check=False, timeout=MOST_SECONDS)
    assert ran.returncode == 0, ran.stderr
    return read(path)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def files_in(place: Path) -> set[Path]:
    return {path for path in place.rglob("*") if "__pycache__" not in path.parts}


def test_there_is_a_notebook_for_leads_for_calibration_and_for_the_backtest() -> None:
    assert NAMES == ["backtest", "calibration_and_reasons", "explore_leads"]


def test_the_readme_lists_every_notebook() -> None:
    text = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.ipynb)" in text for name in NAMES)


@each_notebook
def test_a_notebook_is_stored_without_outputs_and_execution_counts(path: Path) -> None:
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code_cells(path))


@each_notebook
def test_a_notebook_defines_no_function_and_no_class(path: Path) -> None:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    found = [
        ast.unparse(node)
        for cell in code_cells(path)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, definitions)
    ]
    assert found == []


@each_notebook
def test_a_notebook_begins_with_a_title_and_a_german_summary(path: Path) -> None:
    title, summary = read(path).cells[:2]
    assert title.cell_type == summary.cell_type == "markdown"
    assert title.source.startswith("# ")
    assert summary.source.startswith("**Auf Deutsch:**")


@pytest.mark.slow
@each_notebook
def test_a_notebook_runs_from_a_clean_checkout_without_a_warning_and_leaves_nothing_behind(
    path: Path, tmp_path: Path
) -> None:
    clean = checkout(tmp_path / "checkout")
    before = files_in(clean)

    executed = run(clean / "notebooks" / path.name)

    assert [output.text for output in outputs(executed) if output.get("name") == "stderr"] == []
    assert sum(PLOT in output.get("data", {}) for output in outputs(executed)) >= 5
    assert files_in(clean) == before
