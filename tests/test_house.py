"""House rules that no linter knows: what is documented exists, what exists is documented, nothing points outside."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from features.definition import LeadDefinition
from features.definition.agreement import Columns, LeadField, Part, Reading, Target
from features.text import LANGUAGES
from tests.conftest import SLOW_FIXTURES

ROOT = Path(__file__).parents[1]
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a git checkout: there is no list of files to look at")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_make_help_lists_every_target_in_a_line() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in listed.stdout.splitlines()] == TARGETS
    declared = re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    assert sorted(set(declared) - {"help"}) == sorted(set(TARGETS) - {"help"})


@pytest.mark.parametrize("readme", ["README.md", "README.de.md"])
def test_the_readme_names_only_targets_that_exist(readme: str) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", text_of(ROOT / readme)))
    assert {"demo", "test", "help"} <= named <= set(TARGETS)


@pytest.mark.parametrize("readme", ["README.md", "README.de.md"])
def test_no_placeholder_stands_in_a_readme(readme: str) -> None:
    text = text_of(ROOT / readme)
    assert not re.search(r"^(TABLE|TABELLE|GERMANDEMO|TODO|…)$", text, re.MULTILINE)
    assert "…\n" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_exists_in_both_languages_and_links_only_to_files_that_exist(language: str) -> None:
    pages = {page.name for page in (ROOT / "docs" / language).glob("*.md")}
    assert pages == {page.name for other in LANGUAGES for page in (ROOT / "docs" / other).glob("*.md")}
    for page in [*(ROOT / "docs" / language).glob("*.md"), ROOT / "README.md", ROOT / "README.de.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(page)):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", [LeadDefinition, Target, Columns, Reading, LeadField])
def test_every_entry_of_the_definition_is_documented(part: type[Part], language: str) -> None:
    page = text_of(ROOT / "docs" / language / "definition.md")
    missing = [name for name in part.model_fields if f"`{name}`" not in page and f"[{name}" not in page]
    assert missing in ([], ["format"])


def test_no_file_names_a_package_index_or_a_path_of_this_machine() -> None:
    hosts = re.compile(
        r"pypi\.(org|python)|files\.pythonhosted|registry\.npmjs|--(extra-)?index-url\s+http|--find-links"
    )
    home = re.compile(rf"{re.escape(str(ROOT.parent))}/|{re.escape(str(Path.home()))}/")
    allowed = {ROOT / "tests" / "test_house.py"}
    for path in tracked():
        if path not in allowed and path.suffix not in {".png", ".parquet"}:
            assert not hosts.search(text_of(path)), path
            assert not home.search(text_of(path)), path


def test_every_locked_package_has_a_hash() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        packages = re.findall(
            r"^[a-z0-9][^\s]*==[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text_of(lock), re.MULTILINE
        )
        assert len(packages) == len(re.findall(r"^[a-z0-9]", text_of(lock), re.MULTILINE)) > 10


@pytest.mark.parametrize("lock", ["dev.txt", "serving.txt", "serving-registry.txt", "training.txt"])
def test_time_zones_are_installed_on_every_system(lock: str) -> None:
    """A slim container has none of its own, and every definition names one, if only UTC."""
    assert re.search(r"^tzdata==\S+ \\$", text_of(ROOT / "locks" / lock), re.MULTILINE)


def test_every_dependency_has_its_reason_beside_it() -> None:
    text = text_of(ROOT / "pyproject.toml")
    project = tomllib.loads(text)["project"]
    requirements = project["dependencies"] + [r for extra in project["optional-dependencies"].values() for r in extra]
    for requirement in requirements:
        assert re.search(rf'"{re.escape(requirement)}",\s+# \w', text), requirement


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("define", {"DATA", "OUT"}),
        ("horizon", {"DATA", "DEFINITION"}),
        ("backtest", {"DATA", "DEFINITION"}),
        ("train", {"DATA", "DEFINITION"}),
        ("promote", {"DEFINITION"}),
        ("rollback", {"DEFINITION"}),
        ("versions", {"DEFINITION"}),
        ("score", {"DATA", "OUT", "DEFINITION"}),
        ("card", {"DEFINITION"}),
        ("key", {"CLIENT"}),
    ],
)
def test_a_pattern_and_a_name_with_a_space_reach_the_command_as_one_argument(target: str, given: set[str]) -> None:
    values = {"DATA": "all exports/*.csv", "OUT": "my draft", "DEFINITION": "my lead.toml", "CLIENT": "our CRM"}
    command = ["make", "--no-print-directory", "--dry-run", "--old-file=setup", target]
    command += [f"{name}={value}" for name, value in values.items()]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {values[name] for name in given} <= set(shlex.split(told))


@pytest.mark.parametrize("uri", ["sqlite:///elsewhere.db", "https://mlflow.example.com"])
def test_make_mlflow_opens_the_store_that_the_environment_names(uri: str, tmp_path: Path) -> None:
    """A server has pages of its own; they are named."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "--old-file=setup", "mlflow", f"PY={python}"],
        cwd=ROOT,
        env={**os.environ, "MLFLOW_TRACKING_URI": uri},
        capture_output=True,
        text=True,
        check=True,
    )
    assert uri in done.stdout
    assert ("--backend-store-uri" in done.stdout) == uri.startswith("sqlite")


def test_make_keeps_mlflows_store_in_the_folder_that_lead_state_names() -> None:
    foreign = ("LEAD_STATE", "MLFLOW_TRACKING_URI")
    done = subprocess.run(
        ["make", "--no-print-directory", "--old-file=setup", "mlflow", "PY=echo"],
        cwd=ROOT,
        env={**{name: value for name, value in os.environ.items() if name not in foreign}, "LEAD_STATE": "elsewhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sqlite:///elsewhere/mlflow.db" in done.stdout


@pytest.mark.parametrize(("version", "fits"), [("3.10", False), ("3.11", True), ("3.14", True), ("3.15", False)])
def test_setup_takes_only_a_python_that_the_locked_packages_exist_for(version: str, fits: bool) -> None:
    condition = re.search(r"sys\.exit\((.*)\)'", text_of(ROOT / "Makefile"))
    assert condition is not None
    major, minor = map(int, version.split("."))
    code = f"import sys; sys.version_info = ({major}, {minor}, 1); sys.exit({condition[1]})"
    assert (subprocess.run([sys.executable, "-c", code], check=False).returncode == 0) == fits


def test_a_grade_is_called_klasse_in_german() -> None:
    for page in [*(ROOT / "docs" / "de").glob("*.md"), ROOT / "README.de.md"]:
        assert not re.search(r"\bNoten?\b", text_of(page)), page


def test_every_test_that_proves_a_defence_exists_and_both_pages_name_the_same() -> None:
    defined = {
        name
        for file in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"^ *def (test_\w+)\(", text_of(file), re.MULTILINE)
    }
    named = {
        language: re.findall(r"`(test_\w+)`", text_of(ROOT / "docs" / language / "security.md"))
        for language in LANGUAGES
    }
    assert named["en"] == named["de"]
    assert len(named["en"]) > 40
    assert set(named["en"]) <= defined


def test_every_fixture_that_makes_a_test_slow_exists() -> None:
    """A fixture that is renamed would take its tests into `make test-fast`."""
    defined = {
        name
        for file in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"^def (\w+)\(", text_of(file), re.MULTILINE)
    }
    assert defined >= SLOW_FIXTURES
