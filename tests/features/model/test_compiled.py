"""The compiled code and its cache on disk, in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.features.model.model_texts import AGE_THEN_SOURCE, text_of

ROOT = Path(__file__).parents[3]


def _run(code: str, package_root: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package_root,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _copy_of_features(to: Path) -> None:
    """The package without its caches, where nothing can be written beside the sources (not even by root)."""
    shutil.copytree(ROOT / "features", to / "features", ignore=shutil.ignore_patterns("__pycache__"))
    (to / "model.txt").write_text(text_of(AGE_THEN_SOURCE))
    (to / "features" / "model" / "__pycache__").write_text("a file where numba wants its directory")


READ = (
    "from pathlib import Path; from features.model import trees;"
    "f = trees.Forest.from_text(Path('model.txt').read_text());"
)


def test_without_a_directory_to_cache_in_leads_are_still_explained_and_lightgbm_is_not_needed(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    nowhere = str(tmp_path / "model.txt" / "below a file")
    code = (
        READ
        + "import sys; print(f.contributions([[30., 1.]]).round(9).tolist());"
        # scipy is not in the list: numba itself looks for its BLAS where it is installed
        + "print(sorted({'lightgbm', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    assert _run(code, tmp_path, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere) == "[[-0.2, -0.8]]\n[]"


WHOLE_MODEL = (
    "import numpy as np; from features.model import bundle, calibrator, linear;"
    "part = linear.LinearPart(0.5, (linear.LevelTerm('source', np.array([0.0, 0.25, -0.5])),));"
    "margins = part.margins(np.array([[0.0], [2.0]]));"
    "print(margins.tolist(), calibrator.probability_of(0.0), calibrator.probabilities_of(margins).round(6).tolist())"
)
SCORED = "[0.5, 0.0] 0.5 [0.622459, 0.5]"


def test_a_bundle_can_be_opened_and_scored_where_nothing_can_be_written(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    nowhere = str(tmp_path / "model.txt" / "below a file")
    assert _run(WHOLE_MODEL, tmp_path, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere) == SCORED


def test_a_full_disk_costs_the_linear_part_and_the_calibrator_no_answer(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));" + WHOLE_MODEL
    assert _run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"), HOME=str(tmp_path)) == SCORED


def test_a_cache_that_cannot_be_written_any_more_costs_the_saving_not_the_answer(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));" + READ  # as a full disk does
    code += "print(f.margins([[30., 1.], [50., 5.]]).tolist())"
    assert _run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"), HOME=str(tmp_path)) == "[0.0, 1.0]"


def test_a_second_process_finds_the_compiled_code_in_the_cache(tmp_path: Path) -> None:
    _copy_of_features(tmp_path)
    code = READ + "f.margins([[1., 1.]]); print(*trees._add_margins.stats.cache_hits.values())"
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    assert _run(code, tmp_path, **environment) == ""
    assert _run(code, tmp_path, **environment) == "1"
