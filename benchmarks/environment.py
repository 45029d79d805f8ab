"""Environments that peers live in: made once, from locked versions with hashes.

They are no dependencies of this project: only comparisons need them, and they weigh some 800 MB each.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.command import NotMeasuredError
from features.encode import EncodedField
from training.recipe.sample import FloatArray, Sample

LOCKS = Path(__file__).parents[1] / "locks"
CHILD = Path(__file__).parent / "quality" / "outside.py"


class OutsideEnvironmentError(NotMeasuredError):
    """The environment could not be made, or a peer failed in it; the message holds what it said."""


def python_of(place: Path, lock: str = "bench.txt", about: str = "XGBoost and CatBoost") -> Path:
    """The interpreter of the environment at `place`, made first if it was made from another lock file.

    Raises
    ------
    OutsideEnvironmentError
        If it cannot be made, such as without a package index.
    """
    python = place / "bin" / "python"
    stamp = place / "installed.txt"
    locked = LOCKS / lock
    if python.exists() and stamp.exists() and stamp.read_bytes() == locked.read_bytes():
        return python
    print(f"Making {place} with {about}: one to three minutes", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(place)])
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--progress-bar", "off"]
    _run([str(python), *install, "--require-hashes", "-r", str(locked)])
    copyfile(locked, stamp)
    return python


def outsiders_said(
    python: Path, known: Sample, fields: Sequence[EncodedField], asked: FloatArray, n_threads: int
) -> Mapping[str, FloatArray]:
    """XGBoost's and CatBoost's probabilities of the leads in `asked`, shape (n_leads, n_fields)."""
    categories = [place for place, field in enumerate(fields) if field.kind == "category"]
    with TemporaryDirectory() as folder:
        question, answer = Path(folder) / "question.npz", Path(folder) / "answer.npz"
        np.savez(
            question,
            known=known.matrix,
            target=known.target,
            asked=asked,
            categories=np.array(categories, dtype=np.int64),
        )
        _run([str(python), str(CHILD), str(question), str(answer), str(n_threads)])
        with np.load(answer) as file:
            return {name: np.asarray(file[name], dtype=np.float64) for name in file.files}


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OutsideEnvironmentError(f"{' '.join(command[:4])} … failed:\n{done.stderr.strip()[-2000:]}")
