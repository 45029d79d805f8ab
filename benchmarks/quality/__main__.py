"""The command: parts by name, progress on stderr, tables in the terminal and in .state/bench-quality."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and lightgbm are loaded: more threads wait for each other

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.quality import report
from benchmarks.quality.environment import OutsideEnvironmentError
from benchmarks.quality.exactness import exactness
from benchmarks.quality.feedback import feedback
from benchmarks.quality.histories import MissingDataError
from benchmarks.quality.leaks import leaks
from benchmarks.quality.monthly import monthly
from benchmarks.quality.references import references
from benchmarks.quality.simulated import simulated_truth
from benchmarks.quality.windows import windows

Tell = Callable[[str, float], None]
PARTS: dict[str, Callable[[bool, Tell], report.Part]] = {
    "references": references,
    "windows": windows,
    "monthly": monthly,
    "simulated": simulated_truth,
    "leaks": leaks,
    "feedback": feedback,
    "additivity": exactness,
}


def run(names: list[str], folder: Path, *, quick: bool) -> list[report.Part]:
    """The parts named, each printed and saved as soon as it is there."""
    found = []
    for name in names:
        started = time.monotonic()
        try:
            part = PARTS[name](quick, _teller(name, started))
        except (MissingDataError, OutsideEnvironmentError) as missing:
            print(f"\n{name}: NOT MEASURED, {missing}", file=sys.stderr)
            continue
        part = replace(part, name=name, seconds=time.monotonic() - started, quick=quick)
        print(part.text(), flush=True)
        place = report.save(part, folder, list(PARTS))
        print(f"Written to {place}", file=sys.stderr)
        found.append(part)
    return found


def main() -> int:
    """Measures what the command line asks for; 1 if a part could not be measured, a missed bar is no failure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description="Measure model quality against reference models and against known truth.",
    )
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, with commas between: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, figures mean little")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    parts = run(names, Path(".state") / ("bench-quality-quick" if given.quick else "bench-quality"), quick=given.quick)
    bars = [bar for part in parts for bar in part.bars]
    missed = [bar.what for bar in bars if not bar.met]
    print(
        f"\n{len(parts)} of {len(names)} parts measured, {len(bars) - len(missed)} of {len(bars)} bars met."
        + "".join(f"\nMISSED  {what}" for what in missed)
    )
    return int(len(parts) < len(names))


def _teller(name: str, started: float) -> Tell:
    def tell(step: str, share: float) -> None:
        print(f"[{name} {share:4.0%} {time.monotonic() - started:5.0f} s] {step}", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
