"""The command: parts by name, progress on stderr, tables in the terminal and in .state/bench-quality."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and lightgbm are loaded: more threads wait for each other

import sys

from benchmarks.command import Measure, command
from benchmarks.quality.coverage import coverage
from benchmarks.quality.exactness import exactness
from benchmarks.quality.feedback import feedback
from benchmarks.quality.leaks import leaks
from benchmarks.quality.monthly import monthly
from benchmarks.quality.references import references
from benchmarks.quality.simulated import simulated_truth
from benchmarks.quality.windows import windows

PARTS: dict[str, Measure] = {
    "references": references,
    "windows": windows,
    "monthly": monthly,
    "simulated": simulated_truth,
    "leaks": leaks,
    "feedback": feedback,
    "coverage": coverage,
    "additivity": exactness,
}

if __name__ == "__main__":
    sys.exit(command("quality", "Measure model quality against reference models and against known truth.", PARTS))
