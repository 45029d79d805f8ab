"""The command: parts by name, progress on stderr, tables in the terminal and in .state/bench-speed."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and lightgbm are loaded: more threads wait for each other

import sys

from benchmarks.command import Measure, command
from benchmarks.speed.contributions import contributions
from benchmarks.speed.hot import hot
from benchmarks.speed.http import http
from benchmarks.speed.kills import kills
from benchmarks.speed.million import million
from benchmarks.speed.pages import pages

PARTS: dict[str, Measure] = {
    "contributions": contributions,
    "hot": hot,
    "million": million,
    "http": http,
    "kills": kills,
    "pages": pages,
}

if __name__ == "__main__":
    sys.exit(command("speed", "Measure speed against what else there is, side by side.", PARTS))
